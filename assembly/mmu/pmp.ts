// Physical memory protection: 16 entries, granularity 4 bytes. Privileged architecture 1.12, section 3.7.

import { PRIVILEGE_M } from '../hart/state';
import { HART_BASE, PMPADDR, PMPCFG } from '../layout';

const ENTRIES = 16;
const CFG_R: u32 = 1;
const CFG_L: u32 = 0x80;

/** What an access wants; the bits are those of pmpcfg and, shifted by one, of a PTE. */
export const ACCESS_READ: u32 = 1;
export const ACCESS_WRITE: u32 = 2;
export const ACCESS_FETCH: u32 = 4;

// Each entry's range as [low, high), worked out when a PMP CSR is written; high 0 is an entry that is off.
const lows = memory.data(ENTRIES * 8, 8);
const highs = memory.data(ENTRIES * 8, 8);
let active: i32 = 0;
// True when the first entry opens all of memory to everyone, as firmware leaves it for a kernel.
let open: bool = false;

// @ts-ignore: decorator
@inline
function config(index: i32): u32 {
  return load<u8>(HART_BASE + PMPCFG + <usize>index);
}
// @ts-ignore: decorator
@inline
function address(index: i32): u64 {
  return load<u64>(HART_BASE + PMPADDR + (<usize>index << 3));
}

/** Works out the ranges anew. To be followed by a flush of all TLBs. */
export function updatePmp(): void {
  active = 0;
  for (let i = 0; i < ENTRIES; i++) {
    const mode = (config(i) >> 3) & 3;
    const top = address(i);
    let low: u64 = 0;
    let high: u64 = 0;
    if (mode == 1) {
      low = i > 0 ? address(i - 1) << 2 : 0;
      high = top << 2;
      // Nothing lies between: an entry that matches nothing, not even an access across its place.
      if (high <= low) low = high = 0;
    } else if (mode == 2) {
      low = top << 2;
      high = low + 4;
    } else if (mode == 3) {
      // NAPOT: n trailing ones make a range of 2^(n+3) bytes.
      const ones = <u64>ctz(~top);
      if (ones >= 53) {
        high = -1;
      } else {
        low = (top & ~((<u64>1 << ones) - 1)) << 2;
        high = low + (<u64>8 << ones);
      }
    }
    if (mode) active = i + 1;
    store<u64>(lows + (<usize>i << 3), low);
    store<u64>(highs + (<usize>i << 3), high);
  }
  open = load<u64>(lows) == 0 && load<u64>(highs) == <u64>-1 && (config(0) & 7) == 7;
}

/** True when [physical, physical + size) may be accessed. An entry that matches only a part refuses. */
export function pmpAllows(physical: u64, size: u64, access: u32, mode: u32): bool {
  if (open) return true;
  const end = physical + size;
  for (let i = 0; i < active; i++) {
    const low = load<u64>(lows + (<usize>i << 3));
    const high = load<u64>(highs + (<usize>i << 3));
    if (end <= low || physical >= high) continue;
    if (physical < low || end > high) return false;
    const cfg = config(i);
    if (mode == PRIVILEGE_M && !(cfg & CFG_L)) return true;
    return (cfg & access) == access;
  }
  return mode == PRIVILEGE_M;
}

/** True when one verdict holds for the whole page, so that a TLB may keep it. */
export function pmpUniform(page: u64): bool {
  if (open) return true;
  const end = page + 4096;
  for (let i = 0; i < active; i++) {
    const low = load<u64>(lows + (<usize>i << 3));
    const high = load<u64>(highs + (<usize>i << 3));
    if (end <= low || page >= high) continue;
    return page >= low && end <= high;
  }
  return true;
}

/** Writes pmpcfg2k (an even-numbered one, eight entries); locked entries keep their value, W without R is refused. */
export function writePmpConfig(group: i32, value: u64): void {
  for (let i = 0; i < 8; i++) {
    const index = group * 8 + i;
    const old = config(index);
    if (old & CFG_L) continue;
    let cfg = <u32>(value >> (<u64>i * 8)) & 0x9f;
    if ((cfg & 3) == 2) cfg = (cfg & ~<u32>3) | (old & 3 & (old & CFG_R ? 3 : 0));
    store<u8>(HART_BASE + PMPCFG + <usize>index, <u8>cfg);
  }
}

/** Writes pmpaddr; ignored when the entry, or a TOR entry above it, is locked. */
export function writePmpAddress(index: i32, value: u64): void {
  if (config(index) & CFG_L) return;
  if (index + 1 < ENTRIES) {
    const above = config(index + 1);
    if ((above & CFG_L) != 0 && ((above >> 3) & 3) == 1) return;
  }
  store<u64>(HART_BASE + PMPADDR + (<usize>index << 3), value & ((<u64>1 << 54) - 1));
}
