import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  call,
  callOnce,
  imageContents,
  loadAndTerminate,
  openStorageSite,
  openTab,
  type StorageSite,
  startWorker,
} from './storage-site.ts';

/** HYPERTAB_KILLS=100 for a longer run. */
const KILLS = Number(process.env.HYPERTAB_KILLS ?? 20);
const LOAD_BYTES = 2 * 1024 ** 2;

let site: StorageSite;
let page: Page;
beforeAll(async () => {
  site = await openStorageSite();
  page = await openTab(site);
});
afterAll(() => site?.close());

const kinds = ['opfs', 'indexeddb'] as const;

test.each(kinds)(
  'a disk of kind %s holds what a plain array of bytes holds, also when it is opened again',
  async (kind) => {
    const spec = { kind, name: `model ${kind}`, create: 300 * 1024 + 512 };
    const outcome = await callOnce(page, { op: 'model', spec, seed: 1, runs: 30, maxLength: 150_000 });
    expect(outcome).toEqual({ result: 30 });
  },
);

test.each(kinds)('an overlay on a disk of kind %s holds what a plain array of bytes holds', async (kind) => {
  const spec = { kind: 'memory', bytes: 300 * 1024 + 512, overlay: { kind, name: `overlay ${kind}` } };
  const outcome = await callOnce(page, { op: 'model', spec, seed: 2, runs: 15, maxLength: 150_000 });
  expect(outcome).toEqual({ result: 15 });
});

test.each([
  ...kinds.map(
    (kind) => [`a disk of kind ${kind}`, { kind, name: `crash ${kind}`, create: LOAD_BYTES }] as const,
  ),
  ...kinds.map(
    (kind) =>
      [
        `an overlay on a disk of kind ${kind}`,
        { kind: 'memory', bytes: LOAD_BYTES, overlay: { kind, name: `crash overlay ${kind}` } },
      ] as const,
  ),
])(
  'a worker writing to %s is terminated at random again and again: what flush answered is there each time',
  { timeout: 60_000 + KILLS * 2_000 },
  async (_, spec) => {
    const unfinished = new Set<number>();
    let last = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await loadAndTerminate(
        page,
        { op: 'load', spec, first: last + 1 },
        (kill * 37) % 101,
      );
      expect(acknowledged).toBeGreaterThan(last);
      const { result, error } = await callOnce(page, {
        op: 'check',
        spec,
        acknowledged,
        unfinished: [...unfinished],
      });
      expect(error).toBeUndefined();
      expect(result).toBeTypeOf('number');
      last = result as number;
      for (let round = (acknowledged as number) + 1; round <= last; round++) unfinished.add(round);
    }
  },
);

test.each(kinds)(
  'a disk of kind %s that is open in one tab is refused in another, until that one is closed',
  async (kind) => {
    const spec = { kind, name: `shared ${kind}`, create: 4096 };
    const first = await openTab(site);
    const holder = await startWorker(first);
    expect(await call(first, holder, { op: 'open', spec })).toEqual({ result: 4096 });
    expect((await callOnce(page, { op: 'open', spec })).error).toMatchObject({
      kind: 'locked',
      message: expect.stringContaining('in use by another tab'),
    });
    await first.close();
    expect(await callOnce(page, { op: 'open', spec })).toEqual({ result: 4096 });
  },
);

test.each(kinds)(
  'what was written to a disk of kind %s is there after the page is loaded again',
  async (kind) => {
    const spec = { kind: 'memory', bytes: 1024 ** 2, overlay: { kind, name: `reload ${kind}` } };
    const tab = await openTab(site);
    let worker = await startWorker(tab);
    await call(tab, worker, { op: 'open', spec });
    await call(tab, worker, { op: 'write', at: 70_000, length: 5000, seed: 9 });
    await tab.reload();
    await tab.evaluate(() => {
      window.workers = [];
    });
    worker = await startWorker(tab);
    expect(await call(tab, worker, { op: 'open', spec })).toEqual({ result: 1024 ** 2 });
    expect(await call(tab, worker, { op: 'read', at: 70_000, length: 5000, seed: 9 })).toEqual({
      result: true,
    });
    await tab.close();
  },
);

test.each(kinds)(
  'a disk of kind %s that does not exist is refused, and a deleted one is gone',
  async (kind) => {
    const spec = { kind, name: `missing ${kind}` };
    expect((await callOnce(page, { op: 'open', spec })).error).toMatchObject({
      kind: 'io',
      message: expect.stringContaining('there is no disk'),
    });
    expect(await callOnce(page, { op: 'open', spec: { ...spec, create: 512 } })).toEqual({ result: 512 });
    expect(await callOnce(page, { op: 'open', spec })).toEqual({ result: 512 });
    expect(await callOnce(page, { op: 'delete', kind, name: spec.name })).toEqual({});
    expect((await callOnce(page, { op: 'open', spec })).error).toMatchObject({ kind: 'io' });
  },
);

test.each(
  kinds.flatMap((kind) => [
    [
      `a disk of kind ${kind}`,
      `full-${kind}`,
      { kind, name: `full ${kind}`, create: 256 * 1024 ** 2 },
    ] as const,
    [
      `an overlay on a disk of kind ${kind}`,
      `full-overlay-${kind}`,
      { kind: 'memory', bytes: 64 * 1024 ** 2, overlay: { kind, name: `full overlay ${kind}` } },
    ] as const,
  ]),
)(
  'when the quota is used up, %s says "full", and everything written before is there',
  async (_, host, spec) => {
    // An origin of its own: what earlier tests deleted is freed whenever the browser likes, and would make room.
    const url = site.url.replace('localhost', `${host}.localhost`);
    const tab = await openTab(site, url);
    const session = await site.context.newCDPSession(tab);
    const { origin } = new URL(url);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 24 * 1024 ** 2 });
    try {
      const worker = await startWorker(tab);
      const open = await call(tab, worker, { op: 'open', spec });
      expect(open.error).toBeUndefined();
      const { result } = await call(tab, worker, { op: 'fill', blockBytes: 512 * 1024, limit: 120 });
      expect(result).toMatchObject({ kind: 'full' });
      const { count } = result as { count: number };
      expect(count).toBeGreaterThan(5);
      expect(await call(tab, worker, { op: 'verify', blockBytes: 512 * 1024, count })).toEqual({
        result: 'right',
      });
      // And after a crash.
      await tab.evaluate((index) => window.workers[index]!.terminate(), worker);
      const next = await startWorker(tab);
      expect((await call(tab, next, { op: 'open', spec })).error).toBeUndefined();
      expect(await call(tab, next, { op: 'verify', blockBytes: 512 * 1024, count })).toEqual({
        result: 'right',
      });
    } finally {
      await session.send('Storage.overrideQuotaForOrigin', { origin });
      await tab.close();
    }
  },
);

test('an image behind a URL is read by ranges, and what was read is kept for the next worker', async () => {
  const tab = await openTab(site);
  const spec = { kind: 'http', url: `${site.url}image.bin`, cache: 'image', snapshot: true };
  const requests: string[] = [];
  site.context.on('request', (request) => {
    if (request.url().endsWith('image.bin')) requests.push(request.headers().range ?? '');
  });
  for (let round = 0; round < 2; round++) {
    const worker = await startWorker(tab);
    expect(await call(tab, worker, { op: 'open', spec })).toEqual({ result: 3_000_320 });
    for (const at of [0, 1_234_567, 2_999_501]) {
      const expected = [...imageContents.subarray(at, at + 500)];
      expect(await call(tab, worker, { op: 'bytes', at, length: 500 })).toEqual({ result: expected });
    }
    expect(await call(tab, worker, { op: 'write', at: 0, length: 512, seed: 3 })).toEqual({});
    expect(await call(tab, worker, { op: 'close' })).toEqual({});
  }
  // The second worker asked for the first chunk only, to learn that the file is the same.
  expect(requests.length).toBeGreaterThan(3);
  expect(requests.slice(1).filter((range) => range.startsWith('bytes=0-'))).toHaveLength(1);
  expect(requests.at(-1)).toMatch(/^bytes=0-/);
  await tab.close();
});

test('speed: a disk in private files writes and reads at 50 MB/s at least, a busy machine allowed for', async () => {
  const bytes = 64 * 1024 ** 2;
  const memory = { kind: 'memory', bytes } as const;
  const specs = [
    ['memory', memory],
    ['opfs', { kind: 'opfs', name: 'speed', create: bytes }],
    ['overlay in opfs', { ...memory, overlay: { kind: 'opfs', name: 'speed overlay' } }],
    [
      'overlay in opfs, 16 KiB',
      { ...memory, overlay: { kind: 'opfs', name: 'speed 16' }, overlayChunkBytes: 16384 },
    ],
    ['indexeddb', { kind: 'indexeddb', name: 'speed', create: bytes }],
    ['overlay in indexeddb', { ...memory, overlay: { kind: 'indexeddb', name: 'speed overlay' } }],
  ] as const;
  const tab = await openTab(site);
  for (const [name, spec] of specs) {
    const worker = await startWorker(tab);
    expect((await call(tab, worker, { op: 'open', spec })).error).toBeUndefined();
    const { result, error } = await call(tab, worker, { op: 'speed', bytes, blockBytes: 128 * 1024 });
    expect(error).toBeUndefined();
    const speed = result as Record<string, number>;
    const figures = Object.entries(speed).map(
      ([what, value]) => `${what} ${value.toFixed(value < 10 ? 1 : 0)}`,
    );
    console.log(`${name}: ${figures.join(', ')}`);
    if (name === 'opfs') {
      expect(speed.write).toBeGreaterThan(50);
      expect(speed.read).toBeGreaterThan(50);
    }
    await call(tab, worker, { op: 'close' });
    await tab.evaluate((index) => window.workers[index]!.terminate(), worker);
  }
  await tab.close();
});
