// Which integer registers hold words: 32-bit numbers, sign-extended. Where a region's instructions make nothing but
// words of a register, it lives in an i32 local, and is extended only where all 64 bits are asked for.
//
// Two facts for each register: it is KNOWN to hold a word; and it is NARROW, which is to say that the i32 local holds
// it and the i64 local does not. What is narrow is known.
import { count } from '../hart/state';
import {
  OP_ADD,
  OP_ADDI,
  OP_AND,
  OP_ANDI,
  OP_BEQ,
  OP_BGEU,
  OP_DIVUW,
  OP_DIVW,
  OP_LB,
  OP_LBU,
  OP_LH,
  OP_LHU,
  OP_LUI,
  OP_LW,
  OP_OR,
  OP_ORI,
  OP_REMUW,
  OP_REMW,
  OP_SB,
  OP_SEXT_B,
  OP_SEXT_H,
  OP_SH,
  OP_SLT,
  OP_SLTI,
  OP_SLTIU,
  OP_SLTU,
  OP_SRAI,
  OP_SRLI,
  OP_SW,
  OP_XOR,
  OP_XORI,
  OP_ZEXT_H,
} from '../isa/generated/opcodes';
import { endsInCall, liveAtStart, neededAtStart, readsOf, writesOf } from './dataflow';
import { isMemory } from './emit-memory';
import { known, narrow } from './emit-registers';
import { wordImmediateOpcode, wordOpcode, wordUnaryOpcode } from './integer-opcodes';
import {
  MAX_BLOCKS,
  blockCount,
  blockStart,
  blocks,
  insnImm,
  insnLength,
  insnOp,
  insnRs1,
  insnRs2,
} from './region';
import { successor, successors } from './structure';
import { fill } from './wasm-writer';

/** What an instruction makes of its rd. */
export const WIDE: u32 = 0;
export const KNOWN: u32 = 1;
export const NARROW: u32 = 2;

/** Registers that are narrow, and known, when a block begins. */
export const narrowAtStart = new StaticArray<u32>(MAX_BLOCKS);
export const knownAtStart = new StaticArray<u32>(MAX_BLOCKS);
/** Registers that are narrow anywhere in the region. */
export let narrowRegisters: u32 = 0;

const narrowAtEnd = new StaticArray<u32>(MAX_BLOCKS);
const knownAtEnd = new StaticArray<u32>(MAX_BLOCKS);
/** Registers that some instruction of the block makes narrow. */
const narrowed = new StaticArray<u32>(MAX_BLOCKS);
const isHeader = new StaticArray<u8>(MAX_BLOCKS);

/** Makes narrow what is known, where one operand is narrow already: else the 64-bit instruction does as well. */
// @ts-ignore: decorator
@inline
function ofOperands(operands: u32, known: u32, narrow: u32): u32 {
  if (operands & ~known) return WIDE;
  return operands & narrow ? NARROW : KNOWN;
}

/** What instruction `i` makes of its rd, where registers are known and narrow as given. */
export function wordness(i: i32, known: u32, narrow: u32): u32 {
  const op: u32 = unchecked(insnOp[i]);
  const a: u32 = (<u32>1 << unchecked(insnRs1[i])) & ~1;
  const b: u32 = (<u32>1 << unchecked(insnRs2[i])) & ~1;
  const immediate = unchecked(insnImm[i]);
  switch (op) {
    case OP_LB:
    case OP_LBU:
    case OP_LH:
    case OP_LHU:
    case OP_LW:
    case OP_LUI:
    case OP_SLT:
    case OP_SLTI:
    case OP_SLTU:
    case OP_SLTIU:
    case OP_SEXT_B:
    case OP_SEXT_H:
    case OP_ZEXT_H:
    case OP_DIVW:
    case OP_DIVUW:
    case OP_REMW:
    case OP_REMUW:
      return NARROW;
    case OP_ADDI:
      if (!a) return NARROW;
      return immediate ? WIDE : ofOperands(a, known, narrow);
    case OP_ADD:
      if (a && b) return WIDE;
      return ofOperands(a | b, known, narrow);
    case OP_ANDI:
      return immediate >= 0 ? NARROW : ofOperands(a, known, narrow);
    case OP_ORI:
    case OP_XORI:
      return ofOperands(a, known, narrow);
    case OP_AND:
    case OP_OR:
    case OP_XOR:
      return ofOperands(a | b, known, narrow);
    case OP_SRLI:
      return immediate > 32 ? NARROW : WIDE;
    case OP_SRAI:
      return immediate >= 32 ? NARROW : ofOperands(a, known, narrow);
  }
  if (wordOpcode(op) || wordImmediateOpcode(op) || wordUnaryOpcode(op)) return NARROW;
  return WIDE;
}

/** Registers that are used as words more often than whole: the others are extended where they are made. */
let worthwhile: u32 = 0;
// @ts-ignore: decorator
@inline
export function isWorthwhile(register: u32): bool {
  return ((worthwhile >> register) & 1) != 0;
}

const wordUses = new StaticArray<i32>(32);
const wholeUses = new StaticArray<i32>(32);
/** What a use in a loop counts for, as a power of two; loops in loops multiply. */
const LOOP_WEIGHT = 3;
const DEEPEST = 6;

/** True where instruction `i` asks for no more than the low words of its operands, if these hold words. */
function usesWords(op: u32, i: i32): bool {
  if (op >= <u32>OP_SB && op <= <u32>OP_SW) return false;
  return wordness(i, ~0, ~0) == NARROW && !isMemory(op) && op != OP_SRLI;
}

function countUses(): void {
  for (let r = 0; r < 32; r++) {
    unchecked((wordUses[r] = 0));
    unchecked((wholeUses[r] = 0));
  }
  for (let b = 0; b < blocks; b++) {
    const weight = 1 << (LOOP_WEIGHT * min(depthOf(b), DEEPEST));
    let offset = unchecked(blockStart[b]);
    for (let k = unchecked(blockCount[b]); k > 0; k--) {
      const i = offset >> 1;
      const op: u32 = unchecked(insnOp[i]);
      const reads = <u32>readsOf(i);
      const stored: u32 = op == OP_SB || op == OP_SH || op == OP_SW ? <u32>unchecked(insnRs2[i]) : 0;
      const word = usesWords(op, i);
      const neutral = op >= <u32>OP_BEQ && op <= <u32>OP_BGEU;
      for (let r: u32 = 1; r < 32; r++) {
        if (!((reads >> r) & 1) || neutral) continue;
        if (word || r == stored) unchecked((wordUses[r] += weight));
        else unchecked((wholeUses[r] += weight));
      }
      offset += unchecked(insnLength[i]);
    }
  }
  worthwhile = 0;
  for (let r: u32 = 1; r < 32; r++) {
    if (unchecked(wordUses[r]) > unchecked(wholeUses[r])) worthwhile |= <u32>1 << r;
  }
}

/** What instruction `i`, whose rd is of the set `d`, leaves of it. */
function keptAs(i: i32, d: u32, known: u32, narrow: u32): u32 {
  const what = wordness(i, known, narrow);
  return what == NARROW && !(d & worthwhile) ? KNOWN : what;
}

function transfer(b: i32): bool {
  let known = unchecked(knownAtStart[b]);
  let narrow = unchecked(narrowAtStart[b]);
  let made: u32 = 0;
  let offset = unchecked(blockStart[b]);
  for (let k = unchecked(blockCount[b]); k > 0; k--) {
    const i = offset >> 1;
    const d = <u32>writesOf(i);
    if (d) {
      const what = keptAs(i, d, known, narrow);
      known = what == WIDE ? known & ~d : known | d;
      narrow = what == NARROW ? narrow | d : narrow & ~d;
      if (what == NARROW) made |= d;
    }
    offset += unchecked(insnLength[i]);
  }
  const changed = known != unchecked(knownAtEnd[b]) || narrow != unchecked(narrowAtEnd[b]);
  unchecked((knownAtEnd[b] = known));
  unchecked((narrowAtEnd[b] = narrow));
  unchecked((narrowed[b] = made));
  return changed;
}

// Sets of blocks, for the loops: so many words each.
const SET: i32 = (MAX_BLOCKS + 63) >> 6;
const before = new StaticArray<u64>(MAX_BLOCKS * SET);
/** Of a loop's header: the blocks that the loop consists of; else none. */
const body = new StaticArray<u64>(MAX_BLOCKS * SET);
const onPath = new StaticArray<u8>(MAX_BLOCKS);
const pending = new StaticArray<i32>(MAX_BLOCKS);

/** True when `b` was not in the loop yet. */
function addTo(header: i32, b: i32): bool {
  const word = header * SET + (b >> 6);
  const bit = <u64>1 << (b & 63);
  if (unchecked(body[word]) & bit) return false;
  unchecked((body[word] |= bit));
  return true;
}

/** Adds the loop from `header` to `end` and back. */
function noteLoop(header: i32, end: i32): void {
  unchecked((isHeader[header] = 1));
  addTo(header, header);
  if (!addTo(header, end)) return;
  let count = 1;
  unchecked((pending[0] = end));
  while (count > 0) {
    const b = unchecked(pending[--count]);
    for (let w = 0; w < SET; w++) {
      let fresh = unchecked(before[b * SET + w]) & ~unchecked(body[header * SET + w]);
      while (fresh) {
        const t = (w << 6) + <i32>ctz(fresh);
        fresh &= fresh - 1;
        addTo(header, t);
        unchecked((pending[count++] = t));
      }
    }
  }
}

/** Depth first, from the region's entry: an edge to a block on the path closes a loop. */
function findLoops(b: i32): void {
  unchecked((onPath[b] = 1));
  const count = successors(b);
  for (let k = 0; k < count; k++) {
    const t = successor(b, k);
    if (t < 0) continue;
    if (!unchecked(onPath[t])) findLoops(t);
    else if (unchecked(onPath[t]) == 1) noteLoop(t, b);
  }
  unchecked((onPath[b] = 2));
}

/** How many loops a block is in. */
function depthOf(b: i32): i32 {
  let depth = 0;
  for (let h = 0; h < blocks; h++) depth += <i32>((unchecked(body[h * SET + (b >> 6)]) >> (b & 63)) & 1);
  return depth;
}

/** What the body of the loop that `header` heads makes narrow. */
function narrowedIn(header: i32): u32 {
  let made: u32 = 0;
  for (let b = 0; b < blocks; b++) {
    if ((unchecked(body[header * SET + (b >> 6)]) >> (b & 63)) & 1) made |= unchecked(narrowed[b]);
  }
  return made;
}

function linkBack(): void {
  memory.fill(changetype<usize>(before), 0, MAX_BLOCKS * SET * 8);
  memory.fill(changetype<usize>(body), 0, MAX_BLOCKS * SET * 8);
  for (let b = 0; b < blocks; b++) {
    unchecked((onPath[b] = 0));
    unchecked((isHeader[b] = 0));
    const count = successors(b);
    for (let k = 0; k < count; k++) {
      const t = successor(b, k);
      if (t >= 0) unchecked((before[t * SET + (b >> 6)] |= <u64>1 << (b & 63)));
    }
  }
}

/** Takes what holds at the end of `b`, or nothing behind a call, from what holds at its successors' beginnings. */
function spread(b: i32): bool {
  let changed = false;
  const count = successors(b);
  for (let k = 0; k < count; k++) {
    const t = successor(b, k);
    if (t < 0) continue;
    const reloaded = k < 2 && endsInCall(b);
    const known = unchecked(knownAtStart[t]) & (reloaded ? 0 : unchecked(knownAtEnd[b]));
    const narrow = unchecked(narrowAtStart[t]) & (reloaded ? 0 : unchecked(narrowAtEnd[b]));
    if (known == unchecked(knownAtStart[t]) && narrow == unchecked(narrowAtStart[t])) continue;
    unchecked((knownAtStart[t] = known));
    unchecked((narrowAtStart[t] = narrow));
    changed = true;
  }
  return changed;
}

/**
 * Fills in the sets above, after analyse() of dataflow.ts. A region whose entry heads a loop is entered with registers
 * that only the loop is known to make words: `entryNarrow()` says which, and its function looks at them.
 * @param trusting false: the entry counts as one with registers of any kind
 */
export function analyseWords(trusting: bool): void {
  linkBack();
  findLoops(0);
  countUses();
  for (let b = 0; b < blocks; b++) {
    // What a block makes narrow whatever it begins with: an exclusive or of what was known is no reason to expect it.
    unchecked((knownAtStart[b] = 0));
    unchecked((narrowAtStart[b] = 0));
    transfer(b);
  }
  for (let b = 0; b < blocks; b++) {
    let narrow = <u32>unchecked(liveAtStart[b]);
    // What a loop leaves as it is enters it wide, extended once; so does what it begins by making anew, because that
    // may be anything when the loop is entered.
    if (unchecked(isHeader[b])) narrow &= narrowedIn(b) & <u32>unchecked(neededAtStart[b]);
    unchecked((narrowAtStart[b] = narrow));
    unchecked((knownAtStart[b] = ~0));
  }
  const entry = trusting && unchecked(isHeader[0]) ? unchecked(narrowAtStart[0]) : 0;
  unchecked((narrowAtStart[0] = entry));
  unchecked((knownAtStart[0] = entry));
  let changed = true;
  while (changed) {
    changed = false;
    for (let b = 0; b < blocks; b++) {
      transfer(b);
      if (spread(b)) changed = true;
    }
    // What the entry must hold narrow it must be known to hold, and nothing else is looked at there.
    unchecked((knownAtStart[0] &= unchecked(narrowAtStart[0])));
  }
  narrowRegisters = 0;
  for (let b = 0; b < blocks; b++) narrowRegisters |= unchecked(narrowed[b]);
  for (let b = 0; b < blocks; b++) unchecked((narrowAtStart[b] &= narrowRegisters));
}

/** Registers that the region's entry must find to be words. */
export function entryNarrow(): u32 {
  return unchecked(narrowAtStart[0]);
}
