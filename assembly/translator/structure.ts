// From a control-flow graph to nested blocks and loops: strongly connected components in topological order, each
// loop entered at one header. An edge into a loop past its header leaves the region (its target gets a region of
// its own when it is hot): compilers make such edges rarely.
import { count } from '../hart/state';
import { emitBlock, emitLoopCheck } from './emit';
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
import { T_VOID, W_BLOCK, W_END, W_LOOP, byte } from './wasm-writer';

// Open Wasm constructs, outermost first: the block each one's label leads to (-1: none of the region's).
const labels = new StaticArray<i32>(MAX_BLOCKS * 3 + 16);
let depth: i32 = 0;

export function resetLabels(): void {
  depth = 0;
}
export function pushLabel(target: i32): void {
  unchecked((labels[depth++] = target));
}
export function popLabel(): void {
  depth--;
}
/** Relative depth of the innermost label that leads to a block, or -1. */
export function labelOf(block: i32): i32 {
  for (let i = depth - 1; i >= 0; i--) if (unchecked(labels[i]) == block) return depth - 1 - i;
  return -1;
}
/** Relative depth of the construct opened as number `index`. */
export function labelAt(index: i32): i32 {
  return depth - 1 - index;
}

// Node lists of the groups under way, one behind the other. Loops nested as deep as they can be lose one block each:
// n + (n - 1) + … nodes, and four words for each of at most 2 n components.
const arena = new StaticArray<i32>((MAX_BLOCKS * MAX_BLOCKS) / 2 + MAX_BLOCKS * 10);
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
let closed: i32 = -1;
let thisGroup: i32 = 0;
let components: i32 = 0;

/** True for a block that ends with an indirect jump to targets in the region. */
export function isDispatch(b: i32): bool {
  return targets > 0 && unchecked(blockEnd[b]) == END_INDIRECT && isComputedJump(unchecked(blockStop[b]) >> 1);
}
export function successors(b: i32): i32 {
  return isDispatch(b) ? 2 + targets : 2;
}
/** A successor of a block; -1: outside the region. */
export function successor(b: i32, which: i32): i32 {
  if (which == 0) return unchecked(blockTaken[b]);
  return which == 1 ? unchecked(blockNext[b]) : unchecked(targetBlock[which - 2]);
}

function visit(b: i32): void {
  unchecked((order[b] = ++visited));
  unchecked((low[b] = unchecked(order[b])));
  unchecked((stack[stackTop++] = b));
  unchecked((onStack[b] = 1));
  const count = successors(b);
  for (let k = 0; k < count; k++) {
    const t = successor(b, k);
    if (t < 0 || t == closed || unchecked(group[t]) != thisGroup) continue;
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

/**
 * Emits the blocks arena[from, to), entered at `entry`. `header`: the loop header among them whose label is open
 * already (edges to it are its back edges), or -1.
 */
function emitGroup(from: i32, to: i32, entry: i32, header: i32): void {
  const base = top;
  thisGroup = ++groupId;
  for (let i = from; i < to; i++) {
    const b = unchecked(arena[i]);
    unchecked((group[b] = thisGroup));
    unchecked((order[b] = 0));
  }
  closed = header;
  visited = 0;
  stackTop = 0;
  components = 0;
  visit(entry);
  // Components lie at [base, top) in reverse topological order, each followed by its size.
  const count = components;
  const mark = top;
  // starts and headers, in topological order: 3 words each
  let end = mark;
  for (let c = 0; c < count; c++) {
    const size = unchecked(arena[end - 1]);
    const start = end - 1 - size;
    unchecked((arena[top++] = start));
    unchecked((arena[top++] = end - 1));
    unchecked((arena[top++] = -1));
    end = start;
  }
  // A component's header is where the earlier ones enter it.
  for (let c = 0; c < count; c++) {
    const start = unchecked(arena[mark + c * 3]);
    const stop = unchecked(arena[mark + c * 3 + 1]);
    let chosen = -1;
    if (c == 0) chosen = entry;
    else if (stop - start == 1) chosen = unchecked(arena[start]);
    else {
      for (let e = 0; e < c && chosen < 0; e++) {
        const s = unchecked(arena[mark + e * 3]);
        const t = unchecked(arena[mark + e * 3 + 1]);
        for (let i = s; i < t && chosen < 0; i++) {
          for (let j = start; j < stop; j++) {
            if (hasEdge(unchecked(arena[i]), unchecked(arena[j]))) {
              chosen = unchecked(arena[j]);
              break;
            }
          }
        }
      }
    }
    unchecked((arena[mark + c * 3 + 2] = chosen));
  }
  for (let c = count - 1; c > 0; c--) {
    byte(W_BLOCK);
    byte(T_VOID);
    pushLabel(unchecked(arena[mark + c * 3 + 2]));
  }
  for (let c = 0; c < count; c++) {
    if (c > 0) {
      byte(W_END);
      popLabel();
    }
    const start = unchecked(arena[mark + c * 3]);
    const stop = unchecked(arena[mark + c * 3 + 1]);
    const first = unchecked(arena[mark + c * 3 + 2]);
    const loops = first != header && (stop - start > 1 || hasEdge(first, first));
    if (loops) {
      byte(W_LOOP);
      byte(T_VOID);
      pushLabel(first);
      emitLoopCheck(first);
      emitGroup(start, stop, first, first);
      byte(W_END);
      popLabel();
    } else emitBlock(first);
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
  closed = -1;
  visited = 0;
  stackTop = 0;
  components = 0;
  for (let b = 0; b < count; b++) {
    unchecked((group[b] = 1));
    unchecked((order[b] = 0));
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
    unchecked((arena[top++] = b));
  }
  emitGroup(0, count, 0, -1);
}
