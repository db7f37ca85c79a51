import { readFile } from 'node:fs/promises';
import type { ReadsJob } from '../guests/recipe-node.ts';
import { endsWithPrompt } from '../hypervisor/prompt.ts';
import { Machine } from '../machine/machine.ts';
import type { BlockBackend, MaybeLater } from '../storage/block-backend.ts';
import { FileBackend } from '../storage/file-backend-node.ts';
import { MemoryBackend } from '../storage/memory-backend.ts';
import { OverlayBackend } from '../storage/overlay-backend.ts';
import { overlayStoreBytes } from '../storage/overlay-layout.ts';
import { nextTurn } from '../worker/turns.ts';

/** A page fetches at least so much at a time: places within it are one. */
const PLACE_BYTES = 512 * 1024;
const SLICE_MS = 20;
const LIMIT_MS = 120_000;
const TAIL = 512;

/** Reads of a back end, noted by the place they begin in. */
class ReadsOf implements BlockBackend {
  readonly places = new Set<number>();
  readonly bytes: number;
  readonly readonly = true;
  readonly #backend: BlockBackend;

  constructor(backend: BlockBackend) {
    this.#backend = backend;
    this.bytes = backend.bytes;
  }
  read(offset: number, target: Uint8Array): MaybeLater {
    const end = offset + Math.max(1, target.length);
    for (let at = offset - (offset % PLACE_BYTES); at < end; at += PLACE_BYTES) this.places.add(at);
    return this.#backend.read(offset, target);
  }
  write = () => this.#refuse();
  flush = () => undefined;
  discard = () => this.#refuse();
  writeZeroes = () => this.#refuse();
  close = () => this.#backend.close();

  #refuse(): never {
    throw new Error('a disk whose reads are recorded is not written to');
  }
}

/**
 * Boots a machine up to its prompt, in this thread, and answers where it has read its disk.
 * @throws {Error} when it stops before that, or the job is aborted
 */
export async function recordReads(job: ReadsJob): Promise<number[]> {
  const core = await WebAssembly.compile(await readFile(new URL('../../core.wasm', import.meta.url)));
  const reads = new ReadsOf(await FileBackend.open(job.disk, { readonly: true }));
  try {
    const changes = new MemoryBackend({ bytes: overlayStoreBytes(reads.bytes) });
    const backend = await OverlayBackend.open(reads, changes, { name: 'what a boot writes' });
    // What opening it has read is no part of the boot.
    reads.places.clear();
    const machine = new Machine(
      {
        core,
        memory: job.memory,
        kernel: await readFile(job.kernel),
        initrd: await readFile(job.initrd),
        append: job.append,
        engine: 'auto',
        noReboot: true,
      },
      undefined,
      { drives: [{ backend }] },
    );
    await runToPrompt(machine, job);
    return [...reads.places];
  } finally {
    await reads.close();
  }
}

async function runToPrompt(machine: Machine, { prompt, signal }: ReadsJob): Promise<void> {
  const decoder = new TextDecoder();
  let tail = '';
  machine.onConsoleOutput = (bytes) => {
    tail = (tail + decoder.decode(bytes, { stream: true })).slice(-TAIL);
  };
  const end = performance.now() + LIMIT_MS;
  while (!endsWithPrompt(tail, prompt)) {
    signal?.throwIfAborted();
    if (performance.now() > end) throw new Error('the guest showed no prompt in time');
    const result = machine.runSlice(SLICE_MS);
    if (result.state === 'stopped')
      throw new Error(`the guest stopped before its prompt: ${tail.slice(-200)}`);
    await nextTurn();
  }
}
