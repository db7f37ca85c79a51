// Runs a shell command by typing it at the guest's prompt. The guest needs a POSIX shell and nothing else.
//
// Typed text comes back as echo, so a mark is typed in two halves (`a''b`) and is whole only in what the shell
// prints. The command is collected in a variable, a few hundred characters a line: line editors and terminals
// bound their lines (busybox at 1,023 bytes, Linux's tty at 4,095), and tabs and line breaks would be taken for keys.
import { GuestStoppedError, OptionError, TimeoutError } from './errors.ts';
import { describeReason, type WaitOptions, waitForPrompt } from './prompt.ts';
import type { VirtualMachine } from './types.ts';

/** Longest command in bytes of UTF-8: what one line of a terminal can hold (Linux: N_TTY_BUF_SIZE less the end). */
export const LONGEST_COMMAND = 4095;
/** Typed characters a line; with what is around them they stay below the smallest line buffer known. */
const PIECE = 400;
/** Characters of output held before the guest has to wait for `onOutput`. */
const HELD = 1 << 20;

export interface RunOptions extends WaitOptions {
  /** Called with output as it comes; while a promise it returns is pending, the guest's output is held back. */
  onOutput?: (bytes: Uint8Array) => void | Promise<void>;
  /** False: the result's `output` stays empty, for output of any length. */
  keepOutput?: boolean;
}

export interface CommandResult {
  /** What the command wrote, both streams, as text; line ends are `\n`. */
  output: string;
  /** Its exit status, 0 to 255. */
  status: number;
}

/**
 * Waits for the prompt, runs `command` in a subshell and returns what it wrote and its exit status.
 * @throws {OptionError} when the command is longer than 4,095 bytes or holds a zero byte
 * @throws {GuestStoppedError} when the VM stops first; {TimeoutError}
 */
export async function runCommand(
  vm: VirtualMachine,
  command: string,
  options: RunOptions = {},
): Promise<CommandResult> {
  checkCommand(command);
  const deadline = options.timeoutMs === undefined ? undefined : performance.now() + options.timeoutMs;
  await waitForPrompt(vm, options);
  const mark = `ht${[...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(36)).join('')}`;
  const listener = new OutputListener(vm, deadline);
  try {
    const [first, ...rest] = shellLines(command, mark);
    let line = first!;
    for (let index = 0; index < rest.length; index++) {
      vm.console().write(`${line};echo ${split(mark)}'${index}.'\n`);
      await listener.until(`${mark}${index}.`);
      line = rest[index]!;
    }
    vm.console().write(`${line}\n`);
    await listener.until(`${mark}<\n`);
    return await collect(listener, mark, options);
  } finally {
    listener.end();
  }
}

/**
 * @throws {OptionError} when a command cannot be typed at a terminal
 */
export function checkCommand(command: string): void {
  const { length } = new TextEncoder().encode(command);
  if (length > LONGEST_COMMAND) {
    throw new OptionError(
      `the command has ${length} bytes, and a terminal's line holds ${LONGEST_COMMAND}: put it in a script`,
    );
  }
  if (command.includes('\0')) throw new OptionError('the command holds a zero byte, which cannot be typed');
}

/** The lines to type: the command into `_ht`, piece by piece, then its run between two marks. */
export function shellLines(command: string, mark: string): string[] {
  const lines: string[] = [];
  let previous = '_ht=';
  for (const piece of pieces(new TextEncoder().encode(command))) {
    lines.push(`${previous}${piece}`);
    previous = '_ht=$_ht';
  }
  if (lines.length === 0) lines.push('_ht=');
  // Where it all fits one line, it is one: nothing else then stands between prompt and output.
  const run = `echo ${split(mark)}'<';(eval "$_ht");echo ${split(mark)}'>'$?'.'`;
  const last = lines.pop()!;
  return last.length + run.length < PIECE + 200 ? [...lines, `${last};${run}`] : [...lines, last, run];
}

/** The mark as a shell word that does not contain it. */
function split(mark: string): string {
  return `${mark.slice(0, 4)}''${mark.slice(4)}`;
}

/** Shell words that expand to consecutive parts of `bytes`, each about PIECE characters long. */
function* pieces(bytes: Uint8Array): Generator<string> {
  let start = 0;
  while (start < bytes.length) {
    let end = start;
    let quoted = '';
    let format = '';
    let plain = true;
    while (end < bytes.length && format.length < PIECE) {
      const byte = bytes[end++]!;
      const character = String.fromCharCode(byte);
      // Printable ASCII is typed as it is: the rest is a key to a line editor, or a matter of its locale.
      const printable = byte >= 0x20 && byte < 0x7f;
      if (!printable) plain = false;
      quoted += character === "'" ? "'\\''" : character;
      if (!printable) format += `\\${byte.toString(8).padStart(3, '0')}`;
      else if (character === "'") format += "'\\''";
      else format += character === '%' || character === '\\' ? character + character : character;
    }
    // Command substitution drops line breaks at the end: a sentinel keeps them.
    yield plain ? `'${quoted}'` : `$(printf '${format}x');_ht=\${_ht%x}`;
    start = end;
  }
}

/** Gathers a console's output, with line ends as `\n`, one character a byte. */
class OutputListener {
  text = '';
  readonly #vm: VirtualMachine;
  readonly #deadline: number | undefined;
  readonly #off: () => void;
  #heldReturn = '';
  #changed: (() => void) | undefined;
  #consumed: (() => void) | undefined;

  constructor(vm: VirtualMachine, deadline: number | undefined) {
    this.#vm = vm;
    this.#deadline = deadline;
    const offData = vm.console().onData((bytes) => {
      // A line end may be cut between two deliveries.
      let text = this.#heldReturn;
      for (const byte of bytes) text += String.fromCharCode(byte);
      this.#heldReturn = text.endsWith('\r') ? '\r' : '';
      if (this.#heldReturn !== '') text = text.slice(0, -1);
      this.text += text.replaceAll('\r\n', '\n');
      this.#changed?.();
      if (this.text.length <= HELD) return;
      return new Promise<void>((resolve) => {
        this.#consumed = resolve;
      });
    });
    const offState = vm.on('state', () => this.#changed?.());
    this.#off = () => {
      offData();
      offState();
    };
  }

  /** Takes the first `length` characters off. */
  take(length: number): string {
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    if (this.text.length <= HELD) this.#consumed?.();
    return taken;
  }

  /** Waits for `token` and drops everything up to and with it. */
  async until(token: string): Promise<void> {
    for (;;) {
      const index = this.text.indexOf(token);
      if (index >= 0) {
        this.take(index + token.length);
        return;
      }
      // What cannot be the beginning of the token is not needed again.
      this.take(Math.max(0, this.text.length - (token.length - 1)));
      await this.change();
    }
  }

  /** Waits for more output. */
  async change(): Promise<void> {
    const { state, reason } = this.#vm;
    if (state === 'stopped' || state === 'destroyed') {
      throw new GuestStoppedError(
        `${this.#vm.name} stopped before the command had ended: ${describeReason(reason ?? { kind: 'poweroff' })}`,
      );
    }
    const left = this.#deadline === undefined ? undefined : this.#deadline - performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#changed = resolve;
      if (left === undefined) return;
      const late = () => reject(new TimeoutError(`${this.#vm.name}: the command did not end in time`));
      timer = setTimeout(late, Math.max(0, left));
    }).finally(() => clearTimeout(timer));
  }

  end(): void {
    this.#off();
    this.#consumed?.();
  }
}

async function collect(listener: OutputListener, mark: string, options: RunOptions): Promise<CommandResult> {
  const end = new RegExp(`${mark}>(\\d+)\\.`);
  const kept: string[] = [];
  const hand = async (length: number) => {
    if (length <= 0) return;
    const text = listener.take(length);
    if (options.keepOutput !== false) kept.push(text);
    await options.onOutput?.(toBytes(text));
  };
  for (;;) {
    const match = end.exec(listener.text);
    if (match !== null) {
      await hand(match.index);
      return { output: new TextDecoder().decode(toBytes(kept.join(''))), status: Number(match[1]) };
    }
    // The mark may have begun to arrive.
    const whole = listener.text.length - (mark.length + 5);
    if (whole > 0) {
      // What comes in the meantime may be the end: look again before waiting.
      await hand(whole);
      continue;
    }
    try {
      await listener.change();
    } catch (error) {
      await hand(listener.text.length);
      throw error;
    }
  }
}

function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
