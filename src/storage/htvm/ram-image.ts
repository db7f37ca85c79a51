// RAM as sections of an .htvm file: which pages there are, and their contents in pieces of 2 MiB.
import { HtvmError } from './htvm-error.ts';
import type { HtvmFile } from './htvm-reader.ts';
import type { SectionPacker } from './htvm-writer.ts';

export const RAM_PAGE_BYTES = 4096;
/** Bitmap of the pages whose contents follow: bit n % 8 of byte n / 8 is page n. */
export const RAM_PAGES = 'ram/pages';
/** Bitmap of the pages that are zero though the parent has contents for them; in increments only. */
export const RAM_ZEROES = 'ram/zeroes';
const RAM_VERSION = 1;
/** Pages in a piece. */
const PIECE_PAGES = 512;
/** Pieces read at once: Node unpacks them side by side. */
const PIECES_AT_ONCE = 4;

export const isRamSection = (name: string) => name.startsWith('ram/');

/** The contents of pages, not which they are. */
export const isRamPiece = (name: string) => /^ram\/\d+$/.test(name);

const pieceName = (index: number) => `ram/${index}`;

/** Contents of pages, one behind the other. */
export interface PageContents {
  readonly length: number;
  subarray(start: number, end: number): Uint8Array;
}

/** Pages of RAM at one moment. */
export interface RamPages {
  pages: Uint8Array;
  /** Of an increment: pages that have become zero. */
  zeroes?: Uint8Array;
  /** Contents of the pages in `pages`, in ascending order. */
  contents: PageContents;
}

/** The same, copied. */
export interface RamCopy extends RamPages {
  contents: Uint8Array;
}

export function countBits(bitmap: Uint8Array): number {
  let count = 0;
  for (let byte of bitmap) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

/** Calls back with each run of set bits: first page, and the page after the last. */
export function forEachRun(bitmap: Uint8Array, run: (start: number, end: number) => void): void {
  const pages = bitmap.length * 8;
  for (let page = 0; page < pages; ) {
    if ((page & 7) === 0 && bitmap[page >> 3] === 0) {
      page += 8;
    } else if ((bitmap[page >> 3]! & (1 << (page & 7))) === 0) {
      page++;
    } else {
      const start = page;
      while (page < pages && (bitmap[page >> 3]! & (1 << (page & 7))) !== 0) {
        page += (page & 7) === 0 && bitmap[page >> 3] === 0xff ? 8 : 1;
      }
      run(start, page);
    }
  }
}

/** Bitmap of the pages that hold anything but zeroes. The core of a machine does the same, faster. */
export function findPages(ram: Uint8Array): Uint8Array {
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  const bitmap = new Uint8Array(Math.ceil(ram.length / RAM_PAGE_BYTES / 8));
  const step = RAM_PAGE_BYTES / 4;
  for (let page = 0; page * RAM_PAGE_BYTES < ram.length; page++) {
    for (let at = page * step; at < (page + 1) * step; at++) {
      if (words[at] === 0) continue;
      bitmap[page >> 3]! |= 1 << (page & 7);
      break;
    }
  }
  return bitmap;
}

/**
 * Copies pages out of RAM.
 * @param nonZero bitmap of the pages that hold anything
 * @param dirty for an increment: bitmap of the pages written since its parent
 * @param room memory to copy to, where it is large enough: taking it beforehand saves time here
 */
export function copyRam(
  ram: Uint8Array,
  nonZero: Uint8Array,
  dirty?: Uint8Array,
  room?: Uint8Array,
): RamCopy {
  const pages = dirty === undefined ? nonZero : nonZero.map((byte, index) => byte & dirty[index]!);
  const zeroes = dirty?.map((byte, index) => byte & ~nonZero[index]!);
  const length = countBits(pages) * RAM_PAGE_BYTES;
  const contents =
    room !== undefined && room.length >= length ? room.subarray(0, length) : new Uint8Array(length);
  let at = 0;
  forEachRun(pages, (start, end) => {
    contents.set(ram.subarray(start * RAM_PAGE_BYTES, end * RAM_PAGE_BYTES), at);
    at += (end - start) * RAM_PAGE_BYTES;
  });
  return { pages, zeroes, contents };
}

/** Pages of RAM that is not written meanwhile: copied a piece at a time, when they are asked for. */
export function ramInPlace(ram: Uint8Array, pages: Uint8Array): RamPages {
  const places: number[] = [];
  forEachRun(pages, (start, end) => {
    for (let page = start; page < end; page++) places.push(page);
  });
  const subarray = (start: number, end: number) => {
    const piece = new Uint8Array(end - start);
    for (let at = start; at < end; at += RAM_PAGE_BYTES) {
      const from = places[at / RAM_PAGE_BYTES]! * RAM_PAGE_BYTES;
      piece.set(ram.subarray(from, from + RAM_PAGE_BYTES), at - start);
    }
    return piece;
  };
  return { pages, contents: { length: places.length * RAM_PAGE_BYTES, subarray } };
}

/** Puts copied pages into RAM; RAM is zeroed, or what the copy is an increment of. */
export function pasteRam(
  copy: RamCopy,
  ram: Uint8Array,
  written: (offset: number, length: number) => void,
): void {
  let at = 0;
  forEachRun(copy.pages, (start, end) => {
    const length = (end - start) * RAM_PAGE_BYTES;
    ram.set(copy.contents.subarray(at, at + length), start * RAM_PAGE_BYTES);
    written(start * RAM_PAGE_BYTES, length);
    at += length;
  });
  if (copy.zeroes !== undefined) zeroPages(copy.zeroes, ram, written);
}

function zeroPages(
  zeroes: Uint8Array,
  ram: Uint8Array,
  written: (offset: number, length: number) => void,
): void {
  forEachRun(zeroes, (start, end) => {
    ram.fill(0, start * RAM_PAGE_BYTES, end * RAM_PAGE_BYTES);
    written(start * RAM_PAGE_BYTES, (end - start) * RAM_PAGE_BYTES);
  });
}

/** Adds copied pages to a file. */
export async function packRam(
  packer: SectionPacker,
  { pages, zeroes, contents }: RamPages,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  await packer.add(RAM_PAGES, RAM_VERSION, pages);
  if (zeroes !== undefined) await packer.add(RAM_ZEROES, RAM_VERSION, zeroes);
  const pieceBytes = PIECE_PAGES * RAM_PAGE_BYTES;
  for (let start = 0; start < contents.length; start += pieceBytes) {
    const piece = contents.subarray(start, Math.min(contents.length, start + pieceBytes));
    await packer.add(pieceName(start / pieceBytes), RAM_VERSION, piece);
    onProgress(start + piece.length, contents.length);
  }
}

/**
 * Puts a file's pages into RAM of `ram.length` bytes, which is zeroed or holds what the parent left.
 * @throws {HtvmError} damaged; RAM then holds anything
 */
export async function unpackRam(
  file: HtvmFile,
  ram: Uint8Array,
  written: (offset: number, length: number) => void,
): Promise<void> {
  const pages = await readBitmap(file, RAM_PAGES, ram.length);
  if (file.has(RAM_ZEROES)) {
    if (file.manifest.parent === undefined) throw damaged(file, RAM_ZEROES, 'belongs to an increment');
    zeroPages(await readBitmap(file, RAM_ZEROES, ram.length), ram, written);
  }
  const places: number[] = [];
  forEachRun(pages, (start, end) => {
    for (let page = start; page < end; page++) places.push(page);
  });
  const pieces = Math.ceil(places.length / PIECE_PAGES);
  const names = Array.from({ length: pieces }, (_, index) => pieceName(index));
  for (const [index, name] of names.entries()) {
    const { version, bytes } = file.section(name);
    checkVersion(file, name, version);
    const wanted = Math.min(PIECE_PAGES, places.length - index * PIECE_PAGES) * RAM_PAGE_BYTES;
    if (bytes !== wanted) throw damaged(file, name, `has ${bytes} bytes`);
  }
  const put = (index: number, contents: Uint8Array) => {
    const piecePages = places.slice(index * PIECE_PAGES, (index + 1) * PIECE_PAGES);
    for (let at = 0; at < piecePages.length; ) {
      const first = piecePages[at]!;
      let count = 1;
      while (piecePages[at + count] === first + count) count++;
      const begin = at * RAM_PAGE_BYTES;
      const length = count * RAM_PAGE_BYTES;
      ram.set(contents.subarray(begin, begin + length), first * RAM_PAGE_BYTES);
      written(first * RAM_PAGE_BYTES, length);
      at += count;
    }
  };
  // gzip is unpacked by the host, in Node several at a time.
  if (names.every((name) => file.section(name).encoding !== 'gzip')) {
    await file.readInOrder(names, put);
    return;
  }
  let next = 0;
  const unpackSome = async () => {
    while (next < pieces) {
      const index = next++;
      put(index, await file.read(names[index]!));
    }
  };
  await Promise.all(Array.from({ length: PIECES_AT_ONCE }, unpackSome));
}

async function readBitmap(file: HtvmFile, name: string, ramBytes: number): Promise<Uint8Array> {
  const { version } = file.section(name);
  checkVersion(file, name, version);
  const bitmap = await file.read(name);
  const wanted = Math.ceil(ramBytes / RAM_PAGE_BYTES / 8);
  const spare = wanted * 8 - ramBytes / RAM_PAGE_BYTES;
  if (bitmap.length !== wanted || (spare > 0 && bitmap[wanted - 1]! >> (8 - spare) !== 0)) {
    throw damaged(file, name, `is not that of ${ramBytes} bytes of memory`);
  }
  return bitmap;
}

function checkVersion(file: HtvmFile, name: string, version: number): void {
  if (version <= RAM_VERSION && version > 0) return;
  throw new HtvmError(
    'version',
    `${file.name}: section ${name} has version ${version}, and this version of Hypertab reads up to ${RAM_VERSION}`,
  );
}

function damaged(file: HtvmFile, name: string, what: string): HtvmError {
  return new HtvmError('damaged', `${file.name} is damaged: section ${name} ${what}`);
}
