// A bare-metal M-mode program that plays privileged scenarios from a table and prints what became of each. The same
// binary runs on QEMU and on our machine.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Physical layout of the program. */
export const SLOT = 0x8001_0000; // the two instructions under test, then ecalls up to the end of the page
export const ECALLS = 0x8001_1000; // a page of ecalls: S-mode's handler, and where returns go
export const PAGE = 0x8001_2000; // the page that accesses aim at; the next page follows it
/** Virtual addresses, the same in Sv39, Sv48 and Sv57. */
export const VA_PAGE = 0x4000_0000n; // mapped by the scenario's PTE; the page behind it is not mapped
export const VA_SLOT_U = 0x4001_0000n; // SLOT for U-mode
export const VA_ECALLS_U = 0x4001_1000n;
export const VA_SUPERPAGE = 0x4020_0000n; // 2 MiB, mapped by the scenario's second PTE
const ROOT_39 = 0x8001_4000;
const ROOT_48 = 0x8001_7000;
const ROOT_57 = 0x8001_8000;
export const ROOTS = { 8: ROOT_39, 9: ROOT_48, 10: ROOT_57 } as const;

/** One scenario: the state in which `words` are executed. */
export interface Scenario {
  pc: bigint;
  /** With MPP as the mode and MPIE as MIE to be. */
  mstatus: bigint;
  medeleg: bigint;
  mideleg: bigint;
  mie: bigint;
  mip: bigint;
  menvcfg: bigint;
  senvcfg: bigint;
  mcounteren: bigint;
  scounteren: bigint;
  satp: bigint;
  pte: bigint;
  superPte: bigint;
  a0: bigint;
  a1: bigint;
  words: readonly [number, number];
  stvec: bigint;
  sepc: bigint;
  stimecmp: bigint;
  mtimecmp: bigint;
  msip: bigint;
  pmpcfg: bigint;
  pmpaddr: readonly [bigint, bigint, bigint];
}

/** What a line shows, in this order. */
export const COLUMNS = [
  'mcause',
  'mtval',
  'mepc',
  'mstatus',
  'scause',
  'stval',
  'sepc',
  'pte',
  'superPte',
  'a2',
  'mip',
  'satp',
  'memory',
] as const;

const fields = (s: Scenario): bigint[] => [
  ...[s.pc, s.mstatus, s.medeleg, s.mideleg, s.mie, s.mip, s.menvcfg, s.senvcfg, s.mcounteren, s.scounteren],
  ...[s.satp, s.pte, s.superPte, s.a0, s.a1, (BigInt(s.words[1]) << 32n) | BigInt(s.words[0])],
  ...[s.stvec, s.sepc, s.stimecmp, s.mtimecmp, s.msip, s.pmpcfg, ...s.pmpaddr],
];
const hex = (value: bigint | number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
const pointer = (to: number): string => hex(((BigInt(to) >> 12n) << 10n) | 1n);
/** A leaf with R, W, X, A, D, and U where asked for. */
const leaf = (to: number, user = false): string => hex(((BigInt(to) >> 12n) << 10n) | (user ? 0xdfn : 0xcfn));

function source(scenarios: readonly Scenario[]): string {
  const count = fields(scenarios[0]!).length;
  const take = (csrs: readonly [string, number][]) =>
    csrs.map(([csr, at]) => `  ld t0, ${at * 8}(s0)\n  csrw ${csr}, t0`).join('\n');
  const print = (registers: readonly string[]) =>
    registers.map((r) => `  mv a0, ${r}\n  call print`).join('\n');
  return `
.option norvc
.globl _start
_start:
  la s0, scenarios
  la s1, scenarios_end
  li s11, 0x10000000
next:
  # Everything that the scenario before may have left.
  li t0, -1
  csrc mstatus, t0
  csrw satp, zero
  csrw medeleg, zero
  csrw mideleg, zero
  csrw mie, zero
  li t1, 0x8000000000000000
  csrs 0x30a, t1
  csrw 0x14d, t0
  li t1, 0x2004000
  sd t0, 0(t1)
  li t1, 0x2000000
  sw zero, 0(t1)
  csrw 0x30a, zero
  csrw mip, zero
  csrw scause, zero
  csrw stval, zero
  csrw mcause, zero
  csrw mtval, zero
  csrw mscratch, zero
  csrw sscratch, zero
  csrw pmpcfg0, zero
  csrw pmpaddr3, t0
  la t0, handler
  csrw mtvec, t0
  beq s0, s1, done
  # The operand's memory, and the page tables' entries.
  li t0, ${hex(PAGE)}
  li t2, 0x0000007300000073
  li t3, 0x1000
  add t3, t0, t3
  addi t3, t3, 32
1:
  sd t2, 0(t0)
  addi t0, t0, 8
  bltu t0, t3, 1b
  la t1, level0
  ld t0, ${11 * 8}(s0)
  sd t0, 0(t1)
  la t1, level1
  ld t0, ${12 * 8}(s0)
  sd t0, 8(t1)
  # The instructions under test.
  li t1, ${hex(SLOT)}
  ld t0, ${15 * 8}(s0)
  sd t0, 0(t1)
  fence.i
  sfence.vma
  # The state.
${take([
  ['mepc', 0],
  ['medeleg', 2],
  ['mideleg', 3],
  ['0x30a', 6],
  ['0x10a', 7],
  ['mcounteren', 8],
  ['scounteren', 9],
  ['stvec', 16],
  ['sepc', 17],
])}
  ld t0, ${6 * 8}(s0)
  bgez t0, 1f
  ld t0, ${18 * 8}(s0)
  csrw 0x14d, t0
1:
  li t1, 0x2004000
  ld t0, ${19 * 8}(s0)
  sd t0, 0(t1)
  li t1, 0x2000000
  ld t0, ${20 * 8}(s0)
  sw t0, 0(t1)
${take([
  ['pmpaddr0', 22],
  ['pmpaddr1', 23],
  ['pmpaddr2', 24],
  ['pmpcfg0', 21],
  ['satp', 10],
  ['mip', 5],
  ['mie', 4],
])}
  sfence.vma
  ld a0, ${13 * 8}(s0)
  ld a1, ${14 * 8}(s0)
  li a2, 0x5a5a
  ld t0, ${1 * 8}(s0)
  csrw mstatus, t0
  mret

.balign 4
handler:
  # MPRV may be set: no memory before it is cleared.
  csrr s5, mstatus
  li t0, 0x20000
  csrc mstatus, t0
  csrr s2, mcause
  csrr s3, mtval
  csrr s4, mepc
  mv s10, a2
  csrr s9, mip
  csrr s6, satp
${print(['s2', 's3', 's4', 's5'])}
  csrr a0, scause
  call print
  csrr a0, stval
  call print
  csrr a0, sepc
  call print
  la t0, level0
  ld a0, 0(t0)
  call print
  la t0, level1
  ld a0, 8(t0)
  call print
${print(['s10', 's9', 's6'])}
  # A sum over the operand's memory.
  li t0, ${hex(PAGE)}
  li t3, 0x1000
  add t3, t0, t3
  addi t3, t3, 32
  li a0, 0
1:
  ld t1, 0(t0)
  slli t2, a0, 7
  srli a0, a0, 57
  or a0, a0, t2
  xor a0, a0, t1
  addi t0, t0, 8
  bltu t0, t3, 1b
  call print
  li a0, 10
  call putc
  addi s0, s0, ${count * 8}
  j next

done:
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
1:
  j 1b

# Prints a0 in hexadecimal without leading zeros, then a space.
print:
  mv t4, ra
  mv t5, a0
  li t6, 60
1:
  srl t0, t5, t6
  bnez t0, 2f
  addi t6, t6, -4
  bgtz t6, 1b
2:
  srl a0, t5, t6
  andi a0, a0, 15
  li t0, 10
  blt a0, t0, 3f
  addi a0, a0, 39
3:
  addi a0, a0, 48
  call putc
  addi t6, t6, -4
  bgez t6, 2b
  li a0, 32
  call putc
  jr t4
putc:
  lbu t0, 5(s11)
  andi t0, t0, 0x20
  beqz t0, putc
  sb a0, 0(s11)
  ret

.org ${hex(SLOT - 0x8000_0000)}
  .dword 0
  .rept 1022
  ecall
  .endr
  .rept 1024
  ecall
  .endr
.org ${hex(ROOT_39 - 0x8000_0000)}
  .dword ${leaf(0)}, ${pointer(0x8001_5000)}, ${leaf(0x8000_0000)}
  .org ${hex(0x1_5000)}
level1:
  .dword ${pointer(0x8001_6000)}, 0
  .org ${hex(0x1_6000)}
level0:
  .dword 0, 0
  .org ${hex(0x1_6000 + 16 * 8)}
  .dword ${leaf(SLOT, true)}, ${leaf(ECALLS, true)}
.org ${hex(ROOT_48 - 0x8000_0000)}
  .dword ${pointer(ROOT_39)}
.org ${hex(ROOT_57 - 0x8000_0000)}
  .dword ${pointer(ROOT_48)}
.org ${hex(0x1_9000)}
scenarios:
${scenarios.map((s) => `  .dword ${fields(s).map(hex).join(', ')}`).join('\n')}
scenarios_end:
`;
}

/** Assembles the program for these scenarios into `folder`; returns the ELF's path. */
export function assembleProgram(folder: string, scenarios: readonly Scenario[]): string {
  if (!existsSync('/usr/bin/riscv64-linux-gnu-gcc')) {
    throw new Error('riscv64-linux-gnu-gcc is missing: install the Debian package gcc-riscv64-linux-gnu');
  }
  const assembly = join(folder, 'privileged.S');
  const elf = join(folder, 'privileged');
  writeFileSync(assembly, source(scenarios));
  const flags = ['-nostdlib', '-static', '-march=rv64gc', '-mcmodel=medany', '-mno-relax'];
  const link = '-Wl,-Ttext=0x80000000,--build-id=none,--omagic,--no-warn-rwx-segments';
  execFileSync('riscv64-linux-gnu-gcc', [...flags, link, '-o', elf, assembly]);
  return elf;
}
