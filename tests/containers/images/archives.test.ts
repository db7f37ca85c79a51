import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import type { ImageStore } from '../../../src/containers/images/image-store.ts';
import { loadPath, openImageStore } from '../../../src/containers/images/image-store-node.ts';
import { concat } from '../../../src/containers/images/tar-writer.ts';
import { digestOf, dockerArchive, imageOf, type Member, ociArchive, tar } from './fixtures.ts';
import { removeFolders, runProgram, skopeo, temporaryFolder } from './programs.ts';

afterAll(removeFolders);

const store = async () => openImageStore(await temporaryFolder());
const layers = [tar({ path: 'etc/below', data: '1' }), tar({ path: 'etc/above', data: '2' })];
const image = imageOf(layers, {
  config: { Env: ['A=b'], Entrypoint: ['/x'], ExposedPorts: { '80/tcp': {} }, Labels: { l: 'm' } },
});
const id = digestOf(image.config);

async function saved(images: ImageStore, ...names: string[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = images.save(names).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) parts.push(read.value);
  return concat(parts);
}

it('skopeo reads what save writes, as docker archive and as OCI archive', async () => {
  const images = await store();
  await images.load(ociArchive(image, 'team/tool:1'));
  const path = join(await temporaryFolder(), 'saved.tar');
  await writeFile(path, await saved(images, 'team/tool:1'));
  for (const source of [`docker-archive:${path}:team/tool:1`, `oci-archive:${path}`]) {
    const found = JSON.parse(await skopeo('inspect', '--config', source));
    expect(found.rootfs.diff_ids, source).toEqual(layers.map(digestOf));
    expect(found.config.Entrypoint, source).toEqual(['/x']);
  }
  expect(JSON.parse(await skopeo('inspect', `oci-archive:${path}`)).Digest).toBe(digestOf(image.manifest));
});

it('what save writes is loaded again with its names, ids and digests, and equal images give equal archives', async () => {
  const images = await store();
  await images.load(ociArchive(image, 'team/tool:1'));
  await images.tag('team/tool:1', 'other');
  const archive = await saved(images, 'team/tool:1', 'other');
  const again = await store();
  expect((await again.load(archive)).sort()).toEqual(['other:latest', 'team/tool:1']);
  expect((await again.inspect('other')).Id).toBe(id);
  expect(await saved(again, 'team/tool:1', 'other')).toEqual(archive);
});

it('skopeo writes docker archives and OCI layouts that are loaded', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'in.tar'), ociArchive(image));
  await skopeo('copy', '-q', `oci-archive:${folder}/in.tar`, `docker-archive:${folder}/docker.tar:tool:2`);
  await skopeo('copy', '-q', `oci-archive:${folder}/in.tar`, `oci:${folder}/layout:tool:3`);
  await skopeo(
    'copy',
    '-q',
    '--dest-compress-format',
    'zstd',
    '--dest-compress',
    `oci-archive:${folder}/in.tar`,
    `oci:${folder}/zstd:tool:4`,
  );
  const images = await store();
  expect(await loadPath(images, join(folder, 'docker.tar'))).toEqual(['tool:2']);
  expect(await loadPath(images, join(folder, 'layout'))).toEqual(['tool:3']);
  expect(await loadPath(images, join(folder, 'zstd'))).toEqual(['tool:4']);
  for (const name of ['tool:2', 'tool:3', 'tool:4']) {
    expect((await images.inspect(name)).RootFS.Layers, name).toEqual(layers.map(digestOf));
  }
});

it('an image that umoci has made, layer upon layer, is loaded, and its history told', async () => {
  const folder = await temporaryFolder();
  const umoci = (...args: string[]) => runProgram('umoci', 'umoci', ...args);
  const tool = `${folder}/layout:tool`;
  await umoci('init', '--layout', `${folder}/layout`);
  await umoci('new', '--image', tool);
  await umoci('config', '--image', tool, '--architecture', 'riscv64', '--os', 'linux', '--config.cmd', 'sh');
  for (const name of ['one', 'two']) {
    await writeFile(join(folder, name), name);
    await umoci('insert', '--image', tool, join(folder, name), `/srv/${name}`);
  }
  await umoci('insert', '--image', tool, '--whiteout', '/srv/one');
  const images = await store();
  const [loaded] = await loadPath(images, join(folder, 'layout'));
  expect(loaded).toMatch(/^sha256:/);
  expect((await images.rootfs(loaded!)).layers).toHaveLength(3);
  expect((await images.inspect(loaded!)).Config.Cmd).toEqual(['sh']);
  expect((await images.history(loaded!)).filter(({ Size }) => Size > 0)).toHaveLength(3);
});

it('an archive of an older docker save is loaded, its layer that is a link to another too', async () => {
  const { config } = image;
  const name = digestOf(config).slice(7);
  const twice = imageOf([layers[0]!, layers[0]!]);
  const linked = tar(
    { path: `${name}.json`, data: twice.config },
    { path: 'one/layer.tar', data: layers[0] },
    { path: 'two/layer.tar', type: 'symlink', target: '../one/layer.tar' },
    {
      path: 'manifest.json',
      data: JSON.stringify([
        { Config: `${name}.json`, RepoTags: null, Layers: ['one/layer.tar', 'two/layer.tar'] },
      ]),
    },
  );
  const images = await store();
  expect(await images.load(dockerArchive(layers, ['old:1', 'old:2']))).toEqual(['old:1', 'old:2']);
  const words: string[] = [];
  const ids = await images.load(linked, { onProgress: ({ stream }) => stream && words.push(stream) });
  expect(ids).toEqual([digestOf(twice.config)]);
  expect(words).toEqual([`Loaded image ID: ${ids[0]}\n`]);
});

it.each([
  ['bytes', (bytes: Uint8Array) => bytes],
  ['gzipped bytes', (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))],
  ['a blob', (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>])],
  ['a stream', (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()],
])('an archive is loaded from %s', async (_, input) => {
  const images = await store();
  expect(await images.load(input(ociArchive(image, 'x:y')))).toEqual(['x:y']);
  expect(await images.content.files.list('drafts')).toEqual([]);
});

it('of several platforms the one that runs here is loaded, and the blobs of others may be missing', async () => {
  const folder = await temporaryFolder();
  const foreign = imageOf(layers, { architecture: 'amd64' });
  const entry = (parts: typeof image, architecture: string) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(parts.manifest),
    size: parts.manifest.length,
    platform: { os: 'linux', architecture },
  });
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [entry(foreign, 'amd64'), entry(image, 'riscv64')],
  });
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, 'index.json'), index);
  for (const bytes of [image.config, image.manifest, ...image.layers.map((layer) => layer.bytes)]) {
    await writeFile(join(blobs, digestOf(bytes).slice(7)), bytes);
  }
  expect(await loadPath(await store(), folder)).toEqual([id]);
});

it.each([
  ['no archive at all', new TextEncoder().encode('x'.repeat(600)), 'invalid archive'],
  [
    'an archive of something else',
    tar({ path: 'a', data: 'b' }),
    'invalid archive: does not contain a manifest.json',
  ],
  ['a blob missing', ociArchive(image, 'x:y', (blobs) => blobs.delete(id)), 'is not in it'],
  ['a manifest.json of nonsense', tar({ path: 'manifest.json', data: '[{"Config":1}]' }), 'invalid archive'],
  [
    'a path that leaves it',
    tar({ path: 'manifest.json', data: '[{"Config":"../../etc/passwd","RepoTags":null,"Layers":[]}]' }),
    'is not in it',
  ],
  ['a name that is none', dockerArchive(layers, ['Bad Name']), 'invalid reference format'],
])('%s is refused, and leaves nothing', async (_, archive, message) => {
  const images = await store();
  await expect(images.load(archive)).rejects.toThrow(message);
  expect(await images.content.files.list('blobs/sha256')).toEqual([]);
  expect(await images.content.files.list('drafts')).toEqual([]);
});

it('an import is an image of one layer, and a commit one of a layer more', async () => {
  const images = await store();
  const imported = await images.import(new Uint8Array(gzipSync(layers[0]!)), { reference: 'base' });
  const committed = await images.commit('base', layers[1]!, {
    reference: 'next:1',
    comment: 'a step',
    author: 'someone',
    createdBy: 'sh -c true',
    config: { Cmd: ['other'] },
  });
  const found = await images.inspect('next:1');
  expect(found).toMatchObject({
    Id: committed,
    Parent: imported,
    Author: 'someone',
    Config: { Cmd: ['other'] },
  });
  expect(found.RootFS.Layers).toEqual(layers.map(digestOf));
  const [newest, oldest] = await images.history('next:1');
  expect(newest).toMatchObject({
    Id: committed,
    CreatedBy: 'sh -c true',
    Comment: 'a step',
    Tags: ['next:1'],
  });
  expect(oldest).toMatchObject({ Id: '<missing>', Comment: 'Imported from -' });
});

it('save of an image that is not there says so in the words of docker', async () => {
  const images = await store();
  await expect(saved(images, 'nosuch')).rejects.toThrow('No such image: nosuch:latest');
});

it('a file that is not there is said to be so', async () => {
  await expect(loadPath(await store(), '/nowhere/x.tar')).rejects.toThrow(
    'open /nowhere/x.tar: no such file',
  );
});

it('names in an archive come after what GNU tar makes of it', async () => {
  // Not of our writer: names in both forms, a directory entry for each folder, blocks of 10 KiB.
  const folder = await temporaryFolder();
  const path = join(folder, 'in.tar');
  await writeFile(path, ociArchive(image, 'x:y'));
  await mkdir(join(folder, 'layout'));
  await runProgram('tar', 'tar', '-xf', path, '-C', join(folder, 'layout'));
  await runProgram('tar', 'tar', '-czf', join(folder, 'out.tgz'), '-C', join(folder, 'layout'), '.');
  const images = await store();
  expect(await loadPath(images, join(folder, 'out.tgz'))).toEqual(['x:y']);
  const members: Member[] = [{ path: 'a'.repeat(150), data: await readFile(path) }];
  await writeFile(join(folder, 'long.tar'), tar(...members));
  expect(await runProgram('tar', 'tar', '-tf', join(folder, 'long.tar'))).toBe(`${'a'.repeat(150)}\n`);
});
