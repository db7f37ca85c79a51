// Items that act on the machine rather than compute: state that translated code depends on, traps, page tables, devices.
import { encode } from '../diff/encode.ts';
import type { CaseGenerator } from '../diff/generator.ts';
import { DEVICE, SATP_SV39, WINDOW_S, WINDOW_U } from './board.ts';
import { fixed, type Item, instruction } from './program.ts';

const CSR = {
  frm: 2,
  fcsr: 3,
  sstatus: 0x100,
  sie: 0x104,
  sip: 0x144,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  satp: 0x180,
  mstatus: 0x300,
  mie: 0x304,
};
const CLOCKS = [0xc00, 0xc01, 0xc02];

/** lui and addi(w) of a 32-bit constant. */
export const constant = (rd: number, value: number): number[] => {
  const low = (value << 20) >> 20;
  return [encode('lui', { rd, imm: (value - low) | 0 }), encode('addiw', { rd, rs1: rd, imm: low })];
};

export class SystemItems {
  readonly generator: CaseGenerator;

  constructor(generator: CaseGenerator) {
    this.generator = generator;
  }
  private get random() {
    return this.generator.random;
  }

  /**
   * Reads flags and status that later instructions would cover up, gathers them in the depth register, and sets them
   * back at times.
   */
  observe(): Item {
    const { random, generator } = this;
    const { anchor } = generator.fixed;
    const seen = generator.temporary();
    return fixed(
      encode('csrrs', { rd: seen, csr: CSR.fcsr }),
      encode('xor', { rd: anchor, rs1: anchor, rs2: seen }),
      encode('csrrs', { rd: seen, csr: CSR.sstatus }),
      encode('add', { rd: anchor, rs1: anchor, rs2: seen }),
      encode('rori', { rd: anchor, rs1: anchor, imm: 13 }),
      ...(random.once(2) ? [encode('csrrci', { csr: 1, zimm: random.below(32) })] : []),
      ...(random.once(3)
        ? [
            ...constant(seen, 0x6000),
            encode('csrrc', { rs1: seen, csr: CSR.sstatus }),
            ...constant(seen, random.pick([0x2000, 0x4000])),
            encode('csrrs', { rs1: seen, csr: CSR.sstatus }),
          ]
        : []),
    );
  }

  /** Changes flags of the page-table entry of some page, then fences the address, or all. */
  remap(): Item {
    const { random, generator } = this;
    const a = generator.temporary();
    let b = generator.temporary();
    while (b === a) b = generator.temporary();
    const window = random.below(2);
    // Code, data or stack; what changes is A, D, W, X, V, or the frame itself.
    const page = random.pick([3, 5, 6, 0x80 + random.below(8)]);
    const flip = random.pick([0x40, 0x80, 0xc0, 4, 8, 1, 0x400]);
    const fence = random.once(2)
      ? [encode('sfence.vma', {})]
      : [
          encode('lui', { rd: a, imm: (window ? WINDOW_S : WINDOW_U) + (page << 12) }),
          encode('sfence.vma', { rs1: a }),
        ];
    return fixed(
      ...constant(a, 0x4000_5000),
      encode('slli', { rd: a, rs1: a, imm: 1 }),
      encode('xori', { rd: b, imm: 0 }),
      ...constant(b, 4096 * window + 8 * page),
      encode('add', { rd: a, rs1: a, rs2: b }),
      encode('ld', { rd: b, rs1: a }),
      encode('xori', { rd: b, rs1: b, imm: flip }),
      encode('sd', { rs2: b, rs1: a }),
      ...fence,
    );
  }

  /** Sets, clears or writes state that translated code depends on. */
  state(): Item {
    const { random, generator } = this;
    const rs1 = generator.temporary();
    const rd = generator.target();
    const change = random.pick(['csrrs', 'csrrc']);
    switch (random.below(13)) {
      case 0:
        return instruction('csrrwi', { rd, csr: CSR.frm, zimm: random.below(8) });
      case 1:
        return fixed(
          ...constant(rs1, random.pick([0x6000, 0x2000, 0x4000])),
          encode(change, { rd, rs1, csr: random.pick([CSR.mstatus, CSR.sstatus]) }),
        );
      case 2: // SUM and MXR
        return fixed(
          ...constant(rs1, random.pick([0x40000, 0x80000, 0xc0000])),
          encode(change, { rs1, csr: CSR.sstatus }),
        );
      case 3: // MPRV with some MPP
        return fixed(
          ...constant(rs1, random.pick([0x20000, 0x20800, 0x21800])),
          encode(change, { rs1, csr: CSR.mstatus }),
        );
      case 4: // interrupts
        return instruction(random.pick(['csrrsi', 'csrrci', 'csrrsi']), {
          rd,
          csr: random.pick([CSR.mstatus, CSR.sstatus]),
          zimm: random.pick([2, 8, 10]),
        });
      case 5:
        return instruction('csrrsi', { csr: random.pick([CSR.sip, 0x344]), zimm: 2 });
      case 6:
        if (!random.once(3)) return instruction('csrrs', { rd, csr: CSR.satp });
        // Bare, or Sv39 again.
        if (random.once(2)) return instruction('csrrw', { csr: CSR.satp });
        return fixed(
          ...constant(rs1, Number(SATP_SV39 & 0xfff_ffffn)),
          encode('bseti', { rd: rs1, rs1, imm: 63 }),
          encode('csrrw', { rs1, csr: CSR.satp }),
        );
      case 7:
        return instruction('csrrwi', { rd, csr: CSR.fcsr, zimm: random.below(32) });
      case 8: // interrupts off, and on again where they were
        return fixed(
          encode('csrrci', { rd: rs1, csr: CSR.sstatus, zimm: 2 }),
          encode('andi', { rd: rs1, rs1, imm: 2 }),
          encode('csrrs', { rd, rs1, csr: CSR.sstatus }),
        );
      case 9: // handlers find their place through sscratch: it is only read
        return instruction('csrrs', {
          rd,
          csr: random.pick([CSR.sscratch, CSR.sepc, CSR.scause, CSR.stval]),
        });
      case 10:
        return instruction('csrrw', {
          rd,
          rs1: generator.source(),
          csr: random.pick([CSR.sepc, CSR.scause, CSR.stval]),
        });
      case 11:
        return fixed(encode('cbo.zero', { rs1: random.pick(generator.fixed.pointers).register }));
      default:
        return instruction('csrrs', { rd, csr: random.pick(CLOCKS) });
    }
  }

  /** Something that traps: in the middle of a block, or by nature. */
  trap(): Item {
    const { random, generator } = this;
    const base = generator.temporary();
    switch (random.below(6)) {
      case 0:
        return fixed(0);
      case 1:
        return instruction('ebreak');
      case 2:
      case 3:
        // The handler goes on in another mode, where pointers must be found anew.
        return instruction('ecall');
      case 4: // a misaligned atomic
        return fixed(
          encode('addi', {
            rd: base,
            rs1: random.pick(generator.fixed.pointers).register,
            imm: random.between(0, 7),
          }),
          encode(random.pick(['amoadd.w', 'amoor.d', 'lr.w', 'sc.d']), { rd: generator.target(), rs1: base }),
        );
      default: // an address from a random register
        return instruction(random.pick(['ld', 'sd', 'lw', 'sb', 'fld', 'fsw']), {
          rd: generator.target(),
          rs1: generator.source(),
          rs2: generator.source(),
          imm: random.between(-2048, 2047),
        });
    }
  }

  /** Loads and stores of a device register. */
  device(): Item {
    const { random, generator } = this;
    const base = generator.temporary();
    const rd = generator.target();
    const access = random.pick(['lw', 'ld', 'lbu', 'sw', 'sb', 'sd']);
    return fixed(
      encode('lui', { rd: base, imm: DEVICE }),
      encode(access, { rd, rs1: base, rs2: generator.source(), imm: 8 * random.below(40) }),
    );
  }

  /** A load or store on the page of stack and data that page tables may refuse. */
  wide(): Item {
    const { random, generator } = this;
    const pointer = random.pick(generator.fixed.pointers).register;
    const base = generator.temporary();
    const access = random.pick(['ld', 'lw', 'lh', 'sd', 'sw', 'sh', 'fld', 'fsd', 'flw']);
    return fixed(
      encode('lui', { rd: base, imm: random.pick([-0x1000, 0x1000, -0x2000]) }),
      encode('add', { rd: base, rs1: base, rs2: pointer }),
      encode(access, {
        rd: generator.target(),
        rs1: base,
        rs2: generator.source(),
        imm: random.between(-64, 64),
      }),
    );
  }
}
