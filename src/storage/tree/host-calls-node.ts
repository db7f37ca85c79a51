// Calls on the host's files that Node has otherwise or not at all: any number of buffers at once, an exchange of two
// names, a directory made durable.
import { closeSync, constants, fsyncSync, openSync, readvSync, renameSync, writevSync } from 'node:fs';
import { lengthOf } from './byte-source.ts';
import type { HostPath } from './host-inode-node.ts';

/** Buffers of one readv or writev (IOV_MAX). */
const VECTORS_MAX = 1024;

/** Fills `targets` from byte `offset` on; answers how many bytes there were. */
export function readVectors(fd: number, offset: number, targets: readonly Uint8Array[]): number {
  let done = 0;
  for (let at = 0; at < targets.length; at += VECTORS_MAX) {
    const part = targets.length <= VECTORS_MAX ? targets : targets.slice(at, at + VECTORS_MAX);
    const count = readvSync(fd, part, offset + done);
    done += count;
    if (count < lengthOf(part)) break;
  }
  return done;
}

/** Writes all of `sources` from byte `offset` on; answers how many bytes it wrote before an error. */
export function writeVectors(fd: number, offset: number, sources: readonly Uint8Array[]): number {
  let left = sources.filter((source) => source.length > 0);
  let done = 0;
  while (left.length > 0) {
    let count: number;
    try {
      count = writevSync(fd, left.slice(0, VECTORS_MAX), offset + done);
    } catch (error) {
      // What was written is written; the next call meets the error.
      if (done > 0) return done;
      throw error;
    }
    done += count;
    while (left.length > 0 && count >= left[0]!.length) {
      count -= left[0]!.length;
      left = left.slice(1);
    }
    if (count > 0) left = [left[0]!.subarray(count), ...left.slice(1)];
  }
  return done;
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: HostPath): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Exchanges two names; without renameat2() by three renames, which others on the host can see happen. */
export function exchangeNames(one: HostPath, other: HostPath, spare: HostPath): void {
  renameSync(one, spare);
  try {
    renameSync(other, one);
  } catch (error) {
    renameSync(spare, one);
    throw error;
  }
  renameSync(spare, other);
}
