// What the blocks of random programs are made of beside the random instructions of tests/diff: control flow of every
// shape, changes of code, of page tables, of modes and of the state that translated code depends on.
import { decode } from '../../src/isa/decode.ts';
import { rdOf } from '../../src/isa/fields.ts';
import { isFloatOperand } from '../../src/isa/instruction-table.ts';
import { encode } from '../diff/encode.ts';
import type { CaseGenerator } from '../diff/generator.ts';
import { DATA_AT, RAM, STACK_TOP } from './board.ts';
import { constant, SystemItems } from './items-system.ts';
import { fixed, fromUnit, type Item, instruction, loadAddress, reach, reachCompressed } from './program.ts';

const BRANCHES = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
const RA = 1;
const SP = 2;
const T0 = 5;

/** Items for one program: the registers that must keep their meaning are those of the generator of tests/diff. */
export class ItemMaker {
  readonly generator: CaseGenerator;
  readonly system: SystemItems;
  /** How many blocks there are, and which of them begin functions. */
  readonly blocks: number;
  readonly functions: readonly number[];
  #patches = 0;

  constructor(generator: CaseGenerator, blocks: number, functions: readonly number[]) {
    this.generator = generator;
    this.system = new SystemItems(generator);
    this.blocks = blocks;
    this.functions = functions;
  }

  private get random() {
    return this.generator.random;
  }
  /** True when sp is not a pointer into the data: functions may save ra on the stack. */
  private get hasStack(): boolean {
    return this.generator.writable(SP);
  }

  /** A block near `here` mostly, before or behind it. */
  target(here: number): number {
    const { random } = this;
    if (random.once(6)) return random.below(this.blocks);
    return Math.min(this.blocks - 1, Math.max(0, here + random.between(-4, 5)));
  }

  /** Pointers into the data, counters and stack get their values back; the data is found relative to pc. */
  refresh(): Item {
    const { pointers, counter, anchor } = this.generator.fixed;
    const { random } = this;
    const count = random.between(1, 6);
    const depth = random.between(1, 12);
    const stack = this.hasStack;
    // A return without a call leads to a block of the program.
    const link = this.generator.writable(RA) && random.once(2);
    const back = random.below(this.blocks);
    return {
      length: 8 * pointers.length + 8 + (stack ? 8 : 0) + (link ? 8 : 0),
      skip: 0,
      encode: ({ at, block }) => {
        const raws: number[] = link ? loadAddress(RA, at, block(back)) : [];
        for (const { register, delta } of pointers)
          raws.push(...loadAddress(register, at + 4 * raws.length, RAM + DATA_AT + delta));
        if (stack) raws.push(...loadAddress(SP, at + 4 * raws.length, RAM + STACK_TOP - 64));
        raws.push(encode('addi', { rd: counter, imm: count }), encode('addi', { rd: anchor, imm: depth }));
        return raws;
      },
    };
  }

  /** A conditional branch to any block. */
  branch(here: number): Item {
    const { random, generator } = this;
    const to = this.target(here);
    if (random.once(4)) {
      const fields = { rs1: random.between(8, 15) };
      const name = random.pick(['c.beqz', 'c.bnez']);
      return {
        length: 2,
        skip: 0,
        encode: ({ at, block }) => [reachCompressed(name, fields, block(to) - at)],
      };
    }
    const fields = { rs1: generator.source(), rs2: generator.source() };
    const name = random.pick(BRANCHES);
    return { length: 4, skip: 0, encode: ({ at, block }) => [reach(name, fields, block(to) - at)] };
  }

  /** Counts a register down and goes to a block while it is not zero: a loop that ends. */
  latch(here: number): Item {
    const { random } = this;
    const { counter } = this.generator.fixed;
    const to = Math.max(0, here - random.below(5));
    return {
      length: 8,
      skip: 0,
      encode: ({ at, block }) => [
        encode('addi', { rd: counter, rs1: counter, imm: -1 }),
        reach('bne', { rs1: counter }, block(to) - at - 4),
      ],
    };
  }

  jump(here: number): Item {
    return this.jumpTo(this.target(here));
  }
  jumpTo(to: number): Item {
    if (this.random.once(3))
      return { length: 2, skip: 0, encode: ({ at, block }) => [reachCompressed('c.j', {}, block(to) - at)] };
    return { length: 4, skip: 0, encode: ({ at, block }) => [reach('jal', {}, block(to) - at)] };
  }

  /** A call while the depth register is positive; the link register is ra, t0 or another one. */
  call(): Item {
    const { random, generator } = this;
    const { anchor } = generator.fixed;
    const to = random.pick(this.functions);
    let link = random.pick([RA, RA, RA, T0, generator.temporary()]);
    if (!generator.writable(link)) link = generator.temporary();
    if (random.once(3)) {
      const base = random.once(2) ? link : generator.temporary();
      return {
        length: 20,
        skip: 0,
        encode: ({ at, block }) => [
          encode('bge', { rs1: 0, rs2: anchor, imm: 20 }),
          encode('addi', { rd: anchor, rs1: anchor, imm: -1 }),
          ...loadAddress(base, at + 8, block(to)),
          encode('jalr', { rd: link, rs1: base, imm: random.below(2) }),
        ],
      };
    }
    return {
      length: 12,
      skip: 0,
      encode: ({ at, block }) => [
        encode('bge', { rs1: 0, rs2: anchor, imm: 12 }),
        encode('addi', { rd: anchor, rs1: anchor, imm: -1 }),
        reach('jal', { rd: link }, block(to) - at - 8),
      ],
    };
  }

  /**
   * Random instructions of the table, and at times their last result mixed into the depth register: so what one
   * iteration of a loop computes is not lost in the next.
   */
  gatheredUnit(): Item[] {
    const { random, generator } = this;
    const { anchor } = generator.fixed;
    const unit = generator.unit();
    const item = fromUnit(unit);
    const raw = unit.skip === 0 ? unit.encode(0).at(-1) : undefined;
    const decoded = raw === undefined || (raw & 3) !== 3 ? undefined : decode(raw);
    if (raw === undefined || !decoded?.fields.some(({ name }) => name === 'rd') || random.once(3))
      return [item];
    const mix = (rs2: number): number[] => [
      encode('rori', { rd: anchor, rs1: anchor, imm: 13 }),
      encode('add', { rd: anchor, rs1: anchor, rs2 }),
    ];
    if (!isFloatOperand(decoded, 'rd')) return [item, fixed(...mix(rdOf(raw)))];
    const seen = generator.temporary();
    return [item, fixed(encode('fmv.x.d', { rd: seen, rs1: rdOf(raw) }), ...mix(seen))];
  }

  private saveLink(): Item {
    return fixed(encode('addi', { rd: SP, rs1: SP, imm: -16 }), encode('sd', { rs2: RA, rs1: SP, imm: 8 }));
  }

  /** What a function begins with. */
  prologue(): Item[] {
    const items = this.random.once(4) ? [] : [this.refresh()];
    if (this.hasStack && this.generator.writable(RA) && this.random.once(2)) items.push(this.saveLink());
    return items;
  }

  /** A return by ra or t0, by way of the stack at times; or a tail call; or a jump somewhere. */
  leave(here: number): Item {
    const { random, generator } = this;
    switch (random.below(8)) {
      case 0:
        return this.jump(here);
      case 1:
        return this.computed(random.pick(this.functions), 0);
      case 2:
        return instruction('jalr', { rs1: T0 });
      case 3:
      case 4:
        if (this.hasStack && generator.writable(RA))
          return fixed(
            encode('ld', { rd: RA, rs1: SP, imm: 8 }),
            encode('addi', { rd: SP, rs1: SP, imm: 16 }),
            encode('jalr', { rs1: RA }),
          );
        return instruction('jalr', { rs1: RA });
      default:
        return instruction('jalr', { rs1: RA });
    }
  }

  /** A jump through a register to a block. */
  computed(to: number, rd: number): Item {
    const base = this.generator.temporary();
    return {
      length: 12,
      skip: 0,
      encode: ({ at, block }) => [...loadAddress(base, at, block(to)), encode('jalr', { rd, rs1: base })],
    };
  }

  /** A switch: one of 2, 4 or 8 targets, by the low bits of a register, through a table of distances behind the jump. */
  table(here: number): Item {
    const { random, generator } = this;
    const cases = random.pick([2, 4, 8]);
    const targets = Array.from({ length: cases }, () => this.target(here));
    const index = generator.temporary();
    let base = generator.temporary();
    while (base === index) base = generator.temporary();
    const from = generator.source();
    return {
      length: 24 + 4 * cases,
      skip: 0,
      encode: ({ at, block }) => [
        encode('andi', { rd: index, rs1: from, imm: (cases - 1) << 2 }),
        encode('auipc', { rd: base }),
        encode('add', { rd: index, rs1: index, rs2: base }),
        encode('lw', { rd: index, rs1: index, imm: 20 }),
        encode('add', { rd: index, rs1: index, rs2: base }),
        encode('jalr', { rs1: index }),
        // Distances are even; bit 0 and 1 set make each a word that counts as one item of four bytes.
        ...targets.map((to) => ((block(to) - at - 4) | 3) >>> 0),
      ],
    };
  }

  /** An instruction that is overwritten at run time: by itself it does something harmless. */
  patchPoint(): Item {
    const { random, generator } = this;
    const word = encode('addi', {
      rd: generator.target(),
      rs1: generator.source(),
      imm: random.between(-9, 9),
    });
    return { ...fixed(word), patch: this.#patches++ };
  }

  /** What patch points become: instructions of four bytes, some of which trap or jump. */
  patchWord(): number {
    const { random, generator } = this;
    switch (random.below(10)) {
      case 0:
        return random.pick([0x73, 0x0010_0073, 0, 0x0000_100f]);
      case 1:
        return encode(random.pick(BRANCHES), { rs1: generator.source(), rs2: generator.source(), imm: 8 });
      case 2:
        return encode('jal', { imm: random.pick([4, 8, -4, -8]) });
      case 3: // two compressed instructions
        return 0x0001_0001 | (random.below(2) << 7);
      default:
        return encode(random.pick(['addi', 'xori', 'addiw', 'slli']), {
          rd: generator.target(),
          rs1: generator.source(),
          imm: random.between(0, 31),
        });
    }
  }

  /** Overwrites a patch point, whole or in part, and tells the hart at times. */
  patcher(): Item {
    const { random, generator } = this;
    const id = random.below(1 << 20);
    const at0 = generator.temporary();
    let value = generator.temporary();
    while (value === at0) value = generator.temporary();
    const store = random.pick(['sw', 'sw', 'sh', 'sb', 'sd', 'amoswap.w']);
    const offset = store === 'sh' ? 2 * random.below(2) : store === 'sb' ? random.below(4) : 0;
    const imm = store === 'amoswap.w' ? 0 : offset;
    const word = this.patchWord();
    const end = random.pick([[encode('fence.i')], [], [encode('fence.i')]]);
    return {
      length: 20 + 4 * end.length,
      skip: 0,
      encode: ({ at, patch }) => [
        ...loadAddress(at0, at, patch(id)),
        ...constant(value, word >>> (8 * offset)),
        encode(store, { rs1: at0, rs2: value, imm }),
        ...end,
      ],
    };
  }

  zeroBlock(): Item {
    const { random, generator } = this;
    const id = random.below(1 << 20);
    const base = generator.temporary();
    return {
      length: 12,
      skip: 0,
      encode: ({ at, patch }) => [...loadAddress(base, at, patch(id)), encode('cbo.zero', { rs1: base })],
    };
  }

  /** Random instructions of the table. */
  plainUnit(): Item {
    return fromUnit(this.generator.unit());
  }

  /** One random item that does not end a block. */
  body(): Item {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 66) return fromUnit(this.generator.unit());
    if (kind < 72) return this.patchPoint();
    if (kind < 76) return this.patcher();
    if (kind < 80) return this.system.state();
    if (kind < 84) return this.system.trap();
    if (kind < 87) return this.system.device();
    if (kind < 90) return this.system.wide();
    if (kind < 93) return this.refresh();
    if (kind < 95) return random.once(2) ? this.system.remap() : this.system.observe();
    if (kind < 96) return random.once(10) ? this.zeroBlock() : this.refresh();
    if (kind < 97) return instruction('wfi');
    return this.call();
  }
}
