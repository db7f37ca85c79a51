// Cases for one floating-point instruction: fcsr and up to three registers, from hard numbers and hard combinations.
import type { Instruction } from '../../src/isa/instruction-table.ts';
import { everyExponent, hardIntegers, hardNumbers } from './hard-numbers.ts';
import { type Random, randomOperands } from './operands.ts';
import { FORMATS, type Kind, OPERATIONS } from './operations.ts';
import { widthOf } from './oracle.ts';

/** 64-bit words of a case: fcsr, then the operands. */
export const CASE_WORDS = 4;

const LETTERS: Readonly<Record<string, Kind>> = { d: 'f64', s: 'f32', w: 'f32', h: 'f16', x: 'x' };

/** What an instruction reads: the format of its floating-point registers, or x. */
export function sourceKind({ mnemonic, operands }: Instruction): Kind {
  if (operands[1] === 'rs1') return 'x';
  const letter = mnemonic.split('.').at(mnemonic.startsWith('fmv') ? 1 : -1) ?? '';
  // fmv.x.w reads a single: its source comes last.
  const source = mnemonic.startsWith('fmv') ? mnemonic.split('.')[2] : letter;
  return LETTERS[source ?? ''] ?? 'f64';
}

const sources = ({ operands }: Instruction): number =>
  operands.filter((operand) => /^f?r?s[123]$/.test(operand)).length;

const boxes: Record<Kind, bigint> = { f64: 0n, f32: -1n << 32n, f16: -1n << 16n, x: 0n };
const known = new Map<string, readonly bigint[]>();

function pool(kind: Kind, alone: boolean): readonly bigint[] {
  const key = `${kind} ${alone}`;
  let values = known.get(key);
  if (values === undefined) {
    if (kind === 'x') values = hardIntegers();
    else values = alone ? everyExponent(FORMATS[kind]) : hardNumbers(FORMATS[kind]);
    known.set(key, values);
  }
  return values;
}

/** A prime, so that its multiples visit all remainders. */
const STRIDE = 2_654_435_761;

/** All combinations of an instruction's hard operands, visited in a scattered order; hard random ones between them. */
export class CaseSource {
  readonly arity: number;
  readonly kind: Kind;
  readonly #pool: readonly bigint[];
  readonly #random: Random;
  readonly #operation: (typeof OPERATIONS)[number] | undefined;
  #next: number;

  constructor(instruction: Instruction, random: Random) {
    this.arity = sources(instruction);
    this.kind = sourceKind(instruction);
    this.#pool = pool(this.kind, this.arity === 1);
    this.#random = random;
    this.#next = random.below(this.#pool.length);
    this.#operation =
      OPERATIONS.find((one) => one.instruction === instruction.mnemonic) ??
      OPERATIONS.find((one) => one.operands.length === this.arity && one.operands[0] === this.kind);
  }

  /** Combinations there are, without rounding modes. */
  get combinations(): number {
    return this.#pool.length ** this.arity;
  }

  operands(): bigint[] {
    const random = this.#random;
    // A third of them, half of three operands: combinations that meet (random.ts says how).
    if (this.#operation && random.below(6) < (this.arity === 3 ? 3 : 2))
      return randomOperands(random, this.#operation);
    const size = this.#pool.length;
    this.#next = (this.#next + STRIDE) % Math.min(this.combinations, Number.MAX_SAFE_INTEGER - STRIDE);
    let rest = this.#next;
    return Array.from({ length: this.arity }, () => {
      const value = this.#pool[rest % size]!;
      rest = Math.floor(rest / size);
      return this.arity === 3 ? this.#pool[random.below(size)]! : value;
    });
  }

  /** The operand as a register holds it: boxed, now and then with a box that is not all ones. */
  boxed(value: bigint): bigint {
    const register = BigInt.asUintN(64, boxes[this.kind] | value);
    if (this.kind === 'x' || this.kind === 'f64' || this.#random.below(24) !== 0) return register;
    const width = widthOf(FORMATS[this.kind]);
    return register ^ (1n << BigInt(width + this.#random.below(64 - width)));
  }
}

/**
 * Cases of an instruction as words of a table.
 * @param rm the instruction's own rounding mode, or 7: the case's frm decides
 */
export function caseTable(source: CaseSource, random: Random, count: number, rm: number): BigUint64Array {
  const table = new BigUint64Array(count * CASE_WORDS);
  for (let index = 0; index < count; index++) {
    const frm = rm === 7 ? index % 5 : random.below(5);
    // NX alone is where the translator takes a short way.
    const flags = [0, 1, 1, random.below(32)][random.below(4)]!;
    table[index * CASE_WORDS] = BigInt((frm << 5) | flags);
    for (const [place, value] of source.operands().entries())
      table[index * CASE_WORDS + 1 + place] = source.boxed(value);
  }
  return table;
}
