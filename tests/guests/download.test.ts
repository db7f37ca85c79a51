import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, download } from '../../src/guests/download-node.ts';
import { httpGet, proxyFor } from '../../src/guests/http-node.ts';
import type { GuestProgress } from '../../src/guests/progress.ts';
import { FakeMirror, sha256 } from './fake-mirror.ts';
import { temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const data = randomBytes(200_000);
let mirror: FakeMirror;
let path: string;
let round = 0;

beforeEach(async () => {
  mirror = await new FakeMirror().start();
  mirror.files.set('file', data);
  path = join(folder, String(round++), 'file');
});
afterEach(() => mirror.stop());

const fetchFile = (
  options: DownloadOptions = {},
  what: { sha256?: string; bytes?: number; limit?: number } = {},
) =>
  download(
    { url: `${mirror.url}/file`, path, label: 'file', sha256: sha256(data), bytes: data.length, ...what },
    { attempts: 3, retryMs: 1, ...options },
  );
const arrived = () => readFileSync(path).equals(data);

describe('download', () => {
  it('fetches a file once, and not again while it is right', async () => {
    expect(await fetchFile()).toBe(true);
    expect(arrived()).toBe(true);
    expect(await fetchFile()).toBe(false);
    expect(mirror.requests).toHaveLength(1);
    writeFileSync(path, randomBytes(data.length));
    expect(await fetchFile()).toBe(true);
    expect(arrived()).toBe(true);
  });

  it('goes on where the connection was cut, as often as it must', async () => {
    mirror.cuts = [1000, 50_000, 1, 70_000].map((after) => ({ path: 'file', after }));
    await fetchFile();
    expect(arrived()).toBe(true);
    expect(mirror.requests.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=1000-',
      'bytes=51000-',
      'bytes=51001-',
      'bytes=121001-',
    ]);
  });

  it('starts again where the server ignores Range', async () => {
    mirror.ranges = false;
    mirror.cuts = [{ path: 'file', after: 150_000 }];
    await fetchFile();
    expect(arrived()).toBe(true);
  });

  it('keeps what came when it gives up, and goes on from there in a later run', async () => {
    mirror.cuts = [{ path: 'file', after: 120_000 }];
    mirror.statuses = [];
    await expect(fetchFile({ attempts: 1 })).rejects.toMatchObject({ code: 'network' });
    expect(readFileSync(`${path}.part`).length).toBe(120_000);
    const progress: GuestProgress[] = [];
    await fetchFile({ onProgress: (event) => progress.push(event) });
    expect(mirror.requests.at(-1)!.range).toBe('bytes=120000-');
    expect(progress[0]).toMatchObject({ kind: 'bytes', done: 120_000, resumed: 120_000, total: data.length });
    expect(progress.at(-1)).toMatchObject({ done: data.length });
    expect(arrived()).toBe(true);
  });

  it('throws away the beginning of another file and starts again', async () => {
    mkdirSync(join(path, '..'), { recursive: true });
    for (const length of [10, 199_999, 200_000, 300_000]) {
      rmSync(path, { force: true });
      writeFileSync(`${path}.part`, randomBytes(length));
      await fetchFile();
      expect(arrived()).toBe(true);
    }
  });

  it('tries again when the server is busy, and gives up after the tries it was given', async () => {
    mirror.statuses = [503, 500];
    await fetchFile();
    expect(arrived()).toBe(true);
    rmSync(path);
    mirror.statuses = [503, 503, 503, 503];
    await expect(fetchFile()).rejects.toThrow(/HTTP 503.*run the same command again/);
    expect(mirror.statuses).toHaveLength(1);
  });

  it('does not try again for a file that is not there', async () => {
    mirror.files.clear();
    await expect(fetchFile()).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/HTTP 404/),
    });
    expect(mirror.requests).toHaveLength(1);
  });

  it('refuses a file with another hash and leaves nothing of it', async () => {
    await expect(fetchFile({}, { sha256: sha256('other') })).rejects.toMatchObject({ code: 'checksum' });
    expect(() => readFileSync(path)).toThrow(/ENOENT/);
    expect(() => readFileSync(`${path}.part`)).toThrow(/ENOENT/);
  });

  it('refuses a file that is longer than it should be, known size or not', async () => {
    await expect(fetchFile({}, { bytes: 1000 })).rejects.toMatchObject({ code: 'checksum' });
    await expect(fetchFile({}, { bytes: undefined, sha256: undefined, limit: 1000 })).rejects.toThrow(
      /larger/,
    );
    expect(() => readFileSync(`${path}.part`)).toThrow(/ENOENT/);
  });

  it('says so when nobody listens at the address', async () => {
    const { url } = mirror;
    await mirror.stop();
    await expect(
      download({ url: `${url}/file`, path, label: 'file' }, { attempts: 2, retryMs: 1 }),
    ).rejects.toThrow(/the server refuses the connection; check the network/);
    await mirror.start();
  });

  it('gives up a server that is silent', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
    await expect(download({ url, path, label: 'x' }, { attempts: 1, idleMs: 50 })).rejects.toThrow(
      /no byte for 0.05 s/,
    );
    silent.closeAllConnections();
    silent.close();
  });

  it('reports a full disk, and goes on once there is room', async () => {
    mkdirSync(join(path, '..'), { recursive: true });
    symlinkSync('/dev/full', `${path}.part`);
    await expect(fetchFile()).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/the disk is full; free some space/),
    });
    rmSync(`${path}.part`);
    await fetchFile();
    expect(arrived()).toBe(true);
  });

  it('stops at once when it is cancelled, and keeps what came', async () => {
    const cancel = new AbortController();
    mirror.cuts = [{ path: 'file', after: 90_000 }];
    const onProgress = (event: GuestProgress) => {
      if (event.kind === 'bytes' && event.done >= 90_000) cancel.abort();
    };
    await expect(fetchFile({ onProgress, signal: cancel.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(readFileSync(`${path}.part`).length).toBeGreaterThanOrEqual(90_000);
    await expect(fetchFile({ signal: cancel.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('httpGet', () => {
  it('asks the proxy that http_proxy names, unless no_proxy excepts the host', async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.host} ${request.headers['proxy-authorization']}`);
      response.end('proxied');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const env = { http_proxy: `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const answer = await httpGet('http://mirror.invalid:81/a?b', { env });
    expect((await answer.body.toArray()).join('')).toBe('proxied');
    expect(asked).toEqual([`http://mirror.invalid:81/a?b mirror.invalid:81 Basic ${btoa('me:secret')}`]);
    const direct = await httpGet(`${mirror.url}/file`, {
      env: { ...env, no_proxy: 'example.org,127.0.0.1' },
    });
    expect(Buffer.concat(await direct.body.toArray()).equals(data)).toBe(true);
    proxy.close();
  });

  it('reads no_proxy as a list of hosts and domains', () => {
    const env = { https_proxy: 'proxy.invalid:3128', NO_PROXY: 'one.invalid, .two.invalid:443' };
    const of = (url: string) => proxyFor(new URL(url), env)?.host;
    expect(of('https://three.invalid/')).toBe('proxy.invalid:3128');
    expect(of('https://one.invalid/')).toBeUndefined();
    expect(of('https://sub.one.invalid/')).toBeUndefined();
    expect(of('https://someone.invalid/')).toBe('proxy.invalid:3128');
    expect(of('https://sub.two.invalid/')).toBeUndefined();
    expect(of('http://three.invalid/')).toBeUndefined();
    expect(() => proxyFor(new URL('http://x.invalid'), { http_proxy: 'socks5://h:1' })).toThrow(/no http/);
  });

  it('follows redirects, but not for ever', async () => {
    const server = createServer((request, response) => {
      const hops = Number(request.url!.slice(1));
      if (hops === 0) response.end('here');
      else response.writeHead(302, { location: `/${hops - 1}` }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await (await httpGet(`${base}/3`)).body.toArray()).join('')).toBe('here');
    await expect(httpGet(`${base}/9`)).rejects.toThrow(/redirects too often/);
    server.closeAllConnections();
    server.close();
  });
});
