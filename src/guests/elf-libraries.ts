// Which libraries a dynamically linked ELF64 program wants. System V gABI, chapter 5, "Dynamic Linking".
import { GuestError } from './guest-error.ts';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const PROGRAM_HEADER_BYTES = 56;

/** What a program is linked with: file names, and the path of its loader where it names one. */
export interface ElfLibraries {
  needed: string[];
  loader: string | undefined;
}

/**
 * Reads the dynamic section of an ELF64 little-endian file.
 * @param what names it in errors
 * @throws {GuestError} format
 */
export function elfLibraries(file: Uint8Array, what: string): ElfLibraries {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const bad = (why: string) => new GuestError('format', `${what} is no ELF program: ${why}`);
  try {
    if (view.getUint32(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) throw bad('wrong magic');
    const number = (at: number) => Number(view.getBigUint64(at, true));
    const segments = Array.from({ length: view.getUint16(56, true) }, (_, index) => {
      const at = number(32) + index * PROGRAM_HEADER_BYTES;
      const [offset, address, bytes] = [number(at + 8), number(at + 16), number(at + 32)];
      return { type: view.getUint32(at, true), offset, address, bytes };
    });
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    const loader = interpreter && text(file, interpreter.offset);
    if (dynamic === undefined) return { needed: [], loader };
    const tags = Array.from({ length: Math.floor(dynamic.bytes / 16) }, (_, index) => {
      const at = dynamic.offset + index * 16;
      return { tag: number(at), value: number(at + 8) };
    });
    const table = tags.find(({ tag }) => tag === DT_STRTAB)?.value ?? 0;
    const home = segments.find(
      ({ type, address, bytes }) => type === PT_LOAD && table >= address && table < address + bytes,
    );
    if (home === undefined) throw bad('its names are in no segment');
    const names = home.offset + table - home.address;
    const needed = tags.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => text(file, names + value));
    return { needed, loader };
  } catch (error) {
    if (error instanceof RangeError) throw bad('it ends too early');
    throw error;
  }
}

function text(file: Uint8Array, start: number): string {
  const end = file.indexOf(0, start);
  if (end < 0) throw new RangeError('a name without an end');
  return new TextDecoder('latin1').decode(file.subarray(start, end));
}
