// Tells a guest kernel that has given up from one that merely shows the words. A panic message is a suspicion; it
// is confirmed when the guest asks for its end next, or never again leaves its kernel nor waits for an interrupt.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import { TICKS_PER_MS } from './memory-map.ts';

/** Linux, kernel/panic.c; printk may put a time and a task before it. */
const PANIC_LINE = /^(?:\[[^\]]{1,20}\] ?){0,2}(Kernel panic - not syncing: .*)$/;
const LONGEST_LINE = 400;
/** How long a suspect must have been seen in its kernel alone, and how often. */
const CONFIRM_TICKS = 1500 * TICKS_PER_MS;
const CONFIRM_SAMPLES = 50;

export class PanicDetector implements Stateful {
  readonly stateVersion = 1;
  private line = '';
  private message: string | undefined;
  private sinceTicks = 0;
  private samples = 0;

  /** Console output, as it is written. */
  observe(byte: number, now: () => number): void {
    if (byte !== 0x0a) {
      if (byte !== 0x0d && this.line.length < LONGEST_LINE) this.line += String.fromCharCode(byte);
      return;
    }
    const match = this.line.startsWith('[') || this.line.startsWith('K') ? PANIC_LINE.exec(this.line) : null;
    this.line = '';
    if (!match || this.message !== undefined) return;
    this.message = match[1]!.trim();
    this.sinceTicks = now();
    this.samples = 0;
  }

  /** The message of a kernel under suspicion. */
  get suspicion(): string | undefined {
    return this.message;
  }

  /** The guest ran a program or went idle: its kernel lives. */
  acquit(): void {
    this.message = undefined;
  }

  /**
   * A look at the hart between two runs.
   * @param inKernel false when the hart was in U-mode
   * @returns the panic's message once it is certain
   */
  sample(inKernel: boolean, nowTicks: number): string | undefined {
    if (this.message === undefined) return undefined;
    if (!inKernel) {
      this.acquit();
      return undefined;
    }
    this.samples++;
    const certain = this.samples >= CONFIRM_SAMPLES && nowTicks - this.sinceTicks >= CONFIRM_TICKS;
    return certain ? this.message : undefined;
  }

  saveState(writer: StateWriter): void {
    writer.text(this.line);
    writer.optional(this.message, (message) => writer.text(message));
    writer.count(this.sinceTicks);
    writer.count(this.samples);
  }

  loadState(reader: StateReader): () => void {
    // A line is kept as one unit for each byte, which UTF-8 may need two for.
    const line = reader.text(2 * LONGEST_LINE);
    const message = reader.optional(() => reader.text(2 * LONGEST_LINE));
    const sinceTicks = reader.count();
    const samples = reader.count();
    return () => {
      this.line = line;
      this.message = message;
      this.sinceTicks = sinceTicks;
      this.samples = samples;
    };
  }

  reset(): void {
    this.line = '';
    this.message = undefined;
  }
}
