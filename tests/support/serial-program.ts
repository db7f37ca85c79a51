import type { ChildProcessWithoutNullStreams } from 'node:child_process';

/** A program whose stdin and stdout are a guest's serial line, driven by what it prints. */
export class SerialProgram {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  #output = '';
  #failure: Error | undefined;
  #wake: () => void = () => {};

  /** @param missing what to say when the program cannot be started */
  constructor(child: ChildProcessWithoutNullStreams, missing: string) {
    this.#process = child;
    child.stdin.on('error', () => {});
    child.stdout.on('data', (data: Buffer) => {
      this.#output += data.toString('latin1');
      this.#wake();
    });
    this.#ended = new Promise((done) => {
      // Not 'exit': output may still be on its way then.
      child.on('close', (code) => {
        done(code);
        this.#wake();
      });
      child.on('error', () => {
        this.#failure = new Error(missing);
        done(null);
        this.#wake();
      });
    });
  }

  /** Everything printed up to and including `text`, which it then forgets. */
  async until(text: string): Promise<string> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const at = this.#output.indexOf(text);
      if (at >= 0) {
        const before = this.#output.slice(0, at + text.length);
        this.#output = this.#output.slice(at + text.length);
        return before;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (Date.now() > deadline) throw new Error(`no "${text}" in ${JSON.stringify(this.#output)}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, 500);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }

  type(text: string): void {
    this.#process.stdin.write(text);
  }

  /** Types a command at the prompt; what it prints before the next prompt. */
  async command(text: string): Promise<string> {
    this.type(`${text}\r`);
    const all = await this.until('\r\n> ');
    return all.slice(all.indexOf('\r\n') + 2, -4);
  }

  /** Exit status, and what was still printed. */
  async end(): Promise<{ code: number | null; output: string }> {
    const code = await this.#ended;
    if (this.#failure !== undefined) throw this.#failure;
    return { code, output: this.#output };
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
