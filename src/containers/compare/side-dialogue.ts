import { CompareError } from './compare-types.ts';

/** What a program may take, in milliseconds. */
const PATIENCE_MS = 180_000;
/** Characters of what it said that an error tells. */
const TOLD = 300;

const READY = 'compare:ready';
const DONE = /compare:done:(\d+)\r?\n/;
const MEMORY = /compare:memory:(\d+)\r?\n/;

/**
 * The program with what makes it measurable around it: it says that it is there, waits for a line, runs, says how that
 * ended and how much memory there is, and waits for another one with its processes still there.
 * @param directory made and entered: a word of the shell's
 */
export function measuredScript(script: string, directory = '/compare'): string {
  return [
    `mkdir -p ${directory} && cd ${directory} || exit 1`,
    `echo ${split(READY)}`,
    'read -r go',
    `(\n${script}\n)`,
    `echo ${split('compare:done:')}$?`,
    'while read -r key value unit; do',
    `  case $key in MemAvailable:) echo ${split('compare:memory:')}$value ;; esac`,
    'done </proc/meminfo',
    'read -r end',
  ].join('\n');
}

/** As a word that does not hold it: what is typed comes back from a terminal. */
const split = (text: string) => `${text.slice(0, 4)}''${text.slice(4)}`;

/** What a running side says, and what can be said to it. */
export class SideDialogue {
  readonly #what: string;
  readonly #say: (text: string) => void;
  #text = '';
  #changed = () => {};
  #failed: Error | undefined;

  /** @param what names it in errors */
  constructor(what: string, say: (text: string) => void) {
    this.#what = what;
    this.#say = say;
  }

  hear(bytes: Uint8Array): void {
    // ASCII is all that is looked for.
    for (const byte of bytes) this.#text += String.fromCharCode(byte);
    this.#changed();
  }

  fail(error: Error): void {
    this.#failed ??= error;
    this.#changed();
  }

  /** Resolves when the program is there and waits. */
  async ready(): Promise<void> {
    await this.#until(new RegExp(`${READY}\\r?\\n`), 'start');
  }

  /** Runs it; the answer is the memory that there is then, in bytes. @throws {CompareError} */
  async run(): Promise<{ ended: number; available: () => Promise<number> }> {
    this.#say('go\n');
    const [, status] = await this.#until(DONE, 'end');
    const ended = performance.now();
    if (status !== '0') throw this.#error(`it ended with ${status}`);
    return {
      ended,
      available: async () => Number((await this.#until(MEMORY, 'tell its memory'))[1]) * 1024,
    };
  }

  end(): void {
    this.#say('end\n');
  }

  async #until(pattern: RegExp, what: string): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      if (this.#failed !== undefined) throw this.#error(this.#failed.message);
      const left = deadline - performance.now();
      if (left <= 0) throw this.#error(`it did not ${what} within ${PATIENCE_MS / 1000} s`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  #error(why: string): CompareError {
    const said = this.#text
      .replace(/[^\x20-\x7e\n]/g, '')
      .trim()
      .slice(-TOLD);
    return new CompareError(`${this.#what}: ${why}${said === '' ? '' : `; it said: ${said}`}`);
  }
}
