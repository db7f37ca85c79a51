import { GuestError } from '../guests/guest-error.ts';
import { HypertabError, WorkerLostError } from '../hypervisor/errors.ts';
import { describeReason } from '../hypervisor/prompt.ts';
import type { StopReason } from '../machine/machine-types.ts';
import { UsageError } from './usage-error.ts';

/** The guest's kernel panicked, or its processor can never go on. */
export const STATUS_GUEST_FAILED = 1;
/** Wrong arguments, or files that cannot be used. */
export const STATUS_USAGE = 2;
/** A fault of our own (EX_SOFTWARE of sysexits). */
export const STATUS_INTERNAL = 70;
/** Out of time, as timeout(1) has it. */
export const STATUS_TIMEOUT = 124;

/** The exit status for a machine that stopped, and what to say about it, if anything. */
export function statusOf(reason: StopReason): { status: number; message?: string } {
  switch (reason.kind) {
    case 'poweroff':
    case 'reboot':
      return { status: 0 };
    case 'exit':
      // A process's status has eight bits: a code that would come out as success does not.
      return { status: reason.code === 0 ? 0 : reason.code & 0xff || 1 };
    case 'limit':
      return { status: STATUS_TIMEOUT, message: describeReason(reason) };
    case 'panic':
    case 'fault':
      return { status: STATUS_GUEST_FAILED, message: describeReason(reason) };
  }
}

/** The exit status for an error, and its one line. */
export function statusOfError(error: unknown): { status: number; message: string } {
  const message = oneLine(error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError || error instanceof HypertabError) return { status: STATUS_USAGE, message };
  if (error instanceof GuestError) {
    const asked = error.code === 'unknown' || error.code === 'not-prepared';
    return { status: asked ? STATUS_USAGE : STATUS_GUEST_FAILED, message };
  }
  if (error instanceof WorkerLostError) return { status: STATUS_INTERNAL, message };
  return {
    status: STATUS_INTERNAL,
    message: `internal fault: ${message} (HYPERTAB_DEBUG=1 shows where; please report it)`,
  };
}

/** Prints an error as one line on stderr, with its stack where HYPERTAB_DEBUG=1 asks for it. */
export function printError(message: string, error?: unknown): void {
  process.stderr.write(`hypertab: ${oneLine(message)}\n`);
  if (process.env.HYPERTAB_DEBUG === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
