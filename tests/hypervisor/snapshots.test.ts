import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SnapshotError } from '../../src/hypervisor/snapshot-error.ts';
import { Snapshots } from '../../src/hypervisor/snapshots.ts';
import type { GuestFiles, VmOptions } from '../../src/hypervisor/types.ts';
import { warmId } from '../../src/hypervisor/warm-starts.ts';
import { HtvmFile } from '../../src/storage/htvm/htvm-reader.ts';
import { unpackRam } from '../../src/storage/htvm/ram-image.ts';
import type { SnapshotFiles } from '../../src/storage/htvm/snapshot-files.ts';
import { FolderSnapshots, writeWhole } from '../../src/storage/htvm/snapshot-files-node.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { bytesOf, fileOf } from '../storage/htvm/synthetic.ts';

let root: string;
let folders = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hypertab-store-'));
});
afterAll(() => rm(root, { recursive: true }));

const idOf = (digit: string) => digit.repeat(32);
const RAM = new Uint8Array(64 * 4096).fill(5);

/** A file of a machine. */
const make = (id: string, name: string, parent?: string) =>
  fileOf(
    RAM,
    'gzip',
    { id, name, parent, created: `2026-11-21T18:00:0${id[0]}.000Z` },
    parent === undefined ? undefined : new Uint8Array(8),
  );

function store(files: SnapshotFiles = new FolderSnapshots(join(root, `store-${++folders}`))) {
  return new Snapshots(async () => ({
    files,
    readFile: async () => {
      throw new Error('no paths here');
    },
  }));
}

describe('the store of snapshots', () => {
  it('lists what was taken in, newest first, and finds it by id, part of an id, or name', async () => {
    const snapshots = store();
    expect(await snapshots.list()).toEqual([]);
    await snapshots.import(await make(idOf('1'), 'first'));
    await snapshots.import(await bytesOf(await make(idOf('2'), 'second')));
    await snapshots.import(await make(idOf('3'), 'second'));
    expect((await snapshots.list()).map(({ id }) => id[0])).toEqual(['3', '2', '1']);
    expect((await snapshots.get('first')).id).toBe(idOf('1'));
    expect((await snapshots.get('second')).id).toBe(idOf('3'));
    expect((await snapshots.get('2222')).name).toBe('second');
    for (const missing of ['third', '22', '4444']) {
      await expect(snapshots.get(missing)).rejects.toMatchObject({ name: 'SnapshotError', fault: 'missing' });
    }
  });

  it('leaves out what it cannot read, and other files', async () => {
    const folder = join(root, 'mixed');
    const snapshots = store(new FolderSnapshots(folder));
    await snapshots.import(await make(idOf('1'), 'fine'));
    const cut = await bytesOf(await make(idOf('2'), 'cut'));
    await writeFile(join(folder, `${idOf('2')}.htvm`), cut.subarray(0, cut.length - 1));
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await writeFile(join(folder, `${idOf('3')}.htvm.1-1.draft`), cut);
    expect((await snapshots.list()).map(({ name }) => name)).toEqual(['fine']);
  });

  it('refuses damaged files and orphans, and keeps what increments stand on', async () => {
    const folder = join(root, 'refused');
    const snapshots = store(new FolderSnapshots(folder));
    const bytes = await bytesOf(await make(idOf('1'), 'damaged'));
    bytes[bytes.length - 20]! ^= 1;
    await expect(snapshots.import(bytes)).rejects.toMatchObject({ fault: 'damaged' });
    const child = await make(idOf('2'), 'child', idOf('1'));
    await expect(snapshots.import(child)).rejects.toMatchObject({ fault: 'parent' });
    expect(await readdir(folder)).toEqual([]);
    await snapshots.import(await make(idOf('1'), 'parent'));
    await snapshots.import(child);
    await expect(snapshots.remove('parent')).rejects.toMatchObject({ fault: 'parent' });
    const whole = await HtvmFile.open(await snapshots.export('child'));
    expect(whole.manifest).toMatchObject({ id: idOf('2'), parent: undefined });
    await snapshots.remove('child');
    await snapshots.remove('parent');
    expect(await snapshots.list()).toEqual([]);
  });

  it('keeps RAM as it is where there is room, and exports it packed', async () => {
    const folder = new FolderSnapshots(join(root, 'plain'));
    expect(await store(folder).prefersPlain(1)).toBe(false);
    const hasRoomForRam = async (bytes: number) => bytes < 100;
    const snapshots = store(Object.assign(folder, { hasRoomForRam }));
    expect(await snapshots.prefersPlain(99)).toBe(true);
    expect(await snapshots.prefersPlain(100)).toBe(false);
    const ram = new Uint8Array(64 * 4096).fill(9);
    const blob = await fileOf(ram, 'raw-ram', { id: idOf('1'), name: 'plain' });
    expect(blob.size).toBeGreaterThan(ram.length);
    const { bytes } = await snapshots.import(blob);
    const exported = await HtvmFile.open(await snapshots.export('plain'));
    expect(exported.bytes).toBeLessThan(bytes / 10);
    expect(exported.manifest.name).toBe('plain');
    const again = new Uint8Array(ram.length);
    await unpackRam(exported, again, () => {});
    expect(Buffer.compare(again, ram)).toBe(0);
  });

  it('does not follow a ring of increments', async () => {
    const files = new FolderSnapshots(join(root, 'ring'));
    const snapshots = store(files);
    await files.alone(async () => {
      await files.write(idOf('1'), await make(idOf('1'), 'a', idOf('2')));
      await files.write(idOf('2'), await make(idOf('2'), 'b', idOf('1')));
    });
    await expect(snapshots.chain(idOf('1'))).rejects.toBeInstanceOf(SnapshotError);
  });

  it('says when there is no room, and what was there stays', async () => {
    const files = new FolderSnapshots(join(root, 'full'));
    const snapshots = store(files);
    await snapshots.import(await make(idOf('1'), 'first'));
    files.write = async () => {
      throw new StorageError('full', 'the disk is full; make room on it');
    };
    await expect(snapshots.import(await make(idOf('2'), 'second'))).rejects.toMatchObject({ fault: 'full' });
    expect((await snapshots.list()).map(({ name }) => name)).toEqual(['first']);
  });

  it('one at a time changes it, of all who have the folder', async () => {
    const folder = join(root, 'shared');
    let inside = 0;
    let most = 0;
    const change = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => new FolderSnapshots(folder).alone(change)));
    expect(most).toBe(1);
  });
});

it('a file is written whole or not at all', async () => {
  const path = join(root, 'whole');
  await writeWhole(path, new Blob(['old']));
  const broken = {
    stream: () =>
      new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(1000));
          controller.error(new Error('the source broke'));
        },
      }),
  } as unknown as Blob;
  await expect(writeWhole(path, broken)).rejects.toBeInstanceOf(StorageError);
  await expect(writeWhole(join(root, 'no', 'such'), new Blob(['x']))).rejects.toMatchObject({ kind: 'io' });
  expect((await readdir(root)).filter((name) => name.startsWith('whole'))).toEqual(['whole']);
});

describe('a warm start', () => {
  const guest: GuestFiles = {
    name: 'g',
    key: 'k',
    title: '',
    description: '',
    memory: 128 << 20,
    append: 'quiet',
  };
  const id = (options: VmOptions, files = guest, core = 'c') =>
    warmId({ guest: 'g', ...options }, files, core);

  it('is one for the same guest, options and core, and another one when any changes', async () => {
    const first = await id({});
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(await id({ name: 'another name', cpus: 0.5, memory: '128M' })).toBe(first);
    const others = await Promise.all([
      id({ memory: '256M' }),
      id({ append: 'loud' }),
      id({ engine: 'interpreter' }),
      id({ consoles: 1 }),
      id({ shares: [{ tag: 'x', kind: 'memory' }] }),
      id({}, { ...guest, key: 'made anew' }),
      id({}, { ...guest, name: 'other' }),
      id({}, guest, 'another core'),
    ]);
    expect(new Set([first, ...others]).size).toBe(9);
  });

  it('is not there for what cannot be the same each time', async () => {
    const drives = [{ kind: 'file', path: 'disk' }] as const;
    for (const options of [
      { kernel: new Uint8Array(1) },
      { drives },
      { seed: 1 },
      { clock: 'instructions' },
      { maxInstructions: 5 },
      { shares: [{ tag: 'x', kind: 'directory', path: '/' }] },
    ] satisfies VmOptions[]) {
      expect(await id(options)).toBeUndefined();
    }
    expect(await id({}, { ...guest, drives })).toBeUndefined();
    expect(await id({ snapshot: true }, { ...guest, drives })).toBeDefined();
    expect(await id({}, { ...guest, key: undefined })).toBeUndefined();
    expect(await id({}, guest, '')).toBeUndefined();
  });
});
