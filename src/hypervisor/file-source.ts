import { FileError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { FileSource } from './types.ts';

/** Largest file that is read, in bytes: no kernel is as large. */
const LARGEST_FILE = 512 * 1024 ** 2;

/** A file that a worker can read. */
export interface LoadedFile {
  bytes: Uint8Array<ArrayBuffer> | Blob;
  /** True when nobody else holds the buffer, so that it can be transferred. */
  owned: boolean;
}

/**
 * Reads a file. A gzipped one (RFC 1952) stays so: the machine unpacks it where it goes.
 * @param what names the file's part in error messages: kernel, initrd, bios
 * @param transfer bytes given as such may be taken away from whoever gave them
 * @throws {FileError} when it cannot be read or is empty
 */
export async function loadFile(
  source: FileSource,
  what: 'kernel' | 'initrd' | 'bios',
  platform: Platform,
  transfer = false,
): Promise<LoadedFile> {
  let file: LoadedFile;
  if (source instanceof Uint8Array) {
    file = { bytes: source as Uint8Array<ArrayBuffer>, owned: transfer && isWholeBuffer(source) };
  } else {
    try {
      file = { bytes: await platform.readFile(source, LARGEST_FILE), owned: true };
    } catch (error) {
      throw error instanceof FileError ? new FileError(`${what}: ${error.message}`) : error;
    }
  }
  const name = nameOf(what, source);
  const { bytes } = file;
  if ((bytes instanceof Blob ? bytes.size : bytes.length) === 0) throw new FileError(`${name} is empty`);
  return file;
}

/** How messages call a file: `kernel`, or `kernel: /path` where it has a name. */
export function nameOf(what: string, source: FileSource): string {
  return source instanceof Uint8Array || source instanceof Blob ? what : `${what}: ${source}`;
}

/** A buffer that holds these bytes and nothing else, and that can be transferred. */
function isWholeBuffer(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
}
