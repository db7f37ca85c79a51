import { readFile as readWhole, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// Renamed, because bundlers take `new Worker(new URL(…))` for a browser's worker.
import { Worker as Thread } from 'node:worker_threads';
import type { WorkerHello } from '../worker/machine-control.ts';
import { FileError } from './errors.ts';
import type { Platform, WorkerHandle } from './platform.ts';

const workerEntry = '../worker/machine-worker-node.js';
const corePath = '../../core.wasm';

function startWorker(name: string): WorkerHandle {
  const thread = new Thread(new URL(workerEntry, import.meta.url), { name });
  let ended = false;
  return {
    hello: (message: WorkerHello) =>
      thread.postMessage(message, [message.port as unknown as import('node:worker_threads').MessagePort]),
    onLost: (listener) => {
      const lost = (error: Error) => {
        if (ended) return;
        ended = true;
        listener(error);
      };
      thread.on('error', (error) => lost(error instanceof Error ? error : new Error(String(error))));
      thread.on('messageerror', lost);
      thread.on('exit', (code) => lost(new Error(`it ended with exit code ${code}`)));
    },
    terminate: async () => {
      ended = true;
      await thread.terminate();
    },
  };
}

async function loadCore(): Promise<WebAssembly.Module> {
  const url = new URL(corePath, import.meta.url);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readWhole(url);
  } catch {
    throw new FileError(`cannot read ${fileURLToPath(url)}; run \`npm run build\` first`);
  }
  return WebAssembly.compile(bytes);
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'no such file',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
};

async function readFile(source: string | URL | Blob, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Blob) {
    if (source.size > limit) throw new FileError(`it is larger than ${limit} bytes`);
    return new Uint8Array(await source.arrayBuffer());
  }
  const text = String(source);
  if (/^https?:/i.test(text)) return fetchFile(text, limit);
  const path = /^file:/i.test(text) ? fileURLToPath(text) : text;
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new FileError(`cannot read ${path}: it is a directory`);
    if (!info.isFile() && !info.isFIFO())
      throw new FileError(`cannot read ${path}: it is not a regular file`);
    if (info.size > limit) throw new FileError(`${path} is larger than ${limit} bytes`);
    const bytes = await readWhole(path);
    if (bytes.length > limit) throw new FileError(`${path} is larger than ${limit} bytes`);
    // A buffer of its own, so that it can be transferred to the worker.
    return bytes.byteLength === bytes.buffer.byteLength
      ? new Uint8Array(bytes.buffer, 0, bytes.byteLength)
      : new Uint8Array(bytes);
  } catch (error) {
    if (error instanceof FileError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new FileError(`cannot read ${path}: ${REASONS[code] ?? (error as Error).message}`);
  }
}

async function fetchFile(url: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new FileError(`cannot fetch ${url}: HTTP ${response.status}`);
    if (Number(response.headers.get('content-length') ?? 0) > limit) {
      throw new FileError(`${url} is larger than ${limit} bytes`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > limit) throw new FileError(`${url} is larger than ${limit} bytes`);
    return bytes;
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`cannot fetch ${url}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The platform of a Node process. */
export const nodePlatform: Platform = {
  startWorker,
  loadCore,
  readFile,
  cores: availableParallelism,
  coreKey: async () => {
    const { createHash } = await import('node:crypto');
    return createHash('sha256')
      .update(await readWhole(new URL(corePath, import.meta.url)))
      .digest('hex');
  },
  openSnapshots: async (kind) => {
    const { cacheFolder, snapshotsFolder } = await import('../guests/paths-node.ts');
    const { FolderSnapshots } = await import('../storage/htvm/snapshot-files-node.ts');
    return new FolderSnapshots(kind === 'warm' ? join(cacheFolder(), 'warm') : snapshotsFolder());
  },
  resolveGuest: async (name) => (await import('../guests/prepare-node.ts')).resolveGuestNode(name),
};
