import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareGuest } from '../../src/guests/prepare-node.ts';
import { busyboxPackages, FakeMirror, type FakePackage, makeDeb, pack } from './fake-mirror.ts';
import { compileModule } from './module-source.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const MODULES = ['overlay', 'veth', 'bridge', 'stp', 'llc'];

/** Compiles a shared object without a library of C. */
function compile(
  name: string,
  source: string,
  options: readonly string[],
  libraries: readonly string[] = [],
): Buffer {
  const [from, to] = [join(folder, `${name}.c`), join(folder, name)];
  writeFileSync(from, source);
  run('riscv64-linux-gnu-gcc', ['-nostdlib', '-fPIC', ...options, '-o', to, from, ...libraries]);
  return readFileSync(to);
}

function packages(): FakePackage[] {
  const module = pack(compileModule(folder, ''), 'xz');
  const base = busyboxPackages(folder, Buffer.alloc(5000, 1), Buffer.from('a shell'));
  const kernel = base.find(({ name }) => name === 'linux-image-6.1.2-riscv64')!;
  kernel.deb = makeDeb(folder, {
    'boot/vmlinux-6.1.2-riscv64': Buffer.alloc(5000, 1),
    ...Object.fromEntries(
      MODULES.map((name) => [`usr/lib/modules/6.1.2-riscv64/kernel/${name}.ko.xz`, module]),
    ),
  });
  const library = compile('libused.so.1', 'int used(void) { return 1; }', [
    '-shared',
    '-Wl,-soname,libused.so.1',
  ]);
  const program = compile(
    'crun',
    'int used(void); void _start(void) { used(); }',
    ['-Wl,-dynamic-linker,/lib/ld-test.so.1'],
    [join(folder, 'libused.so.1')],
  );
  const place = 'usr/lib/riscv64-linux-gnu';
  const both = {
    [`${place}/libused.so.1`]: library,
    [`${place}/ld-test.so.1`]: library,
    [`${place}/libother.so.1`]: library,
  };
  return [
    ...base,
    {
      name: 'crun',
      version: '1.21-1',
      depends: 'libused1 (>= 1)',
      deb: makeDeb(folder, { 'usr/bin/crun': program, 'usr/share/doc/x': Buffer.from('x') }),
    },
    { name: 'libused1', version: '1-1', deb: makeDeb(folder, both) },
  ];
}

let mirror: FakeMirror;
let round = 0;
beforeEach(async () => {
  mirror = await new FakeMirror().start();
});
afterEach(() => mirror.stop());

const prepare = () => {
  const outputDir = join(folder, `out${round}`);
  const env = { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') };
  const options = {
    outputDir,
    cacheDir: join(folder, `cache${round++}`),
    env,
    mirror: mirror.url,
    attempts: 2,
    retryMs: 1,
  };
  return prepareGuest('container-host', options).then((manifest) => ({ manifest, outputDir }));
};

describe('the recipe of the container host', () => {
  it('takes crun, only the libraries that it is linked with, the modules in their order, and our agent', async () => {
    mirror.publish(packages());
    const { manifest, outputDir } = await prepare();
    const initrd = join(outputDir, 'container-host', 'initrd');
    const listing = run('cpio', ['-t', '--quiet', '-F', initrd]).toString().split('\n');
    const files = listing.filter((path) => /^(init|usr\/(bin|lib)\/.+)$/.test(path)).sort();
    expect(files).toEqual(
      [
        'init',
        ...['usr/bin/busybox', 'usr/bin/crun', 'usr/bin/sh', 'usr/lib/hypertab', 'usr/lib/hypertab/modules'],
        'usr/lib/hypertab/template.so',
        ...MODULES.map((name) => `usr/lib/hypertab/${name}.ko`),
        ...['usr/lib/ld-test.so.1', 'usr/lib/libused.so.1'],
      ].sort(),
    );
    const sources = manifest.sources.map((source) => source.package);
    expect(sources).toEqual(
      expect.arrayContaining(['linux-image-6.1.2-riscv64', 'busybox-static', 'crun', 'libused1']),
    );
    expect(manifest.prompt).toBe('container-host # ');
  });

  it('names the library that no package has', async () => {
    mirror.publish(
      packages().map((found) => (found.name === 'libused1' ? { ...found, deb: makeDeb(folder, {}) } : found)),
    );
    await expect(prepare()).rejects.toMatchObject({
      code: 'package',
      message: expect.stringContaining('crun wants libused.so.1'),
    });
  });
});
