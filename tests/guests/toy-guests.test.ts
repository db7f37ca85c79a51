// The toy guests on QEMU's virt board: they are written for the hardware, not for our machine.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { buildToyGuest, TOY_GUESTS } from '../../src/guests/toy-guests.ts';

let folder = '';
let running: Qemu | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypertab-toy-'));
  for (const { name } of TOY_GUESTS) {
    const source = readFileSync(resolve(import.meta.dirname, `../../guests/toy/${name}.s`), 'utf8');
    writeFileSync(join(folder, `${name}.elf`), buildToyGuest(source));
  }
});
afterEach(() => {
  running?.stop();
  running = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A guest under QEMU, driven by what it prints. */
class Qemu {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  #output = '';
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(name: string) {
    const args = [
      '-M',
      'virt',
      '-m',
      '16M',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-bios',
      join(folder, `${name}.elf`),
    ];
    this.#process = spawn('qemu-system-riscv64', args);
    this.#process.stdout.on('data', (data: Buffer) => {
      this.#output += data.toString('latin1');
      this.#wake();
    });
    this.#ended = new Promise((done) => {
      this.#process.on('exit', (code) => {
        done(code);
        this.#wake();
      });
      this.#process.on('error', () => {
        this.#failure = new Error(
          'qemu-system-riscv64 cannot be run: install the Debian package qemu-system-misc',
        );
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

test('hello prints its greeting and powers off', async () => {
  running = new Qemu('hello');
  expect(await running.end()).toEqual({ code: 0, output: 'Hello from a RISC-V machine.\r\n' });
});

test('count prints four rounds of rates and powers off', async () => {
  running = new Qemu('count');
  const { code, output } = await running.end();
  expect(code).toBe(0);
  const rounds = [...output.matchAll(/^round (\d): (\d+) iterations\/s, (\d+) instructions\/s\r$/gm)];
  expect(rounds.map((round) => round[1])).toEqual(['1', '2', '3', '4']);
  for (const round of rounds) expect(Number(round[2])).toBeGreaterThan(1000);
});

test('monitor reads and writes memory, edits its line, survives faults, counts down and powers off', async () => {
  running = new Qemu('monitor');
  expect(await running.until('> ')).toContain('Hypertab monitor');
  expect(await running.command('help')).toContain('poke ADDR VALUE');
  expect(await running.command('poke 0x80010000 0x12345678')).toBe('');
  expect(await running.command('peek 2147549184')).toBe('0000000080010000: 12345678');
  expect(await running.command('dump 0x80010000 5')).toMatch(
    /^0000000080010000: 78 56 34 12 00 {34}xV4\.\.$/,
  );
  expect(await running.command('petk\x08\x7fek 0x80010000')).toContain('12345678');
  expect(await running.command('nonsense\x15peek 0x80010000')).toContain('12345678');
  expect(await running.command('nonsense')).toContain('type help');
  expect(await running.command('peek zz')).toContain('a number is missing or wrong');
  expect(await running.command('peek 0x40')).toMatch(
    /^fault: cause 5 at 00000000800[0-9a-f]+, value 0000000000000040$/,
  );
  expect(await running.command('regs')).toMatch(/s1 {2}0000000000000040/);
  expect(await running.command('csr')).toMatch(/mcause {4}0000000000000005\r\nmtval {5}0000000000000040/);
  const before = Number.parseInt(await running.command('time'), 10);
  expect(await running.command('countdown 1')).toBe('1\r\nlift-off');
  const after = Number.parseInt(await running.command('time'), 10);
  expect(after - before).toBeGreaterThan(10_000_000);
  running.type('off\r');
  const { code, output } = await running.end();
  expect(code).toBe(0);
  expect(output).toContain('bye');
});
