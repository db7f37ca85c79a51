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

/** How sections are stored: gzip where that makes them smaller, or as they are (all, or RAM's), to be read fast. */
export type Packing = 'gzip' | 'raw' | 'raw-ram';

/** Encodes sections one after the other. */
export class SectionPacker {
  readonly #sections: PackedSection[] = [];
  readonly #parts: Blob[] = [];
  readonly #packing: Packing;

  constructor(packing: Packing) {
    this.#packing = packing;
  }

  /** Adds a section; `bytes` must not change before the promise resolves. */
  async add(name: string, version: number, bytes: Uint8Array): Promise<void> {
    const isRaw = this.#packing === 'raw' || (this.#packing === 'raw-ram' && isRamSection(name));
    const packed = !isRaw && bytes.length > 64 ? await gzipNative(bytes) : bytes;
    const pays = packed.length < bytes.length;
    const stored = pays ? packed : bytes;
    const digest = toHex(await sha256(stored));
    this.#sections.push({
      name,
      version,
      stored: stored.length,
      bytes: bytes.length,
      encoding: pays ? 'gzip' : 'raw',
      sha256: digest,
    });
    // A blob each: browsers keep it outside this worker's memory from here on.
    this.#parts.push(new Blob([stored as Uint8Array<ArrayBuffer>]));
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
    manifestBytes: text.length,
    fileBytes: HEADER_BYTES + text.length + offset + END_MARK.length,
    manifestDigest: await sha256(text),
  });
  return new Blob([header, text, ...packed.map(({ contents }) => contents), END_MARK], {
    type: 'application/x-htvm',
  });
}
