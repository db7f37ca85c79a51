import { sha256, toHex } from '../storage/htvm/htvm-format.ts';
import type { WorkerHello } from '../worker/machine-control.ts';
import { FileError } from './errors.ts';
import type { Platform, WorkerHandle } from './platform.ts';

/**
 * Milliseconds in which a worker must have said its first word. Far more than a busy computer needs: one that ended
 * before it was watched leaves no other trace.
 */
const FIRST_WORD_MS = 30_000;

function startWorker(name: string): WorkerHandle {
  // Bundlers look for exactly this form.
  const worker = new Worker(new URL('../worker/machine-worker.js', import.meta.url), {
    type: 'module',
    name,
  });
  let terminated = false;
  const lock = `hypertab worker ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
  const watch = new AbortController();
  let patience: ReturnType<typeof setTimeout> | undefined;
  let silent = () => {};
  return {
    hello: (message: WorkerHello) => {
      worker.postMessage({ ...message, lock }, [message.port]);
      patience = setTimeout(() => silent(), FIRST_WORD_MS);
    },
    onLost: (listener) => {
      const lost = (message: string) => {
        if (terminated) return;
        terminated = true;
        watch.abort();
        clearTimeout(patience);
        worker.terminate();
        listener(new Error(message));
      };
      worker.onerror = (event) => {
        event.preventDefault();
        lost(event.message || 'its script could not be loaded');
      };
      // The worker holds the lock: whoever waits for it gets it when the worker has ended, however that was.
      silent = () => lost(`it has not begun within ${FIRST_WORD_MS / 1000} s; it may have ended before`);
      worker.onmessage = ({ data }) => {
        clearTimeout(patience);
        if (data !== 'held') return;
        const ended = () => lost('it has ended; the browser may have been short of memory');
        navigator.locks.request(lock, { signal: watch.signal }, ended).catch(() => {});
      };
      worker.onmessageerror = () => lost('a message to it could not be read');
    },
    terminate: async () => {
      terminated = true;
      watch.abort();
      clearTimeout(patience);
      worker.terminate();
    },
  };
}

async function loadCore(): Promise<WebAssembly.Module> {
  const url = new URL('../../core.wasm', import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new FileError(`cannot fetch ${url.href}: HTTP ${response.status}`);
  const type = response.headers.get('content-type') ?? '';
  return type.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

async function readFile(source: string | URL | Blob, limit: number): Promise<Blob> {
  if (source instanceof Blob) return checkSize(source, 'it', limit);
  let response: Response;
  try {
    response = await fetch(source);
  } catch (error) {
    throw new FileError(`cannot fetch ${source}: ${error instanceof Error ? error.message : error}`);
  }
  if (!response.ok) throw new FileError(`cannot fetch ${source}: HTTP ${response.status}`);
  // A page that answers every unknown address with itself is a common kind of missing file.
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw new FileError(`cannot fetch ${source}: the server answers with a page; is the file there?`);
  }
  if (Number(response.headers.get('content-length') ?? 0) > limit) {
    throw new FileError(`${source} is larger than ${limit} bytes`);
  }
  return checkSize(await response.blob(), String(source), limit);
}

function checkSize(blob: Blob, name: string, limit: number): Blob {
  if (blob.size > limit) throw new FileError(`${name} is larger than ${limit} bytes`);
  return blob;
}

/** The platform of a page or a worker of it. */
export const browserPlatform: Platform = {
  startWorker,
  loadCore,
  readFile,
  cores: () => navigator.hardwareConcurrency,
  coreKey: async () => {
    const response = await fetch(new URL('../../core.wasm', import.meta.url));
    return response.ok ? toHex(await sha256(new Uint8Array(await response.arrayBuffer()))) : '';
  },
  openSnapshots: async (kind) =>
    (await import('../storage/htvm/snapshot-files-browser.ts')).openSnapshotsBrowser(kind),
  resolveGuest: async (name) => {
    throw new FileError(`no guest '${name}': pass resolveGuest to new Hypervisor() to say where guests are`);
  },
};
