import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuestEntry } from '../../src/guests/guest-types.ts';
import {
  listGuests,
  type PrepareOptions,
  prepareGuest,
  removeGuest,
  resolveGuestNode,
} from '../../src/guests/prepare-node.ts';
import type { GuestProgress } from '../../src/guests/progress.ts';
import { resolveGuestHttp } from '../../src/guests/resolve-http.ts';
import { busyboxPackages, FakeMirror, sha256 } from './fake-mirror.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const kernel = randomBytes(400_000);
const packages = busyboxPackages(folder, kernel, Buffer.from('a shell'));
const debSize = packages[1]!.deb.length;
const env = { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') };
let mirror: FakeMirror;
let outputDir: string;
let cacheDir: string;
let round = 0;

beforeEach(async () => {
  mirror = await new FakeMirror().start();
  mirror.publish(packages);
  outputDir = join(folder, `out${round}`);
  cacheDir = join(folder, `cache${round++}`);
});
afterEach(() => mirror.stop());

const prepare = (name: string, options: PrepareOptions = {}) =>
  prepareGuest(name, { outputDir, cacheDir, env, mirror: mirror.url, attempts: 2, retryMs: 1, ...options });
const contents = (name: string) => readFileSync(join(outputDir, name));
/** What stands in the output folder, hidden files too. */
const visible = () => readdirSync(outputDir).sort();

describe('prepareGuest', () => {
  it('writes kernel, initramfs, their gzipped twins and a manifest that describes them', async () => {
    const manifest = await prepare('busybox');
    expect(contents('busybox/kernel').equals(kernel)).toBe(true);
    expect(JSON.parse(contents('busybox/guest.json').toString())).toEqual(
      JSON.parse(JSON.stringify(manifest)),
    );
    for (const file of [manifest.files.kernel!, manifest.files.initrd!]) {
      const plain = contents(`busybox/${file.name}`);
      const packed = contents(`busybox/${file.name}.gz`);
      expect([plain.length, packed.length, sha256(plain)]).toEqual([file.bytes, file.gzipBytes, file.sha256]);
      expect(gunzipSync(packed).equals(plain)).toBe(true);
    }
    expect(manifest.sources).toEqual([
      { package: 'linux-image-6.1.2-riscv64', version: '6.1.2-1', sha256: sha256(packages[1]!.deb) },
      { package: 'busybox-static', version: '1:1.37-1', sha256: sha256(packages[2]!.deb) },
    ]);
    expect(manifest.archive).toMatchObject({
      suite: 'trixie',
      signature: expect.stringMatching(/^not checked: /),
    });
    expect(visible()).toEqual(['busybox', 'index.json']);
  });

  it('builds an initramfs with a console, a shell and an init', async () => {
    await prepare('busybox');
    const list = run('cpio', ['-itvn', '--quiet'], { input: contents('busybox/initrd') }).toString();
    expect(list).toMatch(/^crw-{7} .* 5, +1 .* dev\/console$/m);
    expect(list).toMatch(/^-rwxr-xr-x .* init$/m);
    const shell = run('cpio', ['-i', '--quiet', '--to-stdout', 'bin/busybox'], {
      input: contents('busybox/initrd'),
    });
    expect(shell.toString()).toBe('a shell');
    const init = run('cpio', ['-i', '--quiet', '--to-stdout', 'init'], { input: contents('busybox/initrd') });
    expect(init.subarray(0, 15).toString()).toBe('#!/bin/busybox ');
    run('sh', ['-n'], { input: init });
  });

  it('leaves a prepared guest alone without asking the mirror, unless asked to refresh it', async () => {
    await prepare('busybox');
    const before = mirror.requests.length;
    await prepare('busybox', { mirror: 'http://127.0.0.1:1' });
    expect(mirror.requests).toHaveLength(before);
    await prepare('busybox', { refresh: true });
    expect(mirror.requests.slice(before).map(({ path }) => path)).toEqual(['dists/trixie/InRelease']);
  });

  it('makes a guest anew when a file of it is damaged, gone or of another recipe', async () => {
    await prepare('busybox');
    const damages = [
      () => writeFileSync(join(outputDir, 'busybox/initrd'), randomBytes(10)),
      () => rmSync(join(outputDir, 'busybox/kernel.gz')),
      () => {
        const manifest = JSON.parse(contents('busybox/guest.json').toString());
        writeFileSync(join(outputDir, 'busybox/guest.json'), JSON.stringify({ ...manifest, recipe: 'old' }));
      },
      () => writeFileSync(join(outputDir, 'busybox/guest.json'), '{'),
    ];
    const whole = contents('busybox/initrd');
    for (const damage of damages) {
      damage();
      await prepare('busybox');
      expect(contents('busybox/initrd').equals(whole)).toBe(true);
      expect(existsSync(join(outputDir, 'busybox/kernel.gz'))).toBe(true);
    }
  });

  it('shares one kernel file between two guests', async () => {
    const fast = await prepare('busybox');
    const stock = await prepare('busybox-stock');
    expect(stock.append).toBe('console=ttyS0');
    expect(stock.files).toEqual(fast.files);
    const inode = (name: string) => statSync(join(outputDir, name)).ino;
    expect(inode('busybox-stock/kernel')).toBe(inode('busybox/kernel'));
    expect(mirror.countOf('linux-image-6.1.2')).toBe(1);
  });

  it('makes the shared kernel again when its copy in the cache is damaged', async () => {
    await prepare('busybox');
    const made = join(cacheDir, 'made');
    const shelf = join(made, readdirSync(made)[0]!);
    rmSync(join(shelf, 'kernel'));
    writeFileSync(join(shelf, 'kernel'), randomBytes(kernel.length));
    await prepare('busybox-stock');
    expect(contents('busybox-stock/kernel').equals(kernel)).toBe(true);
    expect(contents('busybox/kernel').equals(kernel)).toBe(true);
  });

  it('leaves no half guest when the download is cut, and goes on in the next run', async () => {
    const half = Math.floor(debSize / 2);
    mirror.cuts = [{ path: 'linux-image-6.1.2-riscv64_6.1.2-1_riscv64.deb', after: half }];
    await expect(prepare('busybox', { attempts: 1 })).rejects.toMatchObject({ code: 'network' });
    expect(visible()).toEqual([]);
    await prepare('busybox');
    expect(mirror.requests.find(({ range }) => range !== undefined)?.range).toBe(`bytes=${half}-`);
    expect(contents('busybox/kernel').equals(kernel)).toBe(true);
  });

  it('leaves no half guest when a package is not what the index says', async () => {
    const name = [...mirror.files.keys()].find((path) => path.includes('busybox-static'))!;
    mirror.files.set(name, Buffer.alloc(packages[2]!.deb.length));
    await expect(prepare('busybox')).rejects.toMatchObject({ code: 'checksum' });
    expect(visible()).toEqual([]);
    expect(await listGuests({ outputDir })).toSatisfy((all: GuestEntry[]) =>
      all.every(({ prepared }) => !prepared),
    );
  });

  it('leaves no half guest when it is cancelled, at whatever point', async () => {
    const total: GuestProgress[] = [];
    await prepare('busybox', { onProgress: (event) => total.push(event) });
    for (let stop = 0; stop < total.length; stop += 3) {
      rmSync(outputDir, { recursive: true });
      rmSync(cacheDir, { recursive: true });
      const cancel = new AbortController();
      let seen = 0;
      const onProgress = () => {
        if (seen++ === stop) cancel.abort();
      };
      const result = await prepare('busybox', { onProgress, signal: cancel.signal }).catch(
        (error: unknown) => error,
      );
      expect(result).toMatchObject({ name: 'GuestError', code: 'aborted' });
      expect(visible()).toEqual([]);
    }
    await prepare('busybox');
  });

  it('keeps the guest there was when making a newer one fails', async () => {
    await prepare('busybox');
    mirror.publish(busyboxPackages(folder, randomBytes(1000), Buffer.from('newer')));
    mirror.files.delete([...mirror.files.keys()].find((path) => path.includes('busybox-static'))!);
    await expect(prepare('busybox', { refresh: true })).rejects.toMatchObject({ code: 'network' });
    expect(contents('busybox/kernel').equals(kernel)).toBe(true);
    expect(visible()).toEqual(['busybox', 'index.json']);
  });

  it('clears away what a killed run left, its lock too', async () => {
    mkdirSync(join(outputDir, '.busybox.new'), { recursive: true });
    writeFileSync(join(outputDir, '.busybox.new/kernel'), 'half');
    mkdirSync(join(outputDir, '.busybox.old'));
    const dead = run('sh', ['-c', 'echo $$']).toString().trim();
    const host = run('hostname', []).toString().trim();
    writeFileSync(join(outputDir, '.lock'), `${dead} ${host} 0.5`);
    await prepare('busybox');
    expect(visible()).toEqual(['busybox', 'index.json']);
  });

  it('lets two preparations at the same time take turns', async () => {
    const notes: string[] = [];
    const onProgress = (event: GuestProgress) => event.kind === 'note' && notes.push(event.text);
    await Promise.all([
      prepare('busybox', { onProgress }),
      prepare('busybox', { onProgress }),
      prepare('busybox-stock'),
    ]);
    expect(mirror.countOf('linux-image-6.1.2')).toBe(1);
    expect(notes.some((text) => text.startsWith('waiting for another preparation'))).toBe(true);
    expect(visible()).toEqual(['busybox', 'busybox-stock', 'index.json']);
  });

  it('reports a full disk in one line that names the file', async () => {
    const pool = join(cacheDir, 'pool', sha256(packages[1]!.deb).slice(0, 16));
    mkdirSync(pool, { recursive: true });
    symlinkSync('/dev/full', join(pool, 'linux-image-6.1.2-riscv64_6.1.2-1_riscv64.deb.part'));
    await expect(prepare('busybox')).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/^cannot write .*linux-image.*: the disk is full; [^\n]*$/),
    });
    expect(visible()).toEqual([]);
  });

  it('reports an output folder that cannot be one', async () => {
    writeFileSync(join(folder, 'in-the-way'), '');
    await expect(prepare('hello', { outputDir: join(folder, 'in-the-way/guests') })).rejects.toMatchObject({
      code: 'disk',
    });
  });

  it('assembles toy guests without a mirror', async () => {
    const none = { HYPERTAB_DEBIAN_MIRROR: 'none' };
    for (const name of ['hello', 'monitor', 'count']) {
      const manifest = await prepare(name, { mirror: undefined, env: none });
      expect(manifest).toMatchObject({ kind: 'toy', sources: [] });
      expect(contents(`${name}/bios`).subarray(0, 4).toString('latin1')).toBe('\x7fELF');
    }
    expect(mirror.requests).toEqual([]);
    expect(existsSync(cacheDir)).toBe(false);
  });

  it('says which guests there are when asked for another', async () => {
    await expect(prepare('windows')).rejects.toMatchObject({
      code: 'unknown',
      message: expect.stringContaining('there are busybox, busybox-stock, debian, container-host, hello'),
    });
    await expect(prepare('../evil')).rejects.toMatchObject({ code: 'unknown' });
  });
});

describe('the guests of a folder', () => {
  it('are listed, prepared or not, in a list that a page can read', async () => {
    await prepare('hello');
    const entries = await listGuests({ outputDir });
    expect(entries.map(({ name, prepared }) => [name, prepared])).toEqual([
      ['busybox', false],
      ['busybox-stock', false],
      ['debian', false],
      ['container-host', false],
      ['hello', true],
      ['monitor', false],
      ['count', false],
    ]);
    // What is not for people to boot is not in the page's list.
    const shown = entries.filter(({ name }) => name !== 'container-host');
    expect(JSON.parse(contents('index.json').toString())).toEqual(JSON.parse(JSON.stringify(shown)));
    expect(entries[4]!.download).toBe(contents('hello/bios.gz').length);
  });

  it('are removed by name, and the list with them', async () => {
    await prepare('hello');
    expect(await removeGuest('hello', { outputDir })).toBe(true);
    expect(visible()).toEqual(['index.json']);
    expect(JSON.parse(contents('index.json').toString())[3].prepared).toBe(false);
    expect(await removeGuest('hello', { outputDir })).toBe(false);
    await expect(removeGuest('..', { outputDir })).rejects.toMatchObject({ code: 'unknown' });
  });

  it('are found as paths', async () => {
    await prepare('busybox');
    const guest = await resolveGuestNode('busybox', { outputDir });
    expect(guest).toMatchObject({ name: 'busybox', memory: 128 * 1024 ** 2, prompt: ' # ' });
    expect(guest.kernel).toBe(join(outputDir, 'busybox/kernel'));
    expect(guest.append).toMatch(/^console=ttyS0 .*quiet/);
    expect(guest.append!.length).toBeLessThan(1024);
    await expect(resolveGuestNode('monitor', { outputDir })).rejects.toMatchObject({
      code: 'not-prepared',
      message: expect.stringContaining('npx hypertab guest prepare monitor'),
    });
    await expect(resolveGuestNode('nothing', { outputDir })).rejects.toMatchObject({ code: 'unknown' });
    await expect(resolveGuestNode('../../etc', { outputDir })).rejects.toMatchObject({ code: 'unknown' });
  });

  it.each([
    ['not JSON', '{'],
    ['of another version', '{"version": 2}'],
    ['not an object', '[]'],
    ['with a file outside its folder', undefined],
  ])('are refused when the manifest is %s', async (_, text) => {
    const manifest = await prepare('hello');
    const evil = { ...manifest, files: { bios: { ...manifest.files.bios, name: '../../../etc/passwd' } } };
    writeFileSync(join(outputDir, 'hello/guest.json'), text ?? JSON.stringify(evil));
    await expect(resolveGuestNode('hello', { outputDir })).rejects.toMatchObject({ code: 'format' });
  });
});

describe('resolveGuestHttp', () => {
  let server: Server;
  let base: string;
  beforeEach(async () => {
    server = createServer((request, response) => {
      const path = join(outputDir, new URL(request.url!, 'http://x').pathname.replace(/^\/guests\//, ''));
      if (existsSync(path)) response.end(readFileSync(path));
      else response.writeHead(404).end('<html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/guests`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gives the addresses of the gzipped files', async () => {
    await prepare('busybox');
    const guest = await resolveGuestHttp(base)('busybox');
    expect(guest).toMatchObject({ name: 'busybox', memory: 128 * 1024 ** 2 });
    const response = await fetch(guest.kernel!);
    expect(gunzipSync(Buffer.from(await response.arrayBuffer())).equals(kernel)).toBe(true);
    expect(new URL(guest.kernel!).pathname).toBe('/guests/busybox/kernel.gz');
  });

  it('says what to do when the guest, its description or the server is not there', async () => {
    const resolve = resolveGuestHttp(new URL(`${base}/`));
    await expect(resolve('busybox')).rejects.toMatchObject({
      code: 'not-prepared',
      message: expect.stringContaining('npx hypertab guest prepare busybox'),
    });
    await expect(resolve('../secret')).rejects.toMatchObject({ code: 'unknown' });
    mkdirSync(dirname(join(outputDir, 'odd/guest.json')), { recursive: true });
    writeFileSync(join(outputDir, 'odd/guest.json'), '<html>');
    await expect(resolve('odd')).rejects.toMatchObject({ code: 'format' });
    server.closeAllConnections();
    server.close();
    await expect(resolve('busybox')).rejects.toMatchObject({ code: 'network' });
  });
});
