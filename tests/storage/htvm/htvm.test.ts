import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HtvmError } from '../../../src/storage/htvm/htvm-error.ts';
import { encodeHeader, HEADER_BYTES, sha256 } from '../../../src/storage/htvm/htvm-format.ts';
import { parseManifest } from '../../../src/storage/htvm/htvm-manifest.ts';
import { HtvmFile } from '../../../src/storage/htvm/htvm-reader.ts';
import { assembleHtvm } from '../../../src/storage/htvm/htvm-writer.ts';
import {
  copyRam,
  findPages,
  pasteRam,
  RAM_PAGE_BYTES,
  unpackRam,
} from '../../../src/storage/htvm/ram-image.ts';
import { bytesOf, fileOf, MANIFEST } from './synthetic.ts';

const PAGES = 40;
const RAM_BYTES = PAGES * RAM_PAGE_BYTES;

/** RAM with some pages filled by a byte, others zero. */
const someRam = fc
  .array(fc.option(fc.integer({ min: 1, max: 255 })), { minLength: PAGES, maxLength: PAGES })
  .map((fills) => {
    const ram = new Uint8Array(RAM_BYTES);
    for (const [page, fill] of fills.entries()) {
      if (fill === null) continue;
      for (let at = 0; at < RAM_PAGE_BYTES; at += 1 + (fill % 7)) ram[page * RAM_PAGE_BYTES + at] = fill;
    }
    return ram;
  });

/** toEqual takes a second for this much. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** Everything that reading a file can find wrong with it. */
async function load(bytes: Uint8Array): Promise<Uint8Array> {
  const file = await HtvmFile.open(bytes);
  await file.verify();
  const ram = new Uint8Array(RAM_BYTES);
  await unpackRam(file, ram, () => {});
  await file.read('machine/hart');
  return ram;
}

const faultOf = (bytes: Uint8Array) =>
  load(bytes).then(
    () => 'none',
    (error: unknown) => {
      if (!(error instanceof HtvmError)) throw error;
      return error.fault;
    },
  );

describe('.htvm', () => {
  it('gives back the RAM it was made of, packed or not, from bytes or a blob', async () => {
    await fc.assert(
      fc.asyncProperty(
        someRam,
        fc.constantFrom('lz4' as const, 'gzip' as const, 'raw' as const),
        async (ram, packing) => {
          const blob = await fileOf(ram, packing);
          expect(isSame(await load(await bytesOf(blob)), ram)).toBe(true);
          const again = new Uint8Array(RAM_BYTES);
          await unpackRam(await HtvmFile.open(blob), again, () => {});
          expect(isSame(again, ram)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('RAM of many pieces is read from a blob in one stream, and a bit changed in any of them is found', async () => {
    const ram = new Uint8Array(9 << 20);
    for (let at = 0; at < ram.length; at += 97) ram[at] = at >> 12;
    for (const packing of ['raw', 'lz4'] as const) {
      const blob = await fileOf(ram, packing);
      const { manifest } = await HtvmFile.open(blob);
      const contents = blob.size - 8 - manifest.sections.reduce((sum, { stored }) => sum + stored, 0);
      const again = new Uint8Array(ram.length);
      await unpackRam(await HtvmFile.open(blob), again, () => {});
      expect(isSame(again, ram)).toBe(true);
      for (const { name, offset } of manifest.sections.filter((section) => /^ram\/\d/.test(section.name))) {
        const bytes = await bytesOf(blob);
        bytes[contents + offset + 77]! ^= 4;
        const file = await HtvmFile.open(new Blob([bytes]));
        await expect(unpackRam(file, again, () => {})).rejects.toThrow(`section ${name} has another SHA-256`);
      }
    }
  });

  it('has format 2 where anything is packed with LZ4, which older versions cannot read, and else 1', async () => {
    const ram = new Uint8Array(RAM_BYTES).fill(7);
    const formatOf = async (packing: 'lz4' | 'gzip' | 'raw') =>
      new DataView((await bytesOf(await fileOf(ram, packing))).buffer).getUint32(8, true);
    expect([await formatOf('lz4'), await formatOf('gzip'), await formatOf('raw')]).toEqual([2, 1, 1]);
  });

  it('a section that claims to unpack to more than LZ4 can give is refused before memory is taken', async () => {
    const { manifest } = await HtvmFile.open(await fileOf(new Uint8Array(RAM_BYTES).fill(7), 'lz4'));
    const piece = manifest.sections.find(({ name }) => name === 'ram/0')!;
    const sections = manifest.sections.map((section) =>
      section === piece ? { ...section, bytes: 200 << 20 } : section,
    );
    const blob = await fileOf(new Uint8Array(RAM_BYTES).fill(7), 'lz4');
    const contents = blob.slice(
      blob.size - 8 - manifest.sections.reduce((sum, { stored }) => sum + stored, 0),
      -8,
    );
    const file = await HtvmFile.open(await assembleHtvm(manifest, [{ sections, contents }]));
    await expect(file.read('ram/0')).rejects.toThrow('the lengths of section ram/0 cannot be');
  });

  it('leaves out pages of zeroes', async () => {
    const empty = await fileOf(new Uint8Array(64 << 20), 'raw');
    expect(empty.size).toBeLessThan(8192);
  });

  it('tells what was written when it is put into RAM', async () => {
    const ram = new Uint8Array(RAM_BYTES);
    for (const page of [0, 1, 7, 8, 39]) ram[page * RAM_PAGE_BYTES + 5] = 1;
    const told: [number, number][] = [];
    pasteRam(copyRam(ram, findPages(ram)), new Uint8Array(RAM_BYTES), (offset, length) =>
      told.push([offset / RAM_PAGE_BYTES, length / RAM_PAGE_BYTES]),
    );
    expect(told).toEqual([
      [0, 2],
      [7, 2],
      [39, 1],
    ]);
  });

  it('an increment on its parent is the later RAM, pages that became zero included', async () => {
    await fc.assert(
      fc.asyncProperty(someRam, someRam, async (before, after) => {
        const dirty = new Uint8Array(PAGES / 8);
        for (let page = 0; page < PAGES; page++) {
          const [a, b] = [before, after].map((ram) =>
            ram.subarray(page * RAM_PAGE_BYTES, (page + 1) * RAM_PAGE_BYTES),
          );
          if (a!.some((byte, index) => byte !== b![index])) dirty[page >> 3]! |= 1 << (page & 7);
        }
        const parent = await HtvmFile.open(await fileOf(before));
        const child = await HtvmFile.open(await fileOf(after, 'gzip', { parent: MANIFEST.id }, dirty));
        const ram = new Uint8Array(RAM_BYTES);
        await unpackRam(parent, ram, () => {});
        await unpackRam(child, ram, () => {});
        expect(isSame(ram, after)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('cut off anywhere, it is refused as truncated', async () => {
    const bytes = await bytesOf(await fileOf(new Uint8Array(RAM_BYTES).fill(7)));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        expect(await faultOf(bytes.subarray(0, length))).toBe('truncated');
      }),
      { numRuns: 60 },
    );
  });

  it('with any bit changed, it is refused', async () => {
    const ram = Uint8Array.from({ length: RAM_BYTES }, (_, index) => (index * 2654435761) >>> 13);
    for (const packing of ['lz4', 'gzip', 'raw'] as const) {
      const bytes = await bytesOf(await fileOf(ram, packing));
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(fc.nat(2000), fc.nat(bytes.length - 1)).filter((at) => at < 56 || at >= HEADER_BYTES),
          fc.nat(7),
          async (at, bit) => {
            const changed = bytes.slice();
            changed[at]! ^= 1 << bit;
            expect(await faultOf(changed)).not.toBe('none');
          },
        ),
        { numRuns: 80 },
      );
    }
  });

  it('followed by other bytes, it is refused', async () => {
    const bytes = await bytesOf(await fileOf(new Uint8Array(RAM_BYTES)));
    expect(await faultOf(Uint8Array.of(...bytes, 0))).toBe('damaged');
  });

  it('of a later format, it is refused by the number of that format', async () => {
    const bytes = await bytesOf(await fileOf(new Uint8Array(RAM_BYTES)));
    new DataView(bytes.buffer).setUint32(8, 7, true);
    await expect(HtvmFile.open(bytes, 'mine.htvm')).rejects.toThrow(/mine\.htvm has \.htvm format 7/);
    expect(await faultOf(bytes)).toBe('version');
  });

  it('something else is refused as no saved machine', async () => {
    expect(await faultOf(new TextEncoder().encode('#!/bin/sh\n'.repeat(20)))).toBe('format');
    expect(await faultOf(new Uint8Array(1000))).toBe('format');
  });

  it('RAM of another size than the machine has is refused before a page is written', async () => {
    const file = await HtvmFile.open(await fileOf(new Uint8Array(RAM_BYTES).fill(3)));
    const other = new Uint8Array(2 * RAM_BYTES);
    await expect(unpackRam(file, other, () => {})).rejects.toThrow(/ram\/pages is not that of/);
    expect(other.every((byte) => byte === 0)).toBe(true);
  });

  it('a manifest whose header is right but whose fields are not is refused by the field', async () => {
    const text = JSON.stringify({
      ...MANIFEST,
      machine: { memory: -1, engine: 'auto', bios: false },
      sections: [],
    });
    const manifest = new TextEncoder().encode(text);
    const header = encodeHeader({
      format: 1,
      manifestBytes: manifest.length,
      fileBytes: HEADER_BYTES + manifest.length + 8,
      manifestDigest: await sha256(manifest),
    });
    const bytes = Uint8Array.of(...header, ...manifest, ...new TextEncoder().encode('HTVM-END'));
    await expect(HtvmFile.open(bytes)).rejects.toThrow(/machine\.memory of its manifest/);
  });

  it('any JSON as a manifest is read or refused as damaged', () => {
    const value = fc.oneof(
      fc.json(),
      fc
        .record(
          {
            id: fc.oneof(fc.constant(MANIFEST.id), fc.string()),
            name: fc.string(),
            created: fc.oneof(fc.constant(MANIFEST.created), fc.string()),
            writer: fc.string(),
            core: fc.constant(''),
            machine: fc.oneof(fc.constant(MANIFEST.machine), fc.anything()),
            drives: fc.oneof(fc.constant([]), fc.array(fc.anything())),
            shares: fc.constant([]),
            interfaces: fc.constant([]),
            sections: fc.array(
              fc.record({
                name: fc.constantFrom('ram/pages', 'ram/0', '__proto__', 'A'),
                version: fc.integer(),
                offset: fc.integer({ min: -1, max: 200 }),
                stored: fc.oneof(fc.nat(200), fc.double()),
                bytes: fc.nat(200),
                encoding: fc.constantFrom('raw', 'gzip', 'lz4', 'zstd'),
                sha256: fc.constant('0'.repeat(64)),
              }),
            ),
          },
          { requiredKeys: ['id', 'name', 'created'] },
        )
        .map((object) => JSON.stringify(object)),
    );
    fc.assert(
      fc.property(value, fc.nat(200), (text, bytes) => {
        try {
          const { sections } = parseManifest(text, bytes, 'it');
          expect(sections.reduce((sum, { stored }) => sum + stored, 0)).toBe(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HtvmError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
