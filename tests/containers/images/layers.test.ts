import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { ImageStore } from '../../../src/containers/images/image-store.ts';
import { openImageStore } from '../../../src/containers/images/image-store-node.ts';
import { readBytes } from '../../../src/storage/tree/byte-source.ts';
import { openTreeNode } from '../../../src/storage/tree/open-tree-node.ts';
import { digestOf, encode, imageOf, type Member, ociArchive, tar } from './fixtures.ts';
import { removeFolders, temporaryFolder } from './programs.ts';

afterAll(removeFolders);

const store = async () => openImageStore(await temporaryFolder());
const zstd = (bytes: Uint8Array, ...options: string[]) =>
  new Uint8Array(execFileSync('zstd', ['-cq', ...options], { input: bytes, maxBuffer: 1 << 28 }));
const packings: [string, (layer: Uint8Array) => Uint8Array][] = [
  ['not packed', (layer) => layer],
  ['gzip', (layer) => gzipSync(layer)],
  [
    'gzip of two members',
    (layer) => Buffer.concat([gzipSync(layer.subarray(0, 700)), gzipSync(layer.subarray(700))]),
  ],
  ['zstd', (layer) => zstd(layer)],
  ['zstd -19', (layer) => zstd(layer, '-19')],
  [
    'zstd in two frames with a skippable one behind',
    (layer) =>
      Buffer.concat([
        zstd(layer.subarray(0, 700)),
        zstd(layer.subarray(700)),
        Buffer.from('502a4d1804000000aabbccdd', 'hex'),
      ]),
  ],
];

/** What the store has left when it should have nothing. */
async function leftovers(images: ImageStore): Promise<string[]> {
  const { files } = images.content;
  const names: string[] = [];
  for (const folder of ['blobs/sha256', 'images', 'names', 'drafts', 'leases']) {
    for (const name of await files.list(folder)) names.push(`${folder}/${name}`);
  }
  return names;
}

it.each(packings)('a layer that is %s is served as the archive it was made of', async (_, pack) => {
  const layer = tar(
    { path: 'some/file', data: randomBytes(100_000) },
    { path: 'etc', type: 'directory', mode: 0o755 },
  );
  const images = await store();
  const image = imageOf([layer], {
    pack: (bytes) => ({ bytes: pack(bytes), mediaType: 'application/x-layer' }),
  });
  const [id] = await images.load(ociArchive(image));
  const { layers, diffIds } = await images.rootfs(id!);
  expect(diffIds).toEqual([digestOf(layer)]);
  const source = await images.content.open(diffIds[0]!);
  expect(digestOf(await readBytes(source, 0, source.size))).toBe(diffIds[0]);
  source.close();
  const tree = await openTreeNode(layers[0]!);
  await tree.close();
});

it('whiteouts and opaque directories reach overlayfs as its own marks', async () => {
  const upper = tar({ path: 'etc/.wh.gone', data: '' }, { path: 'var/.wh..wh..opq', data: '' });
  const images = await store();
  const [id] = await images.load(ociArchive(imageOf([tar({ path: 'etc/gone', data: '1' }), upper])));
  const { layers } = await images.rootfs(id!);
  expect(layers).toHaveLength(2);
  expect(layers[0]).toMatchObject({ kind: 'archive', whiteouts: true });
  const tree = await openTreeNode({ kind: 'overlay', lowers: layers });
  const etc = await tree.lookup(tree.root, 'etc');
  expect(await tree.lookup(etc!.inode, 'gone')).toBeUndefined();
  await tree.close();
});

const hostile: [string, Member[]][] = [
  ['a name that goes up', [{ path: '../../etc/passwd', data: 'root::0:0' }]],
  ['a name that goes up in the middle', [{ path: 'a/../../b', data: '' }]],
  ['a hard link to a place outside', [{ path: 'x', type: 'link', target: '../../etc/passwd' }]],
  ['a hard link to nothing', [{ path: 'x', type: 'link', target: 'etc/passwd' }]],
  [
    'a file below a link',
    [
      { path: 'x', type: 'symlink', target: '/etc' },
      { path: 'x/passwd', data: 'root::0:0' },
    ],
  ],
  ['data beyond the end', [{ path: 'x', type: 'file', size: 2 ** 40 }]],
  ['a whiteout of nothing', [{ path: 'etc/.wh.', data: '' }]],
  ['a whiteout of the folder above', [{ path: 'etc/.wh...', data: '' }]],
];

it.each(hostile)('a layer with %s is refused, and nothing of it stays', async (_, members) => {
  const images = await store();
  await expect(images.load(ociArchive(imageOf([tar(...members)]), 'evil:latest'))).rejects.toMatchObject({
    name: 'ImageStoreError',
    code: 'invalid',
  });
  expect(await leftovers(images)).toEqual([]);
});

it('absolute names and links, devices and names that come twice stay inside the layer', async () => {
  const images = await store();
  const layer = tar(
    { path: '/abs', data: 'kept inside' },
    { path: 'link', type: 'symlink', target: '/etc/passwd' },
    { path: 'dev/sda', type: 'block', mode: 0o600, major: 8, minor: 0 },
    { path: 'twice', data: 'first' },
    { path: 'twice', data: 'second' },
  );
  const [id] = await images.load(ociArchive(imageOf([layer])));
  const tree = await openTreeNode((await images.rootfs(id!)).layers[0]!);
  const abs = await tree.lookup(tree.root, 'abs');
  expect(abs?.attributes.size).toBe(11);
  const twice = await tree.lookup(tree.root, 'twice');
  expect(twice?.attributes.size).toBe(6);
  const link = await tree.lookup(tree.root, 'link');
  expect(await tree.readLink(link!.inode)).toBe('/etc/passwd');
  await tree.close();
});

it('a layer that is not what its diff id says is refused, and nothing of it stays', async () => {
  const images = await store();
  const image = imageOf([tar({ path: 'a', data: 'a' })], { diffIds: [digestOf(encode('another'))] });
  await expect(images.load(ociArchive(image))).rejects.toMatchObject({ code: 'digest' });
  expect(await leftovers(images)).toEqual([]);
});

it('a blob that is not what its digest says is refused, and nothing of it stays', async () => {
  const images = await store();
  const image = imageOf([tar({ path: 'a', data: 'a' })]);
  const broken = ociArchive(image, undefined, (blobs) => {
    const digest = digestOf(image.layers[0]!.bytes);
    blobs.set(
      digest,
      blobs.get(digest)!.map((byte, index) => (index === 20 ? byte ^ 1 : byte)),
    );
  });
  await expect(images.load(broken)).rejects.toMatchObject({ code: 'digest' });
  expect(await leftovers(images)).toEqual([]);
});

it.each([
  ['gzip', (layer: Uint8Array) => gzipSync(layer).subarray(0, -200)],
  ['zstd', (layer: Uint8Array) => zstd(layer).subarray(0, -200)],
])('a layer that is cut off is refused (%s)', async (_, pack) => {
  const images = await store();
  const layer = tar({ path: 'a', data: randomBytes(5000) });
  const image = imageOf([layer], { pack: (bytes) => ({ bytes: pack(bytes), mediaType: 'x' }) });
  await expect(images.load(ociArchive(image))).rejects.toMatchObject({
    code: expect.stringMatching(/invalid|digest/),
  });
  expect(await leftovers(images)).toEqual([]);
});

it('a layer that unpacks to more than a store may hold is stopped on the way', async () => {
  const { unpackLayer } = await import('../../../src/containers/images/unpack-layer.ts');
  const images = await store();
  const bomb = gzipSync(new Uint8Array(64 << 20));
  await images.content.leased(async (lease) => {
    const digest = await images.content.put(lease, bomb);
    const layer = { digest, diffId: digestOf(new Uint8Array(64 << 20)) };
    await expect(unpackLayer(images.content, lease, layer, { limit: 1 << 20 })).rejects.toMatchObject({
      code: 'invalid',
      message: `layer ${digest} has more than ${1 << 20} bytes`,
    });
  });
  await images.prune();
  expect(await leftovers(images)).toEqual([]);
});

it('a frame of zstd that claims a huge window is refused without the memory for it', async () => {
  const images = await store();
  // Single segment, 8 bytes of content size: 2^60.
  const frame = Buffer.from('28b52ffde00000000000000010010000', 'hex');
  const image = imageOf([tar({ path: 'a', data: '' })], { pack: () => ({ bytes: frame, mediaType: 'x' }) });
  await expect(images.load(ociArchive(image))).rejects.toMatchObject({ name: 'ImageStoreError' });
});

it('bytes that are no layer at all are refused with a typed error, whatever they are', async () => {
  const images = await store();
  const start = fc.constantFrom([], [0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd]);
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ minLength: 4, maxLength: 1500 }), async (magic, rest) => {
      // An archive may end with zeroes at once.
      const bytes = Uint8Array.from([...magic, 1, ...rest]);
      const image = imageOf([bytes], { pack: (layer) => ({ bytes: layer, mediaType: 'x' }) });
      await expect(images.load(ociArchive(image))).rejects.toMatchObject({ name: 'ImageStoreError' });
    }),
    { numRuns: 60 },
  );
  expect(await leftovers(images)).toEqual([]);
});
