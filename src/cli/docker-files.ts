import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostFiles } from '../containers/docker/docker-io.ts';
import { tarEnd, tarHeader, tarPad } from '../containers/images/tar-writer.ts';
import { readTar, type TarEntry } from '../guests/tar.ts';
import { UsageError } from './usage-error.ts';

/** Bytes read at a time. */
const PIECE = 1 << 18;

/** Files of this machine for `docker cp`. */
export const nodeFiles: HostFiles = { pack, unpack, kind };

async function kind(path: string): Promise<'directory' | 'file' | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  return info.isDirectory() ? 'directory' : 'file';
}

async function* pack(path: string, name: string): AsyncGenerator<Uint8Array> {
  // What is named is what is meant by the name, further links are copied as links.
  const info = await stat(path);
  if (info.isDirectory()) yield* packBelow(path, name === '.' ? '' : name);
  else yield* packFile(path, name);
  yield tarEnd();
}

async function* packBelow(path: string, name: string): AsyncGenerator<Uint8Array> {
  const { mode, mtimeMs } = await lstat(path);
  if (name !== '')
    yield tarHeader({ path: name, type: 'directory', mode: mode & 0o7777, mtime: mtimeMs / 1000 });
  for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const from = join(path, entry.name);
    const to = name === '' ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) yield* packBelow(from, to);
    else if (entry.isFile()) yield* packFile(from, to);
    else if (entry.isSymbolicLink()) {
      yield tarHeader({ path: to, type: 'symlink', mode: 0o777, target: await readlink(from) });
    }
  }
}

async function* packFile(path: string, name: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    const { mode, mtimeMs, size } = await file.stat();
    yield tarHeader({ path: name, type: 'file', mode: mode & 0o7777, mtime: mtimeMs / 1000, size });
    let at = 0;
    while (at < size) {
      const buffer = Buffer.alloc(Math.min(PIECE, size - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new UsageError(`${path} has become shorter while it was copied`);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
    yield tarPad(size);
  } finally {
    await file.close();
  }
}

/** The archive comes from a container: nothing in it leads out of `directory`, and no link in it is followed. */
async function unpack(directory: string, archive: AsyncIterable<Uint8Array>, name?: string): Promise<void> {
  for await (const entry of readTar(archive, 'the archive')) {
    const path = renamed(entry.path, name);
    if (path === '') continue;
    await place(directory, path, entry, name);
  }
}

/** With its first name replaced; `.` takes it away. */
function renamed(path: string, name: string | undefined): string {
  if (name === undefined) return path;
  const rest = path.includes('/') ? path.slice(path.indexOf('/') + 1) : '';
  if (name === '.') return rest;
  return rest === '' ? name : `${name}/${rest}`;
}

async function place(
  directory: string,
  path: string,
  entry: TarEntry,
  name: string | undefined,
): Promise<void> {
  const parts = path.split('/');
  const last = parts.pop()!;
  let parent = directory;
  for (const part of parts) {
    parent = join(parent, part);
    await realDirectory(parent);
  }
  const target = join(parent, last);
  if (entry.type === 'directory') {
    await realDirectory(target, entry.mode);
    return;
  }
  const there = await lstat(target).catch(() => undefined);
  if (there?.isDirectory()) throw new UsageError(`cannot overwrite directory ${target} with a file`);
  if (there !== undefined) await rm(target);
  switch (entry.type) {
    case 'file': {
      const file = await open(target, 'wx', entry.mode & 0o777);
      try {
        await file.writeFile(await entry.read());
      } finally {
        await file.close();
      }
      return;
    }
    case 'symlink':
      await symlink(entry.link, target);
      return;
    case 'hardlink': {
      const from = join(directory, renamed(entry.link, name));
      const info = await lstat(from).catch(() => undefined);
      if (!info?.isFile())
        throw new UsageError(`${path} is a link to ${entry.link}, which is no file of the archive`);
      await copyFile(from, target, constants.COPYFILE_EXCL);
      return;
    }
    default:
      throw new UsageError(`${path} is a ${entry.type}, which cannot be copied`);
  }
}

async function realDirectory(path: string, mode = 0o755): Promise<void> {
  const info = await lstat(path).catch(() => undefined);
  if (info === undefined) await mkdir(path, { mode: mode | 0o700 });
  else if (!info.isDirectory())
    throw new UsageError(`${path} is no directory: nothing is written through it`);
}
