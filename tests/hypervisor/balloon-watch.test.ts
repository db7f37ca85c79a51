import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchBalloon } from '../../src/hypervisor/balloon-watch.ts';
import type { VirtualMachine } from '../../src/hypervisor/types.ts';
import type { MachineMemory } from '../../src/machine/machine-types.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function warnings(memory: Partial<MachineMemory>, state = 'running'): Promise<string[]> {
  const heard: string[] = [];
  const vm = {
    state,
    memory: async () => ({ balloonTarget: 1 << 20, balloonActual: 0, reportedFree: 0, ...memory }),
  } as unknown as VirtualMachine;
  watchBalloon(vm, (message) => heard.push(message));
  await vi.advanceTimersByTimeAsync(60_000);
  return heard;
}

it('a guest without a driver for the balloon is told of once', async () => {
  const [first, ...more] = await warnings({});
  expect(first).toMatch(/driver is not loaded \(modprobe virtio_balloon\)/);
  expect(more).toEqual([]);
});

it('a guest that follows, or that is asked for nothing, or does not run, is not warned of', async () => {
  expect(await warnings({ balloonActual: 4096 })).toEqual([]);
  expect(await warnings({ guest: { free: 1 } })).toEqual([]);
  expect(await warnings({ balloonTarget: 0 })).toEqual([]);
  expect(await warnings({}, 'paused')).toEqual([]);
});
