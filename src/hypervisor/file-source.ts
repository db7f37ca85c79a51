import { gunzip, isGzip } from '../storage/gzip.ts';
import { FileError } from './errors.ts';
import type { Platform } from './platform.ts';
import type { FileSource } from './types.ts';

/** Largest image that is read or unpacked, in bytes: what is plainly no kernel must not fill the host's memory. */
const LARGEST_FILE = 512 * 1024 ** 2;

/** A file in memory. */
export interface LoadedFile {
  bytes: Uint8Array<ArrayBuffer>;
  /** True when nobody else holds the buffer, so that it can be transferred. */
  owned: boolean;
}

/**
 * Reads a file and unpacks it when it is gzipped (RFC 1952).
 * @param what names the file's part in error messages: kernel, initrd, bios
 * @throws {FileError} when it cannot be read, is empty or is damaged
 */
export async function loadFile(
  source: FileSource,
  what: 'kernel' | 'initrd' | 'bios',
  platform: Platform,
): Promise<LoadedFile> {
  let file: LoadedFile;
  if (source instanceof Uint8Array) {
    file = { bytes: source as Uint8Array<ArrayBuffer>, owned: false };
  } else {
    try {
      file = { bytes: await platform.readFile(source, LARGEST_FILE), owned: true };
    } catch (error) {
      throw error instanceof FileError ? new FileError(`${what}: ${error.message}`) : error;
    }
  }
  const name = source instanceof Uint8Array ? what : `${what}: ${source}`;
  if (file.bytes.length === 0) throw new FileError(`${name} is empty`);
  if (!isGzip(file.bytes)) return file;
  try {
    return { bytes: await gunzip(file.bytes, LARGEST_FILE), owned: true };
  } catch (error) {
    if (error instanceof RangeError)
      throw new FileError(`${name} unpacks to more than ${LARGEST_FILE} bytes`);
    // An initrd may be several archives in a row, which only the kernel knows how to take apart.
    if (what === 'initrd') return file;
    throw new FileError(`${name} is gzipped but damaged; is it complete?`);
  }
}
