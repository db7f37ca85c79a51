import { gunzipNative } from './gzip-native.ts';
import { HtvmError } from './htvm-error.ts';
import { decodeHeader, END_MARK, HEADER_BYTES, sha256, toHex } from './htvm-format.ts';
import { type HtvmManifest, type HtvmSection, parseManifest } from './htvm-manifest.ts';

/** The bytes of an .htvm file, wherever they are. */
export type HtvmBytes = Uint8Array | Blob;

/** Most bytes that one section may unpack to: more than any part of a machine writes. */
const LARGEST_SECTION = 256 * 1024 ** 2;

/** An .htvm file whose header and manifest have been checked; contents are checked as they are read. */
export class HtvmFile {
  readonly manifest: HtvmManifest;
  /** What it is called in errors. */
  readonly name: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Nobody else can have changed it: the digests of sections are not checked. */
  readonly isOwn: boolean;
  readonly #source: HtvmBytes;
  readonly #contentStart: number;
  readonly #byName: Map<string, HtvmSection>;

  private constructor(
    source: HtvmBytes,
    manifest: HtvmManifest,
    name: string,
    contentStart: number,
    isOwn: boolean,
  ) {
    this.#source = source;
    this.manifest = manifest;
    this.isOwn = isOwn;
    this.name = name;
    this.bytes = sizeOf(source);
    this.#contentStart = contentStart;
    this.#byName = new Map(manifest.sections.map((section) => [section.name, section]));
  }

  /**
   * Reads header, manifest and end mark.
   * @param name what it is called in errors
   * @param isOwn it comes from where only this program writes: see isOwn
   * @throws {HtvmError} format, version, truncated or damaged
   */
  static async open(source: HtvmBytes, name = 'the file', isOwn = false): Promise<HtvmFile> {
    const size = sizeOf(source);
    const header = decodeHeader(await readRange(source, 0, HEADER_BYTES), name);
    if (size < header.fileBytes) {
      throw new HtvmError('truncated', `${name} is cut off: ${size} of ${header.fileBytes} bytes are there`);
    }
    if (size > header.fileBytes) {
      throw new HtvmError('damaged', `${name} is damaged: ${size - header.fileBytes} bytes follow its end`);
    }
    const contentStart = HEADER_BYTES + header.manifestBytes;
    const contentEnd = size - END_MARK.length;
    const end = await readRange(source, contentEnd, END_MARK.length);
    if (END_MARK.some((byte, index) => end[index] !== byte)) {
      throw new HtvmError('truncated', `${name} is not whole: its end mark is missing`);
    }
    const text = await readRange(source, HEADER_BYTES, header.manifestBytes);
    const digest = await sha256(text);
    if (digest.some((byte, index) => header.manifestDigest[index] !== byte)) {
      throw new HtvmError('damaged', `${name} is damaged: its manifest is not the one its header names`);
    }
    const manifest = parseManifest(new TextDecoder().decode(text), contentEnd - contentStart, name);
    return new HtvmFile(source, manifest, name, contentStart, isOwn);
  }

  get source(): HtvmBytes {
    return this.#source;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  section(name: string): HtvmSection {
    const section = this.#byName.get(name);
    if (section === undefined)
      throw new HtvmError('damaged', `${this.name} is damaged: it has no section ${name}`);
    return section;
  }

  /** Sections whose names begin so, in the order of the file. */
  sectionsUnder(prefix: string): HtvmSection[] {
    return this.manifest.sections.filter(({ name }) => name.startsWith(prefix));
  }

  /**
   * A section's contents, its digest and length checked.
   * @throws {HtvmError} damaged
   */
  async read(name: string): Promise<Uint8Array> {
    const section = this.section(name);
    if (section.bytes > LARGEST_SECTION || (section.encoding === 'raw' && section.bytes !== section.stored)) {
      throw new HtvmError('damaged', `${this.name} is damaged: the lengths of section ${name} cannot be`);
    }
    const stored = await readRange(this.#source, this.#contentStart + section.offset, section.stored);
    if (!this.isOwn && toHex(await sha256(stored)) !== section.sha256) {
      throw new HtvmError('damaged', `${this.name} is damaged: section ${name} has another SHA-256`);
    }
    if (section.encoding === 'raw') return stored;
    try {
      return await gunzipNative(stored, section.bytes);
    } catch (error) {
      if (!(error instanceof HtvmError)) throw error;
      throw new HtvmError('damaged', `${this.name} is damaged: section ${name}: ${error.message}`, {
        cause: error,
      });
    }
  }

  /**
   * Checks the digest of every section, without unpacking them.
   * @throws {HtvmError} damaged
   */
  async verify(): Promise<void> {
    for (const { name, offset, stored, sha256: wanted } of this.manifest.sections) {
      const bytes = await readRange(this.#source, this.#contentStart + offset, stored);
      if (toHex(await sha256(bytes)) !== wanted) {
        throw new HtvmError('damaged', `${this.name} is damaged: section ${name} has another SHA-256`);
      }
    }
  }
}

function sizeOf(source: HtvmBytes): number {
  return source instanceof Blob ? source.size : source.length;
}

/** Bytes from `start`, fewer at the end. */
async function readRange(source: HtvmBytes, start: number, length: number): Promise<Uint8Array> {
  if (source instanceof Blob) return new Uint8Array(await source.slice(start, start + length).arrayBuffer());
  return source.subarray(start, start + length);
}
