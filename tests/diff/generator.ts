// Random cases from the instruction table: every user-level instruction that the oracle knows, on operands chosen for
// their corners.
//
// Left out, and why:
// - Zicond, Zawrs, Zicboz, Zicbom: QEMU 7.2 has none of them. Zfh's arithmetic: the machine has Zfhmin only.
// - ecall, ebreak, privileged instructions, and time, cycle and instret: they do not stay inside the process, or differ
//   from run to run.
// - Reserved rounding modes, misaligned atomics: exceptions, which end a process (tests/core has them).
// - A store to the reserved bytes between lr and sc, sc to other bytes of the reservation set, and sc of another size:
//   the specification allows success and failure (13.2), and QEMU compares addresses and values.
// - ctzw of a word of zeros: 32 (28.2, "ctzw"), where QEMU before 8.0 counts on in the upper half.
import {
  COMPRESSED,
  type CompressedInstruction,
  decodeCompressed,
  expandCompressed,
} from '../../src/isa/compressed-table.ts';
import { rdOf } from '../../src/isa/fields.ts';
import { INSTRUCTIONS, type Instruction, isFloatOperand } from '../../src/isa/instruction-table.ts';
import { branchUnit, loopUnit } from './branches.ts';
import { DATA_BYTES, type DiffCase, plain, type Unit } from './case.ts';
import { encode, encodeCompressed, type Fields } from './encode.ts';
import { Random } from './random.ts';
import { floatValue, integerValue, memoryValue } from './values.ts';

const EXTENSIONS = ['I', 'M', 'A', 'F', 'D', 'Zba', 'Zbb', 'Zbs', 'Zbc', 'Zfhmin', 'Zicsr', 'Zifencei'];
const UNFIT = ['ecall', 'ebreak'];

const SUBJECTS = INSTRUCTIONS.filter(
  (one) => EXTENSIONS.includes(one.extension) && !UNFIT.includes(one.mnemonic),
);
const COMPRESSED_SUBJECTS = COMPRESSED.filter((one) => !UNFIT.includes(one.base.mnemonic));
const COMPRESSED_BRANCHES = ['jal', 'jalr', 'beq', 'bne'];

/** Names of all instructions that cases are made of. */
export const SUBJECT_NAMES: readonly string[] = [...SUBJECTS, ...COMPRESSED_SUBJECTS].map(
  (one) => one.mnemonic,
);

const FFLAGS = 1;
const FRM = 2;
const FCSR = 3;

const BYTES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };
/** Operand size of a load, store or atomic from its name: lhu, fsd, amoadd.w, c.ldsp. */
export function accessBytes(mnemonic: string): number {
  const letter = mnemonic.includes('.')
    ? mnemonic.slice(-1)
    : /^f?[ls](?<size>[bhwd])/.exec(mnemonic)?.groups?.size;
  return BYTES[letter ?? ''] ?? 0;
}

/** The registers of one case that random instructions must not write, and what they hold. */
export interface Fixed {
  readonly anchor: number;
  readonly counter: number;
  /** Registers that point into or near the data, with the distance from its first byte. */
  readonly pointers: readonly { readonly register: number; readonly delta: number }[];
  /** Where atomics of all sizes meet: a multiple of 8, from the data's first byte. */
  readonly meeting: number;
}

export class CaseGenerator {
  readonly random: Random;
  readonly fixed: Fixed;
  #recent = 0;

  constructor(random: Random) {
    this.random = random;
    const free = Array.from({ length: 31 }, (_, index) => index + 1);
    const take = (register: number): number => {
      free.splice(free.indexOf(register), 1);
      return register;
    };
    // sp and one of x8 to x15 are there for compressed loads and stores; sp is left to c.addi4spn and c.addi16sp at times.
    const pointers = [{ register: take(random.between(8, 15)), delta: this.#delta() }];
    if (!random.once(4)) pointers.push({ register: take(2), delta: this.#delta() });
    pointers.push({ register: take(random.pick(free)), delta: random.between(-1900, 2300) });
    this.fixed = {
      anchor: take(random.pick(free)),
      counter: take(random.pick(free)),
      pointers,
      meeting: random.below(DATA_BYTES / 8) * 8,
    };
  }

  #delta(): number {
    const delta = this.random.below(DATA_BYTES / 2);
    return this.random.once(3) ? delta : delta & ~7;
  }

  /** True when random instructions may write this integer register. */
  writable(register: number): boolean {
    const { anchor, counter, pointers } = this.fixed;
    return (
      register !== anchor &&
      register !== counter &&
      pointers.every((pointer) => pointer.register !== register)
    );
  }

  /** An integer register to read. */
  source(): number {
    if (this.random.once(8)) return 0;
    if (this.random.once(4)) return this.#recent;
    return this.random.below(32);
  }

  /** An integer register to write. */
  target(): number {
    if (this.random.once(10)) return 0;
    if (this.random.once(5)) return this.#recent;
    for (;;) {
      const register = this.random.below(32);
      if (!this.writable(register)) continue;
      this.#recent = register;
      return register;
    }
  }

  /** An integer register to write that is not x0. */
  temporary(): number {
    for (;;) {
      const register = this.random.between(1, 31);
      if (this.writable(register)) return register;
    }
  }

  #immediate(low: number, high: number): number {
    if (this.random.once(2)) return this.random.between(low, high);
    return this.random.pick([0, 1, low < 0 ? -1 : 1, low, high, low + 1, high - 1]);
  }

  /** A distance from `delta` to an operand of `bytes` inside the data, within [low, high]: the corners more often. */
  offset(delta: number, bytes: number, low = -2048, high = 2047): number | undefined {
    const least = Math.max(low, -delta);
    const most = Math.min(high, DATA_BYTES - bytes - delta);
    if (most < least) return undefined;
    const middle = DATA_BYTES / 2 - delta;
    const across = this.random.between(middle - bytes, middle);
    switch (this.random.below(8)) {
      case 0:
        return least;
      case 1:
        return most;
      case 2:
        return Math.min(most, Math.max(least, across));
      case 3:
      case 4:
        return this.random.between(least, most);
      default: {
        // An aligned one, if the range has any.
        const aligned = ((this.random.between(least, most) + delta) & -bytes) - delta;
        return Math.max(aligned, least);
      }
    }
  }

  /** Somewhere in the data, aligned; half of the time in the eight bytes that others use as well. */
  #place(bytes: number): number {
    if (this.random.once(2)) return this.fixed.meeting + this.random.below(8 / bytes) * bytes;
    return this.random.below(DATA_BYTES / bytes) * bytes;
  }

  /** Makes `register` point to an aligned operand in the data; [instructions], and where it lies. */
  pointTo(register: number, bytes: number, place?: number): { setup: number; place: number } {
    for (;;) {
      const pointer = this.random.pick(this.fixed.pointers);
      const at = place ?? this.#place(bytes);
      const imm = at - pointer.delta;
      if (imm < -2048 || imm > 2047) continue;
      return { setup: encode('addi', { rd: register, rs1: pointer.register, imm }), place: at };
    }
  }

  #loadOrStore(one: Instruction): Unit {
    const bytes = accessBytes(one.mnemonic);
    const float = one.operands.some((operand) => operand === 'fd' || operand === 'fs2');
    const store = one.format === 'S';
    const value = (): Fields => {
      if (store) return { rs2: float ? this.random.below(32) : this.source() };
      return { rd: float ? this.random.below(32) : this.target() };
    };
    for (;;) {
      const pointer = this.random.pick(this.fixed.pointers);
      const imm = this.offset(pointer.delta, bytes);
      if (imm === undefined) continue;
      if (!this.random.once(6))
        return plain(encode(one.mnemonic, { ...value(), rs1: pointer.register, imm }));
      // Base and destination (or stored value) in the same register.
      const both = this.temporary();
      const fields = float ? value() : store ? { rs2: both } : { rd: both };
      return plain(
        encode('addi', { rd: both, rs1: pointer.register }),
        encode(one.mnemonic, { ...fields, rs1: both, imm }),
      );
    }
  }

  #atomic(one: Instruction): Unit {
    const bytes = accessBytes(one.mnemonic);
    const ordering = { aq: this.random.below(2), rl: this.random.below(2) };
    const address = this.temporary();
    if (one.mnemonic.startsWith('lr') || one.mnemonic.startsWith('sc'))
      return this.#reservation(bytes, ordering);
    const fields: Fields = { rs1: address, rs2: this.source(), rd: this.target(), ...ordering };
    if (this.random.once(8)) fields.rd = fields.rs2 = address;
    return plain(this.pointTo(address, bytes).setup, encode(one.mnemonic, fields));
  }

  /** lr and sc, or sc alone, with something between them at times. Ends with sc, so that no reservation is left. */
  #reservation(bytes: number, ordering: Fields): Unit {
    const { random } = this;
    const size = bytes === 4 ? 'w' : 'd';
    const address = this.temporary();
    const { setup, place } = this.pointTo(address, bytes);
    const lr = encode(`lr.${size}`, { rd: this.target(), rs1: address, ...ordering });
    const sc = (): number =>
      encode(`sc.${size}`, { rd: this.target(), rs1: address, rs2: this.source(), ...ordering });
    // Bytes that no granule of the reservation reaches.
    const far = this.pointTo(address, 8, ((place + 64 + 8 * random.below(48)) % DATA_BYTES) & ~7).setup;
    switch (random.below(6)) {
      case 0: // no reservation
        return plain(setup, sc());
      case 1: // used up by another sc
        return plain(setup, lr, setup, sc(), setup, sc());
      case 2: // replaced by another lr
        return plain(setup, lr, far, encode(`lr.${size}`, { rd: 0, rs1: address }), setup, sc());
      case 3: // elsewhere
        return plain(setup, lr, far, sc());
      case 4: {
        const store = encode(random.pick(['sb', 'sh', 'sw', 'sd']), { rs1: address, rs2: this.source() });
        return plain(setup, lr, far, store, setup, sc());
      }
      default:
        return plain(setup, lr, setup, sc());
    }
  }

  /** fflags, frm and fcsr in every way that leaves frm valid, as the next instruction may round by it. */
  #csr(one: Instruction): Unit {
    const { random } = this;
    const immediate = one.format === 'CSRI';
    const rd = this.target();
    const clears = one.mnemonic.startsWith('csrrc');
    if (clears || random.once(2)) {
      const csr = clears ? random.pick([FFLAGS, FRM, FCSR]) : FFLAGS;
      return plain(
        encode(
          one.mnemonic,
          immediate ? { rd, csr, zimm: random.below(32) } : { rd, csr, rs1: this.source() },
        ),
      );
    }
    if (immediate) {
      if (one.mnemonic === 'csrrsi') return plain(encode(one.mnemonic, { rd, csr: FRM, zimm: 0 }));
      return plain(encode(one.mnemonic, { rd, csr: FRM, zimm: random.below(5) }));
    }
    const rs1 = this.temporary();
    // Bits above fcsr's are ignored; the sign extension of the immediate sets all of them.
    const high = random.once(3) ? -256 : random.below(8) << 8;
    const imm =
      one.mnemonic === 'csrrs' ? high | random.below(32) : high | (random.below(5) << 5) | random.below(32);
    return plain(encode('addi', { rd: rs1, imm }), encode(one.mnemonic, { rd, rs1, csr: FCSR }));
  }

  #plain(one: Instruction): Unit {
    const { random } = this;
    const fields: Fields = {};
    for (const { name, width } of one.fields) {
      if (name === 'rd') fields.rd = isFloatOperand(one, 'rd') ? random.below(32) : this.target();
      else if (name === 'rs1' || name === 'rs2' || name === 'rs3')
        fields[name] = isFloatOperand(one, name) ? random.below(32) : this.source();
      else if (name === 'rm') fields.rm = random.pick([0, 1, 2, 3, 4, 7, 7]);
      else if (!name.startsWith('imm') && !name.startsWith('shamt')) fields[name] = random.below(2 ** width);
    }
    if (one.format === 'I') fields.imm = this.#immediate(-2048, 2047);
    if (one.format === 'SHIFT') fields.imm = random.pick([0, 1, 31, 32, 63, random.below(64)]);
    if (one.format === 'SHIFTW') fields.imm = random.pick([0, 1, 31, random.below(32)]);
    if (one.format === 'U') fields.imm = this.#immediate(-(2 ** 19), 2 ** 19 - 1) << 12;
    if (one.format === 'R' && random.once(6)) this.#oneRegister(one, fields);
    return plain(encode(one.mnemonic, fields));
  }

  #ctzw(): Unit {
    const word = this.temporary();
    const imm = this.random.below(32);
    return plain(
      encode('bseti', { rd: word, rs1: this.source(), imm }),
      encode('ctzw', { rd: this.target(), rs1: word }),
    );
  }

  /** rd = rs1 = rs2, as far as they are of one kind. */
  #oneRegister(one: Instruction, fields: Fields): void {
    const { rd } = fields;
    if (rd === undefined) return;
    const float = isFloatOperand(one, 'rd');
    if (fields.rs1 !== undefined && isFloatOperand(one, 'rs1') === float) fields.rs1 = rd;
    if (fields.rs2 !== undefined && isFloatOperand(one, 'rs2') === float) fields.rs2 = rd;
  }

  /** A compressed load or store on one of the pointers; undefined when its registers or its offset do not allow it. */
  #compressedAccess(one: CompressedInstruction): number | undefined {
    const bytes = accessBytes(one.base.mnemonic);
    const pointer = this.random.pick(this.fixed.pointers);
    const imm = this.offset(pointer.delta, bytes, 0, 504);
    if (imm === undefined) return undefined;
    const short = !one.mnemonic.endsWith('sp');
    const any = (): number => (short ? this.random.between(8, 15) : this.random.below(32));
    const word = encode(one.base.mnemonic, {
      rd: any(),
      rs2: any(),
      rs1: pointer.register,
      imm: imm & -bytes,
    });
    const outside = (imm & -bytes) + pointer.delta < 0;
    return outside ? undefined : encodeCompressed(one.mnemonic, word);
  }

  #compressed(one: CompressedInstruction): Unit {
    const access = accessBytes(one.base.mnemonic) !== 0;
    for (let attempt = 0; attempt < 1000; attempt++) {
      const halfword = access
        ? this.#compressedAccess(one)
        : (this.random.below(0x10000) & ~one.mask) | one.match;
      if (halfword === undefined || decodeCompressed(halfword) !== one) continue;
      const rd = rdOf(expandCompressed(halfword));
      const writesInteger = one.base.operands[0] === 'rd';
      if (writesInteger && rd !== 0 && !this.writable(rd)) continue;
      return plain(halfword);
    }
    // No register of this case fits (sp is not a pointer, say).
    return plain(encode('addi', {}));
  }

  /**
   * An instruction with what belongs to it, and at times a call to the next one, where the translator may begin anew:
   * what follows an instruction that it leaves to the interpreter would seldom be translated otherwise.
   */
  unit(): Unit {
    if (this.random.once(8)) return plain(encode('jal', { rd: this.temporary(), imm: 4 }));
    return this.#unit();
  }

  #unit(): Unit {
    const { random } = this;
    if (random.once(4)) {
      const one = random.pick(COMPRESSED_SUBJECTS);
      if (COMPRESSED_BRANCHES.includes(one.base.mnemonic)) return branchUnit(this, one.mnemonic);
      return this.#compressed(one);
    }
    if (random.once(40)) return loopUnit(this);
    const one = random.pick(SUBJECTS);
    if (one.format === 'B' || one.format === 'J' || one.mnemonic === 'jalr')
      return branchUnit(this, one.mnemonic);
    if (one.format === 'AMO') return this.#atomic(one);
    if (one.format === 'S' || one.operands.includes('off(rs1)')) return this.#loadOrStore(one);
    if (one.format === 'CSR' || one.format === 'CSRI') return this.#csr(one);
    return one.mnemonic === 'ctzw' ? this.#ctzw() : this.#plain(one);
  }
}

/** The case of a seed: the same on every host. */
export function generateCase(seed: number, dataAddress: bigint): DiffCase {
  const random = new Random(seed);
  const generator = new CaseGenerator(random);
  const { anchor, counter, pointers } = generator.fixed;
  const x = Array.from({ length: 32 }, (_, index) => (index === 0 ? 0n : integerValue(random)));
  for (const { register, delta } of pointers) x[register] = dataAddress + BigInt(delta);
  x[counter] = BigInt(random.between(1, 3));
  const data = new Uint8Array(DATA_BYTES);
  const view = new DataView(data.buffer);
  for (let at = 0; at < DATA_BYTES; at += 8) view.setBigUint64(at, memoryValue(random), true);
  return {
    seed,
    x,
    f: Array.from({ length: 32 }, () => floatValue(random)),
    fcsr: (random.below(5) << 5) | (random.once(2) ? 0 : random.below(32)),
    data,
    anchor,
    gap: 2 * random.below(8),
    units: Array.from({ length: random.between(4, 28) }, () => generator.unit()),
  };
}
