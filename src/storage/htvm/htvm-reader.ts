import { Lz4Error, lz4Unpack } from '../lz4.ts';
import { BlobPieces } from './blob-pieces.ts';
import { gunzipNative } from './gzip-native.ts';
import { HtvmError } from './htvm-error.ts';
import { decodeHeader, END_MARK, HEADER_BYTES, sha256, toHex } from './htvm-format.ts';
import { type HtvmManifest, type HtvmSection, parseManifest } from './htvm-manifest.ts';

/** The bytes of an .htvm file, wherever they are. */
export type HtvmBytes = Uint8Array | Blob;

/** Most bytes that one section may unpack to: more than any part of a machine writes. */
const LARGEST_SECTION = 256 * 1024 ** 2;
/** Bytes that are read first: the manifest of most files is among them. */
const START_BYTES = 16 * 1024;
/** No LZ4 block unpacks to more than so many times its bytes: each byte of a length stands for at most 255. */
const MOST_LZ4 = 256;
/** Digests that are under way at once: each has a copy of its section. */
const DIGESTS_AHEAD = 3;

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
    // A look at a blob takes a browser a millisecond, whatever its length.
    const start = await readRange(source, 0, START_BYTES);
    const header = decodeHeader(start.subarray(0, HEADER_BYTES), name);
    if (size < header.fileBytes) {
      throw new HtvmError('truncated', `${name} is cut off: ${size} of ${header.fileBytes} bytes are there`);
    }
    if (size > header.fileBytes) {
      throw new HtvmError('damaged', `${name} is damaged: ${size - header.fileBytes} bytes follow its end`);
    }
    const contentStart = HEADER_BYTES + header.manifestBytes;
    const contentEnd = size - END_MARK.length;
    const [end, text] = await Promise.all([
      readRange(source, contentEnd, END_MARK.length),
      contentStart <= start.length
        ? start.subarray(HEADER_BYTES, contentStart)
        : readRange(source, HEADER_BYTES, header.manifestBytes),
    ]);
    if (END_MARK.some((byte, index) => end[index] !== byte)) {
      throw new HtvmError('truncated', `${name} is not whole: its end mark is missing`);
    }
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
    this.#checkLengths(section);
    const stored = await readRange(this.#source, this.#contentStart + section.offset, section.stored);
    if (!this.isOwn) await this.#checkDigest(section, stored);
    return this.#unpack(section, stored);
  }

  /**
   * Reads sections as read() does, at less cost where they follow each other in a blob: in one stream, and each used
   * while its digest is still made. What was made of them is of no use when this rejects.
   * @param use called for one after the other; the contents are valid until it returns
   * @throws {HtvmError} damaged
   */
  async readInOrder(
    names: readonly string[],
    use: (index: number, contents: Uint8Array) => void,
  ): Promise<void> {
    const sections = names.map((name) => this.section(name));
    for (const section of sections) this.#checkLengths(section);
    const pieces = this.#openPieces(sections);
    if (pieces === undefined) {
      for (const [index, name] of names.entries()) use(index, await this.read(name));
      return;
    }
    const digests: Promise<void>[] = [];
    let room = new Uint8Array(0);
    const roomOf = (bytes: number) => {
      if (room.length < bytes) room = new Uint8Array(bytes);
      return room.subarray(0, bytes);
    };
    try {
      for (const [index, section] of sections.entries()) {
        const stored = await pieces.next(section.stored);
        if (!this.isOwn) {
          const digest = this.#checkDigest(section, stored);
          digest.catch(() => {});
          digests.push(digest);
          await digests[index - DIGESTS_AHEAD];
        }
        use(index, await this.#unpack(section, stored, roomOf));
      }
    } catch (error) {
      // That a section is another one says more than what is wrong with its contents.
      await Promise.all(digests);
      throw error;
    } finally {
      pieces.close();
    }
    await Promise.all(digests);
  }

  /** Undefined unless the sections follow each other in a blob that can be read so. */
  #openPieces(sections: readonly HtvmSection[]): BlobPieces | undefined {
    const first = sections[0];
    if (first === undefined || !(this.#source instanceof Blob)) return undefined;
    let end = first.offset;
    let largest = 0;
    for (const { offset, stored } of sections) {
      if (offset !== end || stored > LARGEST_SECTION) return undefined;
      end += stored;
      largest = Math.max(largest, stored);
    }
    const [from, to] = [this.#contentStart + first.offset, this.#contentStart + end];
    return BlobPieces.open(this.#source, from, to, largest, this.name);
  }

  #checkLengths({ name, bytes, stored, encoding }: HtvmSection): void {
    const canBe = encoding === 'raw' ? bytes === stored : encoding === 'gzip' || bytes <= stored * MOST_LZ4;
    if (bytes > LARGEST_SECTION || !canBe) {
      throw new HtvmError('damaged', `${this.name} is damaged: the lengths of section ${name} cannot be`);
    }
  }

  /** What it is called with is copied before it returns. */
  async #checkDigest({ name, sha256: wanted }: HtvmSection, stored: Uint8Array): Promise<void> {
    if (toHex(await sha256(stored)) !== wanted) {
      throw new HtvmError('damaged', `${this.name} is damaged: section ${name} has another SHA-256`);
    }
  }

  /** @param roomOf memory for unpacked contents, for callers that are done with them before the next */
  async #unpack(
    { name, bytes, encoding }: HtvmSection,
    stored: Uint8Array,
    roomOf: (bytes: number) => Uint8Array = (length) => new Uint8Array(length),
  ): Promise<Uint8Array> {
    if (encoding === 'raw') return stored;
    try {
      if (encoding === 'gzip') return await gunzipNative(stored, bytes);
      const contents = roomOf(bytes);
      lz4Unpack(stored, contents);
      return contents;
    } catch (error) {
      if (!(error instanceof HtvmError || error instanceof Lz4Error)) throw error;
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
    for (const section of this.manifest.sections) {
      const { offset, stored } = section;
      await this.#checkDigest(section, await readRange(this.#source, this.#contentStart + offset, stored));
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
