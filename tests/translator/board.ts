// The small machine on which random programs run: where things lie, its page tables, and its trap handlers.
//
// All of RAM is mapped linearly in every window, so that code that finds its data relative to pc runs unchanged in
// M-mode (bare), S-mode (identity, or window B) and U-mode (window A).
import { assemble } from '../../src/isa/assembler/assemble.ts';
import { DATA_BYTES } from '../diff/case.ts';

export const RAM = 0x8000_0000;
export const RAM_BYTES = 1 << 20;
export const WINDOW_U = 0x4000_0000;
export const WINDOW_S = 0x4020_0000;
/** Offsets in RAM. */
export const M_SAVE = 0x1000;
export const S_SAVE = 0x1400;
export const STACK_TOP = 0x4000;
/** Its middle is a page boundary. */
export const DATA_AT = 0x6000 - DATA_BYTES / 2;
export const ROOT = 0x8000;
export const LEVEL1 = 0x9000;
/** Leaves of both windows, one behind the other. */
export const LEAVES = 0xa000;
export const CODE_AT = 0x80000;
export const CODE_BYTES = 0x40000;

/** Device registers: a read changes what the next one gives; a write to RELEASE lowers all interrupt lines. */
export const DEVICE = 0x1000_0000;
export const RELEASE = DEVICE + 0x100;

/** Fields of a save area. */
export const SAVE = {
  lastPc: 24,
  period: 40,
  turn: 48,
  modes: 64,
  modeCount: 8,
  recover: 192,
  recoverCount: 8,
} as const;

export const PTE = { V: 1, R: 2, W: 4, X: 8, U: 16, A: 64, D: 128 } as const;
const FULL = 0xcf;

/**
 * A trap handler for one mode: steps over what trapped, mends page-table entries, changes the mode at an ecall, starts
 * again at a block when there is no code at pc, and sets the next timer.
 * `s` is m or s; `previous` the mask of xPP; `status` xstatus.
 */
function handlerSource(s: string, previous: number): string {
  return `
${s}_handler:
  csrrw x31, ${s}scratch, x31
  sd x30, 0(x31)
  sd x29, 8(x31)
  sd x28, 16(x31)
  csrr x30, ${s}cause
  bltz x30, ${s}_interrupt
  csrr x29, ${s}epc
  addi x28, x30, -1
  beqz x28, ${s}_recover
  addi x28, x30, -8
  sltiu x28, x28, 4
  bnez x28, ${s}_ecall
  addi x28, x30, -12
  bgez x28, ${s}_page
${s}_skip:
  addi x29, x29, 4
  csrw ${s}epc, x29
${s}_leave:
  ld x28, 16(x31)
  ld x29, 8(x31)
  ld x30, 0(x31)
  csrrw x31, ${s}scratch, x31
  ${s}ret
${s}_page:
  ld x28, ${SAVE.lastPc}(x31)
  sd x29, ${SAVE.lastPc}(x31)
  beq x28, x29, ${s}_again
  csrr x28, ${s}tval
  li x29, ${WINDOW_U}
  sub x28, x28, x29
  srli x29, x28, 22
  bnez x29, ${s}_refuse
  srli x28, x28, 12
  slli x28, x28, 3
  li x29, ${RAM + LEAVES}
  add x28, x28, x29
  ld x29, 0(x28)
  ori x29, x29, ${FULL}
  sd x29, 0(x28)
  csrr x28, ${s}tval
  sfence.vma x28, zero
  j ${s}_leave
${s}_again:
  sd zero, ${SAVE.lastPc}(x31)
${s}_refuse:
  csrr x29, ${s}epc
  addi x28, x30, -12
  bnez x28, ${s}_skip
${s}_recover:
  ld x28, ${SAVE.turn}(x31)
  addi x28, x28, 16
  andi x28, x28, ${(SAVE.modeCount - 1) * 16}
  sd x28, ${SAVE.turn}(x31)
  srli x28, x28, 1
  add x28, x28, x31
  ld x29, ${SAVE.recover}(x28)
  csrw ${s}epc, x29
  mv ra, x29
  li x29, ${previous}
  csrs ${s}status, x29
  j ${s}_leave
${s}_ecall:
  ld x28, ${SAVE.turn}(x31)
  addi x28, x28, 16
  andi x28, x28, ${(SAVE.modeCount - 1) * 16}
  sd x28, ${SAVE.turn}(x31)
  add x28, x28, x31
  slli x29, x29, 44
  srli x29, x29, 44
  addi x29, x29, 4
  ld x30, ${SAVE.modes}(x28)
  add x29, x29, x30
  csrw ${s}epc, x29
  li x29, ${previous}
  csrc ${s}status, x29
  ld x30, ${SAVE.modes + 8}(x28)
  csrs ${s}status, x30
  j ${s}_leave
${s}_interrupt:
  csrci ${s}ip, 2
  li x29, ${RELEASE}
  sw x30, 0(x29)
  ld x28, ${SAVE.period}(x31)
  li x29, 0x5851f42d4c957f2d
  mul x28, x28, x29
  addi x28, x28, 0x7b
  sd x28, ${SAVE.period}(x31)
  srli x28, x28, 54
  csrr x29, time
  add x28, x28, x29
  csrw 0x14d, x28
  j ${s}_leave
`;
}

const source = `${handlerSource('m', 0x1800)}\n.balign 4\n${handlerSource('s', 0x100)}`;
const assembled = assemble(source);
const symbol = (name: string): number => {
  const found = assembled.symbols.get(name);
  if (found === undefined) throw new Error(`the handlers have no ${name}`);
  return Number(found.value);
};
/** At the start of RAM. */
export const HANDLERS: Uint8Array = assembled.text;
export const M_HANDLER = symbol('m_handler');
export const S_HANDLER = symbol('s_handler');

/** Values of satp between which programs change. */
export const SATP_SV39 = (8n << 60n) | (BigInt(RAM + ROOT) >> 12n);

/** Writes the page tables. `leaf` gives the flags of page `page` in window A (0) or B (1). */
export function writeTables(view: DataView, leaf: (window: number, page: number) => number): void {
  const entry = (at: number, physical: number, flags: number): void =>
    view.setBigUint64(at, ((BigInt(physical) >> 12n) << 10n) | BigInt(flags), true);
  entry(ROOT, 0, FULL);
  entry(ROOT + 8, RAM + LEVEL1, PTE.V);
  entry(ROOT + 16, RAM, FULL);
  for (let window = 0; window < 2; window++) {
    entry(LEVEL1 + 8 * window, RAM + LEAVES + 4096 * window, PTE.V);
    for (let page = 0; page < RAM_BYTES >> 12; page++) {
      entry(LEAVES + 4096 * window + 8 * page, RAM + (page << 12), leaf(window, page));
    }
  }
}
