import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DamagedFileError } from '../../src/machine/errors.ts';
import { loadPieces, placeAll } from '../../src/machine/placement.ts';
import { receiveConfig } from '../../src/worker/blob-file.ts';
import { buildElf, buildImage, RAM } from '../machine/elf-builder.ts';

const MIB = 1 << 20;
const core = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));

/** A browser's reader, over blobs whose bytes the test knows; counts what it hands out. */
function stubReader(contents: Map<Blob, Uint8Array>): ArrayBuffer[] {
  const handed: ArrayBuffer[] = [];
  vi.stubGlobal(
    'FileReaderSync',
    class {
      readAsArrayBuffer(blob: Blob): ArrayBuffer {
        const bytes = contents.get(blob);
        if (bytes === undefined) throw new Error('the file has changed');
        const { buffer } = bytes.slice();
        handed.push(buffer as ArrayBuffer);
        return buffer as ArrayBuffer;
      }
    },
  );
  return handed;
}
afterEach(() => vi.unstubAllGlobals());

const receive = (files: { kernel?: Blob; initrd?: Blob; bios?: Blob }) =>
  receiveConfig({ core, memory: 16 * MIB, engine: 'auto', ...files });

describe('a blob that a machine boots from', () => {
  it.each(['plain', 'gzipped'])(
    'gives back its memory when it has been loaded, and is read again for a reset (%s)',
    (how) => {
      const pack = (bytes: Uint8Array) => (how === 'plain' ? bytes : new Uint8Array(gzipSync(bytes)));
      const kernel = buildImage(9000).fill(7, 4096);
      const initrd = Uint8Array.of(1, 2, 3);
      const [kernelBlob, initrdBlob] = [new Blob(['kernel']), new Blob(['initrd'])];
      const handed = stubReader(
        new Map([
          [kernelBlob, pack(kernel)],
          [initrdBlob, pack(initrd)],
        ]),
      );
      const { pieces, release } = placeAll(receive({ kernel: kernelBlob, initrd: initrdBlob }));
      for (const times of [1, 2]) {
        const ram = new Uint8Array(16 * MIB);
        loadPieces(ram, pieces);
        release();
        expect(Buffer.compare(ram.subarray(0x200000, 0x200000 + 9000), kernel)).toBe(0);
        expect(handed.length).toBe(2 * times);
        expect(handed.map(({ byteLength }) => byteLength)).toEqual(handed.map(() => 0));
      }
    },
  );

  it('keeps the memory of an ELF file, whose symbols are looked up later', () => {
    const bios = new Blob(['bios']);
    const elf = buildElf({
      entry: RAM,
      segments: [{ physical: RAM, contents: Uint8Array.of(1, 2, 3, 4) }],
      symbols: { tohost: RAM + 64n },
    });
    const handed = stubReader(new Map([[bios, elf]]));
    const placement = placeAll(receive({ bios }));
    placement.release();
    expect(placement.bios!.elf!.symbol('tohost')).toBe(RAM + 64n);
    const ram = new Uint8Array(16 * MIB);
    loadPieces(ram, placement.pieces);
    expect([...ram.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(handed.length).toBe(1);
  });

  it('that cannot be read any more is named', () => {
    const kernel = new Blob(['kernel']);
    const contents = new Map([[kernel, buildImage()]]);
    stubReader(contents);
    const { pieces, release } = placeAll(receive({ kernel }));
    release();
    contents.clear();
    const load = () => loadPieces(new Uint8Array(16 * MIB), pieces);
    expect(load).toThrow(DamagedFileError);
    expect(load).toThrow('kernel is not readable any more: the file has changed');
  });
});
