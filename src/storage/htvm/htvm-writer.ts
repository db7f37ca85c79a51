import { lz4Bound, lz4Pack } from '../lz4.ts';
import { gzipNative } from './gzip-native.ts';
import { END_MARK, encodeHeader, HEADER_BYTES, sha256, toHex } from './htvm-format.ts';
import type { HtvmManifest, HtvmSection } from './htvm-manifest.ts';
import { isRamSection } from './ram-image.ts';

/** A section that is encoded, without its place in a file. */
export type PackedSection = Omit<HtvmSection, 'offset'>;

/** Sections in a row, and their bytes. A blob goes from a worker to its page without a copy. */
export interface PackedSections {
  sections: PackedSection[];
  contents: Blob;
}

/**
 * How sections are stored: packed, where that makes them smaller, with LZ4, which is read fast, or gzip, which takes less
 * room; or as they are (all, or RAM's), to be read fastest.
 */
export type Packing = 'lz4' | 'gzip' | 'raw' | 'raw-ram';

/** Fewer bytes are not worth packing. */
const LEAST_PACKED = 64;

/** Encodes sections one after the other. */
export class SectionPacker {
  readonly #sections: PackedSection[] = [];
  readonly #parts: Blob[] = [];
  readonly #packing: Packing;
  /** Where sections are packed with LZ4, one after the other. */
  #room = new Uint8Array(0);

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  /** Adds a section; `bytes` must not change before the promise resolves. */
  async add(name: string, version: number, bytes: Uint8Array): Promise<void> {
    const encoding = this.#encodingOf(name, bytes);
    const packed = encoding === 'raw' ? bytes : await this.#pack(bytes, encoding);
    const pays = packed.length < bytes.length;
    const stored = pays ? packed : bytes;
    const digest = toHex(await sha256(stored));
    this.#sections.push({
      name,
      version,
      stored: stored.length,
      bytes: bytes.length,
      encoding: pays ? encoding : 'raw',
      sha256: digest,
    });
    // A blob each: browsers keep it outside this worker's memory from here on.
    this.#parts.push(new Blob([stored as Uint8Array<ArrayBuffer>]));
  }

  #encodingOf(name: string, { length }: Uint8Array): PackedSection['encoding'] {
    if (length <= LEAST_PACKED || this.#packing === 'raw') return 'raw';
    if (this.#packing === 'raw-ram') return isRamSection(name) ? 'raw' : 'lz4';
    return this.#packing;
  }

  /** The result is valid until the next call. */
  async #pack(bytes: Uint8Array, encoding: 'gzip' | 'lz4'): Promise<Uint8Array> {
    if (encoding === 'gzip') return gzipNative(bytes);
    const wanted = lz4Bound(bytes.length);
    if (this.#room.length < wanted) this.#room = new Uint8Array(wanted);
    return lz4Pack(bytes, this.#room);
  }

  finish(): PackedSections {
    return { sections: this.#sections, contents: new Blob(this.#parts) };
  }
}

/** Puts packed sections and what they are of together to a file. */
export async function assembleHtvm(
  manifest: Omit<HtvmManifest, 'sections'>,
  packed: readonly PackedSections[],
): Promise<Blob> {
  const sections: HtvmSection[] = [];
  let offset = 0;
  for (const { name, version, stored, bytes, encoding, sha256: digest } of packed.flatMap(
    (part) => part.sections,
  )) {
    sections.push({ name, version, offset, stored, bytes, encoding, sha256: digest });
    offset += stored;
  }
  const whole: HtvmManifest = { ...manifest, sections };
  const text = new TextEncoder().encode(JSON.stringify(whole));
  const header = encodeHeader({
    format: sections.some(({ encoding }) => encoding === 'lz4') ? 2 : 1,
    manifestBytes: text.length,
    fileBytes: HEADER_BYTES + text.length + offset + END_MARK.length,
    manifestDigest: await sha256(text),
  });
  return new Blob([header, text, ...packed.map(({ contents }) => contents), END_MARK], {
    type: 'application/x-htvm',
  });
}
