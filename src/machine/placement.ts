// Decides where in RAM kernel, firmware, initrd and device tree go, and refuses what does not fit.
import {
  type BootFile,
  type Contents,
  FileBytes,
  openBootFile,
  openInitrd,
  plainContents,
  type StoredFile,
} from './boot-file.ts';
import { type ElfFile, isElf, parseElf } from './elf.ts';
import { ConfigError, LoadError, mebibytes } from './errors.ts';
import { FIRMWARE_BASE, PAYLOAD_BASE, RAM_BASE, RAM_MAXIMUM, RAM_MINIMUM, RAM_UNIT } from './memory-map.ts';
import { isRiscvImage, parseRiscvImage } from './riscv-image.ts';

/** Bytes to be put at a physical address; up to `memoryBytes` the rest is the program's zeroed memory. */
export interface Piece {
  what: string;
  physical: number;
  memoryBytes: number;
  contents: Contents;
}

/** A program ready to be put into RAM. */
export interface Program {
  entry: number;
  pieces: Piece[];
  elf?: ElfFile;
}

export interface Placement {
  bios?: Program;
  kernel?: Program;
  initrd?: { start: number; end: number };
  /** Physical address of the device tree, a multiple of 8, with DEVICE_TREE_BYTES of room. */
  deviceTree: number;
  pieces: Piece[];
  /** Gives back the memory of stored files; they are read again when the pieces are loaded again. */
  release(): void;
}

/** Room kept for the device tree at the end of RAM. */
export const DEVICE_TREE_BYTES = 0x1_0000;
const PAGE = 4096;
/** Largest ELF file that is unpacked, in bytes: unlike an Image it is, in memory, whole. */
const LARGEST_ELF = 512 * 1024 ** 2;

/** Throws ConfigError unless the size is one a machine can have. */
export function checkMemory(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < RAM_MINIMUM || bytes > RAM_MAXIMUM) {
    throw new ConfigError(
      `memory of ${bytes} bytes is out of range; give ${mebibytes(RAM_MINIMUM)} to ${mebibytes(RAM_MAXIMUM)}`,
    );
  }
  if (bytes % RAM_UNIT !== 0) throw new ConfigError(`memory of ${bytes} bytes is not a whole number of MiB`);
}

/**
 * A kernel: a RISC-V `Image` at its text offset, or an ELF file where it says; under a firmware, anything else is the
 * firmware's payload (U-Boot, say), where firmware expects one. Throws LoadError.
 */
function readKernel(file: BootFile, underFirmware: boolean): Program {
  if (isElf(file.start)) return elfProgram(file.whole(), 'kernel');
  if (underFirmware && !isRiscvImage(file.start)) {
    if (file.length === 0) throw new LoadError('kernel: the file is empty');
    const piece = { what: 'kernel', physical: PAYLOAD_BASE, memoryBytes: file.length, contents: file };
    return { entry: PAYLOAD_BASE, pieces: [piece] };
  }
  const { textOffset, imageBytes } = parseRiscvImage(file.start, 'kernel', file.length);
  const physical = RAM_BASE + textOffset;
  return { entry: physical, pieces: [{ what: 'kernel', physical, memoryBytes: imageBytes, contents: file }] };
}

/** An M-mode program: an ELF file where it says, or a raw binary at the start of RAM. Throws LoadError. */
function readBios(file: BootFile): Program {
  if (isElf(file.start)) return elfProgram(file.whole(), 'bios');
  if (file.length === 0) throw new LoadError('bios: the file is empty');
  if (isRiscvImage(file.start)) {
    throw new LoadError('bios: a Linux Image, which needs firmware beneath it; give it as the kernel');
  }
  return {
    entry: FIRMWARE_BASE,
    pieces: [{ what: 'bios', physical: FIRMWARE_BASE, memoryBytes: file.length, contents: file }],
  };
}

function elfProgram(file: Uint8Array, what: string): Program {
  const elf = parseElf(file, what);
  // Linkers put ELF headers and notes in a read-only segment at their default address, which no program reads:
  // without RAM there, it is left out.
  const segments = elf.segments.filter(({ readOnly, physical }) => !readOnly || physical >= RAM_BASE);
  if (segments.length === 0)
    throw new LoadError(`${what}: all of it lies below RAM; link it at 0x80000000 or above`);
  const pieces = segments.map((segment) => ({
    what,
    physical: segment.physical,
    memoryBytes: segment.memoryBytes,
    contents: plainContents({ bytes: file.subarray(segment.offset, segment.offset + segment.fileBytes) }),
  }));
  for (const { physical } of pieces) {
    if (physical < RAM_BASE) {
      throw new LoadError(
        `${what}: a segment goes to 0x${physical.toString(16)}, below RAM; link it at 0x80000000 or above`,
      );
    }
  }
  return { entry: elf.entry, pieces, elf };
}

/** Whole files, gzipped or not. */
export interface PlacementInput {
  memory: number;
  kernel?: Uint8Array | StoredFile;
  initrd?: Uint8Array | StoredFile;
  bios?: Uint8Array | StoredFile;
}

/**
 * Lays out RAM: programs where they want to be, the device tree at the end, the initrd below it.
 * @throws ConfigError (nothing to boot, RAM too small), LoadError or DamagedFileError (a file that cannot be loaded)
 */
export function placeAll(input: PlacementInput): Placement {
  checkMemory(input.memory);
  if (!input.kernel && !input.bios) throw new ConfigError('nothing to boot; give a kernel or a bios');
  const files: FileBytes[] = [];
  const open = (file: Uint8Array | StoredFile, what: string): FileBytes => {
    const bytes = new FileBytes(file, what);
    files.push(bytes);
    return bytes;
  };
  const bios = input.bios && readBios(openBootFile(open(input.bios, 'bios'), 'bios', LARGEST_ELF));
  const kernel =
    input.kernel &&
    readKernel(openBootFile(open(input.kernel, 'kernel'), 'kernel', LARGEST_ELF), bios !== undefined);
  const archive = input.initrd && openInitrd(open(input.initrd, 'initrd'), input.memory);
  if (bios && kernel && kernel.entry < PAYLOAD_BASE) {
    throw new LoadError(
      'kernel: starts inside the firmware; link it at 0x80200000 or above to run it under a bios',
    );
  }
  const programs = [...(bios?.pieces ?? []), ...(kernel?.pieces ?? [])];
  const programsEnd = Math.max(...programs.map((piece) => piece.physical + piece.memoryBytes));
  const initrdBytes = archive?.length ?? 0;
  const roomAtEnd = DEVICE_TREE_BYTES + Math.ceil(initrdBytes / PAGE) * PAGE;
  const needed = Math.ceil(programsEnd / PAGE) * PAGE - RAM_BASE + roomAtEnd;
  if (needed > input.memory) {
    const parts = `${kernel ? 'kernel' : 'bios'}${initrdBytes > 0 ? ' and initrd' : ''}`;
    if (needed > RAM_MAXIMUM) {
      throw new LoadError(
        `${parts}: need ${mebibytes(needed)}, more than a machine can have; the file is damaged`,
      );
    }
    throw new ConfigError(
      `${mebibytes(input.memory)} of memory are too little for ${parts}; it needs at least ${mebibytes(needed)}`,
    );
  }
  checkOverlaps(programs);

  const deviceTree = RAM_BASE + input.memory - DEVICE_TREE_BYTES;
  const pieces = [...programs];
  let initrd: Placement['initrd'];
  if (archive && initrdBytes > 0) {
    const start = Math.floor((deviceTree - initrdBytes) / PAGE) * PAGE;
    initrd = { start, end: start + initrdBytes };
    pieces.push({ what: 'initrd', physical: start, memoryBytes: initrdBytes, contents: archive });
  }
  const release = () => {
    for (const file of files) file.release();
  };
  return { bios, kernel, initrd, deviceTree, pieces, release };
}

/** The placement of a machine that has no files: it goes on from a saved state. */
export function placeNothing(memory: number): Placement {
  checkMemory(memory);
  return { deviceTree: RAM_BASE + memory - DEVICE_TREE_BYTES, pieces: [], release: () => {} };
}

function checkOverlaps(pieces: readonly Piece[]): void {
  const sorted = [...pieces].sort((a, b) => a.physical - b.physical);
  for (let index = 1; index < sorted.length; index++) {
    const below = sorted[index - 1]!;
    const above = sorted[index]!;
    if (below.physical + below.memoryBytes > above.physical) {
      const place = `0x${above.physical.toString(16)}`;
      throw new LoadError(
        below.what === above.what
          ? `${above.what}: two segments overlap at ${place}; the file is damaged`
          : `${above.what} overlaps ${below.what} at ${place}; link one of them elsewhere`,
      );
    }
  }
}

/**
 * Puts pieces into RAM. RAM is zeroed, so memory beyond a piece's contents already is.
 * @throws DamagedFileError
 */
export function loadPieces(ram: Uint8Array, pieces: readonly Piece[]): void {
  for (const { physical, contents } of pieces) contents.putInto(ram, physical - RAM_BASE);
}
