// Machines saved and restored as a hypervisor does it, and told apart bit by bit.
import { Core } from '../../src/core/core.ts';
import type { CoreApi } from '../../src/core/core-types.ts';
import { Machine } from '../../src/machine/machine.ts';
import { STATE_PAGE_BYTES, type StateSection } from '../../src/machine/machine-state.ts';
import type { MachineConfig, MachineParts, SliceResult } from '../../src/machine/machine-types.ts';
import { stateHash } from '../determinism/run-machine.mjs';

/** A machine, its core, and what it has written to its consoles. */
export interface TestMachine {
  machine: Machine;
  core: CoreApi;
  output: string;
}

export interface SavedState {
  sections: StateSection[];
  /** Pages that hold something, by their numbers. */
  pages: Map<number, Uint8Array>;
  instructions: number;
}

export function testMachine(config: MachineConfig, parts?: MachineParts): TestMachine {
  let core: CoreApi | undefined;
  const machine = new Machine(
    config,
    (module, options) => {
      core = Core.create(module, options);
      return core;
    },
    parts,
  );
  const made = { machine, core: core!, output: '' };
  machine.onConsoleOutput = (bytes) => {
    made.output += String.fromCharCode(...bytes);
  };
  return made;
}

export function pagesIn(bitmap: Uint8Array): number[] {
  const pages: number[] = [];
  for (const [index, bits] of bitmap.entries()) {
    for (let bit = 0; bit < 8; bit++) if (bits & (1 << bit)) pages.push(index * 8 + bit);
  }
  return pages;
}

/** Saves a machine that stands still. */
export async function saveMachine({ machine, core }: TestMachine): Promise<SavedState> {
  await machine.quiesce();
  const sections = machine.saveState();
  const pages = new Map<number, Uint8Array>();
  for (const page of pagesIn(machine.nonZeroPages())) {
    pages.set(page, machine.ram.slice(page * STATE_PAGE_BYTES, (page + 1) * STATE_PAGE_BYTES));
  }
  return { sections, pages, instructions: core.instructions };
}

/** Makes a machine of its own go on from a saved state. */
export function restoreMachine(config: MachineConfig, saved: SavedState, parts?: MachineParts): TestMachine {
  const made = testMachine({ ...config, standby: true }, parts);
  putState(made, saved);
  return made;
}

export function putState({ machine }: TestMachine, { sections, pages }: SavedState): void {
  machine.ram.fill(0);
  for (const [page, bytes] of pages) machine.ram.set(bytes, page * STATE_PAGE_BYTES);
  machine.ramWritten(0, machine.ram.length);
  machine.restoreState(sections);
}

/** Runs to an exact count of instructions (or the machine's end), with slices of any length. */
export async function runTo({ machine }: TestMachine, instructions: number): Promise<SliceResult> {
  machine.setInstructionLimit(instructions);
  for (let slice = 0; ; slice++) {
    const result = machine.runSlice(1 + ((slice * 7) % 5));
    if (result.state === 'stopped') return result;
    await new Promise((done) => setImmediate(done));
  }
}

/** Runs slices until at least so many instructions have been executed; false when the machine stops before. */
export async function runPast({ machine, core }: TestMachine, instructions: number): Promise<boolean> {
  for (let slice = 0; core.instructions < instructions; slice++) {
    if (machine.runSlice(0.5 + (slice % 4)).state === 'stopped') return false;
    await new Promise((done) => setImmediate(done));
  }
  return machine.runSlice(0).state !== 'stopped';
}

/** Registers, CSRs, RAM and instructions, as one line. */
export function fingerprint({ core }: TestMachine): string {
  return `${stateHash(core)} after ${core.instructions}`;
}
