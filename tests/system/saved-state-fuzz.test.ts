// Saved states that somebody has changed: refused, or a machine that goes wrong on its own and harms nobody.
import { expect, test } from 'vitest';
import { MachineStateError, STATE_PAGE_BYTES, type StateSection } from '../../src/machine/machine-state.ts';
import { busyConfig, busyParts, TYPED } from '../support/busy-guest.ts';
import {
  pagesIn,
  runPast,
  type SavedState,
  saveMachine,
  type TestMachine,
  testMachine,
} from '../support/saved-machine.ts';

/** HYPERTAB_STATE_FUZZ=20000 npx vitest run --project system tests/system/saved-state-fuzz.test.ts */
const ROUNDS = Number(process.env.HYPERTAB_STATE_FUZZ ?? 100);
/** All devices are at work then. */
const SAVED_AT = 262_000_000;
const RUN = 1_000_000;
/** No run of that many instructions takes longer, however busy the host is. */
const HANG_MS = 60_000;

let state = 0x1234_5678;
function random(below: number): number {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** One or a few sections with bits flipped, numbers made extreme, or cut. */
function tamper(sections: readonly StateSection[]): StateSection[] {
  const changed = sections.map((section) => ({ ...section, bytes: section.bytes.slice() }));
  const places = changed.filter(({ bytes }) => bytes.length > 0);
  for (let count = 1 + random(4); count > 0; count--) {
    const section = places[random(places.length)]!;
    const at = random(section.bytes.length);
    const kind = random(20);
    if (kind === 0) section.bytes = section.bytes.subarray(0, at);
    else if (kind < 10) section.bytes[at]! ^= 1 << random(8);
    else section.bytes.fill([0, 0xff, random(256)][random(3)]!, at, at + (1 << random(4)));
  }
  return changed;
}

/** RAM as it was saved; only pages that were written since are put back. */
function putBack({ machine }: TestMachine, { pages }: SavedState): void {
  for (const page of pagesIn(machine.takeDirtyPages())) {
    const offset = page * STATE_PAGE_BYTES;
    const bytes = pages.get(page);
    if (bytes) machine.ram.set(bytes, offset);
    else machine.ram.fill(0, offset, offset + STATE_PAGE_BYTES);
    machine.ramWritten(offset, STATE_PAGE_BYTES);
  }
  machine.takeDirtyPages();
}

test('changed sections are refused by name, or run for a million instructions without a fault of ours', async () => {
  const made = testMachine(busyConfig('auto'), busyParts());
  made.machine.consoleInput(TYPED);
  await runPast(made, SAVED_AT);
  const saved = await saveMachine(made);
  made.machine.takeDirtyPages();
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    putBack(made, saved);
    try {
      made.machine.restoreState(tamper(saved.sections));
    } catch (error) {
      expect(error).toBeInstanceOf(MachineStateError);
      refused++;
      continue;
    }
    made.machine.consoleInput(Uint8Array.of(0x0d));
    for (const terminal of made.machine.terminals) terminal.type(Uint8Array.of(0x0d));
    const begin = performance.now();
    const first = made.core.instructions;
    for (let slices = 0; slices < 1000 && made.core.instructions < first + RUN; slices++) {
      const result = made.machine.runSlice(2);
      if (result.state === 'stopped' || performance.now() - begin > HANG_MS) break;
      if (slices % 8 === 0) await new Promise((done) => setImmediate(done));
    }
    expect(performance.now() - begin).toBeLessThan(HANG_MS);
    made.machine.memory();
    await made.machine.quiesce();
  }
  expect(refused).toBeGreaterThan(ROUNDS / 10);
  expect(ROUNDS - refused).toBeGreaterThan(ROUNDS / 10);

  // After all that, the state as it was still leads where it did: putting back written pages was enough.
  putBack(made, saved);
  made.machine.restoreState(saved.sections);
  const again = await saveMachine(made);
  expect(again.sections).toEqual(saved.sections);
  expect([...again.pages.keys()]).toEqual([...saved.pages.keys()]);
  for (const [page, bytes] of again.pages) expect(Buffer.compare(bytes, saved.pages.get(page)!)).toBe(0);
});
