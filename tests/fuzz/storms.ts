// Programs that never let go: each as an ELF that starts in M-mode (`bios`) or S-mode (`kernel`).
import { Code } from '../diff/code.ts';
import { staticElf } from '../diff/elf.ts';
import { encode } from '../diff/encode.ts';

const START = 0x8000_0000;
const KERNEL_START = 0x8020_0000;
const MTVEC = 0x305;
const MSTATUS = 0x300;
const MIE = 0x304;
const T0 = 5;
const T1 = 6;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A6 = 16;
const A7 = 17;
const MSTATUS_MIE = 8;
const MIE_MSIE = 8;
const CLINT = 0x200_0000;
const UART = 0x1000_0000;
const PLIC = 0xc00_0000;

export interface Storm {
  readonly name: string;
  readonly kind: 'bios' | 'kernel';
  readonly elf: Uint8Array;
}

function storm(name: string, write: (code: Code) => void, kind: Storm['kind'] = 'bios'): Storm {
  const start = kind === 'bios' ? START : KERNEL_START;
  const code = new Code(start);
  write(code);
  const image = new Uint8Array(0x2000);
  image.set(code.bytes, 0);
  return { name, kind, elf: staticElf(start, image) };
}

/** A device's address in a register, and a handler behind the set-up: its address is where mtvec points. */
function device(code: Code, rd: number, address: number): void {
  code.add('lui', { rd, imm: address });
}

export const STORMS: readonly Storm[] = [
  storm('a jump to itself', (code) => code.add('jal', { imm: 0 })),
  storm('a trap in every trap handler', (code) => {
    code.address(T0, START + 16);
    code.add('csrrw', { rs1: T0, csr: MTVEC });
    code.add('addi', {});
    // A handler that traps in its first instruction would stop the machine: it can never go on.
    code.add('addi', { rd: T1, rs1: T1, imm: 1 });
    code.raw(0xffff_ffff);
  }),
  storm('an interrupt that is never cleared', (code) => {
    code.address(T0, START + 0x100);
    code.add('csrrw', { rs1: T0, csr: MTVEC });
    device(code, T1, CLINT);
    code.add('addi', { rd: A0, imm: 1 });
    code.add('sw', { rs2: A0, rs1: T1 });
    code.add('addi', { rd: A0, imm: MIE_MSIE });
    code.add('csrrs', { rs1: A0, csr: MIE });
    code.add('csrrsi', { zimm: MSTATUS_MIE, csr: MSTATUS });
    code.add('jal', { imm: 0 });
    while (code.length < 0x100) code.add('addi', {});
    code.add('mret');
  }),
  storm('a wait that always ends at once', (code) => {
    device(code, T1, CLINT);
    code.add('addi', { rd: A0, imm: 1 });
    code.add('sw', { rs2: A0, rs1: T1 });
    code.add('addi', { rd: A0, imm: MIE_MSIE });
    code.add('csrrs', { rs1: A0, csr: MIE });
    code.add('wfi');
    code.add('jal', { imm: -4 });
  }),
  storm('fences of everything', (code) => {
    code.add('fence.i');
    code.add('sfence.vma');
    code.add('jal', { imm: -8 });
  }),
  storm('code that writes itself', (code) => {
    code.address(T0, START + 0x100);
    code.address(T1, START + 0x200);
    const loop = code.pc;
    for (const at of [0, 4]) {
      code.add('lw', { rd: A0, rs1: T1, imm: at });
      code.add('sw', { rs2: A0, rs1: T0 });
      code.add('fence.i');
      code.add('jalr', { rd: 1, rs1: T0 });
    }
    code.add('jal', { imm: loop - code.pc });
    while (code.length < 0x100) code.add('addi', {});
    code.raw(encode('addi'), encode('jalr', { rs1: 1 }));
    while (code.length < 0x200) code.add('addi', {});
    code.add('addi', { rd: A1, rs1: A1, imm: 1 });
    code.add('addi', { rd: A1, rs1: A1, imm: 2 });
  }),
  storm('a flood on the serial console', (code) => {
    device(code, T0, UART);
    code.add('addi', { rd: A0, imm: 0x61 });
    code.add('sb', { rs2: A0, rs1: T0 });
    code.add('jal', { imm: -4 });
  }),
  storm('claims without end at the interrupt controller', (code) => {
    device(code, T0, PLIC + 0x20_0000);
    code.add('lw', { rd: A0, rs1: T0, imm: 4 });
    code.add('sw', { rs2: A0, rs1: T0, imm: 4 });
    code.add('jal', { imm: -8 });
  }),
  storm(
    'a flood through the debug console',
    (code) => {
      const loop = code.pc;
      code.add('lui', { rd: A0, imm: 0x10000 });
      code.add('lui', { rd: A1, imm: 0x8020_0000 });
      // lui extends the sign: physical addresses have none.
      code.add('slli', { rd: A1, rs1: A1, imm: 32 });
      code.add('srli', { rd: A1, rs1: A1, imm: 32 });
      code.add('addi', { rd: A2 });
      // DBCN
      code.add('lui', { rd: A7, imm: 0x4442_4000 });
      code.add('addi', { rd: A7, rs1: A7, imm: 0x34e });
      code.add('addi', { rd: A6 });
      code.add('ecall');
      code.add('jal', { imm: loop - code.pc });
    },
    'kernel',
  ),
];
