// Which branches are hardly ever taken, for hosts that read it (the section "metadata.code.branch_hint" of the branch
// hinting proposal): their compilers then keep registers on the usual path and save them on the other.
import { HINTS, HINT_BYTES } from '../layout';
import { HOLE_BYTES, byte, text, u } from './wasm-writer';
import * as writer from './wasm-writer';

/** What does not fit is simply not hinted. In the section each takes at most five bytes: see HEAD_BYTES in regions.ts. */
const MOST = HINT_BYTES / 4;
let hints: i32 = 0;
let current: u32 = 0;
let bodyStart: usize = 0;

export function forgetHints(): void {
  hints = 0;
}

/** The body of the module's function `index` (imports not counted) begins here. */
export function beginHints(index: u32): void {
  current = index << 24;
  bodyStart = writer.at;
}

/** To be called right before writing a `br_if` that hardly ever branches, or an `if` hardly ever entered. */
export function unlikely(): void {
  if (hints >= MOST) return;
  store<u32>(HINTS + (hints++ << 2), current | <u32>(writer.at - bodyStart));
}

function functionOf(hint: i32): u32 {
  return load<u32>(HINTS + (hint << 2)) >> 24;
}

/** Writes the section; `first`: index of the module's first function of its own. */
export function writeHints(first: u32): void {
  if (!hints) return;
  byte(0);
  const size = writer.hole();
  text('metadata.code.branch_hint');
  let functions = 0;
  for (let i = 0; i < hints; i++) if (!i || functionOf(i) != functionOf(i - 1)) functions++;
  u(functions);
  for (let i = 0; i < hints; ) {
    let end = i;
    while (end < hints && functionOf(end) == functionOf(i)) end++;
    u(first + functionOf(i));
    u(end - i);
    for (; i < end; i++) {
      u(load<u32>(HINTS + (i << 2)) & 0xffffff);
      u(1);
      byte(0);
    }
  }
  writer.fill(size, <u32>(writer.at - size - HOLE_BYTES));
}
