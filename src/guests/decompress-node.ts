import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { GuestError } from './guest-error.ts';

/** How a file is compressed, by the end of its name. */
export type Compression = 'xz' | 'gz' | 'zst' | 'none';

/** Which compression a file name tells of. */
export function compressionOf(name: string): Compression {
  const extension = /\.(xz|gz|zst)$/.exec(name)?.[1];
  return (extension as Compression | undefined) ?? 'none';
}

/**
 * Decompresses a stream.
 * @param what names the file in errors
 * @throws {GuestError} format, from the returned stream too, when the data is damaged
 */
export async function* decompress(
  source: Readable,
  compression: Compression,
  what: string,
): AsyncGenerator<Uint8Array> {
  try {
    switch (compression) {
      case 'none':
        yield* source as AsyncIterable<Uint8Array>;
        break;
      case 'xz':
        yield* unxz(source);
        break;
      case 'gz':
        yield* through(source, zlib.createGunzip());
        break;
      case 'zst':
        yield* unzstd(source, what);
        break;
    }
  } catch (error) {
    if (error instanceof GuestError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new GuestError('format', `${what} cannot be decompressed: ${reason}`, error);
  } finally {
    source.destroy();
  }
}

async function* unxz(source: Readable): AsyncGenerator<Uint8Array> {
  // The package is a UMD bundle, in which Node finds no named exports for an import.
  const { XzReadableStream } = createRequire(import.meta.url)(
    'xz-decompress',
  ) as typeof import('xz-decompress');
  const stream = new XzReadableStream(Readable.toWeb(source) as unknown as ReadableStream<Uint8Array>);
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    // The package holds a lock until a stream has ended or is cancelled, and throws when a stream is cancelled
    // whose last bytes it has decompressed but not handed over.
    if (!ended) await reader.cancel().catch(() => {});
  }
}

async function* through(source: Readable, transform: NodeJS.ReadWriteStream): AsyncGenerator<Uint8Array> {
  const failed = pipeline(source, transform).catch(() => {});
  yield* transform as unknown as AsyncIterable<Uint8Array>;
  await failed;
}

/** Node has had Zstandard since 22.15; before that, the program zstd does it. */
async function* unzstd(source: Readable, what: string): AsyncGenerator<Uint8Array> {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream };
  if (createZstdDecompress !== undefined) {
    yield* through(source, createZstdDecompress());
    return;
  }
  const child = spawn('zstd', ['-dcq'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve, reject) => {
    let message = '';
    child.stderr.on('data', (chunk: Buffer) => {
      message = (message + chunk).slice(-200);
    });
    child.on('error', () =>
      reject(
        new GuestError(
          'format',
          `${what} needs zstd: install the Debian package zstd, or Node 22.15 or later`,
        ),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new GuestError('format', `${what} cannot be decompressed: ${message.trim() || `zstd: ${code}`}`),
        );
    });
  });
  ended.catch(() => {});
  const fed = pipeline(source, child.stdin).catch(() => {});
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    await ended;
    await fed;
  } finally {
    child.kill();
  }
}
