import { randomBytes } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, writeCpio } from '../storage/cpio.ts';
import { FileBackend } from '../storage/file-backend-node.ts';
import { writeExt4 } from '../storage/image/ext4-writer.ts';
import type { ImageEntry } from '../storage/image/image-entry.ts';
import { StorageError } from '../storage/storage-error.ts';
import { catalogueEntry } from './catalogue.ts';
import { extractDeb } from './deb-node.ts';
import { debianKernel, fetchBusybox, fetchKernel, joinArchives } from './debian-kernel-node.ts';
import type { DebianRepository, FetchedPackage } from './debian-repository-node.ts';
import { fileSize, hashBytes, linkOrCopy } from './disk-node.ts';
import { GuestError } from './guest-error.ts';
import type { GuestDisk } from './guest-types.ts';
import { MODULE_ARCHIVE, moduleArchive } from './kernel-modules-node.ts';
import { packageClosure } from './package-closure.ts';
import { packageFolder } from './paths-node.ts';
import type { Kitchen, Recipe } from './recipe-node.ts';
import { unpackedTree } from './unpacked-tree-node.ts';

const MIB = 1024 ** 2;

/** Beside what is essential. mawk is the smallest of those that provide the awk that base-files wants. */
const PACKAGES = ['mawk', 'apt', 'python3-minimal', 'mount', 'kmod', 'procps', 'less'];
/** Room for some 1,700 MB of files more; what is not written takes none on the host. */
const DISK_BYTES = 2048 * MIB;
/** Raised when an equal list of packages gives another image. */
const DISK_FORMAT = 1;
/** Raised when equal disks are to be looked at anew for what a boot reads of them. */
const READS_FORMAT = 1;
/** RAM while it is made, and the mark that the last line of it begins with. */
const CONFIGURE_MEMORY = 512 * MIB;
const CONFIGURED = 'hypertab-configure: ';

/** Our scripts, each where it goes in the initramfs. */
const SCRIPTS = {
  'debian/initramfs': 'init',
  'debian/fstab-kernel': 'run/hypertab/fstab-kernel',
  'debian/fstab-root': 'run/hypertab/fstab-root',
  'debian/init': 'run/hypertab/init',
  'debian/configure': 'run/hypertab/configure',
  'debian/end': 'run/hypertab/end',
  'busybox/resize': 'run/hypertab/resize',
  'busybox/renew': 'run/hypertab/renew',
};

/**
 * Debian's kernel, and a root of Debian's packages on a drive. The packages are unpacked here; their maintainer
 * scripts are run by the guest itself, booted once for that.
 */
export const debianRecipe: Recipe = {
  inputs: async () => {
    const texts = (await scripts()).map((entry) => (entry.type === 'file' ? String(entry.data) : ''));
    return JSON.stringify([DISK_FORMAT, READS_FORMAT, DISK_BYTES, PACKAGES, ...texts, MODULE_ARCHIVE]);
  },
  make: async (kitchen) => {
    const kernelPackage = await fetchKernel(kitchen);
    const kernel = await debianKernel(kitchen, kernelPackage);
    const program = await fetchBusybox(kitchen);
    kitchen.onProgress({ kind: 'step', text: 'building the initramfs' });
    const own = writeCpio([
      ...skeleton(),
      { type: 'file', path: 'run/hypertab/busybox', mode: 0o755, data: program },
      ...(await scripts()),
    ]);
    const modules = await moduleArchive(kitchen, kernelPackage, false);
    const initrd = await kitchen.write('initrd', joinArchives(own, modules));
    const disk = await rootDisk(kitchen);
    return { kernel, initrd, disk: { ...disk, first: await firstReads(kitchen, disk) } };
  },
};

/** The initramfs; /run and /tmp stay what they are when the root is there. */
function skeleton(): CpioEntry[] {
  const folders = 'dev lib proc root run run/lock run/hypertab run/hypertab/dev sys';
  const links = { fd: '/proc/self/fd', stdin: 'fd/0', stdout: 'fd/1', stderr: 'fd/2' };
  return [
    ...folders.split(' ').map((path): CpioEntry => ({ type: 'directory', path, mode: 0o755 })),
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    { type: 'directory', path: 'run/hypertab/dev/pts', mode: 0o755 },
    { type: 'directory', path: 'run/hypertab/dev/shm', mode: 0o1777 },
    ...Object.entries(links).map(([name, target]): CpioEntry => {
      return { type: 'symlink', path: `run/hypertab/dev/${name}`, target };
    }),
    // Linux opens it as the first process's standard streams, before that could mount devtmpfs.
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { type: 'character', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
  ];
}

function scripts(): Promise<CpioEntry[]> {
  return Promise.all(
    Object.entries(SCRIPTS).map(async ([name, path]): Promise<CpioEntry> => {
      const data = await readFile(join(packageFolder(), 'guests', name));
      return { type: 'file', path, mode: 0o755, data };
    }),
  );
}

/** The root: that of the guest that is there, where it would come out the same, so that its user keeps it. */
async function rootDisk(kitchen: Kitchen): Promise<GuestDisk> {
  const repository = await kitchen.repository();
  const wanted = packageClosure([...repository.essential(), ...PACKAGES], (name) => repository.find(name));
  const key = hashBytes(
    JSON.stringify([DISK_FORMAT, DISK_BYTES, PACKAGES, wanted.map(({ sha256 }) => sha256).sort()]),
  );
  const packages: FetchedPackage[] = [];
  for (const { name } of wanted) packages.push(await kitchen.fetch(name));
  const { present } = kitchen;
  const there = present?.manifest.files.disk;
  if (present !== undefined && there?.key === key) {
    const path = join(present.folder, there.name);
    if ((await fileSize(path)) === there.bytes) {
      await linkOrCopy(path, join(kitchen.folder, there.name));
      return there;
    }
  }
  await kitchen.checkDisk();
  const draft = join(kitchen.folder, 'root.img');
  kitchen.onProgress({ kind: 'step', text: `unpacking ${packages.length} packages` });
  await writeImage(draft, packages, await ownFiles(packages, repository));
  kitchen.onProgress({
    kind: 'step',
    text: 'configuring the packages in the guest, which takes some minutes',
  });
  await configure(kitchen, draft);
  const id = randomBytes(8).toString('hex');
  const name = `root-${id}.img`;
  await rename(draft, join(kitchen.folder, name));
  return { name, bytes: DISK_BYTES, id, key };
}

/** What a boot reads of the disk: each of these reads waits for the one before, so that a page had better have them. */
async function firstReads(kitchen: Kitchen, disk: GuestDisk): Promise<number[] | undefined> {
  const entry = catalogueEntry('debian');
  if (kitchen.recordReads === undefined || entry === undefined) return undefined;
  kitchen.onProgress({ kind: 'step', text: 'looking at what a boot reads' });
  const job = {
    kernel: join(kitchen.folder, 'kernel'),
    initrd: join(kitchen.folder, 'initrd'),
    append: entry.append ?? '',
    memory: entry.memory,
    disk: join(kitchen.folder, disk.name),
    prompt: entry.prompt ?? '# ',
    signal: kitchen.signal,
  };
  // A guest without it boots as well, more slowly.
  return kitchen.recordReads(job).catch((error: unknown) => {
    if (kitchen.signal?.aborted) throw error;
    return undefined;
  });
}

async function writeImage(
  path: string,
  packages: readonly FetchedPackage[],
  own: readonly ImageEntry[],
): Promise<void> {
  try {
    const disk = await FileBackend.open(path, { create: DISK_BYTES });
    try {
      await writeExt4(disk, unpackedTree(packages, own), { label: 'debian' });
    } finally {
      await disk.close();
    }
  } catch (error) {
    if (error instanceof StorageError) throw new GuestError('disk', error.message, error);
    throw error;
  }
}

/** Lets the guest run the maintainer scripts of what it is made of. */
async function configure(kitchen: Kitchen, disk: string): Promise<void> {
  if (kitchen.runMachine === undefined) {
    throw new Error('this guest is made by booting it: prepareGuest needs runMachine');
  }
  let last = '';
  let lines: string[] = [];
  await kitchen.runMachine({
    kernel: join(kitchen.folder, 'kernel'),
    initrd: join(kitchen.folder, 'initrd'),
    append: 'console=ttyS0 quiet panic=-1 cryptomgr.notests hypertab_configure=1',
    memory: CONFIGURE_MEMORY,
    disk,
    signal: kitchen.signal,
    onLine: (line) => {
      lines = [...lines.slice(-19), line];
      if (line.startsWith(CONFIGURED)) last = line.slice(CONFIGURED.length);
      if (/^Setting up /.test(line)) kitchen.onProgress({ kind: 'step', text: line.toLowerCase() });
    },
  });
  if (last === '0') return;
  throw new GuestError(
    'package',
    `the packages could not be configured in the guest (${last === '' ? 'it stopped before the end' : `status ${last}`}); its last words: ${lines.join(' / ')}`,
  );
}

/** What no package has, and what their maintainer scripts want to find. */
async function ownFiles(
  packages: readonly FetchedPackage[],
  repository: DebianRepository,
): Promise<ImageEntry[]> {
  const base = packages.find((found) => found.package.name === 'base-passwd');
  if (base === undefined) throw new GuestError('package', 'base-passwd is not among the essential packages');
  const masters = await extractDeb(base.path, base.package.filename, ({ path }) => path.endsWith('.master'));
  const master = (name: string) => {
    const data = masters.get(`usr/share/base-passwd/${name}.master`);
    if (data === undefined) throw new GuestError('package', `${base.package.filename} has no ${name}.master`);
    return data;
  };
  const source = new URL(repository.mirror);
  source.username = source.password = '';
  const sources =
    `Types: deb\nURIs: ${source.href}\nSuites: ${repository.release.codename}\nComponents: main\n` +
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n';
  const files: Record<string, string | Uint8Array> = {
    'etc/passwd': master('passwd'),
    'etc/group': master('group'),
    'etc/hostname': 'debian\n',
    'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 debian\n::1 localhost\n',
    'etc/fstab': '/dev/vda / ext4 noatime,commit=1,noinit_itable 0 1\n',
    'etc/apt/sources.list.d/debian.sources': sources,
  };
  const links: Record<string, string> = { 'usr/local/bin/resize': '/run/hypertab/resize' };
  for (const name of ['poweroff', 'reboot', 'halt']) links[`usr/local/sbin/${name}`] = '/run/hypertab/end';
  return [
    ...Object.entries(files).map(([path, contents]): ImageEntry => {
      const data = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
      return { kind: 'file', path, mode: 0o644, bytes: data.length, contents: [data] };
    }),
    ...Object.entries(links).map(([path, target]): ImageEntry => ({ kind: 'symlink', path, target })),
  ];
}
