// From a control-flow graph to nested blocks and loops: strongly connected components in topological order, each
// loop entered at one header, or at several by a number in L_SELECT: calls that stay in a region make such loops.
import { count } from '../hart/state';
import { calleeBlock, callees, mayStay, returnBlock, returnMask, returns } from './calls';
import { emitBlock, emitLoopCheck } from './emit';
import { L_SELECT } from './emit-registers';
import {
  END_INDIRECT,
  MAX_BLOCKS,
  blockEnd,
  blockNext,
  blockStop,
  blockTaken,
  isComputedJump,
  targetBlock,
  targets,
} from './region';
import { T_VOID, W_BLOCK, W_BR_TABLE, W_END, W_LOOP, byte, get, i32c, set, u } from './wasm-writer';

// Open Wasm constructs, outermost first: the block each one's label leads to (-1: none of the region's), or a set of
// blocks, FIRST_SET plus its number, of which L_SELECT says the one.
const labels = new StaticArray<i32>(MAX_BLOCKS * 3 + 16);
let depth: i32 = 0;

/** Entries that a loop may have; an edge to one more leaves the region. */
const MAX_ENTRIES = 12;
const FIRST_SET = 0x10000;
const setStart = new StaticArray<i32>(MAX_BLOCKS * 2);
const setSize = new StaticArray<i32>(MAX_BLOCKS * 2);
const setBlocks = new StaticArray<i32>(MAX_BLOCKS * 4);
let sets: i32 = 0;
let setTop: i32 = 0;

export function resetLabels(): void {
  depth = 0;
  sets = 0;
  setTop = 0;
}
export function pushLabel(target: i32): void {
  unchecked((labels[depth++] = target));
}
export function popLabel(): void {
  depth--;
}
/** What L_SELECT must be for the label that labelOf() found; -1: it does not matter. */
export let selection: i32 = -1;
/** Relative depth of the innermost label that leads to a block, or -1. */
export function labelOf(block: i32): i32 {
  selection = -1;
  for (let i = depth - 1; i >= 0; i--) {
    const label = unchecked(labels[i]);
    if (label == block) return depth - 1 - i;
    if (label < FIRST_SET) continue;
    const start = unchecked(setStart[label - FIRST_SET]);
    const size = unchecked(setSize[label - FIRST_SET]);
    for (let k = 0; k < size; k++) {
      if (unchecked(setBlocks[start + k]) != block) continue;
      selection = k;
      return depth - 1 - i;
    }
  }
  return -1;
}
/** Sets L_SELECT as the label that labelOf() found last wants it. */
export function emitSelection(): void {
  if (selection < 0) return;
  i32c(selection);
  set(L_SELECT);
}
/** Relative depth of the construct opened as number `index`. */
export function labelAt(index: i32): i32 {
  return depth - 1 - index;
}

// Node lists of the groups under way, one behind the other. Loops nested as deep as they can be lose one block each:
// n + (n - 1) + … nodes, and four words for each of at most 2 n components.
const arena = new StaticArray<i32>((MAX_BLOCKS * MAX_BLOCKS) / 2 + MAX_BLOCKS * 12);
let top: i32 = 0;

// Tarjan's algorithm.
const order = new StaticArray<i32>(MAX_BLOCKS);
const low = new StaticArray<i32>(MAX_BLOCKS);
const onStack = new StaticArray<u8>(MAX_BLOCKS);
const group = new StaticArray<i32>(MAX_BLOCKS);
const stack = new StaticArray<i32>(MAX_BLOCKS);
let stackTop: i32 = 0;
let visited: i32 = 0;
let groupId: i32 = 0;
/** 1: a loop's entry, whose label is open: edges to it are not looked at. */
const closed = new StaticArray<u8>(MAX_BLOCKS);
let thisGroup: i32 = 0;
let components: i32 = 0;

/** True for a block that ends with an indirect jump to targets in the region. */
export function isDispatch(b: i32): bool {
  return targets > 0 && unchecked(blockEnd[b]) == END_INDIRECT && isComputedJump(unchecked(blockStop[b]) >> 1);
}
export function successors(b: i32): i32 {
  if (unchecked(blockEnd[b]) != END_INDIRECT) return 2;
  if (isDispatch(b)) return 2 + targets;
  if (unchecked(returnMask[b])) return 2 + returns;
  return mayStay(b) ? 2 + callees : 2;
}
/** A successor of a block; -1: outside the region. */
export function successor(b: i32, which: i32): i32 {
  if (which == 0) return unchecked(blockTaken[b]);
  if (which == 1) return unchecked(blockNext[b]);
  if (isDispatch(b)) return unchecked(targetBlock[which - 2]);
  if (mayStay(b)) return unchecked(calleeBlock[which - 2]);
  return (unchecked(returnMask[b]) >> (which - 2)) & 1 ? unchecked(returnBlock[which - 2]) : -1;
}

function visit(b: i32): void {
  unchecked((order[b] = ++visited));
  unchecked((low[b] = unchecked(order[b])));
  unchecked((stack[stackTop++] = b));
  unchecked((onStack[b] = 1));
  const count = successors(b);
  for (let k = 0; k < count; k++) {
    const t = successor(b, k);
    if (t < 0 || unchecked(closed[t]) || unchecked(group[t]) != thisGroup) continue;
    if (!unchecked(order[t])) {
      visit(t);
      if (unchecked(low[t]) < unchecked(low[b])) unchecked((low[b] = unchecked(low[t])));
    } else if (unchecked(onStack[t])) {
      if (unchecked(order[t]) < unchecked(low[b])) unchecked((low[b] = unchecked(order[t])));
    }
  }
  if (unchecked(low[b]) == unchecked(order[b])) {
    // A component: its nodes, then their number.
    let size = 0;
    while (true) {
      const t = unchecked(stack[--stackTop]);
      unchecked((onStack[t] = 0));
      unchecked((arena[top++] = t));
      size++;
      if (t == b) break;
    }
    unchecked((arena[top++] = size));
    components++;
  }
}

function hasEdge(from: i32, to: i32): bool {
  const count = successors(from);
  for (let k = 0; k < count; k++) if (successor(from, k) == to) return true;
  return false;
}

/** Makes the set of the blocks at arena[start, stop) that are entered from arena[mark's first `before` components]. */
function findEntries(mark: i32, before: i32, start: i32, stop: i32): i32 {
  unchecked((setStart[sets] = setTop));
  for (let j = start; j < stop; j++) {
    const b = unchecked(arena[j]);
    let entered = false;
    for (let e = 0; e < before && !entered; e++) {
      const t = unchecked(arena[mark + e * 3 + 1]);
      for (let i = unchecked(arena[mark + e * 3]); i < t && !entered; i++) {
        if (hasEdge(unchecked(arena[i]), b)) entered = true;
      }
    }
    if (entered && setTop - unchecked(setStart[sets]) < MAX_ENTRIES && setTop < MAX_BLOCKS * 4) {
      unchecked((setBlocks[setTop++] = b));
    }
  }
  unchecked((setSize[sets] = setTop - unchecked(setStart[sets])));
  return FIRST_SET + sets++;
}

/** The label of a group's way in: its only block, or the set of them. */
function simplest(label: i32): i32 {
  return unchecked(setSize[label - FIRST_SET]) == 1 ? unchecked(setBlocks[setStart[label - FIRST_SET]]) : label;
}

/**
 * Emits the blocks arena[from, to), entered at `label`: a block, or a set of them. `loop`: they are a loop, whose label
 * is open already.
 */
function emitGroup(from: i32, to: i32, label: i32, loop: bool): void {
  const base = top;
  thisGroup = ++groupId;
  for (let i = from; i < to; i++) {
    const b = unchecked(arena[i]);
    unchecked((group[b] = thisGroup));
    unchecked((order[b] = 0));
  }
  const many = label >= FIRST_SET;
  const first = many ? unchecked(setStart[label - FIRST_SET]) : 0;
  const entries = many ? unchecked(setSize[label - FIRST_SET]) : 1;
  visited = 0;
  stackTop = 0;
  components = 0;
  if (loop) {
    for (let k = 0; k < entries; k++) unchecked((closed[many ? unchecked(setBlocks[first + k]) : label] = 1));
  }
  for (let k = 0; k < entries; k++) {
    const entry = many ? unchecked(setBlocks[first + k]) : label;
    if (!unchecked(order[entry])) visit(entry);
  }
  // Components lie at [base, top) in reverse topological order, each followed by its size.
  const count = components;
  const mark = top;
  // start, end and label of each, in topological order
  let end = mark;
  for (let c = 0; c < count; c++) {
    const size = unchecked(arena[end - 1]);
    const start = end - 1 - size;
    unchecked((arena[top++] = start));
    unchecked((arena[top++] = end - 1));
    unchecked((arena[top++] = -1));
    end = start;
  }
  for (let c = 0; c < count; c++) {
    const start = unchecked(arena[mark + c * 3]);
    const stop = unchecked(arena[mark + c * 3 + 1]);
    let way = unchecked(arena[start]);
    if (stop - start > 1) way = c == 0 && !many ? label : simplest(findEntries(mark, c, start, stop));
    unchecked((arena[mark + c * 3 + 2] = way));
  }
  // The first one is entered by falling into it, unless there are several ways in.
  for (let c = count - 1; c >= (many ? 0 : 1); c--) {
    byte(W_BLOCK);
    byte(T_VOID);
    pushLabel(unchecked(arena[mark + c * 3 + 2]));
  }
  if (many) {
    get(L_SELECT);
    byte(W_BR_TABLE);
    u(entries - 1);
    // The loop's own label lies further out: the innermost one with the block alone is meant.
    for (let k = 0; k < entries; k++) u(labelOf(unchecked(setBlocks[first + k])));
  }
  for (let c = 0; c < count; c++) {
    if (c > 0 || many) {
      byte(W_END);
      popLabel();
    }
    const start = unchecked(arena[mark + c * 3]);
    const stop = unchecked(arena[mark + c * 3 + 1]);
    const way = unchecked(arena[mark + c * 3 + 2]);
    const block = unchecked(arena[start]);
    if (stop - start > 1 || (!unchecked(closed[block]) && hasEdge(block, block))) {
      byte(W_LOOP);
      byte(T_VOID);
      pushLabel(way);
      emitGroup(start, stop, way, true);
      byte(W_END);
      popLabel();
    } else {
      if (unchecked(closed[block])) emitLoopCheck(block);
      emitBlock(block);
    }
  }
  top = base;
}

const cyclic = new StaticArray<u8>(MAX_BLOCKS);

/** True for a block that can come round to itself: it may become a loop's header. */
// @ts-ignore: decorator
@inline
export function inCycle(b: i32): bool {
  return unchecked(cyclic[b]) != 0;
}

/** Finds the blocks that lie on a cycle. */
export function markCycles(count: i32): void {
  top = 0;
  groupId = 1;
  thisGroup = 1;
  visited = 0;
  stackTop = 0;
  components = 0;
  for (let b = 0; b < count; b++) {
    unchecked((group[b] = 1));
    unchecked((order[b] = 0));
    unchecked((closed[b] = 0));
    unchecked((onStack[b] = 0));
    unchecked((cyclic[b] = 0));
  }
  visit(0);
  while (top > 0) {
    const size = unchecked(arena[--top]);
    for (let k = 0; k < size; k++) {
      const b = unchecked(arena[--top]);
      if (size > 1 || hasEdge(b, b)) unchecked((cyclic[b] = 1));
    }
  }
}

/** Emits all blocks [0, count) as nested constructs, entered at block 0. */
export function emitStructured(count: i32): void {
  top = 0;
  groupId = 0;
  for (let b = 0; b < count; b++) {
    unchecked((group[b] = 0));
    unchecked((closed[b] = 0));
    unchecked((arena[top++] = b));
  }
  emitGroup(0, count, 0, false);
}
