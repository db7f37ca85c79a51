// A machine's state: what is saved comes back, what cannot be is refused by name, and nothing is touched then.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CoreApi } from '../../src/core/core-types.ts';
import { Machine } from '../../src/machine/machine.ts';
import { MachineStateError, type StateFault, type StateSection } from '../../src/machine/machine-state.ts';
import type { MachineConfig, MachineParts } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { coreModule } from '../support/core.ts';
import { Reflector } from '../support/reflector.ts';
import { buildElf, RAM } from './elf-builder.ts';
import { busy, FakeCore, print, type Step } from './fake-core.ts';

const MEMORY = 16 << 20;
/** An endless loop. */
const BIOS = new Uint8Array(Uint32Array.of(0x6f).buffer);

const allParts = (): MachineParts => ({
  drives: [{ backend: new MemoryBackend({ bytes: 1 << 16 }) }],
  shares: [{ tag: 'tag', tree: new MemoryTree() }],
  networks: [{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), mtu: 1500, link: new Reflector() }],
});

function machineOf(config: Partial<MachineConfig> = {}, parts = allParts()) {
  let core!: FakeCore;
  const machine = new Machine(
    { core: coreModule(), memory: MEMORY, bios: BIOS, engine: 'interpreter', consoles: 1, ...config },
    (_module, options): CoreApi => {
      core = new FakeCore(options);
      return core;
    },
    parts,
  );
  return { machine, core };
}

/** What `restore` throws. */
function faultOf(restore: () => void): { fault: StateFault; section: string; message: string } {
  try {
    restore();
  } catch (error) {
    expect(error).toBeInstanceOf(MachineStateError);
    return error as MachineStateError;
  }
  throw new Error('it was not refused');
}

const POWEROFF = 0x5555;
const REBOOT = 0x7777;
/** Asks the board for an end. */
const switches =
  (value: number): Step =>
  (core) => {
    core.store(0x10_0000, value);
    return 'requested';
  };

const REGIONS = [
  { base: 0x10_1000, size: 0x20 }, // RTC
  { base: 0x200_0000, size: 4 },
  { base: 0x200_4000, size: 8 },
  { base: 0xc00_0000, size: 0x188 },
  { base: 0xc00_2000, size: 0x100 },
  { base: 0xc20_0000, size: 8 },
  { base: 0xc20_1000, size: 8 },
  { base: 0x1000_0000, size: 8 }, // UART
  { base: 0x1000_1000, size: 0x6100 }, // virtio-mmio
  { base: 0x3000_0000, size: 0x10_0000 }, // configuration space
] as const;

const access = fc
  .record({ region: fc.constantFrom(...REGIONS), at: fc.double({ min: 0, max: 0.9999, noNaN: true }) })
  .chain(({ region, at }) =>
    fc.record({
      address: fc.constant(region.base + Math.floor((at * region.size) / 4) * 4),
      size: fc.constantFrom(1, 2, 4),
      value: fc.oneof(fc.nat(0xff), fc.nat(0xffff_ffff)),
    }),
  );

/** Registers whose reading changes nothing. */
function registersOf(core: FakeCore): unknown[] {
  const values: unknown[] = [];
  for (let at = 0xc00_0000; at < 0xc00_0190; at += 4) values.push(core.load(at));
  for (const at of [0xc00_1000, 0xc00_2000, 0xc00_2080, 0xc20_0000, 0xc20_1000, 0x200_0000])
    values.push(core.load(at));
  for (const at of [1, 3, 4, 7]) values.push(core.load(0x1000_0000 + at, 1));
  for (const at of [0x0c, 0x08, 0x10, 0x18]) values.push(core.load(0x10_1000 + at));
  for (let slot = 0; slot < 24; slot++) {
    for (let at = 0; at < 0x40; at += 4) values.push(core.load(0x3000_0000 + slot * 0x8000 + at));
  }
  for (let slot = 0; slot < 8; slot++) {
    for (const at of [0x70, 0x60, 0xfc]) values.push(core.load(0x1000_1000 + slot * 0x1000 + at));
  }
  return values;
}

describe('a machine that goes on from a saved state', () => {
  it.each(['pci', 'mmio'] as const)('has every register as it was, whatever was written (%s)', (virtio) => {
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), fc.uint8Array({ maxLength: 40 }), (writes, typed) => {
        const from = machineOf({ virtio });
        from.machine.suspend();
        from.machine.consoleInput(typed);
        for (const { address, size, value } of writes) from.core.store(address, value, size);
        from.machine.terminals[0]!.type(typed);
        const sections = from.machine.saveState();
        const to = machineOf({ virtio, standby: true });
        to.machine.suspend();
        to.machine.restoreState(sections);
        expect(to.machine.saveState()).toEqual(sections);
        expect(registersOf(to.core)).toEqual(registersOf(from.core));
        expect(to.machine.consoleInputPending).toBe(from.machine.consoleInputPending);
      }),
      { numRuns: 15 },
    );
  });

  it('has the time that it was saved at, which stands still until it runs', () => {
    const from = machineOf();
    from.machine.suspend();
    from.core.store(0x200_bff8, 123_456_789);
    from.core.store(0x200_bffc, 1);
    const saved = from.machine.saveState();
    const to = machineOf({ standby: true });
    to.machine.suspend();
    to.machine.restoreState(saved);
    expect(to.core.options.host.time()).toBe(2 ** 32 + 123_456_789);
    expect(to.machine.saveState()).toEqual(saved);
    to.machine.resumeTime();
    expect(to.core.options.host.time() - 2 ** 32 - 123_456_789).toBeLessThan(10_000_000);
  });

  it('counts instructions and calls on, and its limit with them', () => {
    const from = machineOf();
    from.core.steps = [busy];
    from.machine.setInstructionLimit(1000);
    from.machine.runSlice(1);
    from.machine.reset();
    from.core.steps = [busy];
    from.machine.setInstructionLimit(2500);
    expect(from.machine.runSlice(1)).toMatchObject({ reason: { kind: 'limit' } });
    const to = machineOf({ standby: true });
    to.machine.restoreState(from.machine.saveState());
    expect(to.machine.stats().budgetExits).toBe(from.machine.stats().budgetExits);
    to.core.steps = [busy];
    to.machine.setInstructionLimit(1000);
    expect(to.machine.runSlice(1)).toMatchObject({ reason: { kind: 'limit' } });
  });

  it('knows the panic it suspected', () => {
    const from = machineOf();
    from.core.steps = [print('Kernel panic - not syncing: gone\r\n'), switches(REBOOT)];
    from.machine.setInstructionLimit(300);
    from.machine.runSlice(1);
    const to = machineOf({ standby: true });
    to.machine.restoreState(from.machine.saveState());
    to.core.steps = [switches(REBOOT)];
    expect(to.machine.runSlice(1)).toEqual({
      state: 'stopped',
      reason: { kind: 'panic', message: 'Kernel panic - not syncing: gone' },
    });
  });

  it('watches the word by which a bare-metal program talks, and remembers that it waits for input', () => {
    const bios = buildElf({
      segments: [{ physical: RAM, contents: new Uint8Array(64) }],
      symbols: { tohost: RAM + 32n, fromhost: RAM + 40n },
    });
    const from = machineOf({ bios });
    const ask: Step = (core) => {
      new DataView(core.ram.buffer).setBigUint64(32, 1n << 56n, true);
      return 'watch';
    };
    from.core.steps = [ask, busy];
    from.machine.runSlice(1);
    const to = machineOf({ bios, standby: true });
    to.machine.restoreState(from.machine.saveState());
    expect(to.core.watched).toBe(Number(RAM) + 32);
    to.machine.consoleInput(Uint8Array.of(0x41));
    expect(new DataView(to.core.ram.buffer).getBigUint64(40, true)).toBe((1n << 56n) | 0x141n);
  });

  it('can be one that has run before', () => {
    const from = machineOf();
    from.core.store(0x1000_0007, 0x42, 1);
    const sections = from.machine.saveState();
    from.core.store(0x1000_0007, 0x43, 1);
    from.core.steps = [print('something'), busy];
    from.machine.runSlice(1);
    from.machine.restoreState(sections);
    expect(from.core.load(0x1000_0007, 1)).toBe(0x42);
  });

  it('cannot be saved once it has stopped', () => {
    const { machine, core } = machineOf({ noReboot: true });
    core.steps = [switches(POWEROFF)];
    expect(machine.runSlice(1)).toMatchObject({ reason: { kind: 'poweroff' } });
    expect(() => machine.saveState()).toThrow(/has stopped/);
  });
});

describe('a saved state is refused', () => {
  const saved = () => machineOf().machine.saveState();
  const without = (name: string) => saved().filter((section) => section.name !== name);
  const changed = (name: string, change: Partial<StateSection>) =>
    saved().map((section) => (section.name === name ? { ...section, ...change } : section));
  const restore = (sections: StateSection[], config: Partial<MachineConfig> = {}, parts = allParts()) =>
    faultOf(() => machineOf({ ...config, standby: true }, parts).machine.restoreState(sections));

  it('by the name of a section that is missing, unknown or there twice', () => {
    expect(restore(without('plic'))).toMatchObject({ fault: 'missing', section: 'plic' });
    expect(restore([...saved(), { name: 'gpu', version: 1, bytes: new Uint8Array() }])).toMatchObject({
      fault: 'unknown',
      section: 'gpu',
    });
    expect(restore([...saved(), ...saved()])).toMatchObject({ fault: 'damaged', section: 'configuration' });
  });

  it('by the name of a section of another version', () => {
    for (const version of [0, 2, Number.NaN]) {
      expect(restore(changed('virtio/drive-0', { version }))).toMatchObject({
        fault: 'version',
        section: 'virtio/drive-0',
      });
    }
  });

  it('for a machine with other memory, another clock, transport, firmware, drive or share', () => {
    const cases: [Partial<MachineConfig>, MachineParts, string][] = [
      [{ memory: 32 << 20 }, allParts(), 'configuration'],
      [{ clock: 'instructions' }, allParts(), 'configuration'],
      [{ virtio: 'mmio' }, allParts(), 'configuration'],
      [{ bios: undefined }, allParts(), 'configuration'],
      [{}, { ...allParts(), drives: [{ backend: new MemoryBackend({ bytes: 512 }) }] }, 'virtio/drive-0'],
      [{}, { ...allParts(), shares: [{ tag: 'other', tree: new MemoryTree() }] }, 'virtio/share-0'],
    ];
    for (const [config, parts, section] of cases) {
      const refusal = restore(saved(), config, parts);
      expect(refusal).toMatchObject({ fault: 'configuration', section });
      expect(refusal.message).toContain(`section ${section}: saved with`);
    }
    expect(restore(saved(), { memory: 32 << 20 }).message).toContain(
      '16777216, but this machine has 33554432',
    );
    expect(restore(saved(), {}, { ...allParts(), drives: [] })).toMatchObject({ section: 'virtio/drive-0' });
    expect(restore(without('virtio/drive-0'))).toMatchObject({ fault: 'missing', section: 'virtio/drive-0' });
  });

  it('with any byte of any section cut off or added, and the machine stays as it was', () => {
    const sections = saved();
    const { machine } = machineOf();
    machine.suspend();
    const before = machine.saveState();
    for (const { name, bytes } of sections) {
      const cuts = [bytes.subarray(0, bytes.length - 1), Uint8Array.from([...bytes, 0])];
      for (const cut of bytes.length === 0 ? cuts.slice(1) : cuts) {
        const refusal = faultOf(() => machine.restoreState(changed(name, { bytes: cut })));
        expect(refusal).toMatchObject({ fault: 'damaged', section: name });
      }
      expect(machine.saveState()).toEqual(before);
    }
  });
});
