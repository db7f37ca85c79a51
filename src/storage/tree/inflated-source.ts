import { StorageError } from '../storage-error.ts';
import type { ByteSource } from './byte-source.ts';

/** Bytes in a piece of what was unpacked. */
const PIECE = 1 << 20;

/** Bytes that came as a stream, in pieces of one size. */
class PiecedSource implements ByteSource {
  size = 0;
  private readonly pieces: Uint8Array[] = [];

  append(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      const within = this.size % PIECE;
      if (within === 0) this.pieces.push(new Uint8Array(PIECE));
      const part = bytes.subarray(done, done + PIECE - within);
      this.pieces.at(-1)!.set(part, within);
      this.size += part.length;
      done += part.length;
    }
  }

  read(offset: number, targets: readonly Uint8Array[]): number {
    let at = offset;
    for (const target of targets) {
      let done = 0;
      while (done < target.length && at < this.size) {
        const within = at % PIECE;
        const count = Math.min(target.length - done, PIECE - within, this.size - at);
        target.set(this.pieces[(at - within) / PIECE]!.subarray(within, within + count), done);
        done += count;
        at += count;
      }
    }
    return Math.max(0, at - offset);
  }
}

/**
 * Unpacks a gzipped layer into memory, once.
 *
 * To read deflate in the middle takes a decoder that can start there, at a bit and with 32 KiB of what came before; no
 * platform's can. So what is read at random is unpacked first, here or, by whoever stores layers, into a file.
 * @param limit bytes it may unpack to: more is no layer but a bomb
 * @throws {StorageError} corrupt
 */
export async function inflate(
  packed: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
  what: string,
): Promise<ByteSource> {
  const source = new PiecedSource();
  const reader = packed.pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return source;
      if (source.size + value.length > limit) {
        await reader.cancel();
        throw new StorageError('corrupt', `${what} unpacks to more than ${limit} bytes`);
      }
      source.append(value);
    }
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('corrupt', `${what} is gzipped but damaged`, { cause: error });
  }
}
