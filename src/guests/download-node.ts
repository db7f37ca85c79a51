import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diskError, fileSize, hashFile, onDisk } from './disk-node.ts';
import { GuestError } from './guest-error.ts';
import { arrivals, type HttpAnswer, httpGet } from './http-node.ts';
import type { ProgressListener } from './progress.ts';

export interface Download {
  url: string;
  /** Where it goes. Until it is whole and right it is called `path`.part. */
  path: string;
  /** What people know it as. */
  label: string;
  /** Expected SHA-256 in lower-case hex; absent for the one file at the root of the chain. */
  sha256?: string;
  /** Expected size; a longer answer is refused. */
  bytes?: number;
  /** Size beyond which an answer of unknown size is refused. */
  limit?: number;
}

export interface DownloadOptions {
  onProgress?: ProgressListener;
  signal?: AbortSignal;
  /** Tries before giving up. Default 5. Progress made resets the count. */
  attempts?: number;
  /** Milliseconds before the second try; doubled for each further one. Default 500. */
  retryMs?: number;
  idleMs?: number;
}

/** A failure that another try may mend. */
class TransientError extends Error {}

const DEFAULT_LIMIT = 64 * 1024 ** 2;

/**
 * Fetches a file, going on where an earlier run was cut off, and checks its size and SHA-256.
 * @returns true when it was fetched, false when the right file was there already
 * @throws {GuestError} network, checksum, disk or aborted; what came so far stays in `path`.part
 */
export async function download(what: Download, options: DownloadOptions = {}): Promise<boolean> {
  const { signal } = options;
  if (what.sha256 !== undefined && (await isRight(what.path, what, signal))) return false;
  await onDisk(dirname(what.path), () => mkdir(dirname(what.path), { recursive: true }));
  const part = `${what.path}.part`;
  const attempts = options.attempts ?? 5;
  let mismatches = 0;
  for (let failures = 0; ; ) {
    throwIfAborted(signal);
    const before = (await fileSize(part)) ?? 0;
    try {
      await transfer(what, part, options);
      if (what.sha256 === undefined || (await isRight(part, what, signal))) {
        await onDisk(what.path, () => rename(part, what.path));
        return true;
      }
    } catch (error) {
      if (signal?.aborted) throw aborted();
      if (!(error instanceof TransientError)) throw diskError(error, part);
      const progressed = ((await fileSize(part)) ?? 0) > before;
      failures = progressed ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new GuestError(
          'network',
          `cannot fetch ${what.url}: ${error.message}; check the network and run the same command again: it goes on where it stopped`,
          error,
        );
      }
      await sleep((options.retryMs ?? 500) * 2 ** Math.min(failures - 1, 5), undefined, { signal }).catch(
        () => {
          throw aborted();
        },
      );
      continue;
    }
    // Whole but wrong. What was resumed may be of an older file: one more try from the start.
    await rm(part, { force: true });
    if (++mismatches === 2) {
      throw new GuestError(
        'checksum',
        `${what.url} is not the file that the archive's index describes (SHA-256 differs); the mirror is damaged or being updated: try again later or set another one in HYPERTAB_DEBIAN_MIRROR`,
      );
    }
  }
}

const aborted = () => new GuestError('aborted', 'the preparation was cancelled');

/** @throws {GuestError} aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted();
}

async function isRight(path: string, what: Download, signal: AbortSignal | undefined): Promise<boolean> {
  const size = await fileSize(path);
  if (size === undefined || (what.bytes !== undefined && size !== what.bytes)) return false;
  return (await hashFile(path, signal)) === what.sha256;
}

/** One request: appends to the part file when the server goes on from its end, else writes it anew. */
async function transfer(what: Download, part: string, options: DownloadOptions): Promise<void> {
  const { signal, onProgress } = options;
  // Without a hash nothing says that an old part belongs to the same file.
  if (what.sha256 === undefined) await rm(part, { force: true });
  let have = (await fileSize(part)) ?? 0;
  if (what.bytes !== undefined) {
    if (have > what.bytes) {
      await rm(part, { force: true });
      have = 0;
    } else if (have === what.bytes && have > 0) {
      return;
    }
  }
  const headers: Record<string, string> = { 'user-agent': 'hypertab', 'accept-encoding': 'identity' };
  if (have > 0) headers.range = `bytes=${have}-`;
  let answer: HttpAnswer;
  try {
    answer = await httpGet(what.url, { headers, signal, idleMs: options.idleMs });
  } catch (error) {
    if (error instanceof GuestError) throw error;
    throw new TransientError(reasonOf(error));
  }
  try {
    const chunks = arrivals(answer.body);
    const start = startOfBody(answer, have, what.url);
    if (start === undefined) {
      await rm(part, { force: true });
      throw new TransientError('the server cannot go on from where the last transfer ended');
    }
    const length = answer.headers['content-length'];
    const total = what.bytes ?? (length === undefined ? undefined : start + Number(length));
    const limit = what.bytes ?? what.limit ?? DEFAULT_LIMIT;
    const file = await open(part, start === 0 ? 'w' : 'a');
    let done = start;
    try {
      onProgress?.({ kind: 'bytes', label: what.label, done, total, resumed: start });
      for (;;) {
        let chunk: Buffer;
        try {
          const next = await chunks.next();
          if (next.done) break;
          chunk = next.value;
        } catch (error) {
          throw new TransientError(reasonOf(error));
        }
        done += chunk.length;
        if (done > limit) {
          throw new GuestError(
            'checksum',
            `${what.url} is larger than the ${limit} bytes expected; the mirror is damaged or being updated: try again later or set another one in HYPERTAB_DEBIAN_MIRROR`,
          );
        }
        await file.appendFile(chunk);
        onProgress?.({ kind: 'bytes', label: what.label, done, total, resumed: start });
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && done < total) {
      throw new TransientError(`the connection ended after ${done} of ${total} bytes`);
    }
  } catch (error) {
    if (error instanceof GuestError && error.code === 'checksum') await rm(part, { force: true });
    throw error;
  } finally {
    answer.body.destroy();
  }
}

/** At which byte of the file the answer's body begins; undefined when the part file must be thrown away. */
function startOfBody(answer: HttpAnswer, have: number, url: string): number | undefined {
  switch (answer.status) {
    case 200:
      return 0;
    case 206: {
      const range = /^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '');
      return range !== null && Number(range[1]) === have ? have : undefined;
    }
    case 416:
      return undefined;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      throw new TransientError(`the server answers HTTP ${answer.status}`);
    default:
      throw new GuestError(
        'network',
        `cannot fetch ${url}: the server answers HTTP ${answer.status}; check the mirror's address (HYPERTAB_DEBIAN_MIRROR)`,
      );
  }
}

const NETWORK_REASONS: Record<string, string> = {
  ENOTFOUND: 'the host name cannot be found',
  EAI_AGAIN: 'the host name cannot be looked up at the moment',
  ECONNREFUSED: 'the server refuses the connection',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'the server does not answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const message = error instanceof Error && error.message !== '' ? error.message : String(error);
  return NETWORK_REASONS[code] ?? (message === 'aborted' ? 'the connection was cut' : message);
}
