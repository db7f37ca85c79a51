import { afterEach, describe, expect, it } from 'vitest';
import {
  FileError,
  ImageError,
  OptionError,
  StateError,
  WorkerLostError,
} from '../../src/hypervisor/errors.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { VmOptions } from '../../src/hypervisor/types.ts';
import type { MachineConfig, SliceResult } from '../../src/machine/machine-types.ts';
import { eventually, type FakeMachine } from '../worker/fake-machine.ts';
import { EMPTY_CORE, fakeHypervisor } from './harness.ts';

const kernel = new Uint8Array([1, 2, 3]);
const open: Hypervisor[] = [];
const make: typeof fakeHypervisor = (...args) => {
  const made = fakeHypervisor(...args);
  open.push(made.hypervisor);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((hypervisor) => hypervisor.destroyAll()));
});

const busy = (): SliceResult => ({ state: 'running' });

describe.each([{ shared: true }, { shared: false }])('a VM (shared memory: $shared)', ({ shared }) => {
  it('goes through its life: created, running, paused, stopped, running again, destroyed', async () => {
    const { hypervisor, workers } = make(busy, { shared });
    const vm = await hypervisor.create({ kernel });
    const states: string[] = [];
    vm.on('state', ({ state }) => states.push(state));
    expect(vm.state).toBe('created');
    await vm.start();
    await eventually(() => workers[0]!.machine.slices > 0);
    await vm.pause();
    const { slices } = workers[0]!.machine;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(workers[0]!.machine.slices).toBe(slices);
    await vm.resume();
    await vm.powerOff();
    expect(vm.reason).toEqual({ kind: 'poweroff' });
    await vm.start();
    expect(vm.reason).toBeUndefined();
    await vm.reset();
    await vm.destroy();
    expect(workers[0]!.terminated).toBe(true);
    expect(states).toEqual(['running', 'paused', 'running', 'stopped', 'running', 'running', 'destroyed']);
    expect(hypervisor.list()).toEqual([]);
  });

  it('stops, and says why, when its files cannot be loaded again', async () => {
    const { hypervisor, workers } = make(busy, { shared });
    const vm = await hypervisor.create({ kernel });
    await vm.start();
    const { machine } = workers[0]!;
    machine.refusal = Object.assign(new Error('kernel is damaged'), { name: 'DamagedFileError' });
    await expect(vm.reset()).rejects.toThrow(FileError);
    expect([vm.state, vm.reason]).toEqual(['stopped', { kind: 'fault', message: 'kernel is damaged' }]);
    await expect(vm.start()).rejects.toThrow('kernel is damaged');
    machine.refusal = undefined;
    await vm.start();
    expect([vm.state, vm.reason]).toEqual(['running', undefined]);
  });

  it('takes the buffers of its files when it may, and only then', async () => {
    const { hypervisor, workers } = make(busy, { shared });
    const kept = Uint8Array.of(1, 2, 3);
    const given = Uint8Array.of(1, 2, 3);
    await hypervisor.create({ kernel: kept });
    await hypervisor.create({ kernel: given, transfer: true });
    expect([kept.length, given.length]).toEqual([3, 0]);
    for (const { config } of workers)
      expect(Buffer.from(config!.kernel as Uint8Array)).toEqual(Buffer.of(1, 2, 3));
  });

  it('delivers every byte the guest wrote before it tells that the guest stopped', async () => {
    const line = `${'x'.repeat(999)}\n`;
    const { hypervisor } = make(
      (machine) => {
        for (let count = 0; count < 700; count++) machine.print(line);
        return machine.slices < 5 ? busy() : { state: 'stopped', reason: { kind: 'exit', code: 3 } };
      },
      { shared },
    );
    const vm = await hypervisor.create({ kernel });
    let bytes = 0;
    vm.console().onData((data) => {
      bytes += data.length;
    });
    await vm.start();
    expect(await vm.wait()).toEqual({ kind: 'exit', code: 3 });
    expect(bytes).toBe(5 * 700 * 1000);
    expect(vm.console().backlog.length).toBe(256 * 1024);
  });

  it('holds the guest while a listener asks for time, and still answers and powers off', async () => {
    const { hypervisor, workers } = make(
      (machine) => {
        machine.onConsoleOutput(new Uint8Array(200_000));
        return busy();
      },
      { shared },
    );
    const vm = await hypervisor.create({ kernel });
    vm.console().onData(() => new Promise<void>(() => {}));
    await vm.start();
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { slices } = workers[0]!.machine;
    expect(slices).toBeLessThan(12);
    expect((await vm.stats()).instructions).toBe(slices * 1000);
    await vm.powerOff();
    expect(vm.state).toBe('stopped');
  });

  it('forgets at a power cycle what the console showed before', async () => {
    const { hypervisor } = make(
      (machine) => {
        machine.print(`cycle ${machine.resets}`);
        return { state: 'idle', wakeInMs: Infinity };
      },
      { shared },
    );
    const vm = await hypervisor.create({ kernel });
    const shown = () => new TextDecoder().decode(vm.console().backlog);
    await vm.start();
    await eventually(() => shown() === 'cycle 0');
    await vm.reset();
    await eventually(() => shown() === 'cycle 1');
  });

  it('counts what arrives late to the power cycle that wrote it', async () => {
    let release: (() => void) | undefined;
    const { hypervisor } = make(
      (machine) => {
        machine.print(`cycle ${machine.resets}`);
        return { state: 'idle', wakeInMs: Infinity };
      },
      { shared },
    );
    const vm = await hypervisor.create({ kernel });
    // Everything after the first piece is held back until well after the reset.
    vm.console().onData(() =>
      release === undefined ? new Promise<void>((done) => (release = done)) : undefined,
    );
    await vm.start();
    await eventually(() => release !== undefined);
    await vm.reset();
    expect(new TextDecoder().decode(vm.console().backlog)).toBe('');
    release!();
    await eventually(() => new TextDecoder().decode(vm.console().backlog) === 'cycle 1');
  });

  it('carries typed text to the guest as UTF-8', async () => {
    const { hypervisor, workers } = make(undefined, { shared });
    const vm = await hypervisor.create({ kernel });
    await vm.start();
    vm.console().write('ls\né');
    vm.console().write(new Uint8Array([3]));
    await eventually(() => workers[0]!.machine.typed.length === 6);
    expect(workers[0]!.machine.typed).toEqual([...new TextEncoder().encode('ls\né'), 3]);
  });

  it('tells its figures now and while it runs', async () => {
    const { hypervisor } = make(busy, { shared });
    const vm = await hypervisor.create({ kernel, memory: '64M' });
    const seen: number[] = [];
    vm.on('stats', (stats) => seen.push(stats.mips));
    await vm.start();
    await eventually(() => seen.some((mips) => mips > 0), 4000);
    const stats = await vm.stats();
    expect(stats).toMatchObject({ state: 'running', memory: 64 * 1024 ** 2, sbiCalls: 10 });
    expect(stats.elapsedMs).toBeGreaterThan(400);
    expect(await vm.signature()).toEqual(new Uint32Array([0xdeadbeef]));
  });
});

describe('a hypervisor', () => {
  it('reports a lost worker on its VM and leaves the others alone', async () => {
    const { hypervisor, workers } = make(busy);
    const lost = await hypervisor.create({ kernel, name: 'first' });
    const other = await hypervisor.create({ kernel });
    const errors: Error[] = [];
    lost.on('error', ({ error }) => errors.push(error));
    await Promise.all([lost.start(), other.start()]);
    workers[0]!.lose(new Error('out of memory'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(WorkerLostError);
    expect(errors[0]!.message).toBe('first: its worker is lost: out of memory');
    expect(await lost.wait()).toMatchObject({ kind: 'fault' });
    await expect(lost.start()).rejects.toThrow(WorkerLostError);
    expect((await lost.stats()).state).toBe('stopped');
    expect(other.state).toBe('running');
    expect((await other.stats()).instructions).toBeGreaterThan(0);
  });

  it('reports a machine that breaks while running as lost', async () => {
    const { hypervisor } = make(() => {
      throw new TypeError('index out of range');
    });
    const vm = await hypervisor.create({ kernel });
    // Whether the answer or the bad news comes first is open.
    await vm.start().catch((error: unknown) => expect(error).toBeInstanceOf(WorkerLostError));
    expect(await vm.wait()).toMatchObject({
      kind: 'fault',
      message: expect.stringContaining('index out of range'),
    });
  });

  it('answers no call for ever when the worker dies under it', async () => {
    const { hypervisor, workers } = make(undefined);
    const vm = await hypervisor.create({ kernel });
    const answer = vm.signature();
    workers[0]!.lose(new Error('gone'));
    await expect(answer).rejects.toThrow(WorkerLostError);
  });

  it.each([
    ['LoadError', ImageError],
    ['ConfigError', OptionError],
    ['RangeError', OptionError],
  ])('turns a %s of the machine into its own kind of error and keeps no VM', async (name, kind) => {
    const { hypervisor, workers } = make(undefined, {
      onCreate: () => {
        throw Object.assign(new Error('no good'), { name });
      },
    });
    const error = await hypervisor.create({ kernel }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain('no good');
    expect(workers[0]!.terminated).toBe(true);
    expect(hypervisor.list()).toEqual([]);
  });

  it('takes from a guest what the options do not say', async () => {
    const { hypervisor, workers } = make(undefined, {
      resolveGuest: async (name) => ({
        name,
        title: '',
        description: '',
        memory: 96 * 1024 ** 2,
        append: 'quiet',
        kernel: new Uint8Array([9]),
        initrd: new Uint8Array([8]),
        prompt: '/ # ',
      }),
    });
    const vm = await hypervisor.create({ guest: 'busybox', append: 'loud', noReboot: true, seed: 4 });
    const config = workers[0]!.config as MachineConfig;
    expect(config).toMatchObject({ append: 'loud', memory: 96 * 1024 ** 2, noReboot: true, seed: 4 });
    expect([...(config.kernel as Uint8Array), ...(config.initrd as Uint8Array)]).toEqual([9, 8]);
    expect(vm).toMatchObject({ name: 'busybox', prompt: '/ # ', id: 'vm1' });
    expect(hypervisor.get('vm1')).toBe(vm);
    expect(() => hypervisor.get('vm9')).toThrow(StateError);
  });

  it("leaves the caller's bytes to the caller", async () => {
    const { hypervisor } = make();
    await hypervisor.create({ kernel });
    expect(kernel).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('passes the instruction limit on', async () => {
    const { hypervisor, workers } = make();
    await hypervisor.create({ kernel, maxInstructions: 12345 });
    expect(workers[0]!.machine.limit).toBe(12345);
  });

  it.each<[VmOptions, typeof OptionError, string]>([
    [{}, OptionError, 'there is nothing to boot'],
    [{ initrd: kernel, bios: kernel }, OptionError, 'initrd: it is of no use without a kernel'],
    [{ kernel, memory: '1K' }, OptionError, 'memory: 1K'],
    [{ kernel, memory: 'lots' }, OptionError, "memory: 'lots' is not a size"],
    [{ kernel, append: 'x'.repeat(1024) }, OptionError, 'append: 1024 bytes'],
    [{ kernel, maxInstructions: -1 }, OptionError, 'maxInstructions: -1'],
    [{ kernel, maxInstructions: 1.5 }, OptionError, 'maxInstructions: 1.5'],
    [{ kernel, engine: 'jit' as 'auto' }, OptionError, "engine: 'jit' is none"],
    [{ kernel: '/nowhere/at/all' }, FileError, 'kernel: cannot read /nowhere/at/all: no such file'],
  ])('refuses options %#', async (options, kind, message) => {
    const { hypervisor, workers } = make();
    const error = await hypervisor.create(options).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(message);
    expect(workers).toEqual([]);
  });

  it('refuses what a state does not allow', async () => {
    const { hypervisor } = make();
    const vm = await hypervisor.create({ kernel });
    await expect(vm.pause()).rejects.toThrow('cannot pause vm1: it is created, not running or paused');
    await vm.destroy();
    await expect(vm.start()).rejects.toThrow(StateError);
    expect(() => vm.console(1)).toThrow(OptionError);
  });

  it('tells of a reboot that the machine followed', async () => {
    const { hypervisor } = make((machine: FakeMachine) =>
      machine.resets === 0
        ? { state: 'stopped', reason: { kind: 'reboot' } }
        : { state: 'idle', wakeInMs: Infinity },
    );
    const vm = await hypervisor.create({ kernel });
    let resets = 0;
    vm.on('reset', () => resets++);
    await vm.start();
    await eventually(() => resets === 1);
    expect(vm.state).toBe('running');
  });
});

describe('a worker thread of Node', () => {
  it('that cannot start is reported as lost instead of leaving create() waiting', async () => {
    // From sources there is no compiled worker to load: the thread ends with an error at once.
    const hypervisor = new Hypervisor({ core: EMPTY_CORE });
    const error = await hypervisor.create({ kernel, name: 'toy' }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(WorkerLostError);
    expect((error as Error).message).toMatch(/^toy: its worker is lost: .*machine-worker-node/);
    expect(hypervisor.list()).toEqual([]);
  });
});
