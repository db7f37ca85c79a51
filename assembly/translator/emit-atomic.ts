// LR, SC and AMO in line: the write TLB's check (the read TLB's for LR) also finds misaligned operands, and a hit
// means that no code, watch or device is there. What misses leaves the region, like any load or store.
import {
  OP_AMOADD_D,
  OP_AMOADD_W,
  OP_AMOAND_D,
  OP_AMOAND_W,
  OP_AMOMAXU_D,
  OP_AMOMAXU_W,
  OP_AMOMAX_D,
  OP_AMOMAX_W,
  OP_AMOMINU_D,
  OP_AMOMINU_W,
  OP_AMOMIN_D,
  OP_AMOMIN_W,
  OP_AMOOR_D,
  OP_AMOOR_W,
  OP_AMOSWAP_D,
  OP_AMOSWAP_W,
  OP_AMOXOR_D,
  OP_AMOXOR_W,
  OP_LR_D,
  OP_LR_W,
  OP_SC_D,
  OP_SC_W,
} from '../isa/generated/opcodes';
import { HART_BASE, RAM_BASE, RESERVATION, TLB_WRITE } from '../layout';
import { emitLeaveCode } from './emit-exits';
import { emitHostAddress } from './emit-memory';
import { L_CODE, L_TEMP, L_VALUE, popX, pushX } from './emit-registers';
import { insnRd, insnRs1, insnRs2 } from './region';
import {
  T_VOID,
  W_DROP,
  W_ELSE,
  W_END,
  W_I64_ADD,
  W_I64_AND,
  W_I64_EQ,
  W_I64_EXTEND32,
  W_I64_EXTEND_U,
  W_I64_GT_S,
  W_I64_GT_U,
  W_I64_LOAD,
  W_I64_LOAD32_S,
  W_I64_LT_S,
  W_I64_LT_U,
  W_I64_OR,
  W_I64_STORE,
  W_I64_STORE32,
  W_I64_XOR,
  W_IF,
  W_SELECT,
  access,
  byte,
  get,
  i32c,
  i64c,
  set,
} from './wasm-writer';

/** Physical address of a host address in RAM: this much more. */
const TO_PHYSICAL: i64 = <i64>0x80000000 - RAM_BASE;

export function isAtomic(op: u32): bool {
  return op >= <u32>OP_LR_W && op <= <u32>OP_AMOMAXU_D;
}

// @ts-ignore: decorator
@inline
function isWord(op: u32): bool {
  return op < <u32>OP_LR_D;
}

/** Host address to L_CODE, free once the way out is behind. */
function emitOperand(i: i32, size: u32, table: u32): void {
  emitHostAddress(unchecked(insnRs1[i]), 0, size, table);
  set(L_CODE);
}

/** The reservation set of the operand: its physical address, down to 8 bytes. */
function pushSet(): void {
  get(L_CODE);
  byte(W_I64_EXTEND_U);
  i64c(TO_PHYSICAL);
  byte(W_I64_ADD);
  i64c(-8);
  byte(W_I64_AND);
}

function emitResult(i: i32): void {
  const d: u32 = unchecked(insnRd[i]);
  if (d) popX(d);
  else byte(W_DROP);
}

/** L_VALUE combined with L_TEMP (both sign-extended for words) as `op` does. */
function emitCombine(op: u32): void {
  let compare: u8 = 0;
  switch (op) {
    case OP_AMOSWAP_W:
    case OP_AMOSWAP_D:
      get(L_TEMP);
      return;
    case OP_AMOADD_W:
    case OP_AMOADD_D:
      get(L_VALUE);
      get(L_TEMP);
      byte(W_I64_ADD);
      return;
    case OP_AMOXOR_W:
    case OP_AMOXOR_D:
      get(L_VALUE);
      get(L_TEMP);
      byte(W_I64_XOR);
      return;
    case OP_AMOAND_W:
    case OP_AMOAND_D:
      get(L_VALUE);
      get(L_TEMP);
      byte(W_I64_AND);
      return;
    case OP_AMOOR_W:
    case OP_AMOOR_D:
      get(L_VALUE);
      get(L_TEMP);
      byte(W_I64_OR);
      return;
    case OP_AMOMIN_W:
    case OP_AMOMIN_D:
      compare = W_I64_LT_S;
      break;
    case OP_AMOMAX_W:
    case OP_AMOMAX_D:
      compare = W_I64_GT_S;
      break;
    // Sign extension keeps the unsigned order of words.
    case OP_AMOMINU_W:
    case OP_AMOMINU_D:
      compare = W_I64_LT_U;
      break;
    case OP_AMOMAXU_W:
    case OP_AMOMAXU_D:
      compare = W_I64_GT_U;
      break;
    default:
      unreachable();
  }
  get(L_VALUE);
  get(L_TEMP);
  get(L_VALUE);
  get(L_TEMP);
  byte(compare);
  byte(W_SELECT);
}

/** Emits atomic `i` at `offset`, with `done` instructions of its block before it. */
export function emitAtomic(op: u32, i: i32, offset: i32, done: i32): void {
  const word = isWord(op);
  const size: u32 = word ? 4 : 8;
  const load: u8 = word ? W_I64_LOAD32_S : W_I64_LOAD;
  const store_: u8 = word ? W_I64_STORE32 : W_I64_STORE;
  emitLeaveCode(offset, done);
  if (op == OP_LR_W || op == OP_LR_D) {
    emitOperand(i, size, 0);
    i32c(0);
    pushSet();
    access(W_I64_STORE, 3, HART_BASE + RESERVATION);
    get(L_CODE);
    access(load, 0, 0);
    emitResult(i);
    return;
  }
  emitOperand(i, size, TLB_WRITE);
  if (op == OP_SC_W || op == OP_SC_D) {
    i32c(0);
    access(W_I64_LOAD, 3, HART_BASE + RESERVATION);
    pushSet();
    byte(W_I64_EQ);
    i32c(0);
    i64c(-1);
    access(W_I64_STORE, 3, HART_BASE + RESERVATION);
    byte(W_IF);
    byte(T_VOID);
    get(L_CODE);
    pushX(unchecked(insnRs2[i]));
    access(store_, 0, 0);
    i64c(0);
    set(L_TEMP);
    byte(W_ELSE);
    i64c(1);
    set(L_TEMP);
    byte(W_END);
    get(L_TEMP);
    emitResult(i);
    return;
  }
  pushX(unchecked(insnRs2[i]));
  if (word) byte(W_I64_EXTEND32);
  set(L_TEMP);
  get(L_CODE);
  access(load, 0, 0);
  set(L_VALUE);
  get(L_CODE);
  emitCombine(op);
  access(store_, 0, 0);
  get(L_VALUE);
  emitResult(i);
}
