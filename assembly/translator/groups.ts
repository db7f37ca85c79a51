// Loads and stores of a block through the same base register, close to each other (a stack frame, a structure): the
// first one checks for all that they lie in one page that the TLB knows, the others need no check. A group that lies
// across two pages leaves the region; where that goes on, the region is made anew without groups (regions.ts).
import {
  OP_FLW,
  OP_FSD,
  OP_FSW,
  OP_LB,
  OP_LBU,
  OP_LH,
  OP_LHU,
  OP_LW,
  OP_LWU,
  OP_SB,
  OP_SD,
  OP_SH,
  OP_SW,
} from '../isa/generated/opcodes';
import { GROUP_SPAN } from '../layout';
import { writesOf } from './dataflow';
import { isMemory } from './emit-memory';
import { GROUP_LOCALS } from './emit-registers';
import { blockCount, blockStart, insnImm, insnLength, insnOp, insnRs1 } from './region';
import { isSystem } from './translatable';

/** Groups of a block at most: each has two instructions at least. */
const MAX_GROUPS: i32 = 255;

/** Of an instruction of the block under emission, by halfword: its group, plus one. */
const groupAt = new StaticArray<u8>(2048);
const leaderOf = new StaticArray<i32>(MAX_GROUPS);
const lowest = new StaticArray<i32>(MAX_GROUPS);
const span = new StaticArray<i32>(MAX_GROUPS);
const stores = new StaticArray<u8>(MAX_GROUPS);
const place = new StaticArray<u8>(MAX_GROUPS);
let groups: i32 = 0;
/** The offset of the last instruction that needs a group's local. */
const busyUntil = new StaticArray<i32>(GROUP_LOCALS);
let allowed: bool = true;

export function useGroups(yes: bool): void {
  allowed = yes;
}

/** Bytes that a load or store touches. */
export function sizeOf(op: u32): u32 {
  switch (op) {
    case OP_LB:
    case OP_LBU:
    case OP_SB:
      return 1;
    case OP_LH:
    case OP_LHU:
    case OP_SH:
      return 2;
    case OP_LW:
    case OP_LWU:
    case OP_SW:
    case OP_FLW:
    case OP_FSW:
      return 4;
  }
  return 8;
}
export function isStore(op: u32): bool {
  return (op >= <u32>OP_SB && op <= <u32>OP_SD) || op == OP_FSW || op == OP_FSD;
}

/** Which group instruction `i` belongs to, or -1. */
export function groupOf(i: i32): i32 {
  return <i32>unchecked(groupAt[i]) - 1;
}
export function leads(group: i32, i: i32): bool {
  return unchecked(leaderOf[group]) == i;
}
/** The lowest of the group's displacements from the base register, and how many bytes there are from there on. */
export function lowestOf(group: i32): i32 {
  return unchecked(lowest[group]);
}
export function spanOf(group: i32): i32 {
  return unchecked(span[group]);
}
export function hasStore(group: i32): bool {
  return unchecked(stores[group]) != 0;
}
/** Which of the locals for groups holds its host address. */
export function placeOf(group: i32): u32 {
  return unchecked(place[group]);
}

function freePlace(offset: i32): i32 {
  for (let p = 0; p < <i32>GROUP_LOCALS; p++) if (unchecked(busyUntil[p]) < offset) return p;
  return -1;
}

/** Gathers behind the load or store at `offset`, with `left` instructions of its block, what goes with it. */
function gather(offset: i32, left: i32): void {
  const p = freePlace(offset);
  if (p < 0 || groups == MAX_GROUPS) return;
  const leader = offset >> 1;
  const base = unchecked(insnRs1[leader]);
  if (!base) return;
  let low = unchecked(insnImm[leader]);
  let high = low + <i32>sizeOf(unchecked(insnOp[leader]));
  let store: u8 = isStore(unchecked(insnOp[leader])) ? 1 : 0;
  let members = 1;
  let last = offset;
  const mark = <u8>(groups + 1);
  for (; left > 0; left--) {
    const i = offset >> 1;
    const op: u32 = unchecked(insnOp[i]);
    if (i != leader && isMemory(op) && unchecked(insnRs1[i]) == base && !unchecked(groupAt[i])) {
      const bottom = min(low, unchecked(insnImm[i]));
      const top = max(high, unchecked(insnImm[i]) + <i32>sizeOf(op));
      if (top - bottom <= GROUP_SPAN) {
        low = bottom;
        high = top;
        if (isStore(op)) store = 1;
        unchecked((groupAt[i] = mark));
        members++;
        last = offset;
      }
    }
    // Behind a new base, and where access to user memory may have changed, a group does not go on.
    if ((writesOf(i) >> base) & 1 || isSystem(op)) break;
    offset += unchecked(insnLength[i]);
  }
  if (members < 2) return;
  unchecked((groupAt[leader] = mark));
  unchecked((leaderOf[groups] = leader));
  unchecked((lowest[groups] = low));
  unchecked((span[groups] = high - low));
  unchecked((stores[groups] = store));
  unchecked((place[groups] = <u8>p));
  unchecked((busyUntil[p] = last));
  groups++;
}

/** Finds the groups of block `b`, which is about to be emitted. */
export function planGroups(b: i32): void {
  groups = 0;
  for (let p = 0; p < <i32>GROUP_LOCALS; p++) unchecked((busyUntil[p] = -1));
  let offset = unchecked(blockStart[b]);
  for (let left = unchecked(blockCount[b]); left > 0; left--) {
    const i = offset >> 1;
    unchecked((groupAt[i] = 0));
    offset += unchecked(insnLength[i]);
  }
  if (!allowed) return;
  offset = unchecked(blockStart[b]);
  for (let left = unchecked(blockCount[b]); left > 0; left--) {
    const i = offset >> 1;
    if (isMemory(unchecked(insnOp[i])) && !unchecked(groupAt[i])) gather(offset, left);
    offset += unchecked(insnLength[i]);
  }
}
