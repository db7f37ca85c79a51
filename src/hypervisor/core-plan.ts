// Divides the host's cores among machines that want more than there is. Pure; host-scheduler.ts puts it to work.
import { type CpuPlan, PERIOD_MS } from '../worker/cpu-share.ts';

/** What a machine asks of the host's cores. */
export interface CoreClaim {
  /** Its part when machines compete, relative to the others'. */
  weight: number;
  /** The most it may have, in cores; at most 1, for a machine is one thread. */
  quota: number;
  /** Cores that it has been using. */
  used: number;
  /** True when it would use more. */
  wants: boolean;
}

/**
 * Cores for each claim: what one that is content uses, and of the rest by weight what those that want more can have.
 * What a quota keeps from one is the others'.
 */
export function shareCores(cores: number, claims: readonly CoreClaim[]): number[] {
  const shares = claims.map(({ wants, used, quota }) => (wants ? 0 : Math.min(used, quota)));
  let left = Math.max(0, cores - shares.reduce((sum, share) => sum + share, 0));
  let open = claims.flatMap(({ wants }, index) => (wants ? [index] : []));
  while (open.length > 0) {
    const weight = open.reduce((sum, index) => sum + claims[index]!.weight, 0);
    const level = left / weight;
    const full = open.filter((index) => claims[index]!.quota <= claims[index]!.weight * level);
    if (full.length === 0) {
      for (const index of open) shares[index] = claims[index]!.weight * level;
      return shares;
    }
    for (const index of full) {
      shares[index] = claims[index]!.quota;
      left -= claims[index]!.quota;
    }
    open = open.filter((index) => !full.includes(index));
  }
  return shares;
}

/**
 * A plan for each claim. While no more machines want a core than there are, none needs slots. Otherwise those that want
 * more run in slots of which never more than `cores` are open at a time: machines that took their quotas all at once
 * would take them from each other. The slots are laid end to end over one core's period, then the next one's
 * (McNaughton's wrap-around rule), so that each machine has one slot or two that do not overlap.
 */
export function planCores(cores: number, claims: readonly CoreClaim[]): CpuPlan[] {
  const wanting = claims.filter(({ wants }) => wants).length;
  if (wanting <= cores) return claims.map(({ quota }) => ({ quota }));
  const shares = shareCores(cores, claims);
  let at = 0;
  return claims.map(({ wants, quota }, index) => {
    if (!wants) return { quota };
    const length = Math.max(1, Math.min(1, shares[index]!) * PERIOD_MS);
    const begin = at % PERIOD_MS;
    at += length;
    const end = begin + length;
    if (end <= PERIOD_MS) return { quota, slots: [[begin, end]] };
    return {
      quota,
      slots: [
        [0, end - PERIOD_MS],
        [begin, PERIOD_MS],
      ],
    };
  });
}

/** True when two plans differ by more than a few milliseconds of a period. */
export function plansDiffer(a: CpuPlan, b: CpuPlan): boolean {
  if (a.quota !== b.quota || a.slots?.length !== b.slots?.length) return true;
  return (a.slots ?? []).some((slot, index) => {
    const other = b.slots![index]!;
    return Math.abs(slot[0] - other[0]) > 2 || Math.abs(slot[1] - other[1]) > 2;
  });
}
