// Guests on this machine's disk: prepared, listed, removed and found. Node only.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CatalogueEntry, catalogue, catalogueEntry } from './catalogue.ts';
import { findDebianMirror } from './debian-mirror-node.ts';
import { DebianRepository } from './debian-repository-node.ts';
import { fileSize, hashBytes, onDisk } from './disk-node.ts';
import { type DownloadOptions, throwIfAborted } from './download-node.ts';
import { GuestError } from './guest-error.ts';
import { isGuestFileRight, writeGuestFile } from './guest-files-node.ts';
import type { GuestDisk, GuestEntry, GuestManifest, PreparedGuest } from './guest-types.ts';
import { withLock } from './lock-node.ts';
import { diskName, FILE_ROLES, isGuestName, locateGuest, missingGuest, parseManifest } from './manifest.ts';
import { cacheFolder, guestsFolder } from './paths-node.ts';
import type { Kitchen, MachineRunner, ReadsRecorder } from './recipe-node.ts';
import { recipeOf } from './recipes-node.ts';

export interface GuestFolderOptions {
  /** Where prepared guests are. Default: HYPERTAB_GUESTS, else build/guests. */
  outputDir?: string;
}

export interface PrepareOptions extends GuestFolderOptions, DownloadOptions {
  /** Where downloads are kept. Default: HYPERTAB_CACHE, else the platform's folder for caches. */
  cacheDir?: string;
  /** Default: HYPERTAB_DEBIAN_MIRROR, else the first Debian archive in apt's configuration. */
  mirror?: string;
  /** True: ask the mirror for newer packages even when the guest is there. */
  refresh?: boolean;
  /** Default: process.env. */
  env?: NodeJS.ProcessEnv;
  /** Boots machines; without it, guests that are made by booting them cannot be. */
  runMachine?: MachineRunner;
  /** Finds out what a boot reads of a disk; absent: pages fetch nothing of it ahead. */
  recordReads?: ReadsRecorder;
}

/** Raised when the layout of a prepared guest changes, so that older ones are made anew. */
const LAYOUT = 1;

const knownNames = () => catalogue.map((entry) => entry.name);

/**
 * Makes a guest: OUTPUT/NAME/ with its files, their gzipped twins and guest.json. A guest that is there, whole and
 * of the same recipe is left alone, without a look at the network. Nothing half-made is ever seen under its name.
 * @throws {GuestError}
 */
export async function prepareGuest(name: string, options: PrepareOptions = {}): Promise<GuestManifest> {
  const entry = catalogueEntry(name);
  if (entry === undefined) throw missingGuest(name, knownNames());
  const { signal } = options;
  const outputDir = options.outputDir ?? guestsFolder(options.env);
  const cacheDir = options.cacheDir ?? cacheFolder(options.env);
  const onWait = (owner: string) =>
    options.onProgress?.({ kind: 'note', text: `waiting for another preparation (process ${owner})` });
  return withLock(outputDir, { signal, onWait }, async () => {
    await removeDrafts(outputDir);
    const recipe = hashBytes(JSON.stringify([LAYOUT, entry, await recipeOf(entry).inputs()]));
    const present = await readManifest(outputDir, name).catch(() => undefined);
    if (!options.refresh && present?.recipe === recipe && (await isWhole(join(outputDir, name), present))) {
      await writeIndex(outputDir);
      return present;
    }
    const draft = join(outputDir, `.${name}.new`);
    try {
      await onDisk(draft, () => mkdir(draft));
      const make = () => makeGuest(entry, recipe, draft, outputDir, present, { ...options, cacheDir });
      const manifest =
        entry.kind === 'toy' ? await make() : await withLock(cacheDir, { signal, onWait }, make);
      await replace(outputDir, name, draft);
      await writeIndex(outputDir);
      return manifest;
    } catch (error) {
      await rm(draft, { recursive: true, force: true }).catch(() => {});
      if (signal?.aborted) throw new GuestError('aborted', `the preparation of ${name} was cancelled`, error);
      throw error;
    }
  });
}

async function makeGuest(
  entry: CatalogueEntry,
  recipe: string,
  folder: string,
  outputDir: string,
  present: GuestManifest | undefined,
  options: PrepareOptions & { cacheDir: string },
): Promise<GuestManifest> {
  const onProgress = options.onProgress ?? (() => {});
  const sources: GuestManifest['sources'] = [];
  let opened: Promise<DebianRepository> | undefined;
  const repository = () => {
    opened ??= (async () => {
      const mirror = await findDebianMirror({ mirror: options.mirror, env: options.env });
      return DebianRepository.open({ ...options, mirror });
    })();
    return opened;
  };
  const kitchen: Kitchen = {
    folder,
    cacheDir: options.cacheDir,
    onProgress: (progress) => {
      throwIfAborted(options.signal);
      onProgress(progress);
    },
    signal: options.signal,
    present: present && { folder: join(outputDir, present.name), manifest: present },
    checkDisk: async () => present && checkDisk(outputDir, present),
    runMachine: options.runMachine,
    recordReads: options.recordReads,
    repository,
    fetch: async (name) => {
      const fetched = await (await repository()).fetch(name);
      const { version, sha256 } = fetched.package;
      sources.push({ package: name, version, sha256 });
      return fetched;
    },
    write: (name, data) => writeGuestFile(folder, name, data),
  };
  const files = await recipeOf(entry).make(kitchen);
  throwIfAborted(options.signal);
  const { name, title, description, kind, memory, append, prompt } = entry;
  const manifest: GuestManifest = {
    version: 1,
    name,
    title,
    description,
    kind,
    memory,
    append,
    prompt,
    files,
    sources,
    archive: opened && describeArchive(await opened),
    recipe,
  };
  const path = join(folder, 'guest.json');
  await onDisk(path, () => writeFile(path, `${JSON.stringify(manifest, undefined, 2)}\n`));
  return manifest;
}

function describeArchive({ release, signature }: DebianRepository): GuestManifest['archive'] {
  return {
    suite: release.codename,
    version: release.version,
    date: release.date,
    signature: signature.checked ? `good, by ${signature.by}` : `not checked: ${signature.reason}`,
  };
}

/** Refuses to replace a drive that a user has written to: the changes mean nothing on another one. */
async function checkDisk(outputDir: string, { name, files }: GuestManifest): Promise<void> {
  if (files.disk === undefined) return;
  const changes = changesPath(outputDir, name, files.disk);
  if ((await fileSize(changes)) === undefined) return;
  const wayOut = `to give that up, run \`npx hypertab guest rm ${name}\` first`;
  throw new GuestError(
    'disk',
    `${name} would get another disk, and ${changes} has what was written to its present one; ${wayOut}`,
  );
}

/** Where the changes to a guest's drive are kept. The name begins with a dot, so that it is not served. */
function changesPath(outputDir: string, name: string, disk: GuestDisk): string {
  return join(outputDir, '.disks', `${diskName(name, disk)}.overlay`);
}

/** Puts a finished draft in its place. */
async function replace(outputDir: string, name: string, draft: string): Promise<void> {
  const place = join(outputDir, name);
  const old = join(outputDir, `.${name}.old`);
  await onDisk(place, async () => {
    await rename(place, old).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(draft, place);
    await rm(old, { recursive: true, force: true });
  });
}

/** What an earlier run that was killed left behind. */
async function removeDrafts(outputDir: string): Promise<void> {
  for (const name of await readdir(outputDir)) {
    if (!/^\..+\.(new|old)$/.test(name)) continue;
    await onDisk(join(outputDir, name), () => rm(join(outputDir, name), { recursive: true, force: true }));
  }
}

async function readManifest(outputDir: string, name: string): Promise<GuestManifest> {
  if (!isGuestName(name)) throw missingGuest(name, knownNames());
  const path = join(outputDir, name, 'guest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missingGuest(name, knownNames());
    throw new GuestError('disk', `cannot read ${path}: ${(error as Error).message}`, error);
  }
  return parseManifest(text, path);
}

async function isWhole(folder: string, manifest: GuestManifest): Promise<boolean> {
  for (const role of FILE_ROLES) {
    const file = manifest.files[role];
    if (file !== undefined && !(await isGuestFileRight(folder, file))) return false;
  }
  const { disk } = manifest.files;
  return disk === undefined || (await fileSize(join(folder, disk.name))) === disk.bytes;
}

/** All guests of the catalogue, in its order, and whether each is prepared. */
export async function listGuests(options: GuestFolderOptions = {}): Promise<GuestEntry[]> {
  const outputDir = options.outputDir ?? guestsFolder();
  return Promise.all(
    catalogue.map(async ({ name, title, description, kind, memory, internal }): Promise<GuestEntry> => {
      const manifest = await readManifest(outputDir, name).catch(() => undefined);
      const entry = { name, title, description, memory, kind, ...(internal && { internal }) };
      if (manifest === undefined) return { ...entry, prepared: false };
      const download = FILE_ROLES.reduce((sum, role) => sum + (manifest.files[role]?.gzipBytes ?? 0), 0);
      return { ...entry, prepared: true, download };
    }),
  );
}

/** Writes index.json, the list a page shows. */
async function writeIndex(outputDir: string): Promise<void> {
  const offered = (await listGuests({ outputDir })).filter(({ internal }) => !internal);
  const text = `${JSON.stringify(offered, undefined, 2)}\n`;
  const path = join(outputDir, 'index.json');
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
  const draft = join(outputDir, '.index.json.new');
  await onDisk(path, async () => {
    await writeFile(draft, text);
    await rename(draft, path);
  });
}

/**
 * Removes a prepared guest's files and what was written to its drive; downloads stay in the cache.
 * @returns false when it was not prepared
 * @throws {GuestError} unknown or disk
 */
export async function removeGuest(name: string, options: GuestFolderOptions = {}): Promise<boolean> {
  if (catalogueEntry(name) === undefined) throw missingGuest(name, knownNames());
  const outputDir = options.outputDir ?? guestsFolder();
  return withLock(outputDir, {}, async () => {
    const old = join(outputDir, `.${name}.old`);
    await removeDrafts(outputDir);
    const disk = (await readManifest(outputDir, name).catch(() => undefined))?.files.disk;
    if (disk !== undefined) {
      const changes = changesPath(outputDir, name, disk);
      await onDisk(changes, () => rm(changes, { force: true }));
    }
    const removed = await onDisk(join(outputDir, name), () =>
      rename(join(outputDir, name), old).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return false;
          throw error;
        },
      ),
    );
    await writeIndex(outputDir);
    await onDisk(old, () => rm(old, { recursive: true, force: true }));
    return removed;
  });
}

/**
 * Finds a prepared guest: the resolver of a Node process.
 * @throws {GuestError} unknown, not-prepared or format
 */
export async function resolveGuestNode(
  name: string,
  options: GuestFolderOptions = {},
): Promise<PreparedGuest> {
  const outputDir = options.outputDir ?? guestsFolder();
  const manifest = await readManifest(outputDir, name);
  if (manifest.files.disk !== undefined) {
    const folder = join(outputDir, '.disks');
    await onDisk(folder, () => mkdir(folder, { recursive: true }));
  }
  return locateGuest(
    manifest,
    (file) => join(outputDir, name, file.name),
    (disk) => ({
      kind: 'file',
      path: join(outputDir, name, disk.name),
      overlay: { kind: 'file', path: changesPath(outputDir, name, disk) },
    }),
  );
}
