// Branches and jumps of random cases. All go forward, so that every case ends; the one backward branch counts down.
import type { Unit } from './case.ts';
import { encode, encodeCompressed } from './encode.ts';
import type { CaseGenerator } from './generator.ts';

function must(raw: number | undefined, mnemonic: string): number {
  if (raw === undefined) throw new Error(`${mnemonic} cannot be encoded with these operands`);
  return raw;
}

function compressedBranch(generator: CaseGenerator, mnemonic: string, skip: number): Unit {
  const rs1 = generator.random.between(8, 15);
  const base = mnemonic === 'c.beqz' ? 'beq' : 'bne';
  return {
    length: 2,
    skip,
    encode: (forward) => [must(encodeCompressed(mnemonic, encode(base, { rs1, imm: forward })), mnemonic)],
  };
}

/** auipc and jalr, or addi between them for the forms without an offset. Bit 0 of the target is ignored. */
function indirect(generator: CaseGenerator, mnemonic: string, skip: number): Unit {
  const { random } = generator;
  const base = generator.temporary();
  const odd = random.below(2);
  if (mnemonic === 'jalr') {
    const rd = random.once(3) ? base : generator.target();
    return {
      length: 8,
      skip,
      encode: (forward) => [
        encode('auipc', { rd: base }),
        encode('jalr', { rd, rs1: base, imm: forward + odd }),
      ],
    };
  }
  // c.jalr writes ra: where that is a fixed register, c.jr does.
  const form = generator.writable(1) ? mnemonic : 'c.jr';
  const jump = encode('jalr', { rd: form === 'c.jalr' ? 1 : 0, rs1: base });
  return {
    length: 10,
    skip,
    encode: (forward) => [
      encode('auipc', { rd: base }),
      encode('addi', { rd: base, rs1: base, imm: forward + odd }),
      must(encodeCompressed(form, jump), form),
    ],
  };
}

/** A branch or jump of this name over none to five units. */
export function branchUnit(generator: CaseGenerator, mnemonic: string): Unit {
  const skip = generator.random.below(6);
  if (mnemonic === 'c.beqz' || mnemonic === 'c.bnez') return compressedBranch(generator, mnemonic, skip);
  if (mnemonic === 'jalr' || mnemonic === 'c.jr' || mnemonic === 'c.jalr')
    return indirect(generator, mnemonic, skip);
  if (mnemonic === 'c.j') {
    const word = (imm: number): number => encode('jal', { imm });
    return { length: 2, skip, encode: (forward) => [must(encodeCompressed('c.j', word(forward)), mnemonic)] };
  }
  const fields = { rd: generator.target(), rs1: generator.source(), rs2: generator.source() };
  if (generator.random.once(5)) fields.rs2 = fields.rs1;
  return { length: 4, skip, encode: (forward) => [encode(mnemonic, { ...fields, imm: forward })] };
}

/** Counts the loop register down and goes back over up to eight units while it is positive. */
export function loopUnit(generator: CaseGenerator): Unit {
  const { counter } = generator.fixed;
  return {
    length: 8,
    skip: -generator.random.between(1, 8),
    encode: (back) => [
      encode('addi', { rd: counter, rs1: counter, imm: -1 }),
      encode('blt', { rs1: 0, rs2: counter, imm: back - 4 }),
    ],
  };
}
