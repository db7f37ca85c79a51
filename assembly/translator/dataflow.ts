// Which registers must be stored on the way out of a region, and which must be loaded on the way in. A register is
// one bit of a u64: x registers below, f registers above.
import { count } from '../hart/state';
import { formatOf, operandFlags } from '../isa/generated/decoder';
import {
  FLAG_RD_F,
  FLAG_RS1_F,
  FLAG_RS2_F,
  FMT_AMO,
  FMT_B,
  FMT_CSRI,
  FMT_FENCE,
  FMT_J,
  FMT_R,
  FMT_R4,
  FMT_S,
  FMT_U,
} from '../isa/generated/opcodes';
import { isAtomic } from './emit-atomic';
import { isMemory } from './emit-memory';
import {
  END_BRANCH,
  END_CALL,
  END_FALL,
  END_INDIRECT,
  END_INLINE,
  END_JUMP,
  END_LEAVE,
  MAX_BLOCKS,
  WAYS,
  blockCount,
  blockEnd,
  blockNext,
  blockStart,
  blockStop,
  blockTaken,
  blocks,
  insnLength,
  insnOp,
  insnRd,
  insnRs1,
  insnRs2,
  insnRs3,
} from './region';
import { inCycle, markCycles, successor, successors } from './structure';
import { isFloat, isSystem } from './translatable';

export const wayMask = new StaticArray<u64>(WAYS);
/** The set that a block's ways out use. */
export const blockWay = new StaticArray<u8>(MAX_BLOCKS);
/** Registers that may differ from memory at a block's end. */
export const dirtyAtEnd = new StaticArray<u64>(MAX_BLOCKS);
/** Registers whose locals must be true when a block begins. */
export const liveAtStart = new StaticArray<u64>(MAX_BLOCKS);
/** Registers whose values at a block's beginning are used, or leave the region at a block's end. */
export const neededAtStart = new StaticArray<u64>(MAX_BLOCKS);
/** Registers that the region names at all. */
export let namedRegisters: u64 = 0;

const dirtyAtStart = new StaticArray<u64>(MAX_BLOCKS);
const defined = new StaticArray<u64>(MAX_BLOCKS);
const used = new StaticArray<u64>(MAX_BLOCKS);
/** 1 where an instruction of the block may leave the region before the block's end. */
const leaves = new StaticArray<u8>(MAX_BLOCKS);

// @ts-ignore: decorator
@inline
function bit(register: u32, float: u32): u64 {
  if (float) return <u64>1 << (register + 32);
  return register ? <u64>1 << register : 0;
}

export function readsOf(i: i32): u64 {
  const op: u32 = unchecked(insnOp[i]);
  const format = formatOf(op);
  const flags = operandFlags(op);
  if (format == FMT_U || format == FMT_J || format == FMT_FENCE || format == FMT_CSRI) return 0;
  let reads = bit(unchecked(insnRs1[i]), flags & FLAG_RS1_F);
  if (format == FMT_R || format == FMT_R4 || format == FMT_S || format == FMT_B || format == FMT_AMO) {
    reads |= bit(unchecked(insnRs2[i]), flags & FLAG_RS2_F);
  }
  if (format == FMT_R4) reads |= bit(unchecked(insnRs3[i]), 1);
  return reads;
}

export function writesOf(i: i32): u64 {
  const op: u32 = unchecked(insnOp[i]);
  const format = formatOf(op);
  if (format == FMT_S || format == FMT_B || format == FMT_FENCE) return 0;
  return bit(unchecked(insnRd[i]), operandFlags(op) & FLAG_RD_F);
}

// @ts-ignore: decorator
@inline
export function endsInCall(b: i32): bool {
  const end = unchecked(blockEnd[b]);
  if (end == END_CALL) return true;
  return end == END_INDIRECT && unchecked(insnRd[unchecked(blockStop[b]) >> 1]) != 0;
}

function scan(b: i32): void {
  let defs: u64 = 0;
  let uses: u64 = 0;
  let way: u8 = 0;
  let offset = unchecked(blockStart[b]);
  for (let k = unchecked(blockCount[b]); k > 0; k--) {
    const i = offset >> 1;
    const op: u32 = unchecked(insnOp[i]);
    uses |= readsOf(i) & ~defs;
    defs |= writesOf(i);
    if (isMemory(op) || isAtomic(op) || isFloat(op) || isSystem(op)) way = 1;
    offset += unchecked(insnLength[i]);
  }
  unchecked((defined[b] = defs));
  unchecked((used[b] = uses));
  unchecked((leaves[b] = way));
  namedRegisters |= defs | uses;
}

/** Forward: what may be dirty. A call leaves nothing dirty, as everything is stored before it. */
function spreadDirty(): void {
  for (let b = 0; b < blocks; b++) unchecked((dirtyAtStart[b] = 0));
  let changed = true;
  while (changed) {
    changed = false;
    for (let b = 0; b < blocks; b++) {
      const end = unchecked(dirtyAtStart[b]) | unchecked(defined[b]);
      unchecked((dirtyAtEnd[b] = end));
      const count = successors(b);
      for (let k = endsInCall(b) ? 2 : 0; k < count; k++) {
        const t = successor(b, k);
        if (t < 0) continue;
        const merged = unchecked(dirtyAtStart[t]) | end;
        if (merged != unchecked(dirtyAtStart[t])) {
          unchecked((dirtyAtStart[t] = merged));
          changed = true;
        }
      }
    }
  }
}

/** Gives each block the set that grows least by what the block may have dirtied. */
function chooseWays(): void {
  let open = 0;
  for (let w = 0; w < WAYS; w++) unchecked((wayMask[w] = 0));
  for (let b = 0; b < blocks; b++) {
    const mask = unchecked(dirtyAtEnd[b]);
    let best = -1;
    let least: u64 = 1000;
    for (let w = 0; w < open; w++) {
      const old = unchecked(wayMask[w]);
      const growth = popcnt(mask & ~old) + popcnt(old & ~mask);
      if (growth < least) {
        least = growth;
        best = w;
      }
    }
    if (open < WAYS && least > 0) best = open++;
    unchecked((wayMask[best] = unchecked(wayMask[best]) | mask));
    unchecked((blockWay[b] = <u8>best));
  }
}

/** Backward: whose values are needed for more than for leaving in front of an instruction. */
function spreadNeed(): void {
  for (let b = 0; b < blocks; b++) unchecked((neededAtStart[b] = unchecked(used[b])));
  let changed = true;
  while (changed) {
    changed = false;
    for (let b = blocks - 1; b >= 0; b--) {
      const end = unchecked(blockEnd[b]);
      let out: u64 = end == END_LEAVE || end == END_CALL || end == END_INDIRECT ? ~0 : 0;
      if (end == END_BRANCH && (unchecked(blockTaken[b]) < 0 || unchecked(blockNext[b]) < 0)) out = ~0;
      const count = successors(b);
      for (let k = 0; k < count; k++) {
        const t = successor(b, k);
        if (t >= 0) out |= unchecked(neededAtStart[t]);
        else if (end == END_FALL ? k == 1 : (end == END_JUMP || end == END_INLINE) && k == 0) out = ~0;
      }
      const needed = unchecked(used[b]) | (out & ~unchecked(defined[b]));
      if (needed != unchecked(neededAtStart[b])) {
        unchecked((neededAtStart[b] = needed));
        changed = true;
      }
    }
  }
}

/** Backward: whose locals must be true. A way out needs the registers it stores; a call loads anew behind it. */
function spreadLive(): void {
  for (let b = 0; b < blocks; b++) {
    const stored = unchecked(wayMask[unchecked(blockWay[b])]);
    const early = unchecked(leaves[b]) || inCycle(b);
    unchecked((used[b] = unchecked(used[b]) | (early ? stored : stored & ~unchecked(defined[b]))));
    unchecked((liveAtStart[b] = unchecked(used[b])));
  }
  let changed = true;
  while (changed) {
    changed = false;
    for (let b = blocks - 1; b >= 0; b--) {
      let out: u64 = 0;
      const count = successors(b);
      for (let k = endsInCall(b) ? 2 : 0; k < count; k++) {
        const t = successor(b, k);
        if (t >= 0) out |= unchecked(liveAtStart[t]);
      }
      const live = unchecked(used[b]) | (out & ~unchecked(defined[b]));
      if (live != unchecked(liveAtStart[b])) {
        unchecked((liveAtStart[b] = live));
        changed = true;
      }
    }
  }
}

/** Fills in the sets above for the region that discover() found. */
export function analyse(): void {
  namedRegisters = 0;
  for (let b = 0; b < blocks; b++) scan(b);
  markCycles(blocks);
  spreadNeed();
  spreadDirty();
  chooseWays();
  spreadLive();
}

/** Registers to load when a call has come back to block `b`'s follower. */
export function liveAfterCall(b: i32): u64 {
  const next = unchecked(blockNext[b]);
  return next >= 0 ? unchecked(liveAtStart[next]) : 0;
}
