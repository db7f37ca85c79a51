// What passes over the control socket of a running machine: one request, one answer, a line of JSON each.
import type { VmLimits } from '../hypervisor/limits.ts';
import type { VmState, VmStats } from '../hypervisor/types.ts';

export type ControlRequest =
  | { command: 'status' | 'pause' | 'resume' | 'reset' | 'kill' | 'snapshot' }
  | { command: 'stop'; timeoutMs: number; force: boolean }
  | { command: 'update'; limits: VmLimits };

/** What `status` answers. */
export interface MachineStatus {
  name: string;
  pid: number;
  state: VmState;
  limits: VmLimits;
  /** Milliseconds; absent without a lease. */
  leaseRemainingMs?: number;
  stats: VmStats;
}

export type ControlAnswer = { ok: MachineStatus | null } | { error: { name: string; message: string } };

/** A longer request is none of ours. */
export const REQUEST_MAX = 1 << 16;

/**
 * Reads a request.
 * @throws {Error} when it is none
 */
export function parseRequest(line: string): ControlRequest {
  const request: unknown = JSON.parse(line);
  if (typeof request !== 'object' || request === null || !('command' in request))
    throw new Error('no request');
  switch (request.command) {
    case 'status':
    case 'pause':
    case 'resume':
    case 'reset':
    case 'kill':
    case 'snapshot':
      return { command: request.command };
    case 'stop': {
      const { timeoutMs, force } = request as { timeoutMs?: unknown; force?: unknown };
      if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) throw new Error('stop without a time');
      return { command: 'stop', timeoutMs, force: force === true };
    }
    case 'update': {
      const { limits } = request as { limits?: unknown };
      if (typeof limits !== 'object' || limits === null) throw new Error('update without limits');
      // Which are limits, and which values they may have, is the VM's to say.
      return { command: 'update', limits };
    }
    default:
      throw new Error('no such command');
  }
}
