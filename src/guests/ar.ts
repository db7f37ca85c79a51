// The ar archive as deb(5) uses it: "!<arch>\n", then 60-byte headers, each followed by its data padded to 2 bytes.
import { GuestError } from './guest-error.ts';

export interface ArMember {
  name: string;
  /** Where its data begins in the archive. */
  offset: number;
  size: number;
}

/** Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;
/** A .deb has three members; signatures and the like may add a few. */
const MOST_MEMBERS = 64;

/**
 * Lists the members of an ar archive.
 * @param what names the file in errors
 * @param size bytes of the archive
 * @throws {GuestError} format
 */
export async function listAr(readAt: ReadAt, size: number, what: string): Promise<ArMember[]> {
  const decoder = new TextDecoder('latin1');
  const bad = (why: string) => new GuestError('format', `${what} is no Debian package: ${why}`);
  if (decoder.decode(await readAt(0, MAGIC.length)) !== MAGIC)
    throw bad('it does not begin as an ar archive');
  const members: ArMember[] = [];
  for (let offset = MAGIC.length; offset < size; ) {
    const header = decoder.decode(await readAt(offset, HEADER_BYTES));
    if (header.length < HEADER_BYTES) throw bad(`it ends within a header at byte ${offset}`);
    const digits = header.slice(48, 58).trimEnd();
    if (header.slice(58) !== '`\n' || !/^\d+$/.test(digits)) throw bad(`malformed header at byte ${offset}`);
    const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
    const length = Number(digits);
    offset += HEADER_BYTES;
    if (offset + length > size) throw bad(`its member ${name} is cut off`);
    if (members.length === MOST_MEMBERS) throw bad(`it has more than ${MOST_MEMBERS} members`);
    members.push({ name, offset, size: length });
    offset += length + (length & 1);
  }
  return members;
}
