import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, writeCpio } from '../storage/cpio.ts';
import type { FetchedPackage } from './debian-repository-node.ts';
import { onDisk } from './disk-node.ts';
import { GuestError } from './guest-error.ts';
import { sharedGuestFile } from './guest-files-node.ts';
import { extractModules, type KernelModule } from './modules-node.ts';
import type { Kitchen } from './recipe-node.ts';

/** What drivers of our devices Debian has as modules. */
const DRIVERS = ['virtio_blk', 'virtio_net', 'virtio_rng', 'virtio_balloon', 'virtio_mmio'];
/** What virtio_net needs; named, as those below, so that one pass over the package finds them. */
const NETWORK = ['net_failover', 'failover'];
/** File systems of drives, and all they need. */
const FILE_SYSTEMS = ['ext4', 'jbd2', 'mbcache', 'crc16', 'crc32c_generic'];
export const MODULES: readonly string[] = [...DRIVERS, ...NETWORK, ...FILE_SYSTEMS];

/** Modules this large are gzipped, and unpacked by guests/busybox/modprobe: RAM is short in small guests. */
const GZIP_FROM = 100_000;
/** Raised when the archive of the same modules changes. */
const FORMAT = 5;
/** What the archive is made of beside the package: a guest with another one is made anew. */
export const MODULE_ARCHIVE = `${FORMAT}: ${MODULES.join(' ')}`;

/**
 * Kernel modules in the place where modprobe looks for them, as an archive of its own to be put behind another.
 * @param packed large ones are gzipped, for guests that do not want them at once
 * @throws {GuestError}
 */
export async function moduleArchive(
  kitchen: Kitchen,
  { package: found, path }: FetchedPackage,
  packed = true,
): Promise<Uint8Array> {
  const release = /^linux-image-(.+)$/.exec(found.name)?.[1];
  if (release === undefined)
    throw new GuestError('package', `${found.name} does not name a kernel's release`);
  const key = createHash('sha256')
    .update(JSON.stringify([MODULE_ARCHIVE, found.sha256, ...(packed ? [] : ['plain'])]))
    .digest('hex');
  // Unpacking takes seconds, so that the archive is kept like the kernel.
  const scratch = join(kitchen.folder, '.modules');
  await onDisk(scratch, () => mkdir(scratch));
  try {
    await sharedGuestFile(kitchen.cacheDir, `modules-${key}`, 'modules', scratch, async () => {
      kitchen.onProgress({ kind: 'step', text: `unpacking modules of ${found.name}` });
      return writeCpio(moduleFiles(release, await extractModules(path, found.filename, MODULES), packed));
    });
    return await onDisk(scratch, () => readFile(join(scratch, 'modules')));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** All that a module stands on, what must be loaded first at the end: modprobe does not look for more. */
function allDependencies(name: string, modules: readonly KernelModule[]): string[] {
  const wanted = new Set([name]);
  // The modules come in the order of loading: who depends on one comes after it.
  const found = modules.toReversed().filter((module) => {
    if (!wanted.has(module.name)) return false;
    for (const other of module.depends) wanted.add(other);
    return true;
  });
  return found.slice(1).map((module) => module.name);
}

/** A release's folder of modules, with modprobe's tables of dependencies and other names. */
function moduleFiles(release: string, modules: readonly KernelModule[], packed: boolean): CpioEntry[] {
  const folder = `lib/modules/${release}`;
  const dependencies = modules.map(
    ({ name }) =>
      `${name}.ko:${allDependencies(name, modules)
        .map((other) => ` ${other}.ko`)
        .join('')}\n`,
  );
  const aliases = modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`));
  const text = (path: string, lines: string[]): CpioEntry => ({
    type: 'file',
    path: `${folder}/${path}`,
    data: new TextEncoder().encode(lines.join('')),
  });
  return [
    { type: 'directory', path: 'lib' },
    { type: 'directory', path: 'lib/modules' },
    { type: 'directory', path: folder },
    text('modules.dep', dependencies),
    text('modules.alias', aliases),
    ...modules.map(({ name, data }): CpioEntry => {
      const path = `${folder}/${name}.ko`;
      return !packed || data.length < GZIP_FROM
        ? { type: 'file', path, data }
        : { type: 'file', path: `${path}.gz`, data: gzipSync(data, { level: 9 }) };
    }),
  ];
}
