import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { folderCache } from '../../src/storage/folder-cache-node.ts';
import { HttpBackend, type HttpBackendOptions } from '../../src/storage/http-backend.ts';
import { failure, pattern } from './backend-model.ts';
import { removeFolders, temporaryFolder } from './bundle.ts';
import { type Behaviour, HostileServer } from './hostile-server.ts';

const BYTES = 200_001;
const CHUNK = 16384;
const contents = pattern(1, BYTES);
const FAST: HttpBackendOptions = { chunkBytes: CHUNK, idleMs: 150, retryMs: 5, attempts: 3 };
/** Where requests are counted: a loaded machine must not make one be asked again. */
const STEADY: HttpBackendOptions = { ...FAST, idleMs: 10_000 };

let server: HostileServer;
let url: string;
beforeEach(async () => {
  server = new HostileServer(contents);
  url = await server.start();
});
afterEach(() => server.stop());
afterAll(removeFolders);

function digestsOf(bytes: Uint8Array, chunkBytes = CHUNK) {
  const sha256: string[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    sha256.push(
      createHash('sha256')
        .update(bytes.subarray(at, at + chunkBytes))
        .digest('hex'),
    );
  }
  return { chunkBytes, sha256 };
}

async function readAt(drive: HttpBackend, at: number, length: number): Promise<Buffer> {
  const target = new Uint8Array(length).fill(0xee);
  await drive.read(at, target);
  return Buffer.from(target);
}

/** Waits until that is so. */
async function eventually(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const right = (at: number, length: number) => {
  const bytes = Buffer.alloc(length);
  bytes.set(contents.subarray(at, at + length));
  return bytes;
};

test('a drive behind a URL reads as the file does, to the end of its last sector', async () => {
  const drive = await HttpBackend.open(url, { ...FAST, memoryBytes: 8 * CHUNK });
  expect(drive.bytes).toBe(200_192);
  await fc.assert(
    fc.asyncProperty(fc.nat(drive.bytes), fc.nat(60_000), async (at, length) => {
      const size = Math.min(length, drive.bytes - at);
      expect((await readAt(drive, at, size)).equals(right(at, size))).toBe(true);
    }),
    { numRuns: 200 },
  );
  await drive.close();
});

test('a slow line is no broken one: as long as bytes come, they are waited for', async () => {
  const drive = await HttpBackend.open(url, { ...FAST, idleMs: 600, attempts: 5 });
  server.always = 'trickles';
  expect((await readAt(drive, 4 * CHUNK, 100)).equals(right(4 * CHUNK, 100))).toBe(true);
  await drive.close();
});

test('a server need not say how long its answers are', async () => {
  server.always = 'says no length';
  const drive = await HttpBackend.open(url, STEADY);
  expect((await readAt(drive, 0, BYTES)).equals(right(0, BYTES))).toBe(true);
  await drive.close();
});

test('reading straight on fetches ahead, and each chunk once', async () => {
  const drive = await HttpBackend.open(url, STEADY);
  for (let at = 0; at + 4096 <= BYTES; at += 4096) {
    expect((await readAt(drive, at, 4096)).equals(right(at, 4096))).toBe(true);
  }
  await drive.close();
  expect(new Set(server.ranges).size).toBe(server.ranges.length);
  expect(server.ranges.length).toBe(Math.ceil(BYTES / CHUNK));
});

test('reading here and there fetches nothing but what is read', async () => {
  const drive = await HttpBackend.open(url, STEADY);
  for (const chunk of [9, 3, 7, 1]) await readAt(drive, chunk * CHUNK, 100);
  expect(server.ranges.length).toBe(5);
  await drive.close();
});

test('what will be read first is fetched ahead, and only once', async () => {
  const first = [9, 3, 3, 7, 0, 4].map((chunk) => chunk * CHUNK + 100);
  const drive = await HttpBackend.open(url, { ...STEADY, first: [...first, 1e12, BYTES + CHUNK] });
  const wanted = [0, 9, 3, 7, 4];
  await eventually(() => server.ranges.length === wanted.length);
  // A few are on their way at a time.
  const chunks = server.ranges.map((range) => Number(/\d+/.exec(range)![0]) / CHUNK);
  expect(chunks[0]).toBe(0);
  expect(new Set(chunks)).toEqual(new Set(wanted));
  for (const chunk of wanted) {
    expect((await readAt(drive, chunk * CHUNK, 100)).equals(right(chunk * CHUNK, 100))).toBe(true);
  }
  expect(server.ranges).toHaveLength(wanted.length);
  await drive.close();
});

test('what cannot be fetched ahead does not break the drive: it is asked for again when it is read', async () => {
  server.script = ['right', 'refuses', 'refuses'];
  const drive = await HttpBackend.open(url, { ...FAST, first: [2 * CHUNK, 5 * CHUNK] });
  await eventually(() => server.script.length === 0);
  // A read may share the request that fails just now; a later one makes its own.
  const isRight = async () => {
    const bytes = await readAt(drive, 5 * CHUNK, 100).catch(() => undefined);
    return bytes?.equals(right(5 * CHUNK, 100));
  };
  await expect.poll(isRight, { timeout: 5000 }).toBe(true);
  await drive.close();
});

test('a drive that is closed at once fetches nothing more ahead', async () => {
  const first = Array.from({ length: 12 }, (_, chunk) => chunk * CHUNK);
  const drive = await HttpBackend.open(url, { ...STEADY, first });
  await drive.close();
  const { length } = server.ranges;
  expect(length).toBeLessThan(5);
});

test.each<Behaviour>([
  'stalls before the head',
  'stalls in the body',
  'cuts the body',
  'cuts the connection',
  'is busy',
])('a server that %s is asked again, and given up with "io" when it goes on', async (behaviour) => {
  const drive = await HttpBackend.open(url, FAST);
  server.script = [behaviour, behaviour];
  expect((await readAt(drive, 3 * CHUNK, 5000)).equals(right(3 * CHUNK, 5000))).toBe(true);
  server.always = behaviour;
  expect(await failure(() => readAt(drive, 6 * CHUNK, 5000))).toMatchObject({
    name: 'StorageError',
    kind: 'io',
    message: expect.stringContaining('cannot be read'),
  });
  // A later try may work: nothing was lost.
  server.always = undefined;
  expect((await readAt(drive, 6 * CHUNK, 5000)).equals(right(6 * CHUNK, 5000))).toBe(true);
  await drive.close();
  server.always = behaviour;
  expect(await failure(() => HttpBackend.open(url, FAST))).toMatchObject({ kind: 'io' });
});

test.each<[Behaviour, string]>([
  ['sends another range', 'corrupt'],
  ['announces less than it sends', 'corrupt'],
  ['leaves Content-Range away', 'corrupt'],
  ['says another total', 'corrupt'],
  ['says nonsense', 'corrupt'],
  ['ignores ranges', 'corrupt'],
  ['compresses', 'io'],
  ['refuses', 'denied'],
])(
  'a server that %s while the drive is in use fails the read with "%s"; what was read before stays right',
  async (behaviour, kind) => {
    const drive = await HttpBackend.open(url, FAST);
    await readAt(drive, 0, 100);
    server.always = behaviour;
    const requests = server.ranges.length;
    expect(await failure(() => readAt(drive, 5 * CHUNK, 100))).toMatchObject({ name: 'StorageError', kind });
    // Asking again would not help.
    expect(server.ranges.length).toBe(requests + 1);
    await drive.close();
  },
);

test.each<[Behaviour, string]>([
  ['ignores ranges', 'io'],
  ['sends another range', 'corrupt'],
  ['leaves Content-Range away', 'corrupt'],
  ['says nonsense', 'corrupt'],
  ['compresses', 'io'],
  ['refuses', 'denied'],
])('a server that %s from the start is refused with "%s"', async (behaviour, kind) => {
  server.always = behaviour;
  expect(await failure(() => HttpBackend.open(url, FAST))).toMatchObject({ name: 'StorageError', kind });
});

test.each([
  ['an ETag and If-Range', { etag: '"two"' }],
  ['a weak ETag', { before: 'W/"one"', etag: 'W/"two"' }],
  ['an ETag where If-Range is ignored', { etag: '"two"', ignores: true }],
  ['Last-Modified', { before: undefined, etag: undefined, dates: true }],
  ['its size', { shorter: true }],
])(
  'a file that changes on the server while it is in use is noticed by %s; nothing is read from there on',
  async (_, change) => {
    if ('before' in change) server.etag = change.before;
    if ('dates' in change) server.lastModified = 'Sat, 21 Nov 2026 10:00:00 GMT';
    if ('ignores' in change) server.honoursIfRange = false;
    const drive = await HttpBackend.open(url, FAST);
    await readAt(drive, 2 * CHUNK, 100);
    if ('etag' in change) server.etag = change.etag;
    if ('dates' in change) server.lastModified = 'Sat, 21 Nov 2026 11:00:00 GMT';
    server.contents = pattern(2, 'shorter' in change ? 9 * CHUNK : BYTES);
    expect(await failure(() => readAt(drive, 11 * CHUNK, 100))).toMatchObject({
      kind: 'corrupt',
      message: expect.stringContaining('changed'),
    });
    expect(await failure(() => readAt(drive, 2 * CHUNK, 100))).toMatchObject({ kind: 'corrupt' });
    await drive.close();
  },
);

test('a server that tells nothing by which a change could be noticed is refused, unless there are digests', async () => {
  server.etag = undefined;
  expect(await failure(() => HttpBackend.open(url, FAST))).toMatchObject({
    kind: 'io',
    message: expect.stringContaining('ETag'),
  });
  const drive = await HttpBackend.open(url, { ...FAST, digests: digestsOf(contents) });
  expect((await readAt(drive, 70_000, 50_000)).equals(right(70_000, 50_000))).toBe(true);
  await drive.close();
});

test('contents that do not have their digest are never given', async () => {
  const drive = await HttpBackend.open(url, { ...FAST, digests: digestsOf(contents) });
  server.script = ['sends another range with the right header'];
  expect(await failure(() => readAt(drive, 5 * CHUNK, 100))).toMatchObject({
    kind: 'corrupt',
    message: expect.stringContaining('digests'),
  });
  await drive.close();
  const wrong = digestsOf(pattern(2, BYTES));
  expect(await failure(() => HttpBackend.open(url, { ...FAST, digests: wrong }))).toMatchObject({
    kind: 'corrupt',
  });
  const fewer = { chunkBytes: CHUNK, sha256: wrong.sha256.slice(1) };
  expect(await failure(() => HttpBackend.open(url, { ...FAST, digests: fewer }))).toMatchObject({
    kind: 'corrupt',
  });
});

test('what was fetched is kept in a folder: a second run asks for the first chunk only', async () => {
  const cache = folderCache(await temporaryFolder(), url);
  const first = await HttpBackend.open(url, { ...STEADY, cache });
  await readAt(first, 0, BYTES);
  await first.close();
  server.ranges = [];
  const second = await HttpBackend.open(url, { ...STEADY, cache });
  expect((await readAt(second, 0, BYTES)).equals(right(0, BYTES))).toBe(true);
  await second.close();
  // The first chunk came with the question which version it is.
  expect(server.ranges).toEqual([`bytes=0-${CHUNK - 1}`]);
});

test('damaged, foreign and outdated files in the folder are not believed', async () => {
  const folder = await temporaryFolder();
  const cache = folderCache(folder, url);
  const first = await HttpBackend.open(url, { ...FAST, cache });
  await readAt(first, 0, BYTES);
  await first.close();
  const [home] = await readdir(folder);
  const [version] = await readdir(join(folder, home!));
  const place = join(folder, home!, version!);
  const flipped = await readFile(join(place, '5'));
  flipped[100]! ^= 1;
  await writeFile(join(place, '5'), flipped);
  await writeFile(join(place, '6'), await readFile(join(place, '8')));
  await writeFile(join(place, '7'), '');
  const second = await HttpBackend.open(url, { ...FAST, cache });
  expect((await readAt(second, 0, BYTES)).equals(right(0, BYTES))).toBe(true);
  await second.close();
  server.etag = '"two"';
  server.contents = pattern(2, BYTES);
  const third = await HttpBackend.open(url, { ...FAST, cache });
  expect((await readAt(third, 0, BYTES)).equals(pattern(2, BYTES))).toBe(true);
  await third.close();
  expect(await readdir(join(folder, home!))).toHaveLength(1);
});

test('it cannot be written, and nothing is fetched once it is closed', async () => {
  const drive = await HttpBackend.open(url, FAST);
  expect(await failure(() => drive.write())).toMatchObject({ kind: 'denied' });
  server.always = 'stalls in the body';
  const reading = failure(() => readAt(drive, 4 * CHUNK, 100));
  await drive.close();
  expect(await reading).toMatchObject({ kind: 'io' });
  expect(await failure(() => readAt(drive, 0, 1))).toMatchObject({ kind: 'io' });
});

test('a read that has failed writes nothing more to where it read to', async () => {
  const drive = await HttpBackend.open(url, FAST);
  server.script = ['refuses', 'stalls in the body', 'stalls in the body'];
  const target = new Uint8Array(3 * CHUNK);
  expect(await failure(() => drive.read(4 * CHUNK, target))).toMatchObject({ kind: 'denied' });
  const then = target.slice();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(Buffer.compare(target, then)).toBe(0);
  await drive.close();
});
