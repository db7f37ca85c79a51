import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layersOf } from '../../src/storage/drive-layers.ts';
import type { DriveSpec } from '../../src/storage/drive-spec.ts';
import { openDriveNode } from '../../src/storage/open-drive-node.ts';
import { failure, pattern } from './backend-model.ts';
import { removeFolders, temporaryFolder } from './bundle.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(removeFolders);

async function makeImage(name: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, pattern(1, 8192));
  return path;
}

test('a snapshot takes writes and leaves the file as it was', async () => {
  const path = await makeImage('snapshot');
  const drive = await openDriveNode({ kind: 'file', path, snapshot: true });
  expect(drive.readonly).toBe(false);
  await drive.write(100, pattern(2, 500));
  await drive.flush();
  const target = new Uint8Array(500);
  await drive.read(100, target);
  expect(target).toEqual(pattern(2, 500));
  await drive.close();
  expect(await readFile(path)).toEqual(Buffer.from(pattern(1, 8192)));
});

test.each([
  ['a snapshot of a file', { snapshot: true }],
  ['a snapshot above an overlay', { snapshot: true, overlay: true }],
  ['an overlay in memory', { memoryOverlay: true }],
])(
  '%s holds what another one of it held',
  async (_, { snapshot, overlay, memoryOverlay }: Record<string, boolean>) => {
    const path = await makeImage(`held ${JSON.stringify({ snapshot, overlay, memoryOverlay })}`);
    const spec: DriveSpec = {
      kind: 'file',
      path,
      snapshot,
      overlay: memoryOverlay
        ? { kind: 'memory' }
        : overlay
          ? { kind: 'file', path: `${path} changes` }
          : undefined,
    };
    const drive = await openDriveNode(spec);
    await drive.write(1000, pattern(2, 500));
    await drive.flush();
    const memories = layersOf(drive).memories.map((memory) => memory.freeze());
    expect(memories).toHaveLength(1);
    await drive.write(1000, pattern(3, 500));
    await drive.close();
    const again = await openDriveNode(spec, { memories });
    const target = new Uint8Array(500);
    await again.read(1000, target);
    expect(target).toEqual(pattern(2, 500));
    await again.close();
    for (const wrong of [[], [...memories, ...memories]]) {
      const error = await failure(() => openDriveNode(spec, { memories: wrong }));
      expect(error).toMatchObject({
        kind: 'corrupt',
        message: expect.stringContaining('give it the same way'),
      });
    }
    await (await openDriveNode({ kind: 'file', path })).close();
  },
);

test('an overlay goes back to the snapshot it is asked for, and is refused without it', async () => {
  const path = await makeImage('back');
  const spec: DriveSpec = { kind: 'file', path, overlay: { kind: 'file', path: `${path} changes` } };
  const drive = await openDriveNode(spec);
  await drive.write(0, pattern(2, 512));
  await layersOf(drive).overlay!.snapshot('then');
  await drive.write(0, pattern(3, 512));
  await drive.close();
  const again = await openDriveNode(spec, { memories: [], overlaySnapshot: 'then' });
  const target = new Uint8Array(512);
  await again.read(0, target);
  expect(target).toEqual(pattern(2, 512));
  await again.close();
  expect(await failure(() => openDriveNode(spec, { memories: [], overlaySnapshot: 'other' }))).toMatchObject({
    name: 'StorageError',
    message: expect.stringContaining('other'),
  });
});

test('several machines take snapshots of one file at once, while none writes it', async () => {
  const path = await makeImage('several');
  const first = await openDriveNode({ kind: 'file', path, snapshot: true });
  const second = await openDriveNode({ kind: 'file', path, snapshot: true });
  expect(await failure(() => openDriveNode({ kind: 'file', path }))).toMatchObject({ kind: 'locked' });
  await first.close();
  await second.close();
  await (await openDriveNode({ kind: 'file', path })).close();
});

test('an overlay keeps changes beside the file, and is refused when the file has changed under it', async () => {
  const path = await makeImage('base');
  const spec = { kind: 'file', path, overlay: { kind: 'file', path: join(folder, 'changes') } } as const;
  const drive = await openDriveNode(spec);
  await drive.write(512, pattern(3, 512));
  await drive.close();
  const again = await openDriveNode({ ...spec, readonly: true });
  const target = new Uint8Array(512);
  await again.read(512, target);
  expect(target).toEqual(pattern(3, 512));
  expect(await failure(() => again.write(0, target))).toMatchObject({ kind: 'denied' });
  await again.close();
  await writeFile(path, pattern(4, 8192));
  const error = await failure(() => openDriveNode(spec));
  expect(error).toMatchObject({ kind: 'corrupt', message: expect.stringContaining('changed') });
  // The refused overlay has let go of both files.
  for (const file of [path, spec.overlay.path])
    await (await openDriveNode({ kind: 'file', path: file })).close();
});

test('kinds that only a browser has are refused with a reason', async () => {
  expect(await failure(() => openDriveNode({ kind: 'opfs', name: 'disk' }))).toMatchObject({
    kind: 'io',
    message: expect.stringContaining('browser'),
  });
});
