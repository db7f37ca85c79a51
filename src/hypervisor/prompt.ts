import type { StopReason } from '../machine/machine-types.ts';
import { GuestStoppedError, TimeoutError } from './errors.ts';
import type { VirtualMachine } from './types.ts';

/** Bytes of output looked at for a prompt. */
const TAIL_BYTES = 512;
/** Milliseconds of silence after which text that looks like a prompt is taken for one. */
const QUIET_MS = 30;
/** What ends a prompt where the guest's entry does not say: `# ` or `$ ` after something on the same line. */
const ANY_PROMPT = /[^\n]*[#$] $/;
/** ECMA-48 control sequences and their string forms (colours, titles, cursor queries). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])/g;

export interface WaitOptions {
  /** What the prompt looks like; default: what the guest's entry says, else a line that ends in `# ` or `$ `. */
  prompt?: string;
  /** Milliseconds to wait; default: for ever. */
  timeoutMs?: number;
}

/** True when `tail`, the last output of a console, ends with the prompt (escape sequences aside). */
export function endsWithPrompt(tail: string, prompt?: string): boolean {
  const plain = tail.replace(ESCAPES, '');
  return prompt === undefined ? ANY_PROMPT.test(plain) : plain.endsWith(prompt);
}

/** Says why a machine stopped, in words. */
export function describeReason(reason: StopReason): string {
  switch (reason.kind) {
    case 'poweroff':
      return 'it powered off';
    case 'reboot':
      return 'it asked for a reboot';
    case 'exit':
      return `it ended with exit code ${reason.code}`;
    default:
      return reason.message;
  }
}

/**
 * Waits until the guest stands at its prompt: the last thing on console 0, followed by a moment of silence.
 * @returns the time at which the prompt was complete, on the clock of performance.now()
 * @throws {GuestStoppedError} when the VM stops first; {TimeoutError}
 */
export function waitForPrompt(vm: VirtualMachine, options: WaitOptions = {}): Promise<number> {
  const prompt = options.prompt ?? vm.prompt;
  const terminal = vm.console();
  return new Promise((resolve, reject) => {
    let quiet: ReturnType<typeof setTimeout> | undefined;
    let timeout: ReturnType<typeof setTimeout> | undefined;
    const ends: (() => void)[] = [];
    const finish = (settle: () => void) => {
      clearTimeout(quiet);
      clearTimeout(timeout);
      for (const end of ends) end();
      settle();
    };
    const stopped = (reason: StopReason) =>
      finish(() =>
        reject(new GuestStoppedError(`${vm.name}: no prompt appeared: ${describeReason(reason)}`)),
      );
    let seenAt: number | undefined;
    const look = () => {
      clearTimeout(quiet);
      // The backlog knows what belongs to an earlier power cycle, whenever it arrives.
      if (!endsWithPrompt(new TextDecoder().decode(terminal.backlog.slice(-TAIL_BYTES)), prompt)) {
        seenAt = undefined;
        return;
      }
      seenAt ??= performance.now();
      quiet = setTimeout(() => finish(() => resolve(seenAt!)), QUIET_MS);
    };
    ends.push(
      terminal.onData(look),
      vm.on('state', ({ state, reason }) => {
        if (state === 'stopped' || state === 'destroyed') stopped(reason ?? { kind: 'poweroff' });
      }),
    );
    if (options.timeoutMs !== undefined) {
      const { timeoutMs } = options;
      timeout = setTimeout(
        () => finish(() => reject(new TimeoutError(`${vm.name}: no prompt within ${timeoutMs / 1000} s`))),
        timeoutMs,
      );
    }
    if (vm.state === 'stopped' || vm.state === 'destroyed') stopped(vm.reason ?? { kind: 'poweroff' });
    else look();
  });
}
