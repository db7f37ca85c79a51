import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, listen, parseRange, readServeOptions } from '../../scripts/serve.mjs';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-serve-'));
const page = join(folder, 'page');
const guests = join(folder, 'guests');
const script = 'export const answer = 42;\n'.repeat(50);
const initrd = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);

let server: ReturnType<typeof createSite>;
let url: string;

/** A request as it is on the wire: fetch() would tidy the path up before sending it. */
function raw(path: string, method = 'GET'): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('close', () => done(text));
    socket.on('error', fail);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}

beforeAll(async () => {
  mkdirSync(join(page, 'assets'), { recursive: true });
  mkdirSync(join(guests, 'busybox'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>x</title>');
  writeFileSync(join(page, 'assets/main-abcd1234.js'), script);
  writeFileSync(join(page, 'assets/main-abcd1234.js.gz'), gzipSync(script));
  writeFileSync(join(page, 'core.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d));
  writeFileSync(join(page, '.hidden'), 'no');
  writeFileSync(join(guests, 'index.json'), '[]');
  writeFileSync(join(guests, 'busybox/initrd'), initrd);
  writeFileSync(join(guests, 'busybox/initrd.gz'), gzipSync(initrd));
  writeFileSync(join(folder, 'secret'), 'secret');
  symlinkSync(join(folder, 'secret'), join(page, 'link'));
  server = createSite({ page, guests });
  url = await listen(server, 0);
});

afterAll(async () => {
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

describe('the static server', () => {
  test('sends the headers that cross-origin isolation needs with every answer', async () => {
    for (const path of ['', 'core.wasm', 'guests/index.json', 'nothing']) {
      const { headers } = await fetch(url + path);
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('sends none of them with --no-isolation', async () => {
    const open = createSite({ page, guests, isolated: false });
    const { headers } = await fetch(await listen(open, 0));
    expect(headers.get('cross-origin-opener-policy')).toBeNull();
    expect(headers.get('cross-origin-embedder-policy')).toBeNull();
    await new Promise((done) => open.close(done));
  });

  test.each([
    ['', 'text/html; charset=utf-8'],
    ['assets/main-abcd1234.js', 'text/javascript; charset=utf-8'],
    ['core.wasm', 'application/wasm'],
    ['guests/index.json', 'application/json; charset=utf-8'],
    ['guests/busybox/initrd', 'application/octet-stream'],
    ['guests/busybox/initrd.gz', 'application/gzip'],
  ])('names the type of /%s', async (path, type) => {
    const response = await fetch(url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
  });

  test('sends the compressed copy of a page asset to who accepts it, and the plain one to who does not', async () => {
    const path = `${url}assets/main-abcd1234.js`;
    const compressed = await fetch(path, { headers: { 'accept-encoding': 'br, gzip' } });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    expect(Number(compressed.headers.get('content-length'))).toBe(gzipSync(script).length);
    expect(await compressed.text()).toBe(script);
    for (const accept of ['identity', 'gzip;q=0']) {
      const plain = await fetch(path, { headers: { 'accept-encoding': accept } });
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(await plain.text()).toBe(script);
    }
  });

  test("sends a guest's .gz file as it is, without Content-Encoding", async () => {
    const response = await fetch(`${url}guests/busybox/initrd.gz`);
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(gunzipSync(new Uint8Array(await response.arrayBuffer()))).toEqual(Buffer.from(initrd));
  });

  test('lets hashed assets be kept forever and has everything else asked for again', async () => {
    const asset = await fetch(`${url}assets/main-abcd1234.js`);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    const index = await fetch(url);
    expect(index.headers.get('cache-control')).toBe('no-cache');
    const again = await fetch(url, { headers: { 'if-none-match': index.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });

  test('answers a range with exactly those bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(initrd.length - 1), fc.nat(initrd.length + 100), async (start, length) => {
        const response = await fetch(`${url}guests/busybox/initrd`, {
          headers: { range: `bytes=${start}-${start + length}` },
        });
        const last = Math.min(start + length, initrd.length - 1);
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${start}-${last}/${initrd.length}`);
        expect(new Uint8Array(await response.arrayBuffer())).toEqual(initrd.slice(start, last + 1));
      }),
      { numRuns: 50 },
    );
  });

  test('answers a range beyond the end with 416', async () => {
    const response = await fetch(`${url}guests/busybox/initrd`, { headers: { range: 'bytes=1000-' } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */1000');
  });

  test.each([
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/assets/..%5c..%5csecret',
    '/guests/../../secret',
    '/guests/%2e%2e/page/index.html',
    '//../secret',
    '/link',
    '/.hidden',
    '/%00',
    '/%zz',
    '/guests/',
    '/guests',
    '/assets/',
  ])('refuses %s', async (path) => {
    const answer = await raw(path);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain('secret\n');
  });

  test('survives any path, and shows nothing from outside the two folders', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom(
            '..',
            '.',
            '%2e',
            '%2f',
            '/',
            '\\',
            'guests',
            'page',
            'secret',
            'link',
            '%00',
            '?',
            'x',
          ),
        ),
        async (parts) => {
          const answer = await raw(`/${parts.join('')}`);
          expect(answer).toMatch(/^HTTP\/1\.1 (200|404) /);
          if (answer.startsWith('HTTP/1.1 200')) expect(answer).toContain('<!doctype html>');
        },
      ),
      { numRuns: 100 },
    );
  });

  test('answers GET and HEAD only', async () => {
    const head = await fetch(`${url}core.wasm`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(url, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, HEAD');
    }
  });

  test('moves up from a taken port when it may, and says so when it may not', async () => {
    const port = Number(new URL(url).port);
    const other = createSite({ page, guests });
    expect(Number(new URL(await listen(other, port, 20)).port)).toBeGreaterThan(port);
    await new Promise((done) => other.close(done));
    await expect(listen(createSite({ page, guests }), port)).rejects.toThrow(`Port ${port} is taken`);
  });
});

describe('parseRange', () => {
  test.each([
    [undefined, undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['lines=0-1', undefined],
    ['bytes=5-2', undefined],
    ['bytes=-3', { start: 7, end: 9 }],
    ['bytes=-30', { start: 0, end: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=4-', { start: 4, end: 9 }],
    ['bytes=4-400', { start: 4, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
  ])('%s of ten bytes', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });
});

describe('the options of npm start', () => {
  test('take the port from --port, then PORT, then 8080', () => {
    expect(readServeOptions(['--port', '9000'], { PORT: '9001' })).toMatchObject({
      port: 9000,
      explicit: true,
    });
    expect(readServeOptions([], { PORT: '9001' })).toMatchObject({ port: 9001, explicit: false });
    expect(readServeOptions([], {})).toMatchObject({ port: 8080, isolated: true });
    expect(readServeOptions(['--no-isolation'], {})).toMatchObject({ isolated: false });
  });

  test.each([['--port', 'x'], ['--port', '65536'], ['--port', '-1'], ['--porto', '1'], ['extra']])(
    'refuse %s %s',
    (...argv) => {
      expect(() => readServeOptions(argv, {})).toThrow(/port|Known/);
    },
  );
});
