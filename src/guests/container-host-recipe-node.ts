import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, writeCpio } from '../storage/cpio.ts';
import { readDeb } from './deb-node.ts';
import { debianKernel, fetchBusybox, fetchKernel } from './debian-kernel-node.ts';
import type { FetchedPackage } from './debian-repository-node.ts';
import { elfLibraries } from './elf-libraries.ts';
import { GuestError } from './guest-error.ts';
import { extractModules } from './modules-node.ts';
import { packageClosure } from './package-closure.ts';
import { packageFolder } from './paths-node.ts';
import type { Kitchen, Recipe } from './recipe-node.ts';

/** What containers want of the kernel that Debian has as modules. */
const MODULES = ['overlay', 'veth', 'bridge', 'stp', 'llc'];
const LIBRARY = /^(?:usr\/)?lib\/(?:riscv64-linux-gnu\/)?([^/]+\.so[^/]*)$/;
/** Raised when the same packages give other files. */
const FORMAT = 1;

/** Debian's kernel, crun with its libraries, BusyBox, and our agent as the first process, all in an initramfs. */
export const containerHostRecipe: Recipe = {
  inputs: async () =>
    JSON.stringify([FORMAT, MODULES, ...(await Promise.all([base64(AGENT), base64(TEMPLATE)]))]),
  make: async (kitchen) => {
    const kernelPackage = await fetchKernel(kitchen);
    const kernel = await debianKernel(kitchen, kernelPackage);
    const busybox = await fetchBusybox(kitchen);
    kitchen.onProgress({ kind: 'step', text: 'unpacking crun and its libraries' });
    const programs = await crun(kitchen);
    kitchen.onProgress({ kind: 'step', text: `unpacking modules of ${kernelPackage.package.name}` });
    const { filename } = kernelPackage.package;
    const modules = await extractModules(kernelPackage.path, filename, MODULES);
    const list = modules.map(({ name }) => `/lib/hypertab/${name}.ko\n`).join('');
    kitchen.onProgress({ kind: 'step', text: 'building the initramfs' });
    const initrd = writeCpio([
      ...skeleton(),
      { type: 'file', path: 'init', mode: 0o755, data: await own(AGENT) },
      { type: 'file', path: 'usr/bin/busybox', mode: 0o755, data: busybox },
      { type: 'symlink', path: 'usr/bin/sh', target: 'busybox' },
      ...programs,
      { type: 'file', path: 'usr/lib/hypertab/template.so', mode: 0o755, data: await own(TEMPLATE) },
      { type: 'file', path: 'usr/lib/hypertab/modules', data: new TextEncoder().encode(list) },
      ...modules.map(({ name, data }): CpioEntry => {
        return { type: 'file', path: `usr/lib/hypertab/${name}.ko`, data };
      }),
    ]);
    return { kernel, initrd: await kitchen.write('initrd', initrd) };
  },
};

/** What is ours: the first process, and what it has crun load (scripts/build-agent.mjs builds both). */
const AGENT = 'agent.riscv64';
const TEMPLATE = 'template.riscv64';
const own = (name: string) => readFile(join(packageFolder(), 'guests', 'container-host', name));
const base64 = async (name: string) => (await own(name)).toString('base64');

function skeleton(): CpioEntry[] {
  const folders = 'dev etc l proc root run sys usr usr/bin usr/lib usr/lib/hypertab v';
  const passwd = new TextEncoder().encode('root:x:0:0:root:/root:/bin/sh\n');
  return [
    ...folders.split(' ').map((path): CpioEntry => ({ type: 'directory', path, mode: 0o755 })),
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    { type: 'symlink', path: 'bin', target: 'usr/bin' },
    { type: 'symlink', path: 'lib', target: 'usr/lib' },
    { type: 'file', path: 'etc/passwd', data: passwd },
    // Linux opens it as the first process's standard streams, before that could mount devtmpfs.
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { type: 'character', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
  ];
}

/** The program, and of the packages it depends on only the libraries that are loaded with it. */
async function crun(kitchen: Kitchen): Promise<CpioEntry[]> {
  const repository = await kitchen.repository();
  const closure = packageClosure(['crun'], (name) => repository.find(name));
  const packages: FetchedPackage[] = [];
  const own = closure.find(({ name }) => name === 'crun')!;
  for (const { name } of closure)
    if (name === own.name || /^lib/.test(name)) packages.push(await kitchen.fetch(name));
  const found = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  let program: Uint8Array | undefined;
  for (const { package: from, path } of packages) {
    for await (const entry of readDeb(path, from.filename)) {
      if (entry.type === 'file' && entry.path === 'usr/bin/crun') program = await entry.read();
      const name = LIBRARY.exec(entry.path)?.[1];
      if (name === undefined) continue;
      if (entry.type === 'file') found.set(name, await entry.read());
      else if (entry.type === 'symlink') links.set(name, entry.link.replace(/^.*\//, ''));
    }
  }
  if (program === undefined) throw new GuestError('package', `${own.filename} has no /usr/bin/crun`);
  const chosen = new Map<string, Uint8Array>();
  const choose = (file: Uint8Array, what: string) => {
    const { needed, loader } = elfLibraries(file, what);
    for (const name of [...needed, ...(loader === undefined ? [] : [loader.replace(/^.*\//, '')])]) {
      if (chosen.has(name)) continue;
      const data = found.get(name) ?? found.get(links.get(name) ?? '');
      if (data === undefined)
        throw new GuestError('package', `${what} wants ${name}, which no package of its has`);
      chosen.set(name, data);
      choose(data, name);
    }
  };
  choose(program, 'crun');
  return [
    { type: 'file', path: 'usr/bin/crun', mode: 0o755, data: program },
    ...[...chosen].map(([name, data]): CpioEntry => {
      return { type: 'file', path: `usr/lib/${name}`, mode: 0o755, data };
    }),
  ];
}
