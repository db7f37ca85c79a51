import { describe, expect, it } from 'vitest';
import { ConfigError, LoadError } from '../../src/machine/errors.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { MachineConfig, SliceResult } from '../../src/machine/machine-types.ts';
import { buildElf, buildImage, RAM } from './elf-builder.ts';
import { busy, FakeCore, print, type Step, wfi } from './fake-core.ts';

const EMPTY_MODULE = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const MIB = 1 << 20;

function make(steps: Step[], config: Partial<MachineConfig> = {}) {
  let core: FakeCore | undefined;
  const machine = new Machine(
    {
      core: EMPTY_MODULE,
      memory: 16 * MIB,
      engine: 'auto',
      ...('bios' in config ? {} : { kernel: buildImage() }),
      ...config,
    },
    (_module, options) => {
      core = new FakeCore(options);
      core.steps = steps;
      return core;
    },
  );
  const out = { text: '', batches: 0 };
  machine.onConsoleOutput = (bytes) => {
    out.text += new TextDecoder().decode(bytes);
    out.batches++;
  };
  return { machine, core: core!, out };
}

/** Slices until the machine is no longer running, with a limit against a test that never ends. */
function runOut(machine: Machine, sliceMs = 5): SliceResult {
  const end = performance.now() + 40_000;
  for (;;) {
    const result = machine.runSlice(sliceMs);
    if (result.state !== 'running') return result;
    if (performance.now() > end) throw new Error('the machine is still running after 40 s');
  }
}

describe('power-on', () => {
  it('enters a kernel in S-mode as OpenSBI does', () => {
    const { core } = make([busy], { initrd: Uint8Array.of(1, 2, 3), append: 'quiet' });
    const { hart } = core;
    expect([hart.privilege, hart.pc, hart.getX(10)]).toEqual([1, 0x80200000n, 0n]);
    const tree = Number(hart.getX(11));
    expect(tree % 8).toBe(0);
    expect(new DataView(core.ram.buffer).getUint32(tree - 0x80000000)).toBe(0xd00dfeed);
    expect(core.options.sbi).toBe(true);
    expect(hart.readCsr(0x302)).toBe(0xb1ffn);
    expect(hart.readCsr(0x303)).toBe(0x222n);
    expect(hart.readCsr(0x3a0)).toBe(0x1fn);
    expect(hart.readCsr(0x180)).toBe(0n);
    expect(hart.readCsr(0x30a)).toBe((7n << 61n) | 0xf0n);
  });

  it('enters firmware in M-mode with the registers of the reset vector', () => {
    const { core } = make([busy], { bios: Uint8Array.of(0x13, 0, 0, 0), kernel: buildImage() });
    const { hart } = core;
    expect([hart.privilege, hart.pc, core.options.sbi]).toEqual([3, 0x80000000n, false]);
    const info = Number(hart.getX(12));
    const words = [0, 1, 2, 3, 4, 5].map((index) => {
      const low = Number(core.load(info + index * 8));
      return BigInt(low) | (BigInt(Number(core.load(info + index * 8 + 4))) << 32n);
    });
    expect(words).toEqual([0x4942534fn, 2n, 0x80200000n, 1n, 0n, 0n]);
    // The ROM's own words say the same: start address and device tree.
    expect([core.load(0x1018), core.load(0x1020)]).toEqual([0x80000000, Number(hart.getX(11))]);
  });

  it('starts a bare-metal ELF at its entry point', () => {
    const bios = buildElf({ entry: RAM + 8n, segments: [{ physical: RAM, contents: new Uint8Array(16) }] });
    expect(make([busy], { bios }).core.hart.pc).toBe(0x80000008n);
  });

  it('refuses what it cannot load with one clear line', () => {
    const notElf = new TextEncoder().encode('hello');
    expect(() => make([busy], { kernel: notElf })).toThrow(LoadError);
    expect(() => make([busy], { memory: 8 * MIB })).toThrow(ConfigError);
    expect(() => make([busy], { append: 'x'.repeat(70_000) })).toThrow(/append/);
    expect(() => make([busy], { append: 'x'.repeat(70_000) })).toThrow(ConfigError);
    expect(() => make([busy], { initrd: new Uint8Array(15 * MIB) })).toThrow(/at least 18 MiB/);
  });

  it('gives the same seed to the kernel for the same seed, and another for none', () => {
    const tree = (seed?: number) => {
      const { core } = make([busy], { seed });
      return core.ram.slice(-0x10000).toString();
    };
    expect(tree(7)).toBe(tree(7));
    expect(tree(7)).not.toBe(tree(8));
    expect(tree()).not.toBe(tree());
  });
});

describe('run loop', () => {
  it('hands over console output in batches, in order, from UART and SBI alike', () => {
    const say: Step = (core) => core.ecall(1n, 0n, 33n);
    const { machine, out } = make([print('hello'), say, print(' world\n'), wfi]);
    // A slice hands over once, and this one has time enough on the slowest computer.
    expect(runOut(machine, 10_000).state).toBe('idle');
    expect(out).toEqual({ text: 'hello! world\n', batches: 1 });
    expect(machine.stats().sbiCalls).toBe(1);
  });

  it('returns the carriage for lines that come by SBI, as firmware on a serial line does', () => {
    const lineFeed: Step = (core) => core.ecall(1n, 0n, 10n);
    const { machine, out } = make([print('uart\n'), lineFeed, wfi]);
    runOut(machine);
    expect(out.text).toBe('uart\n\r\n');
  });

  it('returns about when the slice is over', () => {
    const { machine } = make([busy]);
    const begin = performance.now();
    expect(machine.runSlice(20)).toEqual({ state: 'running' });
    expect(performance.now() - begin).toBeLessThan(200);
  });

  it('idles until the next timer, or for ever without one', () => {
    const { machine, core } = make([wfi]);
    expect(machine.runSlice(5)).toEqual({ state: 'idle', wakeInMs: Infinity });
    core.timer = core.options.host.time() + 500 * 10_000;
    const result = machine.runSlice(5);
    expect(result.state === 'idle' && result.wakeInMs > 300 && result.wakeInMs <= 500).toBe(true);
    core.timer = 2 ** 52;
    expect(machine.runSlice(5)).toEqual({ state: 'idle', wakeInMs: Infinity });
  });

  it('does not spin on a timer that has fired and wakes nobody', () => {
    const { machine, core } = make([
      (fake) => {
        fake.waiting = true;
        return 'wfi';
      },
    ]);
    core.timer = 0;
    expect(machine.runSlice(1000)).toEqual({ state: 'idle', wakeInMs: 10 });
  });

  it('feeds typed bytes to the guest through UART, PLIC and the S external line', () => {
    const seen: number[] = [];
    const setUp: Step = (core, budget) => {
      core.store(0xc000000 + 10 * 4, 1);
      core.store(0xc002080, 1 << 10);
      core.store(0x10000001, 1, 1);
      return busy(core, Math.min(budget, 100));
    };
    const serve: Step = (core, budget) => {
      if (!core.hart.lines.has('sei')) return wfi(core, budget);
      expect(core.load(0xc201004)).toBe(10);
      seen.push(Number(core.load(0x10000000, 1)));
      core.store(0xc201004, 10);
      return busy(core, 1);
    };
    const { machine } = make([setUp, serve]);
    runOut(machine);
    machine.consoleInput(new TextEncoder().encode('a long line of input\n'));
    expect(machine.consoleInputPending).toBe(21);
    runOut(machine);
    expect(String.fromCharCode(...seen)).toBe('a long line of input\n');
    expect(machine.consoleInputPending).toBe(0);
  });

  it('stops exactly at the instruction limit, reboots included', () => {
    const { machine, core } = make([
      busy,
      (fake, budget) => {
        busy(fake, Math.min(budget, 1000));
        return fake.ecall(0x53525354n, 0n, 1n);
      },
      busy,
    ]);
    machine.setInstructionLimit(1_234_567);
    let total = 0;
    machine.onReset = () => {
      total = 1;
    };
    expect(runOut(machine)).toMatchObject({ state: 'stopped', reason: { kind: 'limit' } });
    expect(total).toBe(1);
    expect(core.instructions).toBeLessThan(1_234_567);
    expect(machine.runSlice(5).state).toBe('stopped');
  });

  it('keeps the guest’s time still while suspended', async () => {
    const { machine, core } = make([wfi]);
    machine.suspend();
    const before = core.options.host.time();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(core.options.host.time()).toBe(before);
    machine.resumeTime();
    expect(core.options.host.time() - before).toBeLessThan(200_000);
  });

  it('with the instruction clock an idle guest skips to its next timer', () => {
    const { machine, core } = make(
      [
        wfi,
        (fake, budget) => {
          expect(fake.hart.readCsr(0xc01)).toBe(5000n);
          fake.timer = undefined;
          return wfi(fake, budget);
        },
      ],
      { clock: 'instructions' },
    );
    core.timer = 5000;
    expect(core.options.instructionsPerTick).toBe(10);
    expect(machine.runSlice(1000)).toEqual({ state: 'idle', wakeInMs: Infinity });
  });

  it('answers outside the memory map with an access fault', () => {
    const { core } = make([busy]);
    for (const address of [0, 0x10100000, 0x20000000, 0x10000100, 0x8fffffff0, 0xfffffffffff8]) {
      expect(core.load(address)).toBeUndefined();
      expect(core.store(address, 1)).toBe(false);
    }
    expect(core.load(0x10001000)).toBe(0x74726976);
    expect(core.load(0x30000000)).toBe(0x00081b36);
    expect(core.load(0x30100000)).toBe(0xffffffff);
    expect(core.load(0x200bff9, 4)).toBeUndefined();
  });
});

describe('the end of a machine', () => {
  const syscon =
    (value: number): Step =>
    (core) => {
      core.store(0x100000, value);
      expect(core.exitRequested).toBe(true);
      return 'requested';
    };
  const sbi =
    (type: bigint): Step =>
    (core) =>
      core.ecall(0x53525354n, 0n, type);

  it.each([
    ['SBI shutdown', sbi(0n), { kind: 'poweroff' }],
    ['syscon power-off', syscon(0x5555), { kind: 'poweroff' }],
    ['syscon failure code', syscon((3 << 16) | 0x3333), { kind: 'exit', code: 3 }],
  ] as const)('%s stops it', (_what, step, reason) => {
    const { machine, out } = make([print('bye'), step, busy]);
    expect(runOut(machine)).toEqual({ state: 'stopped', reason });
    expect(out.text).toBe('bye');
    expect(machine.runSlice(5)).toEqual({ state: 'stopped', reason });
  });

  it.each([
    ['SBI', sbi(1n)],
    ['syscon', syscon(0x7777)],
  ] as const)('a reboot through %s is followed, with RAM and registers as at power-on', (_what, step) => {
    const dirty: Step = (core, budget) => {
      core.ram.fill(0xee, 0, 1000);
      core.ram.fill(0xee, 0x200000, 0x200100);
      return busy(core, Math.min(budget, 10));
    };
    const { machine, core } = make([dirty, step, wfi]);
    const image = core.ram.slice(0x200000, 0x201000);
    let resets = 0;
    machine.onReset = () => {
      resets++;
    };
    expect(runOut(machine).state).toBe('idle');
    expect([resets, core.ram[5], core.hart.pc]).toEqual([1, 0, 0x80200000n]);
    expect(core.ram.slice(0x200000, 0x201000)).toEqual(image);
  });

  it('a reboot stops it with noReboot', () => {
    const { machine } = make([sbi(1n)], { noReboot: true });
    expect(runOut(machine)).toEqual({ state: 'stopped', reason: { kind: 'reboot' } });
  });

  it('a trap that cannot be handled stops it and is described', () => {
    const { machine } = make([
      (core) => {
        core.hart.stop = { cause: 12n, value: 0xdead000n };
        core.hart.pc = 0xdead000n;
        core.hart.privilege = 1;
        return 'double-fault';
      },
    ]);
    const result = runOut(machine);
    expect(result).toMatchObject({ state: 'stopped', reason: { kind: 'fault' } });
    expect(JSON.stringify(result)).toMatch(
      /instruction page fault at pc 0xdead000 \(tval 0xdead000\) in S-mode/,
    );
  });

  it('HTIF’s exit code stops it, and leaves the signature', () => {
    const bios = buildElf({
      segments: [{ physical: RAM, contents: new Uint8Array(64) }],
      symbols: { tohost: RAM + 32n, begin_signature: RAM + 8n, end_signature: RAM + 16n },
    });
    const { machine, core } = make(
      [
        (fake) => {
          new DataView(fake.ram.buffer).setUint32(8, 0xcafe, true);
          new DataView(fake.ram.buffer).setUint32(32, (7 << 1) | 1, true);
          return 'watch';
        },
      ],
      { bios },
    );
    expect(core.watched).toBe(0x80000020);
    expect(runOut(machine)).toEqual({ state: 'stopped', reason: { kind: 'exit', code: 7 } });
    expect(machine.signature()).toEqual(Uint32Array.of(0xcafe, 0));
  });

  it('reset starts a stopped machine again', () => {
    const { machine, core } = make([sbi(0n), wfi]);
    expect(runOut(machine).state).toBe('stopped');
    machine.reset();
    expect(core.hart.privilege).toBe(1);
    expect(runOut(machine).state).toBe('idle');
  });
});

describe('kernel panic', () => {
  const words = '[    1.234567] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n';
  const message = 'Kernel panic - not syncing: VFS: Unable to mount root fs';
  const inKernel: Step = (core, budget) => {
    core.hart.privilege = 1;
    return slowly(core, budget);
  };
  const inProgram: Step = (core, budget) => {
    core.hart.privilege = 0;
    return slowly(core, budget);
  };
  const slowly: Step = (core, budget) => {
    const until = performance.now() + 2;
    while (performance.now() < until);
    return busy(core, budget);
  };

  it('is certain once the kernel has done nothing else for a second and a half', () => {
    const { machine } = make([print(words), inKernel]);
    const begin = performance.now();
    expect(runOut(machine)).toEqual({ state: 'stopped', reason: { kind: 'panic', message } });
    expect(performance.now() - begin).toBeGreaterThan(1400);
  });

  it('is certain when the kernel asks for a reboot next', () => {
    const { machine } = make([print(words), inKernel, (core) => core.ecall(0x53525354n, 0n, 1n)]);
    expect(runOut(machine)).toEqual({ state: 'stopped', reason: { kind: 'panic', message } });
  });

  it.each([
    ['runs a program', inProgram],
    ['waits for an interrupt', wfi],
  ] as const)('is no panic when the guest %s afterwards', (_what, sign) => {
    const { machine } = make([
      print(words),
      inKernel,
      sign,
      ...Array.from({ length: 900 }, () => inKernel),
      (core) => core.ecall(0x53525354n, 0n, 0n),
    ]);
    let result = runOut(machine);
    while (result.state === 'idle') result = runOut(machine);
    expect(result).toEqual({ state: 'stopped', reason: { kind: 'poweroff' } });
  });

  it('is no panic in the middle of a line', () => {
    const { machine } = make([
      print(`# echo ${message}\n`),
      inKernel,
      (core) => core.ecall(0x53525354n, 0n, 0n),
    ]);
    expect(runOut(machine)).toEqual({ state: 'stopped', reason: { kind: 'poweroff' } });
  });
});
