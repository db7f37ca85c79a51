import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { FreshSnapshot } from '../../src/hypervisor/snapshot-types.ts';
import type { GuestFiles, VirtualMachine } from '../../src/hypervisor/types.ts';
import { type WarmSource, WarmStarts, warmId } from '../../src/hypervisor/warm-starts.ts';
import type { SnapshotFiles } from '../../src/storage/htvm/snapshot-files.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store in memory. */
function memoryFiles(): SnapshotFiles & { kept: Map<string, Blob> } {
  const kept = new Map<string, Blob>();
  return {
    kept,
    list: async () => [...kept.keys()],
    read: async () => undefined,
    peek: async (id) => kept.get(id),
    write: async (id, contents) => void kept.set(id, contents),
    remove: async (id) => void kept.delete(id),
    alone: (action) => action(),
  };
}

/** A guest at its prompt: how much it has written, what was typed, and how often it was saved. */
function guest(keepsDisk: boolean) {
  const state = { writes: 1, typed: 0, saved: 0, forgotten: [] as string[], running: true };
  const vm = {
    name: 'guest',
    get state() {
      return state.running ? 'running' : 'stopped';
    },
    console: () => ({ typed: state.typed }),
    stats: async () => ({ driveWrites: state.writes }),
  } as unknown as VirtualMachine;
  const source: WarmSource = {
    vm,
    keepsDisk,
    save: async () => {
      state.saved++;
      const blob = new Blob([`${state.saved}`]);
      return { id: `s${state.saved}`, blob: async () => blob, guest: 'guest' } as unknown as FreshSnapshot;
    },
    forget: async (id) => void state.forgotten.push(id),
  };
  return { state, source };
}

const ready = Promise.resolve();
const ID = '0'.repeat(32);

it('is taken at once of a guest whose disk is not kept, and never again', async () => {
  const { state, source } = guest(false);
  const files = memoryFiles();
  expect(await new WarmStarts(files).take(source, ID, ready)).toBe(true);
  expect(files.kept.size).toBe(1);
  state.writes++;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(state.saved).toBe(1);
});

it('waits for a disk that is being written, and is taken again when that has been written and rests', async () => {
  const { state, source } = guest(true);
  const files = memoryFiles();
  const taken = new WarmStarts(files).take(source, ID, ready);
  for (let writes = 0; writes < 8; writes++) {
    state.writes++;
    await vi.advanceTimersByTimeAsync(300);
    expect(state.saved).toBe(0);
  }
  await vi.advanceTimersByTimeAsync(1500);
  expect(await taken).toBe(true);
  expect(state.saved).toBe(1);
  // It rests.
  await vi.advanceTimersByTimeAsync(20_000);
  expect(state.saved).toBe(1);
  state.writes++;
  await vi.advanceTimersByTimeAsync(5000);
  expect(state.saved).toBe(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(state.saved).toBe(2);
  expect(await files.kept.get(ID)!.text()).toBe('2');
  // What is typed is no part of a warm start.
  state.writes++;
  state.typed = 1;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(state.saved).toBe(2);
});

it('of a guest that never leaves its disk alone is taken a few times, then no more', async () => {
  const { state, source } = guest(true);
  const taken = new WarmStarts(memoryFiles()).take(source, ID, ready);
  for (let second = 0; second < 600; second++) {
    state.writes++;
    await vi.advanceTimersByTimeAsync(second % 20 === 0 ? 10_000 : 1000);
  }
  expect(await taken).toBe(true);
  expect(state.saved).toBeGreaterThan(1);
  expect(state.saved).toBeLessThan(7);
});

it('is given up, with what its disk keeps for it, when somebody types meanwhile or there is no room', async () => {
  const typed = guest(true);
  const { save } = typed.source;
  const source: WarmSource = {
    ...typed.source,
    save: async (options) => {
      typed.state.typed = 1;
      return save(options);
    },
  };
  const taken = new WarmStarts(memoryFiles()).take(source, ID, ready);
  await vi.advanceTimersByTimeAsync(5000);
  expect([await taken, typed.state.forgotten]).toEqual([false, ['s1']]);

  const full = guest(false);
  const files = { ...memoryFiles(), write: () => Promise.reject(new Error('full')) };
  expect(await new WarmStarts(files).take(full.source, ID, ready)).toBe(false);
  expect(full.state.forgotten).toEqual(['s1']);
});

it('depends on where the changes of a disk are kept; a disk that is written itself has none', async () => {
  const files: GuestFiles = { name: 'guest', key: 'k', memory: 1 << 27 } as GuestFiles;
  const id = (drives: GuestFiles['drives'], snapshot?: boolean) =>
    warmId({ guest: 'guest', snapshot }, { ...files, drives }, 'core');
  const overlay = (path: string) => ({
    kind: 'file' as const,
    path: 'a',
    overlay: { kind: 'file' as const, path },
  });
  const ids = [
    await id(undefined),
    await id([overlay('b')]),
    await id([overlay('c')]),
    await id([overlay('b')], true),
  ];
  expect(ids.every((each) => each !== undefined)).toBe(true);
  expect(new Set(ids).size).toBe(4);
  expect(await id([{ kind: 'file', path: 'a' }])).toBeUndefined();
  expect(await id([{ kind: 'file', path: 'a', overlay: { kind: 'memory' } }])).toBeUndefined();
});
