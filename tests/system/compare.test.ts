// The same program as a VM of its own and as a container, measured.
import { afterAll, describe, expect, it } from 'vitest';
import { busyboxLayer, testHost } from '../support/docker.ts';
import { hypertab } from './cli.ts';

const { compare } = (await import(
  /* @vite-ignore */ new URL('../../build/src/index.js', import.meta.url).href
)) as typeof import('../../src/index.ts');
const host = testHost();
afterAll(() => host.close());

const images = {
  ...host.images,
  inspect: async () => ({ Size: busyboxLayer().length }) as never,
};

describe('a comparison', () => {
  it('runs a program on both sides and measures them, and leaves nothing behind', async () => {
    const told: string[] = [];
    const { programs, host: shared } = await compare({
      ...{ hypervisor: host.hypervisor, engine: host.engine, images, programs: ['server'], runs: 1 },
      guestBytes: async (guest) => (guest === 'busybox' ? 5_000_000 : 6_000_000),
      onProgress: ({ program, side, run }) => told.push(`${program} ${side} ${run}`),
    });
    expect(told).toEqual(['server vm 1', 'server container 1']);
    const [{ vm, container, instructionRatio }] = programs as [(typeof programs)[0]];
    // What a machine has to itself is booted; a container is not.
    expect(vm.startInstructions).toBeGreaterThan(5 * container.startInstructions);
    // The same program on the same kernel.
    expect(instructionRatio).toBeGreaterThan(0.5);
    expect(instructionRatio).toBeLessThan(2);
    for (const side of [vm, container]) {
      expect(side.startMs).toBeGreaterThan(0);
      expect(side.runMs).toBeGreaterThan(0);
      expect(side.runCpuMs).toBeGreaterThan(0);
    }
    expect(vm.memoryBytes).toBeGreaterThan(20e6);
    expect(container.memoryBytes).toBeLessThan(vm.memoryBytes / 4);
    expect(vm.fitInGiB).toBe(Math.floor(2 ** 30 / vm.memoryBytes));
    expect(container.fitInGiB).toBeGreaterThan(vm.fitInGiB);
    expect([vm.diskBytes - container.diskBytes, shared.diskBytes]).toEqual([5_000_000, 6_000_000]);
    expect(host.engine.list({ all: true })).toEqual([]);
    expect(host.hypervisor.list().map(({ name }) => name)).toEqual(['container-host']);
  });

  it('that cannot be is refused before anything starts', async () => {
    const common = { hypervisor: host.hypervisor, engine: host.engine, images };
    await expect(compare({ ...common, programs: ['nosuch'] })).rejects.toThrow(
      "there is no program 'nosuch' to compare; there are loop, compile, files, server",
    );
    await expect(compare({ ...common, programs: ['compile'] })).rejects.toThrow('No such image: lua');
    const { status, stderr } = await hypertab(['compare', '--runs', '0']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('0 runs cannot be')]);
  });
});
