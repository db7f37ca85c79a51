// The Debian guest's recipe on packages made here: what the drive holds before the guest has configured it.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type PrepareOptions,
  prepareGuest,
  removeGuest,
  resolveGuestNode,
} from '../../src/guests/prepare-node.ts';
import type { MachineJob, ReadsJob } from '../../src/guests/recipe-node.ts';
import { busyboxPackages, FakeMirror, type FakePackage, makeDeb } from './fake-mirror.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const text = (lines: string) => Buffer.from(lines);
const kernelPackages = busyboxPackages(folder, randomBytes(10_000), text('a shell'));

/** A package with a control file, as dpkg wants it. */
function debian(
  name: string,
  files: Record<string, Uint8Array>,
  control: Record<string, string> = {},
  more: Partial<FakePackage> & { fields?: string } = {},
): FakePackage {
  const stanza = `Package: ${name}\nVersion: 1.0-1\nArchitecture: riscv64\n${more.fields ?? ''}Description: for tests\n`;
  const all = { control: stanza, ...control };
  const packed = Object.fromEntries(Object.entries(all).map(([path, lines]) => [path, text(lines)]));
  return { name, ...more, deb: makeDeb(folder, files, 'xz', packed) };
}

const packages = [
  ...kernelPackages,
  debian(
    'base-files',
    { 'etc/motd': text('hello\n') },
    { conffiles: '/etc/motd\n' },
    { essential: true, depends: 'awk' },
  ),
  debian(
    'base-passwd',
    {
      'usr/share/base-passwd/passwd.master': text('root:*:0:0:root:/root:/bin/bash\n'),
      'usr/share/base-passwd/group.master': text('root:*:0:\n'),
    },
    { postinst: '#!/bin/sh\n' },
    { essential: true },
  ),
  debian('mawk', { 'usr/bin/mawk': text('awk\n') }, {}, { provides: 'awk' }),
  debian('apt', { 'usr/bin/apt': text('apt\n') }, {}, { depends: 'libc' }),
  debian(
    'libc',
    { 'lib/libc.so': text('library\n') },
    { triggers: 'interest-noawait ldconfig\ninterest /usr/lib\n', postinst: '#!/bin/sh\n' },
    { fields: 'Multi-Arch: same\n' },
  ),
  ...['python3-minimal', 'mount', 'kmod', 'procps', 'less'].map((name) =>
    debian(name, { [`usr/bin/${name}`]: text(name) }),
  ),
];

let mirror: FakeMirror;
let outputDir: string;
let cacheDir: string;
let round = 0;
let jobs: MachineJob[];

beforeEach(async () => {
  mirror = await new FakeMirror().start();
  mirror.publish(packages);
  outputDir = join(folder, `out${round}`);
  cacheDir = join(folder, `cache${round++}`);
  jobs = [];
});
afterEach(() => mirror.stop());

/** Stands in for the guest: looks at the drive, and says that all went well. */
const configured = async (
  job: MachineJob,
  look: (debugfs: (command: string) => string) => void = () => {},
) => {
  jobs.push(job);
  look((command) => run('debugfs', ['-R', command, job.disk]).toString());
  job.onLine('Setting up libc ...');
  job.onLine('hypertab-configure: 0');
};
const prepare = (options: PrepareOptions = {}) =>
  prepareGuest('debian', {
    outputDir,
    cacheDir,
    env: { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') },
    mirror: mirror.url,
    attempts: 2,
    retryMs: 1,
    runMachine: (job) => configured(job),
    ...options,
  });

describe('the recipe of the Debian guest', () => {
  it('unpacks essential and wanted packages with their dependencies, and records them as unpacked', async () => {
    const manifest = await prepare({
      runMachine: (job) =>
        configured(job, (debugfs) => {
          const read = (path: string) => debugfs(`cat ${path}`);
          const status = read('/var/lib/dpkg/status');
          const names = [...status.matchAll(/^Package: (.*)$/gm)].map((match) => match[1]);
          expect(new Set(names)).toEqual(
            new Set('base-files base-passwd mawk apt python3-minimal mount kmod procps less libc'.split(' ')),
          );
          expect(status.match(/^Status: install ok unpacked$/gm)).toHaveLength(names.length);
          // md5 of "hello\n".
          expect(status).toContain('Conffiles:\n /etc/motd b1946ac92492d2347c6235b4d2611184\n');
          expect(read('/var/lib/dpkg/info/base-files.list')).toContain('/etc/motd\n');
          expect(debugfs('stat /var/lib/dpkg/info/libc:riscv64.postinst')).toMatch(/Mode: +0755/);
          expect(read('/var/lib/dpkg/triggers/ldconfig')).toBe('libc/noawait\n');
          expect(read('/var/lib/dpkg/triggers/File')).toBe('/usr/lib libc\n');
          expect(read('/usr/lib/libc.so')).toBe('library\n');
          expect(read('/etc/passwd')).toMatch(/^root:/);
          expect(read('/etc/apt/sources.list.d/debian.sources')).toContain(`URIs: ${mirror.url}\n`);
        }),
    });
    expect(jobs).toHaveLength(1);
    expect(jobs[0]!.append).toContain('hypertab_configure=1');
    const { disk } = manifest.files;
    expect(disk!.name).toBe(`root-${disk!.id}.img`);
    expect(statSync(join(outputDir, 'debian', disk!.name)).size).toBe(disk!.bytes);
    const guest = await resolveGuestNode('debian', { outputDir });
    expect(guest.drives).toEqual([
      {
        kind: 'file',
        path: join(outputDir, 'debian', disk!.name),
        overlay: { kind: 'file', path: expect.stringContaining(join(outputDir, '.disks', 'guest-debian-')) },
      },
    ]);
  });

  it('keeps the drive when it is made again of the same packages, and what was written to it', async () => {
    const first = await prepare();
    const again = await prepare({ refresh: true });
    expect(again.files.disk).toEqual(first.files.disk);
    expect(jobs).toHaveLength(1);
  });

  it('notes what a boot reads of its drive, for pages to fetch ahead, where that can be found out', async () => {
    const jobs: ReadsJob[] = [];
    const recordReads = async (job: ReadsJob) => {
      jobs.push(job);
      return [0, 1 << 20, 524288];
    };
    const { files } = await prepare({ recordReads });
    expect(files.disk!.first).toEqual([0, 1 << 20, 524288]);
    expect(jobs).toHaveLength(1);
    expect(jobs[0]!.append).not.toContain('hypertab_configure');
    const failing = () => Promise.reject(new Error('no prompt'));
    const again = await prepare({ refresh: true, recordReads: failing });
    expect(again.files.disk).toEqual({ ...files.disk, first: undefined });
  });

  it('does not give up a drive that was written to for newer packages, until it is removed', async () => {
    await prepare();
    const [drive] = (await resolveGuestNode('debian', { outputDir })).drives!;
    const { path } = drive!.overlay as { path: string };
    mkdirSync(join(outputDir, '.disks'), { recursive: true });
    writeFileSync(path, 'changes');
    mirror.publish([...packages.slice(0, -1), debian('less', { 'usr/bin/less': text('newer') })]);
    await expect(prepare({ refresh: true })).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining('npx hypertab guest rm debian'),
    });
    expect(jobs).toHaveLength(1);
    expect(readdirSync(outputDir)).toContain('debian');
    await removeGuest('debian', { outputDir });
    expect(existsSync(path)).toBe(false);
    await prepare();
    expect(jobs).toHaveLength(2);
  });

  it('says what the guest said last when its packages cannot be configured', async () => {
    const broken = prepare({
      runMachine: async ({ onLine }) => {
        onLine('dpkg: error processing package apt');
        onLine('hypertab-configure: 1');
      },
    });
    await expect(broken).rejects.toMatchObject({
      code: 'package',
      message: expect.stringMatching(/status 1.*processing package apt/),
    });
    await expect(prepare({ runMachine: async () => {} })).rejects.toThrow(/stopped before the end/);
    expect(readdirSync(outputDir).filter((name) => name.includes('debian'))).toEqual([]);
  });

  it('refuses a package that has a file of another one', async () => {
    mirror.publish([...packages.slice(0, -1), debian('less', { 'usr/bin/apt': text('mine') })]);
    await expect(prepare()).rejects.toThrow(/usr\/bin\/apt is in another package as well/);
  });
});
