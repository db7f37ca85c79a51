// What a run of a program of cases leaves, and how two of them differ.
import { F_NAMES, X_NAMES } from '../../src/isa/registers.ts';
import { DATA_BYTES } from './case.ts';
import { DATA, RECORD_BYTES } from './program.ts';

export interface Outcome {
  /** One for each case that ended, RECORD_BYTES each. */
  readonly records: readonly Uint8Array[];
  /** Why there are fewer records than cases. */
  readonly failure?: string;
}

export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES)
    records.push(bytes.subarray(at, at + RECORD_BYTES));
  return records;
}

/** What a record's 64-bit word is. */
function wordName(index: number): string {
  if (index < 32) return X_NAMES[index]!;
  if (index < 64) return F_NAMES[index - 32]!;
  if (index === 64) return 'fcsr';
  const address = DATA + 8 * (index - 65);
  return `memory 0x${address.toString(16)} (data + ${8 * (index - 65)} of ${DATA_BYTES})`;
}

const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, '0')}`;
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One line for each 64-bit word in which a record of the engine called `name` and QEMU's differ. */
export function differences(core: Uint8Array, qemu: Uint8Array, name = 'core'): string[] {
  if (Buffer.compare(core, qemu) === 0) return [];
  const [ours, theirs] = [viewOf(core), viewOf(qemu)];
  const lines: string[] = [];
  for (let index = 0; index < RECORD_BYTES / 8; index++) {
    const [a, b] = [ours.getBigUint64(8 * index, true), theirs.getBigUint64(8 * index, true)];
    if (a !== b) lines.push(`${wordName(index)}: ${name} ${hex(a)}, qemu ${hex(b)}`);
  }
  return lines;
}
