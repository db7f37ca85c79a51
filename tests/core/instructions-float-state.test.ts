// Floating-point instructions and the state around them: mstatus.FS and rounding modes. Privileged architecture 3.1.6.6,
// unprivileged ISA 20.2.
import { describe, expect, it } from 'vitest';
import { disassemble } from '../../src/isa/disassemble.ts';
import { rs1Of } from '../../src/isa/fields.ts';
import { FCSR, FRM, MSTATUS, STATUS } from './csr-numbers.ts';
import { CODE, type Hart, poke } from './harness.ts';
import {
  accessesMemory,
  bytesOf,
  COMPRESSED,
  expandCompressed,
  floatRegisters,
  INSTRUCTIONS,
  type Instruction,
  integerRegisters,
  isFloat,
  isFloatOperand,
  prepared,
  Random,
  sample,
  sampleCompressed,
} from './instruction-samples.ts';

const SAMPLES = 10;
const FLOATS = INSTRUCTIONS.filter(isFloat);
const ROUNDED = FLOATS.filter((one) => one.fields.some((field) => field.name === 'rm'));

function usable(one: Instruction, random: Random): number {
  const word = sample(one, random);
  return accessesMemory(one) && rs1Of(word) === 0 ? (word | (9 << 15)) >>> 0 : word;
}

function setFs(machine: Hart, fs: bigint): void {
  machine.setCsr(MSTATUS, (machine.csr(MSTATUS) & ~STATUS.FS) | fs);
}

function machineFor(word: number, seed: number): Hart {
  const machine = prepared(new Random(seed), rs1Of(word));
  poke(machine.core, CODE, bytesOf(word));
  return machine;
}

describe.each(FLOATS.map((one) => [one.mnemonic, one] as const))('%s', (mnemonic, one) => {
  it('is illegal while FS is off, and changes nothing', () => {
    const random = new Random(mnemonic.length);
    const word = usable(one, random);
    const machine = machineFor(word, 1);
    setFs(machine, 0n);
    const [x, f] = [integerRegisters(machine), floatRegisters(machine)];
    expect(machine.step()).toMatchObject({ cause: 2n, tval: BigInt(word), epc: BigInt(CODE) });
    expect([integerRegisters(machine), floatRegisters(machine)]).toEqual([x, f]);
    expect(machine.csr(MSTATUS) & STATUS.FS).toBe(0n);
  });

  it('gives the same with FS initial, clean and dirty, and makes FS dirty when it writes floating-point state', () => {
    for (let seed = 0; seed < SAMPLES; seed++) {
      const word = usable(one, new Random(seed));
      const run = (fs: bigint) => {
        const machine = machineFor(word, seed);
        setFs(machine, fs);
        const before = machine.csr(FCSR);
        expect(machine.step(), disassemble(word)).toBeUndefined();
        if (isFloatOperand(one, 'rd') || machine.csr(FCSR) !== before)
          expect(machine.csr(MSTATUS) & STATUS.FS, disassemble(word)).toBe(STATUS.FS);
        return [integerRegisters(machine), floatRegisters(machine), machine.csr(FCSR)];
      };
      const dirty = run(STATUS.FS);
      expect(run(STATUS.FS_INITIAL), disassemble(word)).toEqual(dirty);
      expect(run(STATUS.FS_CLEAN), disassemble(word)).toEqual(dirty);
    }
  });
});

it.each(COMPRESSED.filter((one) => isFloat(one.base)).map((one) => [one.mnemonic, one] as const))(
  '%s is illegal while FS is off, with the halfword in mtval',
  (_, one) => {
    const halfword = sampleCompressed(one, new Random(3));
    const machine = prepared(new Random(1), rs1Of(expandCompressed(halfword)));
    poke(machine.core, CODE, bytesOf(halfword));
    setFs(machine, 0n);
    expect(machine.step()).toMatchObject({ cause: 2n, tval: BigInt(halfword) });
  },
);

// Also conversions that are always exact: "implementations must treat the rm field as usual" (20.2).
describe.each(ROUNDED.map((one) => [one.mnemonic, one] as const))('%s', (_, one) => {
  const low = 12;
  const withMode = (mode: number, random: Random): number =>
    ((usable(one, random) & ~(7 << low)) | (mode << low)) >>> 0;

  it('is illegal with the rounding modes 5 and 6, in the instruction and in frm, and with 7 in frm', () => {
    const random = new Random(one.match | 0);
    for (const fs of [STATUS.FS, STATUS.FS_CLEAN]) {
      for (const [mode, frm] of [
        [5, 0n],
        [6, 0n],
        [7, 5n],
        [7, 6n],
        [7, 7n],
      ] as const) {
        const word = withMode(mode, random);
        const machine = machineFor(word, 1);
        machine.setCsr(FRM, frm);
        setFs(machine, fs);
        expect(machine.step(), `${disassemble(word)}, frm ${frm}`).toMatchObject({
          cause: 2n,
          tval: BigInt(word),
        });
      }
    }
  });

  it('does not look at frm when it names a rounding mode', () => {
    const random = new Random(one.match | 0);
    for (let mode = 0; mode <= 4; mode++) {
      for (const frm of [5n, 6n, 7n]) {
        const word = withMode(mode, random);
        const machine = machineFor(word, 1);
        machine.setCsr(FRM, frm);
        expect(machine.step(), disassemble(word)).toBeUndefined();
      }
    }
  });
});
