// A worker that opens drives as a machine's worker does and works on them; tests/browser/storage.test.ts drives it.
import fc from 'fast-check';
import type { BlockBackend } from '../../src/storage/block-backend.ts';
import type { DriveSpec } from '../../src/storage/drive-spec.ts';
import { deleteIndexedDbDisk } from '../../src/storage/indexeddb-backend.ts';
import { openDriveBrowser } from '../../src/storage/open-drive-browser.ts';
import { deleteOpfsDisk } from '../../src/storage/opfs-backend.ts';
import { compareWithModel, operations, pattern } from './backend-model.ts';
import { checkLoad, runLoad } from './crash-load.ts';

export type Call =
  | { op: 'open'; spec: DriveSpec }
  | { op: 'close' }
  | { op: 'delete'; kind: 'opfs' | 'indexeddb'; name: string }
  | { op: 'model'; spec: DriveSpec; seed: number; runs: number; maxLength: number }
  | { op: 'load'; spec: DriveSpec; first: number }
  | { op: 'check'; spec: DriveSpec; acknowledged: number; unfinished: number[] }
  | { op: 'fill'; blockBytes: number; limit: number }
  | { op: 'verify'; blockBytes: number; count: number }
  | { op: 'bytes'; at: number; length: number }
  | { op: 'write' | 'read'; at: number; length: number; seed: number }
  | { op: 'speed'; bytes: number; blockBytes: number };

let drive: BlockBackend | undefined;
const held = () => {
  if (drive === undefined) throw new Error('open a drive first');
  return drive;
};

/** Lets the worker look at its messages, as a machine does between slices; Chromium takes 2 s to end one that never does. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port2.onmessage = () => {
      port1.close();
      resolve();
    };
    port1.postMessage(0);
  });
}

async function answer(call: Call): Promise<unknown> {
  switch (call.op) {
    case 'open':
      drive = await openDriveBrowser(call.spec);
      return drive.bytes;
    case 'close':
      await held().close();
      return undefined;
    case 'delete':
      return call.kind === 'opfs' ? deleteOpfsDisk(call.name) : deleteIndexedDbDisk(call.name);
    case 'model': {
      let backend = await openDriveBrowser(call.spec);
      const zeroed = backend.bytes;
      for (const list of fc.sample(operations(zeroed, call.maxLength, 30), {
        seed: call.seed,
        numRuns: call.runs,
      })) {
        await backend.writeZeroes(0, zeroed);
        backend = await compareWithModel(backend, list, async (old) => {
          await old.close();
          return openDriveBrowser(call.spec);
        });
      }
      await backend.close();
      return call.runs;
    }
    case 'load':
      drive = await openDriveBrowser(call.spec);
      await runLoad(drive, call.first, (round) => {
        postMessage({ round });
        return turn();
      });
      return undefined;
    case 'check': {
      const backend = await openDriveBrowser(call.spec);
      const result = await checkLoad(backend, call.acknowledged, new Set(call.unfinished));
      await backend.close();
      return result;
    }
    case 'fill': {
      // Writes and flushes blocks until the store is full; what was answered before counts.
      let count = 0;
      try {
        for (; count < call.limit; count++) {
          await held().write(count * call.blockBytes, pattern(count, call.blockBytes));
          await held().flush();
        }
      } catch (error) {
        return { count, kind: (error as { kind?: string }).kind ?? String(error) };
      }
      return { count, kind: 'never' };
    }
    case 'verify': {
      const target = new Uint8Array(call.blockBytes);
      for (let index = 0; index < call.count; index++) {
        await held().read(index * call.blockBytes, target);
        const right = pattern(index, call.blockBytes);
        if (target.some((byte, place) => byte !== right[place])) return `block ${index} is wrong`;
      }
      return 'right';
    }
    case 'bytes': {
      const target = new Uint8Array(call.length);
      await held().read(call.at, target);
      return [...target];
    }
    case 'write':
      await held().write(call.at, pattern(call.seed, call.length));
      await held().flush();
      return undefined;
    case 'read': {
      const target = new Uint8Array(call.length);
      await held().read(call.at, target);
      const right = pattern(call.seed, call.length);
      return target.every((byte, index) => byte === right[index]);
    }
    case 'speed':
      return speed(held(), call.bytes, call.blockBytes);
  }
}

/** Megabytes (10^6) a second of sequential writes with one flush, and reads; operations a second of 4 KiB ones. */
async function speed(backend: BlockBackend, bytes: number, blockBytes: number) {
  const block = pattern(1, blockBytes);
  const timed = async (step: () => Promise<void>) => {
    const start = performance.now();
    await step();
    return (performance.now() - start) / 1000;
  };
  const wrote = await timed(async () => {
    for (let at = 0; at < bytes; at += blockBytes) {
      const result = backend.write(at, block);
      if (result !== undefined) await result;
    }
    await backend.flush();
  });
  const read = await timed(async () => {
    for (let at = 0; at < bytes; at += blockBytes) {
      const result = backend.read(at, block);
      if (result !== undefined) await result;
    }
  });
  const small = new Uint8Array(4096);
  const count = 5000;
  const place = (index: number) => ((index * 7919) % (bytes / 4096)) * 4096;
  const smallReads = await timed(async () => {
    for (let index = 0; index < count; index++) {
      const result = backend.read(place(index), small);
      if (result !== undefined) await result;
    }
  });
  const smallWrites = await timed(async () => {
    for (let index = 0; index < count; index++) {
      const result = backend.write(place(index), small);
      if (result !== undefined) await result;
    }
    await backend.flush();
  });
  const flushes = 50;
  const flushed = await timed(async () => {
    for (let index = 0; index < flushes; index++) {
      await backend.write(place(index), small);
      await backend.flush();
    }
  });
  return {
    write: bytes / 1e6 / wrote,
    read: bytes / 1e6 / read,
    smallReads: count / smallReads,
    smallWrites: count / smallWrites,
    flushMs: (flushed / flushes) * 1000,
  };
}

addEventListener('message', async (event: MessageEvent<Call>) => {
  try {
    postMessage({ result: await answer(event.data) });
  } catch (error) {
    const { kind, message } = error as { kind?: string; message?: string };
    postMessage({ error: { kind: kind ?? 'none', message: message ?? String(error) } });
  }
});
