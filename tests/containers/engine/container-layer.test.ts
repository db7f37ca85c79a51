import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LayerRewriter } from '../../../src/containers/engine/container-layer.ts';
import { concat, tarEnd, tarHeader } from '../../../src/containers/images/tar-writer.ts';
import { MemorySource } from '../../../src/storage/tree/byte-source.ts';
import { indexTar } from '../../../src/storage/tree/tar-index.ts';
import { tar } from '../images/fixtures.ts';

/** What comes out when the archive comes in pieces of these sizes, over and over. */
function rewrite(archive: Uint8Array, sizes: readonly number[] = [archive.length]): Uint8Array {
  const rewriter = new LayerRewriter();
  const out: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < archive.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    out.push(...rewriter.push(archive.subarray(at, at + size)));
    at += size;
  }
  return concat([...out, tarEnd()]);
}

const long = `deep/${'x'.repeat(150)}`;
const upper = tar(
  { path: '', type: 'directory', mode: 0o755 },
  { path: './file', data: 'contents' },
  { path: './gone', type: 'character', mode: 0, major: 0, minor: 0 },
  { path: `./${long}`, type: 'character', mode: 0, major: 0, minor: 0 },
  { path: './dev/null', type: 'character', mode: 0o666, major: 1, minor: 3 },
  { path: './etc/hosts', data: '' },
  { path: './etc/hostname', data: 'changed' },
  { path: `./${long}2`, data: 'a long name' },
  { path: './link', type: 'symlink', target: 'file' },
);

it('what overlayfs has hidden becomes a whiteout; what the runtime has put there stays out', async () => {
  const records = await indexTar(new MemorySource(rewrite(upper)), 'the layer');
  expect(records.map(({ path, type, size }) => [path, type, size])).toEqual([
    ['file', 'file', 8],
    ['.wh.gone', 'file', 0],
    [long.replace('deep/', 'deep/.wh.'), 'file', 0],
    ['dev/null', 'character', 0],
    ['etc/hostname', 'file', 7],
    [`${long}2`, 'file', 11],
    ['link', 'symlink', 0],
  ]);
});

it('it does not matter in which pieces an archive comes', () => {
  const whole = rewrite(upper);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 6 }), (sizes) => {
      expect(Buffer.compare(rewrite(upper, sizes), whole)).toBe(0);
    }),
    { numRuns: 25 },
  );
});

it('GNU tar reads what comes out', () => {
  const list = execFileSync('tar', ['-tf', '-'], { input: rewrite(upper), encoding: 'utf8' });
  expect(list.split('\n')).toContain('.wh.gone');
});

it('a header that is damaged, or too large, is refused', () => {
  const damaged = upper.slice();
  damaged[600] = damaged[600]! ^ 1;
  expect(() => rewrite(damaged)).toThrow();
  const large = tarHeader({ path: 'x', type: 'file', mode: 0, size: 2 ** 25 });
  large[156] = 'L'.charCodeAt(0);
  const sum = large.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  large.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  expect(() => rewrite(large)).toThrow('a header that is too large');
});
