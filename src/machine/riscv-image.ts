// The header of a RISC-V Linux `Image`. Linux documentation, arch/riscv/boot-image-header. It does not say how long
// the file is; that of the EFI program which most kernels are as well does (PE format, "COFF File Header").
import { LoadError } from './errors.ts';

export interface RiscvImage {
  /** Bytes from the start of RAM at which it wants to lie. */
  textOffset: number;
  /** Bytes it needs there, its BSS included; at least the file's length. */
  imageBytes: number;
}

const HEADER_BYTES = 64;
const TEXT_OFFSET = 8;
const IMAGE_SIZE = 16;
const FLAGS = 24;
const FLAG_BIG_ENDIAN = 1n;
const MAGIC2 = 56;
/** Where an EFI program's PE header is, as an offset in the file. */
const PE_OFFSET = 60;
/** "PE\0\0", little-endian. */
const PE_MAGIC = 0x4550;
const PE_SECTION_COUNT = 6;
const PE_OPTIONAL_BYTES = 20;
const PE_HEADER_BYTES = 24;
const PE_SECTION_BYTES = 40;
const SECTION_FILE_BYTES = 16;
const SECTION_FILE_OFFSET = 20;
/** "RSC\x05", little-endian. */
const MAGIC2_VALUE = 0x05435352;
/** ARM64 has its magic in the same place. */
const MAGIC_ARM64 = 0x644d5241;
/** The kernel's page tables want it at a multiple of 2 MiB; firmware loads it at 2 MiB when it does not care. */
const ALIGNMENT = 0x20_0000n;
const DEFAULT_TEXT_OFFSET = 0x20_0000n;

/** Whether the file has the header of a RISC-V `Image`. */
export function isRiscvImage(file: Uint8Array): boolean {
  return file.length >= HEADER_BYTES && magic(file) === MAGIC2_VALUE;
}

/**
 * Reads the header. Throws LoadError naming what the file seems to be instead.
 * @param file the file, or at least its first 64 KiB
 * @param fileBytes length of the whole file
 */
export function parseRiscvImage(file: Uint8Array, what: string, fileBytes = file.length): RiscvImage {
  if (!isRiscvImage(file)) throw new LoadError(`${what}: ${describeUnknown(file)}`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if ((view.getBigUint64(FLAGS, true) & FLAG_BIG_ENDIAN) !== 0n) {
    throw new LoadError(`${what}: a big-endian kernel; give a little-endian one`);
  }
  const textOffset = view.getBigUint64(TEXT_OFFSET, true) || DEFAULT_TEXT_OFFSET;
  const imageSize = view.getBigUint64(IMAGE_SIZE, true);
  if (textOffset % ALIGNMENT !== 0n || textOffset > 0xffffffffn) {
    throw new LoadError(
      `${what}: its text_offset 0x${textOffset.toString(16)} is no multiple of 2 MiB; the file is damaged`,
    );
  }
  if (imageSize > 0xffffffffn) {
    throw new LoadError(
      `${what}: its image_size 0x${imageSize.toString(16)} is out of reach; the file is damaged`,
    );
  }
  const whole = announcedLength(view);
  if (whole > fileBytes) {
    throw new LoadError(
      `${what}: it has ${fileBytes} bytes of the ${whole} that its header speaks of; get the file again`,
    );
  }
  return { textOffset: Number(textOffset), imageBytes: Math.max(Number(imageSize), fileBytes) };
}

/** Bytes of the file up to the end of its last EFI section; 0 where it has none. */
function announcedLength(view: DataView): number {
  if (view.getUint8(0) !== 0x4d || view.getUint8(1) !== 0x5a) return 0;
  const header = view.getUint32(PE_OFFSET, true);
  if (header + PE_HEADER_BYTES > view.byteLength || view.getUint32(header, true) !== PE_MAGIC) return 0;
  const count = view.getUint16(header + PE_SECTION_COUNT, true);
  const sections = header + PE_HEADER_BYTES + view.getUint16(header + PE_OPTIONAL_BYTES, true);
  if (sections + count * PE_SECTION_BYTES > view.byteLength) return sections + count * PE_SECTION_BYTES;
  let end = 0;
  for (let index = 0; index < count; index++) {
    const section = sections + index * PE_SECTION_BYTES;
    const bytes = view.getUint32(section + SECTION_FILE_BYTES, true);
    end = Math.max(end, view.getUint32(section + SECTION_FILE_OFFSET, true) + bytes);
  }
  return end;
}

function magic(file: Uint8Array): number {
  return new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(MAGIC2, true);
}

function describeUnknown(file: Uint8Array): string {
  const expected = 'give a riscv64 Linux Image or an ELF64';
  const text = (start: number, end: number): string => String.fromCharCode(...file.subarray(start, end));
  if (file.length === 0) return `the file is empty; ${expected}`;
  if (file[0] === 0x1f && file[1] === 0x8b) return 'still compressed (gzip); unpack it first';
  if (file[0] === 0xfd && text(1, 5) === '7zXZ') return 'compressed with xz; unpack it first';
  if (file[0] === 0x28 && file[1] === 0xb5 && file[2] === 0x2f && file[3] === 0xfd) {
    return 'compressed with zstd; unpack it first';
  }
  if (text(0, 2) === 'MZ' && text(4, 8) === 'zimg') return 'an EFI zboot kernel; unpack the Image inside it';
  if (file.length >= HEADER_BYTES && magic(file) === MAGIC_ARM64) return `a kernel for ARM64; ${expected}`;
  if (file.length > 0x206 && text(0x202, 0x206) === 'HdrS') return `a kernel for x86; ${expected}`;
  return `not a RISC-V Linux Image and not an ELF file; ${expected}`;
}
