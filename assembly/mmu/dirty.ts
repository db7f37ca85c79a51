// Which pages of RAM were written, for a host that saves what has changed. A page is marked when its first store goes
// the slow way; whoever takes the marks ends the write TLB's entries, so that it does so again: fast stores pay nothing.

import { ramBytes } from '../hart/state';
import { PAGE_DIRTY, PAGE_FOUND, RAM_BASE } from '../layout';

/** A page was written, or may be from now on without being seen. */
// @ts-ignore: decorator
@inline
export function markDirty(page: u32): void {
  const at = <usize>PAGE_DIRTY + (page >> 3);
  store<u8>(at, load<u8>(at) | <u8>(<u32>1 << (page & 7)));
}

/** Notes in PAGE_FOUND which pages hold anything but zeroes. */
export function findNonZeroPages(): void {
  const pages = <u32>(ramBytes() >> 12);
  memory.fill(PAGE_FOUND, 0, (pages + 7) >> 3);
  for (let page: u32 = 0; page < pages; page++) {
    const start = <usize>RAM_BASE + (<usize>page << 12);
    for (let at = start; at < start + 4096; at += 64) {
      const bits =
        load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24) |
        load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56);
      if (bits) {
        const found = <usize>PAGE_FOUND + (page >> 3);
        store<u8>(found, load<u8>(found) | <u8>(<u32>1 << (page & 7)));
        break;
      }
    }
  }
}
