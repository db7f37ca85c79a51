import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { openTree } from '../../../src/storage/tree/open-tree.ts';
import { openTreeNode } from '../../../src/storage/tree/open-tree-node.ts';
import type { TreeSpec } from '../../../src/storage/tree/tree-spec.ts';
import { FakeDirectory } from './fake-handles.ts';
import { describeHost, describeTree, onTree } from './tree-operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const share = join(folder, 'share');
mkdirSync(share);
writeFileSync(join(share, 'file'), 'text');
const archive = join(folder, 'share.tar');
execFileSync('tar', ['-C', share, '-cf', archive, '.']);
const packed = gzipSync(readFileSync(archive));
const described = describeHost(share);

const full: TreeSpec[] = [
  { kind: 'directory', path: share },
  { kind: 'archive', archive },
  { kind: 'archive', archive: new Uint8Array(packed) },
  { kind: 'archive', archive: new Blob([packed]) },
  { kind: 'files', files: [{ path: 'file', contents: Buffer.from('text') }] },
  { kind: 'overlay', lowers: [{ kind: 'archive', archive }], upper: { kind: 'memory' } },
  { kind: 'overlay', lowers: [{ kind: 'memory' }, { kind: 'directory', path: share }] },
];

it.each(full)('%j is opened', async (spec) => {
  const tree = await openTreeNode(spec);
  expect(await describeTree(tree)).toEqual(described);
  await tree.close();
});

it.each([
  { kind: 'memory' },
  { kind: 'directory', path: share },
  { kind: 'files', files: [] },
  { kind: 'picked', handle: new FakeDirectory().asHandle },
  { kind: 'archive', archive },
  { kind: 'overlay', lowers: [{ kind: 'memory' }], upper: { kind: 'memory' } },
] as TreeSpec[])('$kind may be read-only', async (spec) => {
  const tree = await openTreeNode({ ...spec, readonly: true });
  expect(tree.readonly).toBe(true);
  expect(await onTree(tree, { kind: 'create', path: 'new', mode: 0o644 })).toBe('EROFS');
});

it('what needs a host is refused by name where there is none', async () => {
  await expect(openTree({ kind: 'directory', path: '/data' })).rejects.toThrow(/\/data: .* from Node only/);
  await expect(openTree({ kind: 'archive', archive: '/data.tar' })).rejects.toThrow(/from Node only/);
  await expect(openTreeNode({ kind: 'archive', archive: join(folder, 'none') })).rejects.toThrow(
    /cannot read/,
  );
});
