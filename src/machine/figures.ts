// What a machine counts since its last reset, beside what its core and its devices do.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';

/** Times that the core was left, by why, and how often for SBI. */
export interface ExitCounts {
  sbiCalls: number;
  wfiExits: number;
  budgetExits: number;
  requestedExits: number;
}

const NONE: ExitCounts = { sbiCalls: 0, wfiExits: 0, budgetExits: 0, requestedExits: 0 };

export class Figures implements Stateful {
  readonly stateVersion = 1;
  exits: ExitCounts = { ...NONE };
  /** Milliseconds spent executing guest code. */
  busyMs = 0;
  /** Instructions up to the last reset. */
  instructionsBefore = 0;

  /** A reset, after so many instructions since the one before. */
  reset(instructions: number): void {
    this.exits = { ...NONE };
    this.busyMs = 0;
    this.instructionsBefore += instructions;
  }

  saveState(writer: StateWriter): void {
    const { sbiCalls, wfiExits, budgetExits, requestedExits } = this.exits;
    for (const count of [sbiCalls, wfiExits, budgetExits, requestedExits]) writer.count(count);
    writer.f64(this.busyMs);
    writer.count(this.instructionsBefore);
  }

  loadState(reader: StateReader): () => void {
    const exits: ExitCounts = {
      sbiCalls: reader.count(),
      wfiExits: reader.count(),
      budgetExits: reader.count(),
      requestedExits: reader.count(),
    };
    const busyMs = reader.f64();
    const instructionsBefore = reader.count();
    return () => {
      this.exits = exits;
      this.busyMs = busyMs;
      this.instructionsBefore = instructionsBefore;
    };
  }
}
