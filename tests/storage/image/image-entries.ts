// Random and particular trees to put into images.
import fc from 'fast-check';
import type { ImageEntry } from '../../../src/storage/image/image-entry.ts';
import { pattern } from '../backend-model.ts';

const name = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9_.+-]{0,20}$/),
  fc.stringMatching(/^[äöü漢字a-z]{1,30}$/),
  fc.integer({ min: 100, max: 255 }).map((length) => 'n'.repeat(length)),
);

const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.nat(1000), fc.constant(0xffff_fffe)),
  gid: fc.oneof(fc.nat(1000), fc.constant(70000)),
  mtime: fc.oneof(fc.nat(2 ** 31 - 1), fc.constantFrom(2 ** 31, 2 ** 32 + 5)),
});

const xattrs = fc.dictionary(
  fc
    .tuple(fc.constantFrom('user.', 'trusted.', 'security.'), fc.stringMatching(/^[a-z]{1,12}$/))
    .map((parts) => parts.join('')),
  fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 100, maxLength: 400 })),
  { maxKeys: 4 },
);

const size = fc.oneof(fc.nat(3), fc.constantFrom(0, 4095, 4096, 4097, 12288), fc.nat(40_000));

/** Contents of a file in pieces of odd sizes. */
export function* pieces(seed: number, bytes: number): Generator<Uint8Array> {
  const all = pattern(seed, bytes);
  for (let start = 0, step = 1; start < bytes; start += step, step = (step * 3 + 1) % 50_001) {
    yield all.subarray(start, start + step);
  }
}

/** A tree whose entries come in an order in which they can be written. */
export const imageEntries: fc.Arbitrary<ImageEntry[]> = fc
  .array(
    fc.record({
      where: fc.nat(),
      name,
      attributes,
      xattrs,
      kind: fc.constantFrom(
        'directory',
        'file',
        'file',
        'file',
        'symlink',
        'link',
        'character',
        'block',
        'fifo',
        'socket',
      ),
      size,
      major: fc.constantFrom(1, 254, 300),
      minor: fc.constantFrom(0, 3, 255, 70_000),
      target: fc.oneof(
        fc.integer({ min: 1, max: 200 }).map((length) => 't'.repeat(length)),
        fc.constant('../x'),
      ),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((items) => {
    const folders = [''];
    const files: string[] = [];
    const taken = new Set<string>();
    const entries: ImageEntry[] = [];
    for (const [index, item] of items.entries()) {
      const folder = folders[item.where % folders.length]!;
      const path = folder === '' ? item.name : `${folder}/${item.name}`;
      if (taken.has(path) || new TextEncoder().encode(item.name).length > 255) continue;
      taken.add(path);
      const common = { path, ...item.attributes, xattrs: item.xattrs };
      switch (item.kind) {
        case 'directory':
          folders.push(path);
          entries.push({ kind: 'directory', ...common });
          break;
        case 'file':
          files.push(path);
          entries.push({
            kind: 'file',
            ...common,
            bytes: item.size,
            contents: () => pieces(index, item.size),
          });
          break;
        case 'symlink':
          entries.push({ kind: 'symlink', ...common, xattrs: {}, target: item.target });
          break;
        case 'link':
          if (files.length > 0) entries.push({ kind: 'link', path, to: files[item.where % files.length]! });
          break;
        case 'character':
        case 'block':
          entries.push({ kind: item.kind, ...common, major: item.major, minor: item.minor });
          break;
        case 'fifo':
        case 'socket':
          entries.push({ kind: item.kind, ...common });
          break;
      }
    }
    return entries;
  });
