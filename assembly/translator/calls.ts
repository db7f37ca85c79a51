// Guest calls that stay within a region: the callee's blocks are the region's own, a return goes on behind the call it
// belongs to, and no register leaves its local. Worth it where the callee is short, or calls itself.
import {
  END_INDIRECT,
  END_INLINE,
  MAX_BLOCKS,
  MAX_CALLEES,
  blockBack,
  blockEnd,
  blockNext,
  blockStop,
  blockTaken,
  blocks,
  insnImm,
  insnRd,
  insnRs1,
  isComputedJump,
  targetBlock,
  targets,
} from './region';
import { fill } from './wasm-writer';

/** Calls that a return may lead back to: each is a comparison. */
export const MAX_RETURNS = 8;

/** Blocks that calls through a register may lead to. */
export const calleeBlock = new StaticArray<i32>(MAX_CALLEES);
export let callees: i32 = 0;
/** Blocks behind calls that stay within the region. */
export const returnBlock = new StaticArray<i32>(64);
export let returns: i32 = 0;
/** For each block that ends in a return: which of returnBlock it may lead to. */
export const returnMask = new StaticArray<u64>(MAX_BLOCKS);

/** True where a block ends in a call through a register, some of whose callees are in the region. */
export function mayStay(b: i32): bool {
  if (!callees || unchecked(blockEnd[b]) != END_INDIRECT) return false;
  return unchecked(insnRd[unchecked(blockStop[b]) >> 1]) != 0 && unchecked(blockNext[b]) >= 0;
}

/** True where a block ends in a plain return: jalr x0, 0(ra). */
export function isReturnBlock(b: i32): bool {
  if (unchecked(blockEnd[b]) != END_INDIRECT) return false;
  const i = unchecked(blockStop[b]) >> 1;
  return !unchecked(insnRd[i]) && unchecked(insnRs1[i]) == 1 && !unchecked(insnImm[i]);
}

export function forgetCalls(): void {
  callees = 0;
  returns = 0;
}
export function addCallee(b: i32): void {
  if (callees < MAX_CALLEES) unchecked((calleeBlock[callees++] = b));
}

const seen = new StaticArray<u8>(MAX_BLOCKS);
const work = new StaticArray<i32>(MAX_BLOCKS * 3 + 64);

/** Adds `mask` to every return that the function beginning at block `entry` may end with. */
function markReturns(entry: i32, mask: u64): void {
  memory.fill(changetype<usize>(seen), 0, MAX_BLOCKS);
  let pending = 1;
  unchecked((work[0] = entry));
  unchecked((seen[entry] = 1));
  while (pending > 0) {
    const b = unchecked(work[--pending]);
    const end = unchecked(blockEnd[b]);
    if (isReturnBlock(b)) {
      const wider = unchecked(returnMask[b]) | mask;
      if (<i32>popcnt(wider) <= MAX_RETURNS) unchecked((returnMask[b] = wider));
      continue;
    }
    const behind = end == END_INLINE ? unchecked(blockBack[b]) : unchecked(blockNext[b]);
    if (behind >= 0 && !unchecked(seen[behind])) {
      unchecked((seen[behind] = 1));
      unchecked((work[pending++] = behind));
    }
    const taken = end == END_INLINE ? -1 : unchecked(blockTaken[b]);
    if (taken >= 0 && !unchecked(seen[taken])) {
      unchecked((seen[taken] = 1));
      unchecked((work[pending++] = taken));
    }
    if (end == END_INDIRECT && isComputedJump(unchecked(blockStop[b]) >> 1)) {
      for (let t = 0; t < targets; t++) {
        const target = unchecked(targetBlock[t]);
        if (unchecked(seen[target])) continue;
        unchecked((seen[target] = 1));
        unchecked((work[pending++] = target));
      }
    }
  }
}

function addReturn(b: i32): u64 {
  for (let k = 0; k < returns; k++) if (unchecked(returnBlock[k]) == b) return <u64>1 << k;
  if (returns >= 64) return 0;
  unchecked((returnBlock[returns] = b));
  return <u64>1 << returns++;
}

/** Finds out where the returns of the region's functions may lead. */
export function linkReturns(): void {
  for (let b = 0; b < blocks; b++) unchecked((returnMask[b] = 0));
  let through: u64 = 0;
  for (let b = 0; b < blocks; b++) {
    if (unchecked(blockEnd[b]) == END_INLINE) {
      const back = unchecked(blockBack[b]);
      if (back >= 0) markReturns(unchecked(blockTaken[b]), addReturn(back));
    } else if (mayStay(b)) through |= addReturn(unchecked(blockNext[b]));
  }
  if (through) for (let k = 0; k < callees; k++) markReturns(unchecked(calleeBlock[k]), through);
}
