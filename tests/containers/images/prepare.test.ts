import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { busyboxApplets } from '../../../src/containers/images/debian/busybox-applets.ts';
import { prepareImage } from '../../../src/containers/images/debian/debian-image-node.ts';
import { debianImages } from '../../../src/containers/images/debian/debian-images.ts';
import { isUnwanted } from '../../../src/containers/images/debian/trim.ts';
import type { ImageStore } from '../../../src/containers/images/image-store.ts';
import { openImageStore } from '../../../src/containers/images/image-store-node.ts';
import type { Entry, FileSystem, Inode } from '../../../src/storage/tree/file-system.ts';
import { openTreeNode } from '../../../src/storage/tree/open-tree-node.ts';
import { FakeMirror, type FakePackage, makeDeb } from '../../guests/fake-mirror.ts';
import { temporaryFolder } from '../../guests/programs.ts';

const folder = temporaryFolder();
const text = (lines: string) => Buffer.from(lines);
const applets = [...Array.from({ length: 60 }, (_, index) => `a${index + 100}`), 'ls', 'sh', 'wget'];
const busybox = text(`\x7fELF…\0[[\0x\0…[\0[[\0${applets.join('\0')}\0\0more`);

function debian(name: string, files: Record<string, string>, more: Partial<FakePackage> = {}): FakePackage {
  const control = text(`Package: ${name}\nVersion: 1.0-1\nArchitecture: riscv64\nDescription: for tests\n`);
  const packed = Object.fromEntries(Object.entries(files).map(([path, lines]) => [path, text(lines)]));
  return { name, ...more, deb: makeDeb(folder, packed, 'xz', { control }) };
}

const packages: FakePackage[] = [
  { name: 'busybox-static', version: '1:1.37-1', deb: makeDeb(folder, { 'usr/bin/busybox': busybox }) },
  debian(
    'base-passwd',
    {
      'usr/share/base-passwd/passwd.master': 'root:*:0:0:root:/root:/bin/bash\n',
      'usr/share/base-passwd/group.master': 'root:*:0:\n',
    },
    { essential: true },
  ),
  debian(
    'libc6',
    { 'lib/ld.so': 'loader', 'usr/share/doc/libc6/changelog': 'long' },
    { depends: 'libgcc-s1' },
  ),
  debian('libgcc-s1', { 'usr/lib/libgcc.so': 'gcc' }, { depends: 'gcc-14-base' }),
  debian('gcc-14-base', { 'usr/share/gcc/x': 'never looked at' }),
  debian(
    'lua5.4',
    { 'usr/bin/lua5.4': 'lua', 'usr/share/man/man1/lua.1': 'manual', 'usr/include/lua.h': 'header' },
    { depends: 'libc6, libreadline8t64' },
  ),
  debian('libreadline8t64', { 'usr/lib/libreadline.so': 'readline' }),
  debian(
    'valkey-server',
    { 'usr/bin/valkey-server': 'server' },
    { depends: 'libc6, adduser, init-system-helpers' },
  ),
  debian('valkey-tools', { 'usr/bin/valkey-cli': 'client' }),
  debian(
    'bash',
    { 'bin/bash': 'bash', 'usr/share/doc/bash/copyright': 'GPL', 'usr/share/doc/bash/x': 'x' },
    { essential: true },
  ),
  debian('apt', { 'usr/bin/apt': 'apt' }),
  debian('mawk', { 'usr/bin/mawk': 'mawk' }),
];

let mirror: FakeMirror;
beforeAll(async () => {
  mirror = await new FakeMirror().start();
  mirror.publish(packages);
});
afterAll(() => mirror.stop());

let stores = 0;
const newStore = () => openImageStore(join(folder, `store-${stores++}`));
const prepare = (images: ImageStore, name: string, refresh = false) =>
  prepareImage(images, name, {
    mirror: mirror.url,
    cacheDir: join(folder, 'cache'),
    env: { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') },
    refresh,
  });

/** An image's root, as its layers give it together. */
async function rootOf(images: ImageStore, name: string) {
  const { layers } = await images.rootfs(name);
  const tree: FileSystem<Inode> = await openTreeNode({ kind: 'overlay', lowers: layers });
  return async (path: string): Promise<Entry<Inode> | undefined> => {
    let entry: Entry<Inode> | undefined;
    for (const part of path.split('/')) {
      entry = await tree.lookup(entry?.inode ?? tree.root, part);
      if (entry === undefined) return undefined;
    }
    return entry;
  };
}

it('an image has the files of its packages and of what they depend on, but not what nobody runs', async () => {
  const images = newStore();
  await prepare(images, 'lua');
  const find = await rootOf(images, 'lua');
  for (const path of [
    'usr/bin/lua5.4',
    'usr/bin/lua',
    'usr/lib/ld.so',
    'usr/lib/libgcc.so',
    'usr/lib/libreadline.so',
    'usr/bin/sh',
    'usr/bin/wget',
    'etc/passwd',
    'bin',
  ]) {
    expect(await find(path), path).toBeDefined();
  }
  for (const path of ['usr/share/man', 'usr/share/doc', 'usr/include', 'usr/share/gcc']) {
    expect(await find(path), path).toBeUndefined();
  }
  expect((await find('tmp'))?.attributes.mode).toBe(0o41777);
});

it('images share their lower layers', async () => {
  const images = newStore();
  for (const name of ['busybox', 'lua', 'valkey']) await prepare(images, name);
  const layers = async (name: string) => (await images.inspect(name)).RootFS.Layers;
  const [base] = await layers('busybox');
  expect((await layers('lua')).slice(0, 2)).toEqual((await layers('valkey')).slice(0, 2));
  expect((await layers('lua'))[0]).toBe(base);
});

it('equal packages give equal digests, wherever and whenever an image is made', async () => {
  const [first, second] = [newStore(), newStore()];
  expect(await prepare(first, 'lua')).toBe(await prepare(second, 'lua'));
  const before = await first.inspect('lua');
  expect(await prepare(first, 'lua', true)).toBe(before.Id);
  expect((await first.history('lua'))[0]?.Comment).toBe('lua5.4=1.0-1 libreadline8t64=1.0-1');
});

it('an image says how it is run, and has its own users and folders', async () => {
  const images = newStore();
  await prepare(images, 'valkey');
  const { Config, Architecture } = await images.inspect('valkey');
  expect(Architecture).toBe('riscv64');
  expect(Config).toMatchObject({ User: 'valkey', ExposedPorts: { '6379/tcp': {} }, WorkingDir: '/data' });
  const find = await rootOf(images, 'valkey');
  expect((await find('data'))?.attributes).toMatchObject({ uid: 999, gid: 999 });
});

it("Debian's own image has dpkg's record of packages that are installed, its awk, and licences", async () => {
  const images = newStore();
  await prepare(images, 'debian');
  const find = await rootOf(images, 'debian');
  for (const path of [
    'var/lib/dpkg/status',
    'usr/bin/bash',
    'usr/bin/apt',
    'etc/alternatives/awk',
    'usr/bin/awk',
    'usr/share/doc/bash/copyright',
    'etc/apt/sources.list.d/debian.sources',
  ]) {
    expect(await find(path), path).toBeDefined();
  }
  expect(await find('usr/share/doc/bash/x')).toBeUndefined();
  expect((await find('var/cache/apt/archives/partial'))?.attributes).toMatchObject({ uid: 42 });
});

it('an image that is there is left alone, and the mirror not asked', async () => {
  const images = newStore();
  const id = await prepare(images, 'busybox');
  mirror.requests.length = 0;
  expect(await prepare(images, 'busybox')).toBe(id);
  expect(mirror.requests).toEqual([]);
});

it('a package that is not what the index says is refused, and there is no image', async () => {
  const images = newStore();
  const cache = join(folder, 'other-cache');
  mkdirSync(cache);
  const path = [...mirror.files.keys()].find((name) => name.includes('/lua5.4_'))!;
  const right = mirror.files.get(path)!;
  mirror.files.set(
    path,
    right.map((byte, index) => (index === 300 ? byte ^ 1 : byte)),
  );
  try {
    const options = {
      mirror: mirror.url,
      cacheDir: cache,
      env: { HYPERTAB_DEBIAN_KEYRING: join(folder, 'nowhere.gpg') },
    };
    await expect(prepareImage(images, 'lua', options)).rejects.toMatchObject({ code: 'checksum' });
  } finally {
    mirror.files.set(path, right);
  }
  expect(await images.list()).toEqual([]);
});

it('a name that is none of them is refused with the list of them', async () => {
  await expect(prepare(newStore(), 'nosuch')).rejects.toThrow(
    /there is no image 'nosuch' to prepare; there are busybox, lua/,
  );
});

it("BusyBox's table of programs is read as the program itself tells of it", () => {
  expect(busyboxApplets(busybox)).toEqual(['[', '[[', ...applets]);
  expect(() => busyboxApplets(text('no table'))).toThrow('no table of applets');
});

it('of a package only what nobody runs is left out', () => {
  expect(debianImages.map(({ name }) => name)).toContain('python');
  for (const path of [
    'usr/share/doc/x/copyright',
    'usr/lib/systemd/system/x',
    'usr/lib/libx.a',
    'etc/init.d/x',
    'usr/lib/python3.13/test/x.py',
  ]) {
    expect(isUnwanted(path), path).toBe(true);
  }
  for (const path of [
    'usr/bin/x',
    'usr/lib/libx.so.1',
    'etc/nginx/nginx.conf',
    'usr/share/nginx/html/x',
    'usr/share/documents',
    'usr/lib/python3.13/testing.py',
  ]) {
    expect(isUnwanted(path), path).toBe(false);
  }
});
