import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileBackend } from '../../src/storage/file-backend-node.ts';
import { compareWithModel, failure, operations, pattern } from './backend-model.ts';
import { bundleForNode, removeFolders, temporaryFolder } from './bundle.ts';

let folder: string;
let holder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  holder = await bundleForNode('file-holder');
});
afterAll(removeFolders);

const BYTES = 3 * 1024 ** 2 + 1024;

test('a file drive holds what a plain array of bytes holds, also when it is opened again', async () => {
  let index = 0;
  await fc.assert(
    fc.asyncProperty(operations(BYTES, 2 * 1024 ** 2, 20), async (list) => {
      const path = join(folder, `model-${index++}`);
      const drive = await compareWithModel(
        await FileBackend.open(path, { create: BYTES }),
        list,
        async (old) => {
          await old.close();
          return FileBackend.open(path);
        },
      );
      await drive.close();
    }),
    { numRuns: 40 },
  );
});

test('large discarded and zeroed ranges give their room back', async () => {
  const path = join(folder, 'holes');
  const drive = await FileBackend.open(path, { create: 16 * 1024 ** 2 });
  await drive.write(0, pattern(1, 16 * 1024 ** 2));
  await drive.flush();
  const before = (await stat(path)).blocks;
  await drive.discard(0, 4 * 1024 ** 2);
  await drive.writeZeroes(8 * 1024 ** 2, 4 * 1024 ** 2);
  await drive.flush();
  expect((await stat(path)).blocks).toBeLessThanOrEqual(before - (7 * 1024 ** 2) / 512);
  const target = new Uint8Array(4 * 1024 ** 2).fill(1);
  await drive.read(8 * 1024 ** 2, target);
  expect(target.every((byte) => byte === 0)).toBe(true);
  await drive.close();
});

test('a new drive is one hole, and a file that is there keeps its size', async () => {
  const path = join(folder, 'created');
  await (await FileBackend.open(path, { create: 2 ** 30 })).close();
  const info = await stat(path);
  expect([info.size, info.blocks]).toEqual([2 ** 30, 0]);
  const again = await FileBackend.open(path, { create: 512 });
  expect(again.bytes).toBe(2 ** 30);
  await again.close();
});

test('a file that ends within a sector reads as zeroes to the end of it', async () => {
  const path = join(folder, 'odd');
  await writeFile(path, pattern(3, 1000));
  const drive = await FileBackend.open(path, { readonly: true });
  expect(drive.bytes).toBe(1024);
  const target = new Uint8Array(1024).fill(7);
  await drive.read(0, target);
  expect(target.subarray(0, 1000)).toEqual(pattern(3, 1000));
  expect(target.subarray(1000).every((byte) => byte === 0)).toBe(true);
  expect(await failure(() => drive.write(0, target))).toMatchObject({ kind: 'denied' });
  await drive.close();
});

test('a file that was cut while it is in use fails to read instead of giving zeroes', async () => {
  const path = join(folder, 'cut');
  await writeFile(path, pattern(3, 8192));
  const drive = await FileBackend.open(path);
  await truncate(path, 4096);
  expect(await failure(() => drive.read(4096, new Uint8Array(512)))).toMatchObject({
    kind: 'io',
    message: expect.stringContaining('shorter'),
  });
  await drive.close();
});

test('what is no disk image is refused with its path and a reason', async () => {
  await mkdir(join(folder, 'directory'));
  await writeFile(join(folder, 'empty'), '');
  for (const [name, reason] of [
    ['missing', 'no such file'],
    ['directory', 'directory'],
    ['empty', 'is empty'],
  ] as const) {
    const path = join(folder, name);
    expect(await failure(() => FileBackend.open(path))).toMatchObject({
      name: 'StorageError',
      message: expect.stringMatching(new RegExp(`${path}.*${reason}`)),
    });
  }
});

test('a closed drive refuses everything and can be closed again', async () => {
  const drive = await FileBackend.open(join(folder, 'closed'), { create: 4096 });
  const flushing = drive.flush();
  await drive.close();
  await flushing;
  await drive.close();
  expect(await failure(() => drive.read(0, new Uint8Array(1)))).toMatchObject({ kind: 'io' });
  expect(await failure(() => drive.flush())).toMatchObject({ kind: 'io' });
});

/** Starts a process that holds a drive; gives it and its first word. */
async function hold(path: string, access: string): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [holder, path, access], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return [child, chunk.toString().trim()];
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('one process writes a drive; another is refused until it ends, even by SIGKILL', async () => {
  const path = join(folder, 'locked');
  await writeFile(path, pattern(1, 512));
  await symlink(path, join(folder, 'other-name'));
  const [child, word] = await hold(path, 'write');
  expect(word).toBe('holds 512');
  for (const readonly of [false, true]) {
    expect(await failure(() => FileBackend.open(join(folder, 'other-name'), { readonly }))).toMatchObject({
      kind: 'locked',
      message: expect.stringContaining('in use by another'),
    });
  }
  await kill(child);
  const drive = await FileBackend.open(path);
  expect((await hold(path, 'write'))[1]).toBe('locked');
  expect((await hold(path, 'read'))[1]).toBe('locked');
  await drive.close();
});

test('several processes read a drive; meanwhile nobody writes it', async () => {
  const path = join(folder, 'shared');
  await writeFile(path, pattern(1, 512));
  const [first, word] = await hold(path, 'read');
  expect(word).toBe('holds 512');
  const second = await FileBackend.open(path, { readonly: true });
  expect(await failure(() => FileBackend.open(path))).toMatchObject({ kind: 'locked' });
  await second.close();
  expect(await failure(() => FileBackend.open(path))).toMatchObject({ kind: 'locked' });
  await kill(first);
  await (await FileBackend.open(path)).close();
});

test('a worker that is terminated leaves no lock behind', async () => {
  const path = join(folder, 'thread');
  await writeFile(path, pattern(1, 512));
  const worker = new Worker(holder, { argv: [path, 'write'] });
  expect((await once(worker, 'message'))[0]).toBe('holds 512');
  expect(await failure(() => FileBackend.open(path))).toMatchObject({ kind: 'locked' });
  await worker.terminate();
  await (await FileBackend.open(path)).close();
});

test('bytes go to and from memory that threads share', async () => {
  const drive = await FileBackend.open(join(folder, 'shared-memory'), { create: 4096 });
  const source = new Uint8Array(new SharedArrayBuffer(1000));
  source.set(pattern(5, 1000));
  await drive.write(100, source);
  const target = new Uint8Array(new SharedArrayBuffer(1000));
  await drive.read(100, target);
  expect([...target]).toEqual([...source]);
  await drive.close();
});
