// The signature region that architecture tests leave behind. RISCOF and riscv-arch-test conventions.
import type { ElfFile } from './elf.ts';
import { RAM_BASE } from './memory-map.ts';

/**
 * [begin_signature, end_signature) of a program as 32-bit words, lowest address first; undefined without these
 * symbols or when they do not enclose whole words of RAM.
 */
export function readSignature(elf: ElfFile, ram: Uint8Array): Uint32Array | undefined {
  const begin = elf.symbol('begin_signature');
  const end = elf.symbol('end_signature');
  if (begin === undefined || end === undefined) return undefined;
  const base = BigInt(RAM_BASE);
  if (begin < base || end < begin || end > base + BigInt(ram.length) || (end - begin) % 4n !== 0n)
    return undefined;
  const start = Number(begin - base);
  const view = new DataView(ram.buffer, ram.byteOffset + start, Number(end - begin));
  return Uint32Array.from({ length: view.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true));
}
