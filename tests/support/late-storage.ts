// Back ends that answer in a later turn of the event loop, each request after a time of its own.
import type { BlockBackend } from '../../src/storage/block-backend.ts';
import type { FileSystem } from '../../src/storage/tree/file-system.ts';

/** Requests under way, and ever made. */
export interface Traffic {
  underWay: number;
  total: number;
}

async function later(traffic: Traffic): Promise<void> {
  traffic.underWay++;
  const turns = 1 + ((traffic.total++ * 7) % 5);
  for (let turn = 0; turn < turns; turn++) await new Promise((done) => setImmediate(done));
  traffic.underWay--;
}

/** A drive whose reads and writes happen later. */
export function lateDrive(inner: BlockBackend, traffic: Traffic): BlockBackend {
  const { bytes, readonly } = inner;
  return {
    bytes,
    readonly,
    read: (offset, target) => later(traffic).then(() => inner.read(offset, target)),
    write: (offset, source) => {
      const kept = source.slice();
      return later(traffic).then(() => inner.write(offset, kept));
    },
    flush: () => later(traffic).then(() => inner.flush()),
    discard: (offset, length) => later(traffic).then(() => inner.discard(offset, length)),
    writeZeroes: (offset, length) => later(traffic).then(() => inner.writeZeroes(offset, length)),
    close: () => inner.close(),
  };
}

/** A tree that looks things up and reads them later. */
export function lateTree(inner: FileSystem, traffic: Traffic): FileSystem {
  return new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (property === 'read') {
        return async (...[inode, offset, targets]: Parameters<FileSystem['read']>) => {
          const size = targets.reduce((sum, { length }) => sum + length, 0);
          await later(traffic);
          const bytes = new Uint8Array(size);
          return bytes.subarray(0, (await inner.read(inode, offset, [bytes])) as number);
        };
      }
      if (property !== 'lookup' && property !== 'attributes' && property !== 'list')
        return value.bind(target);
      return async (...args: unknown[]) => {
        await later(traffic);
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
