import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { BlobSource, MemorySource } from '../../../src/storage/tree/byte-source.ts';
import { encodeDevice, S_IFCHR } from '../../../src/storage/tree/file-mode.ts';
import { FileSource } from '../../../src/storage/tree/file-source-node.ts';
import { inflate } from '../../../src/storage/tree/inflated-source.ts';
import { layerTree, openLayer } from '../../../src/storage/tree/layer-tree.ts';
import { indexTar } from '../../../src/storage/tree/tar-index.ts';
import { describeHost, describeTree, onHost, operations } from './tree-operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-layers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An archive of a directory, made by the host's tar. */
function pack(root: string, ...options: string[]): Buffer {
  const mine = ['--owner=0', '--group=0'];
  return execFileSync('tar', ['-C', root, ...options, ...(options.length > 1 ? [] : mine), '-cf', '-', '.'], {
    maxBuffer: 1 << 28,
  });
}
const open = (bytes: Uint8Array, whiteouts = false) =>
  openLayer(new MemorySource(bytes), { name: 'layer', whiteouts });

/** One header block, as an attacker may write it. */
function entry(fields: { name: string; type?: string; link?: string; size?: number; data?: string }): Buffer {
  const data = Buffer.from(fields.data ?? '');
  const block = Buffer.alloc(512);
  block.write(fields.name, 0, 'latin1');
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${(fields.size ?? data.length).toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(fields.type ?? '0', 156);
  block.write(fields.link ?? '', 157, 'latin1');
  block.write('ustar\0' + '00', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
const END = Buffer.alloc(1024);

describe('a tar archive as a tree', () => {
  it.each([['ustar'], ['pax'], ['gnu']])('shows what the host packed as %s', async (format) => {
    await fc.assert(
      fc.asyncProperty(operations, async (list) => {
        const root = mkdtempSync(join(folder, 'packed-'));
        for (const operation of list) if (operation.kind !== 'chown') onHost(root, operation);
        const tree = await open(pack(root, `--format=${format}`));
        expect(await describeTree(tree)).toEqual(describeHost(root));
        rmSync(root, { recursive: true, force: true });
      }),
      { numRuns: 15 },
    );
  });

  it('keeps long names, times, owners and large sizes', async () => {
    const root = mkdtempSync(join(folder, 'long-'));
    const deep = Array.from({ length: 12 }, (_, index) => `${index}`.repeat(20)).join('/');
    mkdirSync(join(root, deep), { recursive: true });
    const name = 'n'.repeat(200);
    writeFileSync(join(root, deep, name), 'deep');
    symlinkSync('t'.repeat(300), join(root, 'link'));
    utimesSync(join(root, deep, name), 1_234_567_890.5, 1_234_567_890.5);
    for (const format of ['pax', 'gnu']) {
      const tree = await open(pack(root, `--format=${format}`, '--owner=:70000', '--group=:3000000'));
      let at = tree.root;
      for (const part of [...deep.split('/'), name]) at = tree.lookup(at, part)!.inode;
      expect(tree.attributes(at)).toMatchObject({ uid: 70_000, gid: 3_000_000, size: 4 });
      const exact = format === 'pax' ? 1_234_567_890_500_000_000n : 1_234_567_890_000_000_000n;
      expect(tree.attributes(at).mtime).toBe(exact);
      expect(tree.readLink(tree.lookup(tree.root, 'link')!.inode)).toBe('t'.repeat(300));
    }
  });

  it('is read in place from a file and a Blob, and cannot be written', async () => {
    const root = mkdtempSync(join(folder, 'place-'));
    writeFileSync(join(root, 'file'), 'contents');
    linkSync(join(root, 'file'), join(root, 'other'));
    chmodSync(join(root, 'file'), 0o4755);
    const bytes = pack(root);
    const path = join(folder, 'place.tar');
    writeFileSync(path, bytes);
    for (const source of [new FileSource(path), new BlobSource(new Blob([new Uint8Array(bytes)]))]) {
      const records = JSON.parse(JSON.stringify(await indexTar(source, 'layer')));
      const tree = layerTree(records, source, { name: 'layer' });
      const { inode, attributes } = tree.lookup(tree.root, 'other')!;
      expect(attributes).toMatchObject({ links: 2, size: 8, mode: statSync(join(root, 'file')).mode });
      expect(tree.lookup(tree.root, 'file')!.inode).toBe(inode);
      const target = Buffer.alloc(20);
      const answer = tree.read(inode, 3, [target]);
      const got = typeof answer === 'number' ? target.subarray(0, answer) : await answer;
      expect(Buffer.from(got).toString()).toBe('tents');
      expect(() => tree.makeNode(tree.root, 'x', { mode: 0o100644, uid: 0, gid: 0 })).toThrow('EROFS');
      expect(() => tree.write(inode, 0, [target], { killPrivileges: false })).toThrow('EROFS');
      expect(() => tree.unlink(tree.root, 'file')).toThrow('EROFS');
    }
  });

  it('unpacks gzip once, up to a limit', async () => {
    const root = mkdtempSync(join(folder, 'gzip-'));
    writeFileSync(join(root, 'file'), Buffer.alloc(3_000_000, 'x'));
    const stream = () => new Blob([new Uint8Array(gzipSync(pack(root)))]).stream();
    const tree = await openLayer(await inflate(stream(), 4_000_000, 'layer'), { name: 'layer' });
    expect(await describeTree(tree)).toEqual(describeHost(root));
    await expect(inflate(stream(), 1_000_000, 'layer')).rejects.toThrow(/unpacks to more than/);
    const cut = new Blob([new Uint8Array(gzipSync(pack(root)).subarray(0, 1000))]).stream();
    await expect(inflate(cut, 4_000_000, 'layer')).rejects.toThrow(/damaged/);
  });
});

describe('whiteouts of a layer', () => {
  it('become those of overlayfs', async () => {
    const tree = await open(
      Buffer.concat([
        entry({ name: 'dir/', type: '5' }),
        entry({ name: 'dir/.wh.gone' }),
        entry({ name: 'dir/.wh..wh..opq' }),
        entry({ name: 'dir/.wh..wh.plnk' }),
        entry({ name: 'both', data: 'new' }),
        entry({ name: '.wh.both' }),
        entry({ name: '.wh.first' }),
        entry({ name: 'first', data: 'new' }),
        END,
      ]),
      true,
    );
    const directory = tree.lookup(tree.root, 'dir')!.inode;
    expect(tree.list(directory, 0, 10).map(({ name }) => name)).toEqual(['gone']);
    const gone = tree.lookup(directory, 'gone')!.attributes;
    expect(gone).toMatchObject({ mode: S_IFCHR, device: encodeDevice(0, 0) });
    expect(Buffer.from(tree.getXattr(directory, 'trusted.overlay.opaque')).toString()).toBe('y');
    for (const name of ['both', 'first']) expect(tree.lookup(tree.root, name)!.attributes.size).toBe(3);
  });

  it('are names like others in an archive that is no layer', async () => {
    const tree = await open(Buffer.concat([entry({ name: '.wh.a' }), END]));
    expect(tree.list(tree.root, 0, 10).map(({ name }) => name)).toEqual(['.wh.a']);
  });
});

describe('a hostile archive', () => {
  const refused: [string, Buffer, RegExp][] = [
    ['goes up', entry({ name: '../../etc/passwd' }), /leaves it/],
    ['goes up in the middle', entry({ name: 'a/../../b' }), /leaves it/],
    ['links out', entry({ name: 'a', type: '1', link: '../../etc/passwd' }), /a place outside/],
    ['links to nothing', entry({ name: 'a', type: '1', link: 'b' }), /which is no file in it/],
    [
      'links to a directory',
      Buffer.concat([entry({ name: 'b/', type: '5' }), entry({ name: 'a', type: '1', link: 'b' })]),
      /no file in it/,
    ],
    [
      'goes through a link',
      Buffer.concat([entry({ name: 'a', type: '2', link: '/etc' }), entry({ name: 'a/passwd' })]),
      /no directory/,
    ],
    ['claims more than there is', entry({ name: 'a', size: 2 ** 30 }), /beyond its end/],
    ['has an unknown type', entry({ name: 'a', type: 'Z' }), /unknown entry type/],
    ['hides its own parent', entry({ name: '.wh...' }), /hides no name/],
    ['is cut off', entry({ name: 'a' }).subarray(0, 300), /middle of a header/],
    ['has a wrong checksum', Buffer.alloc(512, 1), /checksum/],
  ];
  it.each(refused)('that %s is refused', async (_why, bytes, message) => {
    const problem = open(bytes, true);
    await expect(problem).rejects.toBeInstanceOf(StorageError);
    await expect(problem).rejects.toThrow(message);
  });

  it('an absolute name stays inside', async () => {
    const tree = await open(Buffer.concat([entry({ name: '/etc/passwd', data: 'x' }), END]));
    const etc = tree.lookup(tree.root, 'etc')!.inode;
    expect(tree.lookup(etc, 'passwd')!.attributes.size).toBe(1);
  });

  it('with random damage is refused or a tree, and nothing else', async () => {
    const root = mkdtempSync(join(folder, 'damage-'));
    for (const operation of fc.sample(operations, { numRuns: 3, seed: 1 }).flat()) {
      if (operation.kind !== 'chown') onHost(root, operation);
    }
    const good = readFileSync(join(writeTar(root)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        fc.nat(good.length),
        async (changes, cut) => {
          const bytes = Buffer.from(good.subarray(0, cut));
          for (const [at, value] of changes) if (at < cut) bytes[at] = value;
          try {
            await describeTree(await open(bytes, true));
          } catch (error) {
            expect(error).toBeInstanceOf(StorageError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

function writeTar(root: string): string {
  const path = `${root}.tar`;
  writeFileSync(path, pack(root, '--format=pax'));
  return path;
}
