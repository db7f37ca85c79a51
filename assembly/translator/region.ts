// Discovery: from a hot instruction to a region of basic blocks, all in one page, reached by direct control flow.
import { count } from '../hart/state';
import { csrNumber, immB, immI, immJ, immS, immU, rd, rm, rs1, rs2, rs3, shamt6 } from '../isa/fields';
import { expandCompressed } from '../isa/generated/compressed';
import { decodeOp, formatOf } from '../isa/generated/decoder';
import {
  FMT_B,
  FMT_CSR,
  FMT_CSRI,
  FMT_I,
  FMT_J,
  FMT_R4,
  FMT_S,
  FMT_SHIFT,
  FMT_SHIFTW,
  FMT_U,
  OP_BEQ,
  OP_BGEU,
  OP_JAL,
  OP_JALR,
} from '../isa/generated/opcodes';
import { addCallee, forgetCalls, linkReturns } from './calls';
import { canTranslate } from './translatable';
import { fill } from './wasm-writer';

export const MAX_BLOCKS = 160;
/** Sets of registers that ways out store: a block's ways out share one of them, at the price of storing too much. */
export const WAYS = 4;
/** Bounds what runs between two looks at the budget: a region's longest path without a loop. */
export const MAX_INSTRUCTIONS = 900;
/** Callees of calls through a register that a region keeps within itself. */
export const MAX_CALLEES = 8;

// Instructions of the page under translation, by halfword.
export const insnOp = new StaticArray<u16>(2048);
export const insnRd = new StaticArray<u8>(2048);
export const insnRs1 = new StaticArray<u8>(2048);
export const insnRs2 = new StaticArray<u8>(2048);
export const insnRs3 = new StaticArray<u8>(2048);
export const insnRm = new StaticArray<u8>(2048);
export const insnLength = new StaticArray<u8>(2048);
export const insnImm = new StaticArray<i32>(2048);
/** Block that begins at a halfword, plus one. */
export const blockAt = new StaticArray<u16>(2048);
const leader = new StaticArray<u8>(2048);

// How a block ends.
export const END_BRANCH: u8 = 0; // taken or not: both in `taken` and `next`
export const END_FALL: u8 = 1; // goes on at `next`
export const END_JUMP: u8 = 2; // to `taken`
export const END_CALL: u8 = 3; // jal with a link; comes back to `next`
export const END_INDIRECT: u8 = 4; // jalr; with a link it comes back to `next`
export const END_LEAVE: u8 = 5; // the instruction at `stop` is the interpreter's
export const END_INLINE: u8 = 6; // jal with a link to `taken`, which is in the region; comes back to `blockBack`

export const blockStart = new StaticArray<i32>(MAX_BLOCKS);
/** Offset of the ending instruction (END_LEAVE, END_FALL: of the first one not in the block). */
export const blockStop = new StaticArray<i32>(MAX_BLOCKS);
/** Instructions in the block, its ending one included. */
export const blockCount = new StaticArray<i32>(MAX_BLOCKS);
export const blockEnd = new StaticArray<u8>(MAX_BLOCKS);
/** Successor blocks, or -1: outside the region. */
export const blockTaken = new StaticArray<i32>(MAX_BLOCKS);
export const blockNext = new StaticArray<i32>(MAX_BLOCKS);
/** END_INLINE: the block behind the call, or -1. */
export const blockBack = new StaticArray<i32>(MAX_BLOCKS);
export let blocks: i32 = 0;

// Where indirect jumps of the page are known to lead: the heads of its regions, and those that wait to be one.
const MAX_TARGETS = 64;
const candidates = new StaticArray<i32>(MAX_TARGETS);
let candidateCount: i32 = 0;
const functions = new StaticArray<i32>(MAX_CALLEES);
let functionCount: i32 = 0;
/** Blocks that indirect jumps of this region may lead to. */
export const targetBlock = new StaticArray<i32>(MAX_TARGETS);
export let targets: i32 = 0;

/** To be called for each known target before discover(), after forgetTargets(). */
export function addTarget(offset: i32): void {
  if (candidateCount < MAX_TARGETS) unchecked((candidates[candidateCount++] = offset));
}
/** The same for functions that calls through a register are known to lead to. */
export function addFunction(offset: i32): void {
  if (functionCount < MAX_CALLEES) unchecked((functions[functionCount++] = offset));
}
export function forgetTargets(): void {
  candidateCount = 0;
  functionCount = 0;
}

/** True for a jump through a register that is not a return (unprivileged specification, section 2.5.1). */
export function isComputedJump(i: i32): bool {
  const base = unchecked(insnRs1[i]);
  return unchecked(insnRd[i]) == 0 && base != 1 && base != 5;
}

const work = new StaticArray<i32>(512);
let pending: i32 = 0;
let total: i32 = 0;
let leaders: i32 = 0;
let computed: bool = false;
let through: bool = false;

// Targets of calls within the page, which may become part of the region.
const MAX_CALLS = 64;
const calls = new StaticArray<i32>(MAX_CALLS);
let callCount: i32 = 0;
/** Instructions of a callee that becomes part of its caller's region, at most. */
const CALLEE_MOST = 64;
/** A region takes no more callees in when it has so many instructions. */
const ENOUGH = 400;

function decodeAt(host: usize, offset: i32): u32 {
  const i = offset >> 1;
  const low = <u32>load<u16>(host + offset);
  let insn: u32;
  if ((low & 3) == 3) {
    // Half of it lies in the next page: the interpreter's.
    if (offset == 4094) return 0;
    insn = low | (<u32>load<u16>(host + offset, 2) << 16);
    unchecked((insnLength[i] = 4));
  } else {
    insn = expandCompressed(low);
    unchecked((insnLength[i] = 2));
  }
  const op = decodeOp(insn);
  if (!op || !canTranslate(op, insn)) return 0;
  const format = formatOf(op);
  let immediate = 0;
  if (format == FMT_I) immediate = immI(insn);
  else if (format == FMT_S) immediate = immS(insn);
  else if (format == FMT_B) immediate = immB(insn);
  else if (format == FMT_U) immediate = immU(insn);
  else if (format == FMT_J) immediate = immJ(insn);
  else if (format == FMT_CSR || format == FMT_CSRI) immediate = <i32>csrNumber(insn);
  else if (format == FMT_SHIFT || format == FMT_SHIFTW) immediate = <i32>shamt6(insn);
  unchecked((insnOp[i] = <u16>op));
  unchecked((insnRd[i] = <u8>rd(insn)));
  unchecked((insnRs1[i] = <u8>rs1(insn)));
  unchecked((insnRs2[i] = <u8>rs2(insn)));
  unchecked((insnRs3[i] = format == FMT_R4 ? <u8>rs3(insn) : 0));
  unchecked((insnRm[i] = <u8>rm(insn)));
  unchecked((insnImm[i] = immediate));
  return op;
}

// @ts-ignore: decorator
@inline
function isBranch(op: u32): bool {
  return op >= <u32>OP_BEQ && op <= <u32>OP_BGEU;
}

/**
 * Finds the region that begins at `head` of the page at host address `host`.
 * Only instructions that have been executed belong to it: their entries in the slot at `decoded` are not empty.
 * @returns the number of instructions, 0 when the head itself cannot be translated
 */
export function discover(host: usize, head: i32, decoded: usize): i32 {
  memory.fill(changetype<usize>(insnOp), 0, 4096);
  memory.fill(changetype<usize>(blockAt), 0, 4096);
  memory.fill(changetype<usize>(leader), 0, 2048);
  pending = 1;
  total = 0;
  leaders = 1;
  computed = false;
  through = false;
  targets = 0;
  callCount = 0;
  forgetCalls();
  unchecked((work[0] = head));
  unchecked((leader[head >> 1] = 1));
  // First pass: which instructions, and where blocks begin.
  follow(host, decoded);
  if (!unchecked(insnOp[head >> 1])) return 0;
  for (let c = 0; c < callCount; c++) if (takeIn(host, unchecked(calls[c]), decoded)) follow(host, decoded);
  if (through) {
    for (let c = 0; c < functionCount; c++) if (takeIn(host, unchecked(functions[c]), decoded)) follow(host, decoded);
  }
  cut(head, computed);
  return total;
}

/** Makes the function at `target` part of the region where it is short, or is so already; true when it is to follow. */
function takeIn(host: usize, target: i32, decoded: usize): bool {
  const i = target >> 1;
  if (leaders >= MAX_BLOCKS - 24 || unchecked(leader[i])) return false;
  if (!unchecked(insnOp[i])) {
    if (total >= ENOUGH || !isShort(host, target, decoded)) return false;
    unchecked((work[pending++] = target));
  }
  unchecked((leader[i] = 1));
  leaders++;
  return true;
}

const measured = new StaticArray<u8>(2048);
/** True when the function at `target` has at most CALLEE_MOST instructions that have been executed. */
function isShort(host: usize, target: i32, decoded: usize): bool {
  memory.fill(changetype<usize>(measured), 0, 2048);
  let count = 0;
  let rest = 1;
  const base = pending;
  unchecked((work[base] = target));
  while (rest > 0) {
    let offset = unchecked(work[base + --rest]);
    while (offset >= 0 && offset < 4094 && !unchecked(measured[offset >> 1])) {
      if (!load<u16>(decoded + (<usize>offset << 3))) break;
      if (++count > CALLEE_MOST) return false;
      unchecked((measured[offset >> 1] = 1));
      const low = <u32>load<u16>(host + offset);
      const long = (low & 3) == 3;
      const insn = long ? low | (<u32>load<u16>(host + offset, 2) << 16) : expandCompressed(low);
      const op = decodeOp(insn);
      if (!op || (op == OP_JALR && !rd(insn))) break;
      if (isBranch(op)) {
        if (base + rest < 500) unchecked((work[base + rest++] = offset + immB(insn)));
      } else if (op == OP_JAL && !rd(insn)) {
        offset += immJ(insn);
        continue;
      }
      offset += long ? 4 : 2;
    }
  }
  return true;
}

/** Follows direct control flow from what is in `work`. */
function follow(host: usize, decoded: usize): void {
  while (pending > 0) {
    let offset = unchecked(work[--pending]);
    while (true) {
      const i = offset >> 1;
      if (offset >= 4096 || unchecked(insnOp[i])) break;
      if (total >= MAX_INSTRUCTIONS) break;
      if (!load<u16>(decoded + (<usize>offset << 3))) break;
      const op = decodeAt(host, offset);
      if (!op) break;
      total++;
      const next = offset + unchecked(insnLength[i]);
      if (isBranch(op) || op == OP_JAL) {
        const target = offset + unchecked(insnImm[i]);
        const link = op == OP_JAL && unchecked(insnRd[i]) != 0;
        if (link && unchecked(insnRd[i]) == 1 && target >= 0 && target < 4096 && callCount < MAX_CALLS) {
          unchecked((calls[callCount++] = target));
        }
        if (!link && target >= 0 && target < 4096 && leaders < MAX_BLOCKS - 8 && pending < 500) {
          if (!unchecked(leader[target >> 1])) {
            unchecked((leader[target >> 1] = 1));
            leaders++;
          }
          unchecked((work[pending++] = target));
        }
        if (op == OP_JAL && !link) break;
        if (next < 4096) {
          if (leaders >= MAX_BLOCKS - 4) break;
          if (!unchecked(leader[next >> 1])) {
            unchecked((leader[next >> 1] = 1));
            leaders++;
          }
        }
      } else if (op == OP_JALR) {
        if (isComputedJump(i) && !computed) {
          computed = true;
          for (let c = 0; c < candidateCount; c++) {
            const target = unchecked(candidates[c]);
            if (leaders >= MAX_BLOCKS - 16 || pending >= 400) break;
            if (!unchecked(leader[target >> 1])) {
              unchecked((leader[target >> 1] = 1));
              leaders++;
            }
            unchecked((work[pending++] = target));
          }
        }
        if (unchecked(insnRd[i]) == 0) break;
        if (unchecked(insnRd[i]) == 1) through = true;
        if (leaders >= MAX_BLOCKS - 4) break;
        if (next < 4096 && !unchecked(leader[next >> 1])) {
          unchecked((leader[next >> 1] = 1));
          leaders++;
        }
      }
      offset = next;
    }
  }
}

/** Second pass: blocks between leaders; block 0 begins at the head. */
function cut(head: i32, computed: bool): void {
  blocks = 0;
  addBlock(head);
  for (let i = 0; i < 2048; i++) {
    if (unchecked(leader[i]) && unchecked(insnOp[i]) && i << 1 != head) {
      if (blocks < MAX_BLOCKS) addBlock(i << 1);
    }
  }
  for (let b = 0; b < blocks; b++) link(b);
  if (computed) {
    for (let c = 0; c < candidateCount; c++) {
      const b = blockOf(unchecked(candidates[c]));
      if (b >= 0) unchecked((targetBlock[targets++] = b));
    }
  }
  if (through) {
    for (let c = 0; c < functionCount; c++) {
      const b = blockOf(unchecked(functions[c]));
      if (b >= 0) addCallee(b);
    }
  }
  linkReturns();
}

function addBlock(start: i32): void {
  unchecked((blockStart[blocks] = start));
  unchecked((blockAt[start >> 1] = <u16>(blocks + 1)));
  blocks++;
}

function blockOf(offset: i32): i32 {
  if (offset < 0 || offset >= 4096) return -1;
  return <i32>unchecked(blockAt[offset >> 1]) - 1;
}

function link(b: i32): void {
  let offset = unchecked(blockStart[b]);
  let count = 0;
  unchecked((blockTaken[b] = -1));
  unchecked((blockNext[b] = -1));
  while (true) {
    const i = offset >> 1;
    const op: u32 = offset < 4096 ? unchecked(insnOp[i]) : 0;
    if (!op) {
      unchecked((blockEnd[b] = END_LEAVE));
      break;
    }
    if (count > 0 && unchecked(blockAt[i])) {
      unchecked((blockEnd[b] = END_FALL));
      unchecked((blockNext[b] = blockOf(offset)));
      break;
    }
    count++;
    const next = offset + unchecked(insnLength[i]);
    if (isBranch(op)) {
      unchecked((blockEnd[b] = END_BRANCH));
      unchecked((blockTaken[b] = blockOf(offset + unchecked(insnImm[i]))));
      unchecked((blockNext[b] = blockOf(next)));
      break;
    }
    if (op == OP_JAL) {
      const called = unchecked(insnRd[i]);
      const target = blockOf(offset + unchecked(insnImm[i]));
      if (called == 1 && target >= 0) {
        unchecked((blockEnd[b] = END_INLINE));
        unchecked((blockTaken[b] = target));
        unchecked((blockBack[b] = blockOf(next)));
      } else {
        unchecked((blockEnd[b] = called ? END_CALL : END_JUMP));
        if (called) unchecked((blockNext[b] = blockOf(next)));
        else unchecked((blockTaken[b] = target));
      }
      break;
    }
    if (op == OP_JALR) {
      unchecked((blockEnd[b] = END_INDIRECT));
      if (unchecked(insnRd[i])) unchecked((blockNext[b] = blockOf(next)));
      break;
    }
    offset = next;
  }
  unchecked((blockStop[b] = offset));
  unchecked((blockCount[b] = count));
}
