// What a drive keeps in memory as sections of an .htvm file: which pieces there are, and their contents.
import { MEMORY_CHUNK_BYTES, type MemoryContents } from '../memory-backend.ts';
import { HtvmError } from './htvm-error.ts';
import type { HtvmFile } from './htvm-reader.ts';
import type { SectionPacker } from './htvm-writer.ts';

const VERSION = 1;
/** Chunks in a section: 2 MiB. */
const SECTION_CHUNKS = 32;
/** Bytes of the map before its chunk numbers: the drive's size. */
const MAP_HEADER = 8;

/** Adds the contents of one store as sections `NAME/map`, `NAME/0` and so on. */
export async function packMemory(
  packer: SectionPacker,
  name: string,
  contents: MemoryContents,
): Promise<void> {
  const numbers = [...contents.chunks.keys()].sort((a, b) => a - b);
  const map = new Uint8Array(MAP_HEADER + numbers.length * 4);
  const view = new DataView(map.buffer);
  view.setBigUint64(0, BigInt(contents.bytes), true);
  for (const [index, chunk] of numbers.entries()) view.setUint32(MAP_HEADER + index * 4, chunk, true);
  await packer.add(`${name}/map`, VERSION, map);
  for (let start = 0; start < numbers.length; start += SECTION_CHUNKS) {
    const some = numbers.slice(start, start + SECTION_CHUNKS);
    const bytes = new Uint8Array(some.length * MEMORY_CHUNK_BYTES);
    for (const [index, chunk] of some.entries()) {
      bytes.set(contents.chunks.get(chunk)!, index * MEMORY_CHUNK_BYTES);
    }
    await packer.add(`${name}/${start / SECTION_CHUNKS}`, VERSION, bytes);
  }
}

/**
 * Reads what packMemory() wrote.
 * @throws {HtvmError} damaged or version
 */
export async function unpackMemory(file: HtvmFile, name: string): Promise<MemoryContents> {
  const refuse = (section: string, what: string) =>
    new HtvmError('damaged', `${file.name} is damaged: section ${section} ${what}`);
  const check = (section: string) => {
    const { version } = file.section(section);
    if (version === VERSION) return;
    throw new HtvmError(
      'version',
      `${file.name}: section ${section} has version ${version}, and this version of Hypertab reads ${VERSION}`,
    );
  };
  const mapName = `${name}/map`;
  check(mapName);
  const map = await file.read(mapName);
  if (map.length < MAP_HEADER || map.length % 4 !== 0) throw refuse(mapName, 'has a length that cannot be');
  const view = new DataView(map.buffer, map.byteOffset, map.byteLength);
  const bytes = Number(view.getBigUint64(0, true));
  const count = (map.length - MAP_HEADER) / 4;
  const chunks = new Map<number, Uint8Array>();
  for (let start = 0; start < count; start += SECTION_CHUNKS) {
    const section = `${name}/${start / SECTION_CHUNKS}`;
    check(section);
    const some = Math.min(SECTION_CHUNKS, count - start);
    if (file.section(section).bytes !== some * MEMORY_CHUNK_BYTES)
      throw refuse(section, 'has another length');
    const contents = await file.read(section);
    for (let index = 0; index < some; index++) {
      const chunk = view.getUint32(MAP_HEADER + (start + index) * 4, true);
      if (chunks.has(chunk) || chunk * MEMORY_CHUNK_BYTES >= bytes)
        throw refuse(mapName, `names piece ${chunk}`);
      chunks.set(chunk, contents.subarray(index * MEMORY_CHUNK_BYTES, (index + 1) * MEMORY_CHUNK_BYTES));
    }
  }
  return { bytes, chunks };
}
