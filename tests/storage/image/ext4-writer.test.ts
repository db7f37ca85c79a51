import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileBackend } from '../../../src/storage/file-backend-node.ts';
import { type Ext4Options, ext4ImageBytes, writeExt4 } from '../../../src/storage/image/ext4-writer.ts';
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

async function makeImage(
  bytes: number,
  entries: readonly ImageEntry[],
  options: Ext4Options = {},
): Promise<string> {
  const path = join(folder, `image-${count++}`);
  const drive = await FileBackend.open(path, { create: bytes });
  await writeExt4(drive, entries, options);
  await drive.close();
  return path;
}

async function expectSound(path: string): Promise<void> {
  const { status, output } = await runOracle('e2fsck', ['-fn', path]);
  expect(output).toMatch(/Pass 5/);
  expect(status, output).toBe(0);
}

/** Runs debugfs commands on an image; gives what each said. */
async function debugfs(path: string, commands: readonly string[]): Promise<string[]> {
  const script = join(folder, `script-${count++}`);
  await writeFile(script, commands.map((command) => `${command}\n`).join(''));
  const { output } = await runOracle('debugfs', ['-f', script, path]);
  return output
    .split(/^debugfs: /m)
    .slice(1)
    .map((part) => part.slice(part.indexOf('\n') + 1));
}

/** Compares every entry with what debugfs finds. */
async function expectContents(path: string, entries: readonly ImageEntry[]): Promise<void> {
  const out = join(folder, `out-${count++}`);
  await mkdir(out);
  const described = entries.filter((entry) => entry.kind !== 'link');
  const files = entries.filter((entry) => entry.kind === 'file' || entry.kind === 'link');
  const commands = described.map((entry) => `stat "/${entry.path}"`);
  commands.push(...files.map((entry, index) => `dump "/${entry.path}" "${join(out, String(index))}"`));
  const withValues = described.flatMap((entry) =>
    Object.entries(entry.xattrs ?? {}).map(([name, value]) => ({ entry, name, value })),
  );
  commands.push(
    ...withValues.map(
      ({ entry, name }, index) => `ea_get -f "${join(out, `ea-${index}`)}" "/${entry.path}" ${name}`,
    ),
  );
  const answers = await debugfs(path, commands);
  expect(answers.length).toBe(commands.length);
  const types = {
    file: 'regular',
    directory: 'directory',
    symlink: 'symlink',
    character: 'character special',
    block: 'block special',
    fifo: 'FIFO',
    socket: 'socket',
  };
  for (const [index, entry] of described.entries()) {
    const answer = answers[index]!;
    const field = (pattern: RegExp) => pattern.exec(answer)?.[1];
    expect(field(/Type: (\w+(?: special)?)/), answer).toBe(types[entry.kind]);
    expect(Number.parseInt(field(/Mode:\s+(\d+)/) ?? '', 8)).toBe(entry.mode);
    expect([field(/User:\s+(-?\d+)/), field(/Group:\s+(-?\d+)/)].map((id) => Number(id) >>> 0)).toEqual([
      entry.uid,
      entry.gid,
    ]);
    const [, low, extra] = /mtime: 0x([0-9a-f]+):([0-9a-f]+)/.exec(answer)!;
    const seconds = (Number.parseInt(low!, 16) | 0) + (Number.parseInt(extra!, 16) & 3) * 2 ** 32;
    expect(seconds).toBe(entry.mtime);
    if (entry.kind === 'file') expect(Number(field(/Size: (\d+)/))).toBe(entry.bytes);
    if (entry.kind === 'symlink' && entry.target.length < 60)
      expect(field(/Fast link dest: "(.*)"/)).toBe(entry.target);
    if (entry.kind === 'symlink') expect(Number(field(/Size: (\d+)/))).toBe(entry.target.length);
    if (entry.kind === 'character' || entry.kind === 'block') {
      expect(answer).toMatch(new RegExp(`Device major/minor number: 0*${entry.major}:0*${entry.minor} `));
    }
  }
  const contents = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (entry.kind !== 'file') continue;
    const source = typeof entry.contents === 'function' ? entry.contents() : entry.contents;
    contents.set(entry.path, Buffer.concat([...(source as Iterable<Uint8Array>)]));
  }
  for (const [index, entry] of files.entries()) {
    const found = await readFile(join(out, String(index)));
    expect(found.equals(contents.get(entry.kind === 'link' ? entry.to : entry.path)!), entry.path).toBe(true);
  }
  for (const [index, { name, value }] of withValues.entries()) {
    expect((await readFile(join(out, `ea-${index}`))).equals(value), name).toBe(true);
  }
}

test('e2fsck finds nothing wrong with random trees, and debugfs finds in them what was put in', async () => {
  await fc.assert(
    fc.asyncProperty(imageEntries, fc.constantFrom(8, 40, 200), async (entries, mebibytes) => {
      const path = await makeImage(mebibytes * 1024 ** 2, entries, { label: 'random' });
      await expectSound(path);
      await expectContents(path, entries);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

test('a file of several extents, a directory of several blocks and links to it are sound', async () => {
  const large = 300 * 1024 ** 2;
  const piece = pattern(5, 1024 ** 2);
  const entries: ImageEntry[] = [
    {
      kind: 'file',
      path: 'large',
      mode: 0o600,
      uid: 1,
      gid: 2,
      mtime: 3,
      bytes: large,
      contents: () => Array.from({ length: 300 }, () => piece),
    },
    { kind: 'link', path: 'again', to: 'large' },
    ...Array.from(
      { length: 3000 },
      (_, index): ImageEntry => ({
        kind: 'file',
        path: `many/file-number-${index}`,
        bytes: 5,
        contents: () => pieces(index, 5),
      }),
    ),
  ];
  const path = await makeImage(1024 ** 3, entries);
  await expectSound(path);
  const out = join(folder, 'large-out');
  await debugfs(path, [`dump /again "${out}"`]);
  const expected = createHash('sha256');
  for (let index = 0; index < 300; index++) expected.update(piece);
  expect(
    createHash('sha256')
      .update(await readFile(out))
      .digest('hex'),
  ).toBe(expected.digest('hex'));
  const [listing] = await debugfs(path, ['ls -p /many']);
  expect(listing!.match(/file-number-/g)).toHaveLength(3000);
});

test.each([
  [1, 8],
  [9, 16],
  [129, 64],
  [4096, 4096],
  [20_000, 20_000],
])('an empty image of %d MiB is sound', async (mebibytes) => {
  await expectSound(await makeImage(mebibytes * 1024 ** 2 + 3 * 4096, []));
});

test('equal trees give equal bytes; other labels other identities', async () => {
  const entries: ImageEntry[] = [{ kind: 'file', path: 'a/b', bytes: 9000, contents: () => pieces(1, 9000) }];
  const [first, second, third] = await Promise.all([
    makeImage(8 * 1024 ** 2, entries),
    makeImage(8 * 1024 ** 2, entries),
    makeImage(8 * 1024 ** 2, entries, { label: 'other' }),
  ]);
  const [a, b, c] = await Promise.all([first!, second!, third!].map((path) => readFile(path)));
  expect(a!.equals(b!)).toBe(true);
  expect(a!.equals(c!)).toBe(false);
});

test('what a drive held before is not in the image', async () => {
  const drive = new MemoryBackend({ contents: pattern(1, 8 * 1024 ** 2) });
  await writeExt4(drive, []);
  const path = join(folder, `image-${count++}`);
  const contents = new Uint8Array(drive.bytes);
  drive.read(0, contents);
  await writeFile(path, contents);
  await expectSound(path);
});

test('the size that is estimated for a tree suffices', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(30_000), { maxLength: 400 }), async (sizes) => {
      const entries = sizes.map(
        (bytes, index): ImageEntry => ({
          kind: 'file',
          path: `${index % 7}/${index}`,
          bytes,
          contents: () => pieces(index, bytes),
        }),
      );
      const contentBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
      const drive = new MemoryBackend({ bytes: ext4ImageBytes(entries.length + 8, contentBytes, 1024 ** 2) });
      const { freeBytes } = await writeExt4(drive, entries, { inodes: entries.length + 50 });
      expect(freeBytes).toBeGreaterThanOrEqual(1024 ** 2);
    }),
    { numRuns: 15 },
  );
});

const file = (path: string): ImageEntry => ({ kind: 'file', path, bytes: 0, contents: [] });

test.each<[string, ImageEntry[]]>([
  ['a path with ..', [file('a/../b')]],
  ['an absolute path', [file('/a')]],
  ['an empty name', [file('a//b')]],
  ['a name with NUL', [file('a\0b')]],
  ['a name of 256 bytes', [file('x'.repeat(256))]],
  ['a path twice', [file('a'), file('a')]],
  ['a file as a directory', [file('a'), file('a/b')]],
  ['a link to nothing', [{ kind: 'link', path: 'a', to: 'b' }]],
  [
    'a link to a directory',
    [
      { kind: 'directory', path: 'b' },
      { kind: 'link', path: 'a', to: 'b' },
    ],
  ],
  ['fewer bytes than announced', [{ kind: 'file', path: 'a', bytes: 5, contents: [new Uint8Array(4)] }]],
  ['more bytes than announced', [{ kind: 'file', path: 'a', bytes: 5, contents: [new Uint8Array(6)] }]],
  ['more than fits', [{ kind: 'file', path: 'a', bytes: 2 ** 24, contents: [new Uint8Array(2 ** 24)] }]],
  ['more files than inodes', Array.from({ length: 600 }, (_, index) => file(`f${index}`))],
  [
    'an unknown attribute',
    [{ kind: 'directory', path: 'a', xattrs: { 'system.posix_acl_access': new Uint8Array(4) } }],
  ],
  ['too many attributes', [{ kind: 'directory', path: 'a', xattrs: { 'user.a': new Uint8Array(4090) } }]],
  ['a mode with type bits', [{ kind: 'directory', path: 'a', mode: 0o40755 }]],
])('%s is refused by name', async (_, entries) => {
  const drive = new MemoryBackend({ bytes: 8 * 1024 ** 2 });
  await expect(writeExt4(drive, entries)).rejects.toMatchObject({ name: 'ImageError' });
});
