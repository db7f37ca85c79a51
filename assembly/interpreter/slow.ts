// Everything the interpreter's switch does not do itself: rare instructions, and loads and stores that miss the TLB.

import { mstatus, NEXT, set64, TRAPPED } from '../hart/state';
import { CAUSE_BREAKPOINT, MSTATUS_FS } from '../hart/status';
import { raise } from '../hart/trap';
import {
  OP_AMOADD_D,
  OP_AMOADD_W,
  OP_AMOAND_D,
  OP_AMOAND_W,
  OP_AMOMAX_D,
  OP_AMOMAX_W,
  OP_AMOMAXU_D,
  OP_AMOMAXU_W,
  OP_AMOMIN_D,
  OP_AMOMIN_W,
  OP_AMOMINU_D,
  OP_AMOMINU_W,
  OP_AMOOR_D,
  OP_AMOOR_W,
  OP_AMOSWAP_D,
  OP_AMOSWAP_W,
  OP_AMOXOR_D,
  OP_AMOXOR_W,
  OP_CBO_CLEAN,
  OP_CBO_FLUSH,
  OP_CBO_INVAL,
  OP_CBO_ZERO,
  OP_CSRRC,
  OP_CSRRCI,
  OP_CSRRS,
  OP_CSRRSI,
  OP_CSRRW,
  OP_CSRRWI,
  OP_EBREAK,
  OP_ECALL,
  OP_FENCE,
  OP_FENCE_I,
  OP_FLD,
  OP_FLH,
  OP_FLW,
  OP_FSD,
  OP_FSH,
  OP_FSW,
  OP_LB,
  OP_LBU,
  OP_LD,
  OP_LH,
  OP_LHU,
  OP_LR_D,
  OP_LR_W,
  OP_LW,
  OP_LWU,
  OP_MRET,
  OP_SB,
  OP_SC_D,
  OP_SC_W,
  OP_SD,
  OP_SFENCE_INVAL_IR,
  OP_SFENCE_VMA,
  OP_SFENCE_W_INVAL,
  OP_SH,
  OP_SINVAL_VMA,
  OP_SRET,
  OP_SW,
  OP_WFI,
  OP_WRS_NTO,
  OP_WRS_STO,
} from '../isa/generated/opcodes';
import { MSTATUS } from '../layout';
import { LOADED, slowLoad, slowStore } from '../mmu/access';
import { executeAmoD, executeAmoW, executeLr, executeSc } from './atomics';
import { executeBits } from './bits';
import { box, boxHalf, imm, rs1, rs2, setRd, setRdW } from './entry';
import { executeFloat } from './float-instructions';
import { illegal } from './illegal';
import { I_ILLEGAL } from './operations';
import {
  executeCacheBlock,
  executeCsr,
  executeEcall,
  executeFenceI,
  executeMret,
  executeSfence,
  executeSret,
  executeSvinvalFence,
  executeWfi,
} from './system';

// @ts-ignore: decorator
@inline
function floatsOff(): bool {
  return !(mstatus() & MSTATUS_FS);
}
// @ts-ignore: decorator
@inline
function touchFloats(): void {
  set64(MSTATUS, mstatus() | MSTATUS_FS);
}

function slowStoreOf(size: u32, ip: usize, pc: u64): i32 {
  return slowStore(rs1(ip) + imm(ip), size, rs2(ip), pc) ? NEXT : TRAPPED;
}

/** Executes the entry at `ip`, which stands for the instruction at `pc`. */
export function executeSlow(op: u32, ip: usize, pc: u64): i32 {
  switch (op) {
    case OP_LB:
      if (!slowLoad(rs1(ip) + imm(ip), 1, pc)) return TRAPPED;
      setRd(ip, <u64>(<i64>load<i8>(LOADED)));
      return NEXT;
    case OP_LH:
      if (!slowLoad(rs1(ip) + imm(ip), 2, pc)) return TRAPPED;
      setRd(ip, <u64>(<i64>load<i16>(LOADED)));
      return NEXT;
    case OP_LW:
      if (!slowLoad(rs1(ip) + imm(ip), 4, pc)) return TRAPPED;
      setRdW(ip, load<i32>(LOADED));
      return NEXT;
    case OP_LBU:
      if (!slowLoad(rs1(ip) + imm(ip), 1, pc)) return TRAPPED;
      setRd(ip, load<u8>(LOADED));
      return NEXT;
    case OP_LHU:
      if (!slowLoad(rs1(ip) + imm(ip), 2, pc)) return TRAPPED;
      setRd(ip, load<u16>(LOADED));
      return NEXT;
    case OP_LWU:
      if (!slowLoad(rs1(ip) + imm(ip), 4, pc)) return TRAPPED;
      setRd(ip, load<u32>(LOADED));
      return NEXT;
    case OP_LD:
      if (!slowLoad(rs1(ip) + imm(ip), 8, pc)) return TRAPPED;
      setRd(ip, load<u64>(LOADED));
      return NEXT;
    case OP_FLH:
      if (floatsOff()) return illegal(pc);
      if (!slowLoad(rs1(ip) + imm(ip), 2, pc)) return TRAPPED;
      touchFloats();
      setRd(ip, boxHalf(load<u16>(LOADED)));
      return NEXT;
    case OP_FLW:
      if (floatsOff()) return illegal(pc);
      if (!slowLoad(rs1(ip) + imm(ip), 4, pc)) return TRAPPED;
      touchFloats();
      setRd(ip, box(load<u32>(LOADED)));
      return NEXT;
    case OP_FLD:
      if (floatsOff()) return illegal(pc);
      if (!slowLoad(rs1(ip) + imm(ip), 8, pc)) return TRAPPED;
      touchFloats();
      setRd(ip, load<u64>(LOADED));
      return NEXT;
    case OP_SB:
      return slowStoreOf(1, ip, pc);
    case OP_SH:
      return slowStoreOf(2, ip, pc);
    case OP_SW:
      return slowStoreOf(4, ip, pc);
    case OP_SD:
      return slowStoreOf(8, ip, pc);
    case OP_FSH:
      return floatsOff() ? illegal(pc) : slowStoreOf(2, ip, pc);
    case OP_FSW:
      return floatsOff() ? illegal(pc) : slowStoreOf(4, ip, pc);
    case OP_FSD:
      return floatsOff() ? illegal(pc) : slowStoreOf(8, ip, pc);
    case OP_LR_W:
      return executeLr(4, ip, pc);
    case OP_LR_D:
      return executeLr(8, ip, pc);
    case OP_SC_W:
      return executeSc(4, ip, pc);
    case OP_SC_D:
      return executeSc(8, ip, pc);
    case OP_CSRRW:
    case OP_CSRRS:
    case OP_CSRRC:
    case OP_CSRRWI:
    case OP_CSRRSI:
    case OP_CSRRCI:
      return executeCsr(op, ip, pc);
    case OP_ECALL:
      return executeEcall(pc);
    case OP_EBREAK:
      return raise(CAUSE_BREAKPOINT, pc, pc);
    case OP_MRET:
      return executeMret(pc);
    case OP_SRET:
      return executeSret(pc);
    case OP_WFI:
      return executeWfi(ip, pc);
    case OP_FENCE:
    case OP_WRS_NTO:
    case OP_WRS_STO:
      return NEXT;
    case OP_FENCE_I:
      return executeFenceI();
    case OP_SFENCE_VMA:
    case OP_SINVAL_VMA:
      return executeSfence(ip, pc);
    case OP_SFENCE_W_INVAL:
    case OP_SFENCE_INVAL_IR:
      return executeSvinvalFence(pc);
    case OP_CBO_CLEAN:
    case OP_CBO_FLUSH:
    case OP_CBO_INVAL:
    case OP_CBO_ZERO:
      return executeCacheBlock(op, ip, pc);
    case OP_AMOADD_W:
    case OP_AMOAND_W:
    case OP_AMOMAXU_W:
    case OP_AMOMAX_W:
    case OP_AMOMINU_W:
    case OP_AMOMIN_W:
    case OP_AMOOR_W:
    case OP_AMOSWAP_W:
    case OP_AMOXOR_W:
      return executeAmoW(op, ip, pc);
    case OP_AMOADD_D:
    case OP_AMOAND_D:
    case OP_AMOMAXU_D:
    case OP_AMOMAX_D:
    case OP_AMOMINU_D:
    case OP_AMOMIN_D:
    case OP_AMOOR_D:
    case OP_AMOSWAP_D:
    case OP_AMOXOR_D:
      return executeAmoD(op, ip, pc);
    case I_ILLEGAL:
      return illegal(pc);
  }
  if (executeBits(op, ip)) return NEXT;
  return executeFloat(op, ip, pc);
}
