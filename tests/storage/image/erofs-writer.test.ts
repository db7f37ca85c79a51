import { lstat, readFile, readlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileBackend } from '../../../src/storage/file-backend-node.ts';
import { type ErofsOptions, writeErofs } from '../../../src/storage/image/erofs-writer.ts';
import type { ImageEntry } from '../../../src/storage/image/image-entry.ts';
import { MemoryBackend } from '../../../src/storage/memory-backend.ts';
import { pattern } from '../backend-model.ts';
import { removeFolders, temporaryFolder } from '../bundle.ts';
import { imageEntries, pieces } from './image-entries.ts';
import { runOracle } from './oracle.ts';

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(removeFolders);

async function makeImage(entries: readonly ImageEntry[], options: ErofsOptions = {}): Promise<string> {
  const path = join(folder, `image-${count++}`);
  const drive = await FileBackend.open(path, { create: 512 * 1024 ** 2 });
  const { bytes } = await writeErofs(drive, entries, options);
  await drive.close();
  await truncate(path, bytes);
  return path;
}

/** Has fsck.erofs read everything and write it out as files. */
async function extract(path: string): Promise<string> {
  const out = join(folder, `out-${count++}`);
  const { status, output } = await runOracle('fsck.erofs', [`--extract=${out}`, path]);
  expect(status, output).toBe(0);
  expect(output).not.toMatch(/fail|error|corrupt/i);
  return out;
}

async function expectContents(out: string, entries: readonly ImageEntry[]): Promise<void> {
  for (const entry of entries) {
    const path = join(out, entry.path);
    const info = await lstat(path);
    if (entry.kind === 'link') {
      expect(info.isFile()).toBe(true);
      expect((await readFile(path)).equals(await readFile(join(out, entry.to)))).toBe(true);
      continue;
    }
    if (entry.kind === 'file') {
      const source = typeof entry.contents === 'function' ? entry.contents() : entry.contents;
      const right = Buffer.concat([...(source as Iterable<Uint8Array>)]);
      expect((await readFile(path)).equals(right), entry.path).toBe(true);
      // Changing the owner afterwards, it loses set-uid and set-gid.
      expect(info.mode & 0o1777).toBe(entry.mode! & 0o1777);
    }
    if (entry.kind === 'directory')
      expect([info.isDirectory(), info.mode & 0o1777]).toEqual([true, entry.mode! & 0o1777]);
    if (entry.kind === 'symlink') expect(await readlink(path)).toBe(entry.target);
    if (entry.kind === 'fifo') expect(info.isFIFO()).toBe(true);
    if (entry.kind === 'character') expect(info.isCharacterDevice()).toBe(true);
    expect([info.uid, info.gid]).toEqual([entry.uid, entry.gid]);
    if (entry.kind === 'file') expect(Math.floor(info.mtimeMs / 1000)).toBe(entry.mtime);
  }
}

test('fsck.erofs finds nothing wrong with random trees, and takes out of them what was put in', async () => {
  // What it extracts, it makes on this host: as root, with every owner and device.
  expect(process.getuid?.()).toBe(0);
  await fc.assert(
    fc.asyncProperty(imageEntries, async (entries) => {
      await expectContents(await extract(await makeImage(entries, { label: 'random' })), entries);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

test('large files, directories of many blocks and links are sound', async () => {
  const piece = pattern(5, 1024 ** 2);
  const entries: ImageEntry[] = [
    {
      kind: 'file',
      path: 'large',
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: 5,
      bytes: 50 * 1024 ** 2 + 100,
      contents: () => [...Array.from({ length: 50 }, () => piece), piece.subarray(0, 100)],
    },
    { kind: 'link', path: 'again', to: 'large' },
    ...Array.from(
      { length: 3000 },
      (_, index): ImageEntry => ({
        kind: 'file',
        path: `many/file-number-${(index * 7919) % 3000}`,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0,
        bytes: index,
        contents: () => pieces(index, index),
      }),
    ),
  ];
  await expectContents(await extract(await makeImage(entries)), entries);
});

test('dump.erofs reads label, times and owners', async () => {
  const path = await makeImage(
    [
      {
        kind: 'file',
        path: 'a',
        mode: 0o4711,
        uid: 70_000,
        gid: 5,
        mtime: 2 ** 32 + 7,
        bytes: 4,
        contents: [pattern(1, 4)],
      },
    ],
    { label: 'our label', time: 86_400 },
  );
  const { output } = await runOracle('dump.erofs', ['-s', path]);
  // This version of the program does not show it.
  expect((await readFile(path)).toString('latin1', 1024 + 64, 1024 + 80)).toBe('our label'.padEnd(16, '\0'));
  expect(output).toMatch(/Fri Jan {2}2 00:00:00 1970/);
  const file = await runOracle('dump.erofs', ['--path=/a', path]);
  expect(file.output).toMatch(/Uid: 70000 {2,}Gid: 5/);
  expect(file.output).toMatch(/0711.*\n.*2106-02-07 06:28:23/);
});

test('a damaged superblock is noticed by fsck.erofs: its checksum is right', async () => {
  const path = await makeImage([{ kind: 'directory', path: 'a' }]);
  await extract(path);
  const image = await readFile(path);
  image[1024 + 60]! ^= 1;
  await writeFile(path, image);
  expect((await runOracle('fsck.erofs', [path])).output).toMatch(/checksum/);
});

test('equal trees give equal bytes, and an image that does not fit is refused', async () => {
  const entries: ImageEntry[] = [{ kind: 'file', path: 'a/b', bytes: 9000, contents: () => pieces(1, 9000) }];
  const [first, second] = await Promise.all([makeImage(entries), makeImage(entries)]);
  expect((await readFile(first!)).equals(await readFile(second!))).toBe(true);
  for (const bytes of [4096, 8192, 12288]) {
    await expect(writeErofs(new MemoryBackend({ bytes }), entries)).rejects.toMatchObject({
      name: 'ImageError',
    });
  }
});
