import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { listAr } from './ar.ts';
import { compressionOf, decompress } from './decompress-node.ts';
import { GuestError } from './guest-error.ts';
import { readTar, type TarEntry } from './tar.ts';

/**
 * Yields the entries of a Debian package's archive of files, or of the one for dpkg (deb(5)). Stop early when you
 * have what you want.
 * @throws {GuestError} format
 */
export async function* readDeb(
  path: string,
  what: string,
  archive: 'data' | 'control' = 'data',
): AsyncGenerator<TarEntry> {
  const file = await open(path);
  let data: { name: string; offset: number; size: number } | undefined;
  try {
    const { size } = await file.stat();
    const readAt = async (offset: number, length: number) => {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    const members = await listAr(readAt, size, what);
    if (members[0]?.name !== 'debian-binary') {
      throw new GuestError('format', `${what} is no Debian package: debian-binary is not its first member`);
    }
    data = members.find(
      ({ name }) => name.startsWith(`${archive}.tar`) && /\.tar(\.(xz|gz|zst))?$/.test(name),
    );
  } finally {
    await file.close();
  }
  if (data === undefined) {
    throw new GuestError(
      'format',
      `${what} has no ${archive}.tar, ${archive}.tar.xz, .gz or .zst: it cannot be unpacked`,
    );
  }
  const { name, offset, size } = data;
  const source =
    size === 0
      ? Readable.from([])
      : createReadStream(path, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 });
  yield* readTar(decompress(source, compressionOf(name), what), what);
}

/**
 * Reads the files of a Debian package that `wanted` picks by path; stops once it answers 'last'.
 * @throws {GuestError} format
 */
export async function extractDeb(
  path: string,
  what: string,
  wanted: (entry: TarEntry) => boolean | 'last',
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const entry of readDeb(path, what)) {
    if (entry.type !== 'file') continue;
    const answer = wanted(entry);
    if (answer === false) continue;
    files.set(entry.path, await entry.read());
    if (answer === 'last') break;
  }
  return files;
}
