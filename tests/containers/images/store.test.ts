import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { blobsOf } from '../../../src/containers/images/content-store.ts';
import { ImageStore } from '../../../src/containers/images/image-store.ts';
import { openImageStore } from '../../../src/containers/images/image-store-node.ts';
import type { Digest } from '../../../src/containers/images/types.ts';
import { FailingFiles, Killed } from './failing-files.ts';
import { digestOf, encode, imageOf, ociArchive, tar } from './fixtures.ts';
import { removeFolders, temporaryFolder } from './programs.ts';

afterAll(removeFolders);

/** Every how manieth change a process is killed at: HYPERTAB_KILL_EVERY=1 for all of them. */
const KILL_EVERY = Number(process.env.HYPERTAB_KILL_EVERY ?? 17);

const shared = tar({ path: 'shared', data: 'in both' });
const archives = {
  a: ociArchive(imageOf([shared, tar({ path: 'a', data: 'a' })]), 'a:latest'),
  b: ociArchive(imageOf([shared, tar({ path: 'b', data: 'b' })]), 'b:latest'),
  newA: ociArchive(imageOf([shared, tar({ path: 'a', data: 'newer' })]), 'a:latest'),
};

/** Steps of a user, each with the names there are once it has been done. */
const steps: { run(images: ImageStore): Promise<unknown>; names: string[] }[] = [
  { run: (images) => images.load(archives.a), names: ['a:latest'] },
  { run: (images) => images.load(archives.b), names: ['a:latest', 'b:latest'] },
  { run: (images) => images.tag('b', 'c:1'), names: ['a:latest', 'b:latest', 'c:1'] },
  { run: (images) => images.load(archives.newA), names: ['a:latest', 'b:latest', 'c:1'] },
  { run: (images) => images.prune(), names: ['a:latest', 'b:latest', 'c:1'] },
  {
    run: (images) => images.commit('b', tar({ path: 'd', data: 'd' }), { reference: 'd' }),
    names: ['a:latest', 'b:latest', 'c:1', 'd:latest'],
  },
  { run: (images) => images.remove('a'), names: ['b:latest', 'c:1', 'd:latest'] },
  { run: (images) => images.remove('c:1'), names: ['b:latest', 'd:latest'] },
];

const namesOf = async (images: ImageStore) => (await images.content.names()).map(({ name }) => name);

async function files(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Every image is whole: all its blobs are there and are what their digests say. */
async function checkWhole(folder: string): Promise<void> {
  const images = openImageStore(folder);
  for (const record of await images.content.images()) {
    for (const digest of blobsOf(record)) {
      const bytes = await readFile(join(folder, 'blobs/sha256', digest.slice(7)));
      expect(digestOf(bytes)).toBe(digest);
    }
  }
  for (const name of await namesOf(images))
    expect((await images.rootfs(name)).layers.length).toBeGreaterThan(0);
}

it('a process killed at any change leaves whole images only, loses no name, and the next one can go on', async () => {
  let killed = 0;
  for (let failAt = 0; ; failAt += KILL_EVERY) {
    const folder = await temporaryFolder();
    const failing = new ImageStore(new FailingFiles(folder, failAt, 'killed'));
    let done = 0;
    try {
      for (const step of steps) {
        await step.run(failing);
        done++;
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    await checkWhole(folder);
    if (done === steps.length) break;
    killed++;
    // What had been done is there, and the step that was cut off has happened or not.
    const names = await namesOf(openImageStore(folder));
    expect([steps[done - 1]?.names ?? [], steps[done]!.names]).toContainEqual(names);
    const images = openImageStore(folder);
    for (const step of steps.slice(done)) {
      await step.run(images).catch((error: { code?: string }) => {
        // The step had removed it already.
        if (error.code !== 'not-found') throw error;
      });
    }
    expect(await namesOf(images)).toEqual(steps.at(-1)!.names);
    await images.prune();
    await checkWhole(folder);
    const wanted = new Set((await images.content.images()).flatMap(blobsOf));
    expect(await readdir(join(folder, 'blobs/sha256'))).toHaveLength(wanted.size);
    expect((await files(folder)).filter((path) => /^(drafts|leases)\//.test(path))).toEqual([]);
  }
  expect(killed).toBeGreaterThan(50 / KILL_EVERY);
});

it('a full disk at any change is a typed error, and the store is as it was before', async () => {
  for (let failAt = 0; ; failAt++) {
    const folder = await temporaryFolder();
    await openImageStore(folder).load(archives.b);
    const before = await files(folder);
    const images = new ImageStore(new FailingFiles(folder, failAt, 'full'));
    try {
      await images.load(archives.a);
      break;
    } catch (error) {
      expect(error).toMatchObject({ name: 'ImageStoreError', code: 'full' });
      expect((error as Error).message).toContain('no space left on device');
    }
    const after = await files(folder);
    // An image may have got there when only its name did not.
    if (after.length > before.length) await openImageStore(folder).prune();
    expect(await files(folder)).toEqual(before);
  }
});

it('what someone at work counts on is not collected, and is once he is done or gone', async () => {
  const folder = await temporaryFolder();
  const { content } = openImageStore(folder);
  const blob = encode('a blob of nobody');
  await content.leased(async (lease) => {
    const digest = await content.put(lease, blob);
    expect(await openImageStore(folder).content.collect()).toMatchObject({ removed: [] });
    expect(await content.size(digest)).toBe(blob.length);
  });
  expect((await content.collect()).removed).toEqual([digestOf(blob)]);
});

it('an image that is held can be removed, but its layers stay until it is let go', async () => {
  const images = openImageStore(await temporaryFolder());
  await images.load(archives.a);
  const { id, diffIds } = await images.rootfs('a');
  const release = await images.hold(id);
  await images.remove('a');
  for (const diffId of diffIds) expect(await images.content.size(diffId)).toBeGreaterThan(0);
  await release();
  await images.prune();
  for (const diffId of diffIds) expect(await images.content.size(diffId)).toBeUndefined();
  await expect(images.hold(id)).rejects.toThrow('No such image');
  expect(await images.content.files.list('leases')).toEqual([]);
});

it('images are loaded, named and collected by many at once without a loss', async () => {
  const folder = await temporaryFolder();
  const work = Array.from({ length: 12 }, async (_, index) => {
    const images = openImageStore(folder);
    await images.load(
      ociArchive(imageOf([shared, tar({ path: 'n', data: String(index % 4) })]), `n${index}:latest`),
    );
    await images.content.collect();
  });
  await Promise.all(work);
  await checkWhole(folder);
  expect(await namesOf(openImageStore(folder))).toHaveLength(12);
  const { layers } = (await openImageStore(folder).content.images())[0]!;
  expect(layers[0]!.diffId).toBe(digestOf(shared));
});

it('a manifest that was changed on the disk is found out', async () => {
  const folder = await temporaryFolder();
  const images = openImageStore(folder);
  await images.load(archives.a);
  const id = (await images.inspect('a')).Id;
  const path = join(folder, 'blobs/sha256', id.slice(7));
  await writeFile(path, (await readFile(path, 'utf8')).replace('riscv64', 'RISCV64'));
  await expect(images.inspect('a')).rejects.toMatchObject({ code: 'digest' });
});

it('a store in a folder that is a file is refused with a typed error', async () => {
  const folder = join(await temporaryFolder(), 'file');
  await writeFile(folder, '');
  await expect(openImageStore(folder).load(archives.a)).rejects.toMatchObject({ code: 'storage' });
});

it('what is not ours in the folder is left alone', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  await writeFile(join(folder, 'blobs/sha256/notes.txt'), 'mine');
  await writeFile(join(folder, 'mine.txt'), 'mine');
  const images = openImageStore(folder);
  await images.load(archives.a);
  await images.remove('a');
  await images.prune({ all: true });
  expect(await files(folder)).toEqual(['blobs/sha256/notes.txt', 'mine.txt']);
});

it('a digest names what it is of', () => {
  const expected: Digest = `sha256:${createHash('sha256').update('x').digest('hex')}`;
  expect(openImageStore('/nowhere').content.digestOf(encode('x'))).toBe(expected);
});
