// One random case: what registers and memory hold, and the instructions that run on them.
import { lengthOf } from './encode.ts';

/** Bytes of the data that a case may load from and store to; a page boundary lies in their middle. */
export const DATA_BYTES = 512;

/** Instructions that stay together: what a branch may skip, and what shrinking takes away. */
export interface Unit {
  /** Bytes of it. */
  readonly length: number;
  /**
   * Its instructions.
   * @param forward bytes from the unit's first instruction to where a branch in it goes
   */
  readonly encode: (forward: number) => readonly number[];
  /** Units that a branch in it jumps over (forward), or that it repeats (loops, negative). */
  readonly skip: number;
}

export interface DiffCase {
  /** The generator's seed for this case. */
  readonly seed: number;
  /** x0 to x31; the anchor's value is not used. */
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  readonly fcsr: number;
  /** DATA_BYTES bytes. */
  readonly data: Uint8Array;
  /** The integer register that holds the result's address: no instruction of the case writes it. */
  readonly anchor: number;
  /** Bytes between the previous case and this one, so that instructions straddle pages. */
  readonly gap: number;
  readonly units: readonly Unit[];
}

/** A unit without a branch. */
export function plain(...instructions: readonly number[]): Unit {
  const length = instructions.reduce((sum, raw) => sum + lengthOf(raw), 0);
  return { length, encode: () => instructions, skip: 0 };
}

/** The case's instructions in order, branches resolved. Skips that reach past the end go to the end. */
export function resolve(units: readonly Unit[]): number[] {
  const starts: number[] = [];
  let end = 0;
  for (const unit of units) {
    starts.push(end);
    end += unit.length;
  }
  return units.flatMap((unit, index) => {
    const to = unit.skip < 0 ? Math.max(0, index + unit.skip) : index + unit.skip + 1;
    return unit.encode((starts[to] ?? end) - starts[index]!);
  });
}
