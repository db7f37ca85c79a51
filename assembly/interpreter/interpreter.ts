// The pre-decoded interpreter: one switch over the operations of decoded entries (pages.ts). It runs at 300 to 480
// million instructions a second where a switch over raw instructions reaches 200 to 330, and threaded code with tail
// calls 110 to 170: `hypertab bench --engine interpreter` measures it. What is rare is in slow.ts.

import { count, exitReason, get32, get64, NEXT, set32, set64, TRAPPED } from '../hart/state';
import { takeInterrupt } from '../hart/trap';
import { f64Eq, f64Le, f64Lt } from '../float/compare';
import { i32ToF64 } from '../float/convert';
import { f32Add, f32Mul, f32Sub } from '../float/f32';
import { f64Add, f64Div, f64Mul, f64Sub } from '../float/f64';
import { f64Fma } from '../float/fma';
import {
  OP_ADD,
  OP_CSRRW,
  OP_SFENCE_INVAL_IR,
  OP_ADDI,
  OP_ADDIW,
  OP_ADDW,
  OP_ADD_UW,
  OP_AND,
  OP_ANDI,
  OP_ANDN,
  OP_AUIPC,
  OP_BEQ,
  OP_BGE,
  OP_BGEU,
  OP_BLT,
  OP_BLTU,
  OP_BNE,
  OP_DIV,
  OP_DIVU,
  OP_DIVUW,
  OP_DIVW,
  OP_FADD_D,
  OP_FADD_S,
  OP_FCVT_D_W,
  OP_FDIV_D,
  OP_FEQ_D,
  OP_FLD,
  OP_FLE_D,
  OP_FLT_D,
  OP_FLW,
  OP_FMADD_D,
  OP_FMSUB_D,
  OP_FMUL_D,
  OP_FMUL_S,
  OP_FMV_D_X,
  OP_FMV_X_D,
  OP_FNMADD_D,
  OP_FNMSUB_D,
  OP_FSD,
  OP_FSGNJ_D,
  OP_FSUB_D,
  OP_FSUB_S,
  OP_FSW,
  OP_JAL,
  OP_JALR,
  OP_LB,
  OP_LBU,
  OP_LD,
  OP_LH,
  OP_LHU,
  OP_LW,
  OP_LWU,
  OP_MUL,
  OP_MULH,
  OP_MULHSU,
  OP_MULHU,
  OP_MULW,
  OP_OR,
  OP_ORI,
  OP_ORN,
  OP_REM,
  OP_REMU,
  OP_REMUW,
  OP_REMW,
  OP_SB,
  OP_SD,
  OP_SEXT_B,
  OP_SEXT_H,
  OP_SH,
  OP_SH1ADD,
  OP_SH1ADD_UW,
  OP_SH2ADD,
  OP_SH2ADD_UW,
  OP_SH3ADD,
  OP_SH3ADD_UW,
  OP_SLL,
  OP_SLLI,
  OP_SLLIW,
  OP_SLLI_UW,
  OP_SLLW,
  OP_SLT,
  OP_SLTI,
  OP_SLTIU,
  OP_SLTU,
  OP_SRA,
  OP_SRAI,
  OP_SRAIW,
  OP_SRAW,
  OP_SRL,
  OP_SRLI,
  OP_SRLIW,
  OP_SRLW,
  OP_SUB,
  OP_SUBW,
  OP_SW,
  OP_XNOR,
  OP_XOR,
  OP_XORI,
  OP_ZEXT_H,
} from '../isa/generated/opcodes';
import {
  ATTENTION,
  COUNT_REGION_ENTER,
  COUNT_TRANSLATED,
  FETCH_TABLE,
  FRM,
  HART_BASE,
  INSTRET,
  LEFT_BY_JUMP,
  LEFT_GROUP,
  LEFT_OTHER_TABLE,
  LEFT_REFUSED,
  MSTATUS,
  PC,
  READ_TABLE,
  REGION_MARK,
  REGION_TABLE_FIRST,
  SINGLE_SLOT,
  TLB_WRITE,
  X,
} from '../layout';
import { BY_CALL, BY_COMPUTED_JUMP, BY_JUMP, expose, hideAll, hotThreshold, noteApart, noteRefusal, noteTarget, originalOperation } from '../translator/regions';
import { dataTable, entryOf, fetchTable, PAGE_MASK } from '../mmu/tlb';
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, rem, remu, remuw, remw } from './arithmetic';
import { decodeEntry } from './decode';
import { advance, box, imm, imm32, operation, rs1, rs1uw, rs1w, rs2, rs2w, rs3, setRd, setRdW, unbox } from './entry';
import { fetchPage, fetchSingle, NO_CODE } from './fetch';
import {
  I_BEQ_IN,
  I_BEQZ_IN,
  I_BGE_IN,
  I_BGEU_IN,
  I_BLT_IN,
  I_BLTU_IN,
  I_BNE_IN,
  I_BNEZ_IN,
  I_J_IN,
  I_JAL_IN,
  I_JR,
  I_LI,
  I_MV,
  I_PAGE_END,
  I_STRADDLE,
  I_UNDECODED,
} from './operations';
import { executeSlow } from './slow';

const MSTATUS_FS_LOW: u32 = 0x6000;
const SIGN64: u64 = 0x8000000000000000;

/** The floats are on and marked as changed, so that a result needs no more marking. */
// @ts-ignore: decorator
@inline
function floatsDirty(): bool {
  return (load<u32>(HART_BASE + MSTATUS) & MSTATUS_FS_LOW) == MSTATUS_FS_LOW;
}
/** The same, and the instruction rounds to nearest, by its own field or by frm. */
// @ts-ignore: decorator
@inline
function nearest(ip: usize): bool {
  const mode = load<u16>(ip, 14) >> 12;
  return floatsDirty() && (mode == 0 || (mode == 7 && get32(FRM) == 0));
}

/** True for a jump through ra or t0, which calling conventions keep for returns. */
// @ts-ignore: decorator
@inline
function isReturn(ip: usize): bool {
  const base: u32 = load<u16>(ip, 4);
  return base == X + 8 || base == X + 40;
}

/** Instructions that end a region wherever they stand: those of CSRs, and fences of translation. */
// @ts-ignore: decorator
@inline
function isSystem(op: u32): bool {
  return op >= <u32>OP_CSRRW && op <= <u32>OP_SFENCE_INVAL_IR;
}

/** What lies behind such an instruction is where a region may begin. */
function noteBehind(ip: usize, base: usize, threshold: u32): void {
  // The single slot, for an instruction across two pages, is no page.
  if (base != SINGLE_SLOT && ip - base < 4096 << 3) noteTarget(ip, threshold, BY_JUMP);
}

/** How the inner loop was left. */
const SLOW = 0; // the entry at ip is to be executed by slow.ts
const FETCH = 1; // PC is set: look it up
const JUMP = 2; // to the address in `jump`
const REGION = 3; // the entry at ip is the head of a translated region

/** More than any region executes between two looks at its budget (translator/region.ts). */
const REGION_SLACK = 1024;
/** Guest calls that may nest as Wasm calls. */
const CALL_DEPTH = 200;

/**
 * Executes at most `budget` steps from PC: instructions that retire, and traps. Brings INSTRET and PC up to date.
 * @returns steps not used
 */
export function interpret(budget: i32): i32 {
  let n = budget;
  const threshold = hotThreshold();
  // INSTRET is this value plus the steps done: a trap takes one off, as its instruction did not retire.
  let origin = get64(INSTRET) + budget;
  while (n > 0) {
    if (exitReason) break;
    if (get32(ATTENTION)) {
      set32(ATTENTION, 0);
      set64(INSTRET, origin - n);
      takeInterrupt();
    }
    // Where PC's page is decoded. `page` and `base` belong together: pc = page + (ip - base) / 8.
    const fetches = fetchTable();
    const reads = dataTable();
    const writes = reads + TLB_WRITE;
    set32(READ_TABLE, <u32>reads);
    set32(FETCH_TABLE, <u32>fetches);
    const start = get64(PC);
    let page: u64 = start & PAGE_MASK;
    const fetchEntry = entryOf(fetches, start);
    let base: usize = load<u64>(fetchEntry) == page ? load<u32>(fetchEntry, 8) : fetchPage(start, fetches);
    let ip: usize;
    if (base == NO_CODE) {
      n--;
      origin--;
      continue;
    }
    if (base == SINGLE_SLOT) {
      page = start;
      ip = base;
    } else ip = base + ((<usize>start & 0xffe) << 3);
    let left = SLOW;
    let jump: u64 = 0;
    let go = true;
    while (go) {
      do {
        switch (operation(ip)) {
          case I_UNDECODED:
            decodeEntry(ip, base);
            n++;
            continue;
          case OP_ADD:
            setRd(ip, rs1(ip) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SUB:
            setRd(ip, rs1(ip) - rs2(ip));
            ip += advance(ip);
            continue;
          case OP_XOR:
            setRd(ip, rs1(ip) ^ rs2(ip));
            ip += advance(ip);
            continue;
          case OP_OR:
            setRd(ip, rs1(ip) | rs2(ip));
            ip += advance(ip);
            continue;
          case OP_AND:
            setRd(ip, rs1(ip) & rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SLL:
            setRd(ip, rs1(ip) << (rs2(ip) & 63));
            ip += advance(ip);
            continue;
          case OP_SRL:
            setRd(ip, rs1(ip) >> (rs2(ip) & 63));
            ip += advance(ip);
            continue;
          case OP_SRA:
            setRd(ip, <u64>(<i64>rs1(ip) >> <i64>(rs2(ip) & 63)));
            ip += advance(ip);
            continue;
          case OP_SLT:
            setRd(ip, <u64>(<i64>rs1(ip) < <i64>rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_SLTU:
            setRd(ip, <u64>(rs1(ip) < rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_ADDI:
            setRd(ip, rs1(ip) + imm(ip));
            ip += advance(ip);
            continue;
          case OP_XORI:
            setRd(ip, rs1(ip) ^ imm(ip));
            ip += advance(ip);
            continue;
          case OP_ORI:
            setRd(ip, rs1(ip) | imm(ip));
            ip += advance(ip);
            continue;
          case OP_ANDI:
            setRd(ip, rs1(ip) & imm(ip));
            ip += advance(ip);
            continue;
          case OP_SLTI:
            setRd(ip, <u64>(<i64>rs1(ip) < imm(ip)));
            ip += advance(ip);
            continue;
          case OP_SLTIU:
            setRd(ip, <u64>(rs1(ip) < <u64>imm(ip)));
            ip += advance(ip);
            continue;
          case OP_SLLI:
            setRd(ip, rs1(ip) << imm(ip));
            ip += advance(ip);
            continue;
          case OP_SRLI:
            setRd(ip, rs1(ip) >> <u64>imm(ip));
            ip += advance(ip);
            continue;
          case OP_SRAI:
            setRd(ip, <u64>(<i64>rs1(ip) >> imm(ip)));
            ip += advance(ip);
            continue;
          case OP_ADDW:
            setRdW(ip, rs1w(ip) + rs2w(ip));
            ip += advance(ip);
            continue;
          case OP_SUBW:
            setRdW(ip, rs1w(ip) - rs2w(ip));
            ip += advance(ip);
            continue;
          case OP_SLLW:
            setRdW(ip, rs1w(ip) << (rs2w(ip) & 31));
            ip += advance(ip);
            continue;
          case OP_SRLW:
            setRdW(ip, <i32>(<u32>rs1w(ip) >> (rs2w(ip) & 31)));
            ip += advance(ip);
            continue;
          case OP_SRAW:
            setRdW(ip, rs1w(ip) >> (rs2w(ip) & 31));
            ip += advance(ip);
            continue;
          case OP_ADDIW:
            setRdW(ip, rs1w(ip) + imm32(ip));
            ip += advance(ip);
            continue;
          case OP_SLLIW:
            setRdW(ip, rs1w(ip) << imm32(ip));
            ip += advance(ip);
            continue;
          case OP_SRLIW:
            setRdW(ip, <i32>(<u32>rs1w(ip) >> imm32(ip)));
            ip += advance(ip);
            continue;
          case OP_SRAIW:
            setRdW(ip, rs1w(ip) >> imm32(ip));
            ip += advance(ip);
            continue;
          case OP_MUL:
            setRd(ip, rs1(ip) * rs2(ip));
            ip += advance(ip);
            continue;
          case OP_MULH:
            setRd(ip, mulh(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_MULHU:
            setRd(ip, mulhu(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_MULHSU:
            setRd(ip, mulhsu(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_DIV:
            setRd(ip, div(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_DIVU:
            setRd(ip, divu(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_REM:
            setRd(ip, rem(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_REMU:
            setRd(ip, remu(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_MULW:
            setRdW(ip, rs1w(ip) * rs2w(ip));
            ip += advance(ip);
            continue;
          case OP_DIVW:
            setRdW(ip, divw(rs1w(ip), rs2w(ip)));
            ip += advance(ip);
            continue;
          case OP_DIVUW:
            setRdW(ip, divuw(rs1w(ip), rs2w(ip)));
            ip += advance(ip);
            continue;
          case OP_REMW:
            setRdW(ip, remw(rs1w(ip), rs2w(ip)));
            ip += advance(ip);
            continue;
          case OP_REMUW:
            setRdW(ip, remuw(rs1w(ip), rs2w(ip)));
            ip += advance(ip);
            continue;
          case OP_ADD_UW:
            setRd(ip, rs1uw(ip) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH1ADD:
            setRd(ip, (rs1(ip) << 1) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH2ADD:
            setRd(ip, (rs1(ip) << 2) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH3ADD:
            setRd(ip, (rs1(ip) << 3) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH1ADD_UW:
            setRd(ip, (rs1uw(ip) << 1) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH2ADD_UW:
            setRd(ip, (rs1uw(ip) << 2) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SH3ADD_UW:
            setRd(ip, (rs1uw(ip) << 3) + rs2(ip));
            ip += advance(ip);
            continue;
          case OP_SLLI_UW:
            setRd(ip, rs1uw(ip) << imm(ip));
            ip += advance(ip);
            continue;
          case OP_ANDN:
            setRd(ip, rs1(ip) & ~rs2(ip));
            ip += advance(ip);
            continue;
          case OP_ORN:
            setRd(ip, rs1(ip) | ~rs2(ip));
            ip += advance(ip);
            continue;
          case OP_XNOR:
            setRd(ip, ~(rs1(ip) ^ rs2(ip)));
            ip += advance(ip);
            continue;
          case OP_SEXT_B:
            setRd(ip, <u64>(<i64>(<i8>rs1w(ip))));
            ip += advance(ip);
            continue;
          case OP_SEXT_H:
            setRd(ip, <u64>(<i64>(<i16>rs1w(ip))));
            ip += advance(ip);
            continue;
          case OP_ZEXT_H:
            setRd(ip, <u64>(<u16>rs1w(ip)));
            ip += advance(ip);
            continue;
          case I_LI:
            setRd(ip, <u64>imm(ip));
            ip += advance(ip);
            continue;
          case I_MV:
            setRd(ip, rs1(ip));
            ip += advance(ip);
            continue;
          case OP_AUIPC:
            setRd(ip, page + <u64>((ip - base) >> 3) + imm(ip));
            ip += advance(ip);
            continue;
          case I_JAL_IN:
            setRd(ip, page + <u64>((ip - base + advance(ip)) >> 3));
            ip += imm32(ip);
            continue;
          case I_J_IN:
            ip += imm32(ip);
            continue;
          case I_BEQ_IN:
            ip += rs1(ip) == rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BNE_IN:
            ip += rs1(ip) != rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BLT_IN:
            ip += <i64>rs1(ip) < <i64>rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BGE_IN:
            ip += <i64>rs1(ip) >= <i64>rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BLTU_IN:
            ip += rs1(ip) < rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BGEU_IN:
            ip += rs1(ip) >= rs2(ip) ? imm32(ip) : advance(ip);
            continue;
          case I_BEQZ_IN:
            ip += rs1(ip) == 0 ? imm32(ip) : advance(ip);
            continue;
          case I_BNEZ_IN:
            ip += rs1(ip) != 0 ? imm32(ip) : advance(ip);
            continue;
          case OP_BEQ:
            if (rs1(ip) == rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_BNE:
            if (rs1(ip) != rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_BLT:
            if (<i64>rs1(ip) < <i64>rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_BGE:
            if (<i64>rs1(ip) >= <i64>rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_BLTU:
            if (rs1(ip) < rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_BGEU:
            if (rs1(ip) >= rs2(ip)) {
              jump = page + <u64>((ip - base) >> 3) + imm(ip);
              left = JUMP;
              break;
            }
            ip += advance(ip);
            continue;
          case OP_JAL: {
            const pc = page + <u64>((ip - base) >> 3);
            setRd(ip, pc + <u64>(advance(ip) >> 3));
            const target = pc + imm(ip);
            const entry = entryOf(fetches, target);
            if (load<u64>(entry) == (target & PAGE_MASK)) {
              page = target & PAGE_MASK;
              base = load<u32>(entry, 8);
              ip = base + ((<usize>target & 0xffe) << 3);
              if (threshold) noteTarget(ip, threshold, BY_JUMP);
              continue;
            }
            set64(PC, target);
            left = FETCH;
            break;
          }
          case OP_JALR: {
            const target = (rs1(ip) + imm(ip)) & ~(<u64>1);
            setRd(ip, page + <u64>((ip - base + advance(ip)) >> 3));
            const entry = entryOf(fetches, target);
            if (load<u64>(entry) == (target & PAGE_MASK)) {
              page = target & PAGE_MASK;
              base = load<u32>(entry, 8);
              ip = base + ((<usize>target & 0xffe) << 3);
              if (threshold) noteTarget(ip, threshold, BY_CALL);
              continue;
            }
            set64(PC, target);
            left = FETCH;
            break;
          }
          case I_JR: {
            const target = (rs1(ip) + imm(ip)) & ~(<u64>1);
            const computed: u32 = isReturn(ip) ? BY_JUMP : BY_COMPUTED_JUMP;
            const entry = entryOf(fetches, target);
            if (load<u64>(entry) == (target & PAGE_MASK)) {
              page = target & PAGE_MASK;
              base = load<u32>(entry, 8);
              ip = base + ((<usize>target & 0xffe) << 3);
              if (threshold) noteTarget(ip, threshold, computed);
              continue;
            }
            set64(PC, target);
            left = FETCH;
            break;
          }
          case OP_LB: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & PAGE_MASK)) {
              setRd(ip, <u64>(<i64>load<i8>(<usize>(<u32>address + load<u32>(entry, 8)))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LH: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 1))) {
              setRd(ip, <u64>(<i64>load<i16>(<usize>(<u32>address + load<u32>(entry, 8)))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LW: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 3))) {
              setRdW(ip, load<i32>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LBU: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & PAGE_MASK)) {
              setRd(ip, load<u8>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LHU: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 1))) {
              setRd(ip, load<u16>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LWU: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 3))) {
              setRd(ip, load<u32>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_LD: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 7))) {
              setRd(ip, load<u64>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_FLW: {
            if (!(load<u32>(HART_BASE + MSTATUS) & MSTATUS_FS_LOW)) break;
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 3))) {
              store<u32>(HART_BASE + MSTATUS, load<u32>(HART_BASE + MSTATUS) | MSTATUS_FS_LOW);
              setRd(ip, box(load<u32>(<usize>(<u32>address + load<u32>(entry, 8)))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_FLD: {
            if (!(load<u32>(HART_BASE + MSTATUS) & MSTATUS_FS_LOW)) break;
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(reads, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 7))) {
              store<u32>(HART_BASE + MSTATUS, load<u32>(HART_BASE + MSTATUS) | MSTATUS_FS_LOW);
              setRd(ip, load<u64>(<usize>(<u32>address + load<u32>(entry, 8))));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_SB: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & PAGE_MASK)) {
              store<u8>(<usize>(<u32>address + load<u32>(entry, 8)), <u8>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_SH: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 1))) {
              store<u16>(<usize>(<u32>address + load<u32>(entry, 8)), <u16>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_SW: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 3))) {
              store<u32>(<usize>(<u32>address + load<u32>(entry, 8)), <u32>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_SD: {
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 7))) {
              store<u64>(<usize>(<u32>address + load<u32>(entry, 8)), <u64>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_FSW: {
            if (!(load<u32>(HART_BASE + MSTATUS) & MSTATUS_FS_LOW)) break;
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 3))) {
              store<u32>(<usize>(<u32>address + load<u32>(entry, 8)), <u32>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_FSD: {
            if (!(load<u32>(HART_BASE + MSTATUS) & MSTATUS_FS_LOW)) break;
            const address = rs1(ip) + imm(ip);
            const entry = entryOf(writes, address);
            if (load<u64>(entry) == (address & (PAGE_MASK | 7))) {
              store<u64>(<usize>(<u32>address + load<u32>(entry, 8)), <u64>rs2(ip));
              ip += advance(ip);
              continue;
            }
            break;
          }
          case OP_FADD_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Add(rs1(ip), rs2(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FSUB_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Sub(rs1(ip), rs2(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FMUL_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Mul(rs1(ip), rs2(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FDIV_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Div(rs1(ip), rs2(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FMADD_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Fma(rs1(ip), rs2(ip), rs3(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FMSUB_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Fma(rs1(ip), rs2(ip), rs3(ip) ^ SIGN64, 0));
            ip += advance(ip);
            continue;
          }
          case OP_FNMSUB_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Fma(rs1(ip) ^ SIGN64, rs2(ip), rs3(ip), 0));
            ip += advance(ip);
            continue;
          }
          case OP_FNMADD_D: {
            if (!nearest(ip)) break;
            setRd(ip, f64Fma(rs1(ip) ^ SIGN64, rs2(ip), rs3(ip) ^ SIGN64, 0));
            ip += advance(ip);
            continue;
          }
          case OP_FADD_S: {
            if (!nearest(ip)) break;
            setRd(ip, box(f32Add(unbox(rs1(ip)), unbox(rs2(ip)), 0)));
            ip += advance(ip);
            continue;
          }
          case OP_FSUB_S: {
            if (!nearest(ip)) break;
            setRd(ip, box(f32Sub(unbox(rs1(ip)), unbox(rs2(ip)), 0)));
            ip += advance(ip);
            continue;
          }
          case OP_FMUL_S: {
            if (!nearest(ip)) break;
            setRd(ip, box(f32Mul(unbox(rs1(ip)), unbox(rs2(ip)), 0)));
            ip += advance(ip);
            continue;
          }
          case OP_FSGNJ_D: {
            if (!floatsDirty()) break;
            setRd(ip, (rs1(ip) & ~SIGN64) | (rs2(ip) & SIGN64));
            ip += advance(ip);
            continue;
          }
          case OP_FMV_X_D: {
            if (!floatsDirty()) break;
            setRd(ip, rs1(ip));
            ip += advance(ip);
            continue;
          }
          case OP_FMV_D_X: {
            if (!floatsDirty()) break;
            setRd(ip, rs1(ip));
            ip += advance(ip);
            continue;
          }
          case OP_FEQ_D: {
            if (!floatsDirty()) break;
            setRd(ip, f64Eq(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          }
          case OP_FLT_D: {
            if (!floatsDirty()) break;
            setRd(ip, f64Lt(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          }
          case OP_FLE_D: {
            if (!floatsDirty()) break;
            setRd(ip, f64Le(rs1(ip), rs2(ip)));
            ip += advance(ip);
            continue;
          }
          case OP_FCVT_D_W: {
            // Exact in every mode, but reserved modes are illegal as usual (20.2): slow.ts tells.
            if (!nearest(ip)) break;
            setRd(ip, i32ToF64(rs1(ip)));
            ip += advance(ip);
            continue;
          }
          case I_PAGE_END: {
            const target = page + <u64>((ip - base) >> 3);
            const entry = entryOf(fetches, target);
            n++;
            if (load<u64>(entry) == (target & PAGE_MASK)) {
              page = target & PAGE_MASK;
              base = load<u32>(entry, 8);
              ip = base + ((<usize>target & 0xffe) << 3);
              continue;
            }
            set64(PC, target);
            left = FETCH;
            break;
          }
          case I_STRADDLE: {
            const pc = page + <u64>((ip - base) >> 3);
            if (fetchSingle(pc)) {
              page = pc;
              base = SINGLE_SLOT;
              ip = SINGLE_SLOT;
              n++;
              continue;
            }
            origin--;
            left = FETCH;
            break;
          }
          default:
            // What remains: the head of a translated region, and what slow.ts executes.
            if (operation(ip) >= <u32>REGION_MARK) left = REGION;
            break;
        }
        // Left the switch with `break`.
        go = false;
        break;
      } while (--n > 0);
      if (go) {
        // The budget is used up.
        set64(PC, page + <u64>((ip - base) >> 3));
        go = false;
      } else if (left == SLOW) {
        const pc = page + <u64>((ip - base) >> 3);
        set64(INSTRET, origin - n);
        // A store may drop the very entry it came from: what is needed of it is read first.
        const step = advance(ip);
        const op = operation(ip);
        const outcome = executeSlow(op, ip, pc);
        n--;
        if (outcome == NEXT) {
          ip += step;
          if (threshold && isSystem(op)) noteBehind(ip, base, threshold);
          if (get32(ATTENTION) | exitReason | <i32>(n <= 0)) set64(PC, page + <u64>((ip - base) >> 3));
          else go = true;
        } else if (outcome == TRAPPED) origin--;
      } else if (left == REGION) {
        left = SLOW;
        go = true;
        if (n <= REGION_SLACK) {
          // Too near the end of the budget for a region: instruction by instruction.
          expose(ip);
          continue;
        }
        count(COUNT_REGION_ENTER);
        const mark = operation(ip);
        // A region ends at the first loop's head or call where its budget is used up, so it overdraws it by less than
        // the slack, which is held back here.
        const rest =
          call_indirect<i32>(
            mark - REGION_MARK + REGION_TABLE_FIRST,
            page,
            <u32>base,
            n - REGION_SLACK,
            CALL_DEPTH,
          ) + REGION_SLACK;
        if (rest == n) {
          const why = get32(LEFT_BY_JUMP);
          if (why == LEFT_REFUSED || why == LEFT_OTHER_TABLE) {
            noteRefusal(ip, why);
            continue;
          }
          // It left in front of its first instruction, which is one that slow.ts knows.
          if (why == LEFT_GROUP) noteApart(ip);
          const pc = page + <u64>((ip - base) >> 3);
          set64(INSTRET, origin - n);
          const step = advance(ip);
          const op = originalOperation(mark - REGION_MARK);
          const outcome = executeSlow(op, ip, pc);
          n--;
          if (outcome == NEXT) {
            ip += step;
            if (isSystem(op)) noteBehind(ip, base, threshold);
            if (get32(ATTENTION) | exitReason) {
              set64(PC, page + <u64>((ip - base) >> 3));
              go = false;
            }
          } else {
            if (outcome == TRAPPED) origin--;
            go = false;
          }
          continue;
        }
        set64(COUNT_TRANSLATED, get64(COUNT_TRANSLATED) + (n - rest));
        n = rest;
        const pc = get64(PC);
        const entry = entryOf(fetches, pc);
        // A region that set or cleared SUM leaves another table behind.
        if (n > 0 && get32(READ_TABLE) == <u32>reads && load<u64>(entry) == (pc & PAGE_MASK)) {
          page = pc & PAGE_MASK;
          base = load<u32>(entry, 8);
          ip = base + ((<usize>pc & 0xffe) << 3);
          const kind = get32(LEFT_BY_JUMP);
          if (kind == LEFT_GROUP) noteApart(ip);
          else if (kind && kind < <u32>LEFT_REFUSED) noteTarget(ip, threshold, kind - 1);
        } else go = false;
      } else if (left == JUMP) {
        left = SLOW;
        n--;
        const entry = entryOf(fetches, jump);
        if (n > 0 && load<u64>(entry) == (jump & PAGE_MASK)) {
          page = jump & PAGE_MASK;
          base = load<u32>(entry, 8);
          ip = base + ((<usize>jump & 0xffe) << 3);
          if (threshold) noteTarget(ip, threshold, BY_JUMP);
          go = true;
        } else set64(PC, jump);
      } else n--;
    }
  }
  hideAll();
  set64(INSTRET, origin - n);
  return n;
}
