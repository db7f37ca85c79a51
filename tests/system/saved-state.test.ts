// Machines saved at any moment go on in a machine of their own as if nothing had been: registers, RAM, drive, output.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Engine, MachineConfig } from '../../src/machine/machine-types.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { busyConfig, busyParts, contentsOf, TYPED } from '../support/busy-guest.ts';
import { coreModule } from '../support/core.ts';
import {
  fingerprint,
  restoreMachine,
  runPast,
  runTo,
  type SavedState,
  saveMachine,
  type TestMachine,
  testMachine,
} from '../support/saved-machine.ts';

/** HYPERTAB_STATE_ROUNDS=500 npx vitest run --project system tests/system/saved-state.test.ts */
const ROUNDS = Number(process.env.HYPERTAB_STATE_ROUNDS ?? 7);
/** Beyond the guest's own end, which comes first. */
const NEVER = 2e9;
/** Debian's, which comes with qemu-system-data. */
const OPENSBI = '/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin';
/** The firmware takes 13 million instructions. */
const FIRMWARE_AND_KERNEL = 60_000_000;
const ENGINES: readonly Engine[] = ['auto', 'interpreter', 'auto', 'interpreter', 'auto', 'translator'];

/** Moments at which to save: any number of instructions, the same on each run of the test. */
function moments(count: number, last: number): number[] {
  let state = 0x9e3779b9;
  const next = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, () => Math.floor(next() * last)).sort((a, b) => a - b);
}

test('a kernel at work with drive, share, network, randomness and console goes on bit by bit, from machine to machine', async () => {
  const wholeParts = busyParts();
  const whole = testMachine(busyConfig('auto'), wholeParts);
  whole.machine.consoleInput(TYPED);
  expect(await runTo(whole, NEVER), whole.output).toEqual({
    state: 'stopped',
    reason: { kind: 'poweroff' },
  });
  const { output } = whole;
  const end = whole.core.instructions;
  expect(output).toContain('read: line 19');
  expect(output).toContain('3 packets transmitted, 3 packets received');
  expect(output).toMatch(/virtio4/);
  const at = moments(ROUNDS, end);

  let parts = busyParts();
  let walker = testMachine(busyConfig('auto'), parts);
  walker.machine.consoleInput(TYPED);
  let before = '';
  for (const [round, instructions] of at.entries()) {
    await runPast(walker, instructions);
    const saved: SavedState = await saveMachine(walker);
    before += walker.output;
    parts = busyParts(contentsOf(parts));
    walker = restoreMachine(busyConfig(ENGINES[round % ENGINES.length]!), saved, parts);
    expect((await saveMachine(walker)).sections).toEqual(saved.sections);
  }
  await runTo(walker, NEVER);
  expect(before + walker.output).toBe(output);
  expect(fingerprint(walker)).toBe(fingerprint(whole));
  expect(Buffer.from(contentsOf(parts)).equals(contentsOf(wholeParts))).toBe(true);
});

test('a kernel under firmware in M-mode goes on bit by bit, within the firmware too', async () => {
  if (!existsSync(OPENSBI)) throw new Error(`${OPENSBI} is missing: apt-get install qemu-system-data`);
  const config = (engine: Engine): MachineConfig => {
    const files = { ...linuxGuest(), bios: new Uint8Array(readFileSync(OPENSBI)) };
    return { core: coreModule(), memory: 128 << 20, ...files, engine, clock: 'instructions', seed: 2 };
  };
  const whole = testMachine(config('auto'));
  await runTo(whole, FIRMWARE_AND_KERNEL);
  expect(whole.output).toContain('OpenSBI');
  let walker = testMachine(config('auto'));
  let before = '';
  for (const [round, instructions] of [500_000, 3_000_000, 20_000_000].entries()) {
    await runTo(walker, instructions);
    before += walker.output;
    walker = restoreMachine(config(ENGINES[round]!), await saveMachine(walker));
  }
  await runTo(walker, FIRMWARE_AND_KERNEL);
  expect(before + walker.output).toBe(whole.output);
  expect(fingerprint(walker)).toBe(fingerprint(whole));
});

test.each(['hello', 'monitor', 'count'])('%s goes on from anywhere to the same end', async (name) => {
  const bios = new Uint8Array(readFileSync(new URL(`../../build/guests/${name}/bios`, import.meta.url)));
  const config = (engine: Engine): MachineConfig => {
    return { core: coreModule(), memory: 16 << 20, bios, engine, clock: 'instructions', seed: 1 };
  };
  const type = ({ machine }: TestMachine) =>
    machine.consoleInput(new TextEncoder().encode('poke 0x80010000 7\rregs\rcountdown 1\rcsr\roff\r'));
  const whole = testMachine(config('interpreter'));
  type(whole);
  expect(await runTo(whole, NEVER), whole.output).toMatchObject({ reason: { kind: 'poweroff' } });
  const saver = testMachine(config('interpreter'));
  let walker = testMachine(config('interpreter'));
  type(saver);
  type(walker);
  let before = '';
  for (const [round, instructions] of moments(5, whole.core.instructions).entries()) {
    // To be saved changes nothing.
    if (await runPast(saver, instructions)) await saveMachine(saver);
    // A limit stops exactly there.
    await runTo(walker, instructions);
    const saved = await saveMachine(walker);
    expect(saved.instructions).toBe(instructions);
    before += walker.output;
    walker = restoreMachine(config(ENGINES[round % ENGINES.length]!), saved);
  }
  await runTo(saver, NEVER);
  await runTo(walker, NEVER);
  expect([saver.output, before + walker.output]).toEqual([whole.output, whole.output]);
  expect([fingerprint(saver), fingerprint(walker)]).toEqual([fingerprint(whole), fingerprint(whole)]);
});
