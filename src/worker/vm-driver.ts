import type { MachineApi, SliceResult, StopReason } from '../machine/machine-types.ts';
import type { ByteSender } from './byte-channel.ts';
import { type CpuPlan, CpuShare, PERIOD_MS } from './cpu-share.ts';
import type { StatsSample } from './stats-channel.ts';
import { nextTurn } from './turns.ts';

/** Milliseconds of guest time between two looks at the messages: bounds the delay of input to a busy guest. */
export const SLICE_MS = 4;
/** Console bytes the page has not taken before the guest has to wait. */
export const OUTPUT_LIMIT = 1 << 20;
/** Milliseconds between two samples of a machine with a share: one in a period, with room for a timer that is early. */
const SAMPLE_MS = 0.9 * PERIOD_MS;
/** setTimeout takes a signed 32-bit count of milliseconds. */
const LONGEST_TIMEOUT = 0x7fffffff;

/** What a driver reports. */
export interface DriverHost {
  onStopped(reason: StopReason): void;
  onFailed(error: unknown): void;
  /** A power cycle begins: the guest has written nothing of it yet. */
  onPowerOn(): void;
  onReset(): void;
  onStats(sample: StatsSample): void;
}

export interface DriverOptions {
  /** Follow a reboot that the machine itself does not follow. */
  noReboot: boolean;
  /** Milliseconds between two samples while the guest runs. */
  statsIntervalMs: number;
  sliceMs?: number;
  /** Processor time of this thread in milliseconds, where the system tells it. */
  threadTime?: () => number;
}

export type DriverState = 'created' | 'running' | 'paused' | 'stopped';

/** Runs one machine slice by slice, serves messages in between and sleeps while the guest idles. */
export class VmDriver {
  readonly #machine: MachineApi;
  readonly #outputs: readonly ByteSender[];
  readonly #host: DriverHost;
  readonly #options: DriverOptions;
  #state: DriverState = 'created';
  #looping = false;
  /** The guest waits for the page to take its output. */
  #flooded = false;
  #wake: (() => void) | undefined;
  #lastSample = -Infinity;
  readonly #share: CpuShare;
  #hostMs = 0;
  /** Milliseconds in which the guest had work and had to wait for its share, and how often it did. */
  #throttledMs = 0;
  #throttled = 0;
  #endThrottle: (() => void) | undefined;
  /** Resolves when the guest need not stand still any more. */
  #held: Promise<void> | undefined;

  /** @param outputs of the guest's consoles, the serial one first */
  constructor(machine: MachineApi, outputs: readonly ByteSender[], host: DriverHost, options: DriverOptions) {
    this.#machine = machine;
    this.#outputs = outputs;
    this.#host = host;
    this.#options = options;
    this.#share = new CpuShare(undefined, options.threadTime);
    machine.onConsoleOutput = (bytes) => outputs[0]?.send(bytes);
    machine.onReset = () => {
      host.onPowerOn();
      host.onReset();
    };
    machine.onWake = () => this.#wake?.();
    for (const output of outputs) {
      output.onDrain = () => {
        if (this.#flooded) this.#wake?.();
      };
    }
  }

  get state(): DriverState {
    return this.#state;
  }

  /** What it may take of the host, from its next slice on. */
  set cpu(plan: CpuPlan) {
    this.#share.plan = plan;
    this.#endThrottle?.();
  }

  /** A break on the serial line, with bytes behind it. */
  sendBreak(behind: Uint8Array): void {
    this.#machine.sendBreak?.(behind);
    this.#wake?.();
  }

  /** Figures as they are now. */
  get sample(): StatsSample {
    const host = {
      hostMs: this.#hostMs,
      cpuMs: this.#options.threadTime?.() ?? this.#hostMs,
      throttledMs: this.#throttledMs,
      throttled: this.#throttled,
    };
    return { at: performance.now(), stats: { ...this.#machine.stats(), ...host } };
  }

  /** A machine that goes on from a saved state: it stands still until start(). */
  standBy(): void {
    this.#state = 'paused';
    this.#machine.suspend();
  }

  /** Starts a machine that was not started yet, power-cycles one that has stopped; no-op while it runs. */
  start(): void {
    if (this.#state === 'paused') {
      this.resume();
      return;
    }
    if (this.#state === 'stopped') this.#powerOn();
    this.#go();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#resumeTime();
    this.#go();
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#machine.suspend();
    this.#rouse();
    this.#sample();
  }

  /** Power cycle; the machine runs afterwards whatever it did before. Throws what the machine's reset does. */
  reset(): void {
    if (this.#state === 'paused') this.#resumeTime();
    this.#powerOn();
    this.#host.onReset();
    this.#go();
    this.#rouse();
  }

  /** Pulls the plug. */
  powerOff(): void {
    if (this.#state !== 'stopped') this.#stop({ kind: 'poweroff' });
  }

  /**
   * Runs an action between two slices: until it has ended, the guest stands still and so does its time.
   * One at a time.
   */
  async whileHeld<T>(action: () => Promise<T>): Promise<T> {
    let release = () => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    if (this.#state === 'running') this.#machine.suspend();
    try {
      return await action();
    } finally {
      this.#held = undefined;
      if (this.#state === 'running') this.#machine.resumeTime();
      release();
    }
  }

  /** Types into the serial console; an idle guest sees it at once. */
  input(bytes: Uint8Array): void {
    this.#machine.consoleInput(bytes);
    this.#wake?.();
  }

  /** A machine that cannot be loaded again stands still. */
  #powerOn(): void {
    try {
      this.#machine.reset();
      this.#host.onPowerOn();
    } catch (error) {
      this.#state = 'stopped';
      this.#rouse();
      throw error;
    }
  }

  /** A held machine's time goes on when it is released. */
  #resumeTime(): void {
    if (this.#held === undefined) this.#machine.resumeTime();
  }

  #go(): void {
    this.#state = 'running';
    if (!this.#looping) void this.#loop();
  }

  #stop(reason: StopReason): void {
    this.#state = 'stopped';
    this.#rouse();
    this.#sample();
    this.#host.onStopped(reason);
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    try {
      while (this.#state === 'running') {
        this.#flooded = this.#outputs.some(({ undelivered }) => undelivered > OUTPUT_LIMIT);
        if (this.#held !== undefined) await this.#held;
        else if (this.#flooded) await this.#sleep(Infinity);
        else {
          const allowance = this.#share.allowance();
          if (allowance > 0) await this.#slice(allowance);
          else await this.#throttle();
        }
      }
    } catch (error) {
      this.#state = 'stopped';
      this.#host.onFailed(error);
    } finally {
      this.#looping = false;
    }
  }

  async #slice(allowance: number): Promise<void> {
    const before = performance.now();
    const result: SliceResult = this.#machine.runSlice(
      Math.min(this.#options.sliceMs ?? SLICE_MS, allowance),
    );
    const after = performance.now();
    this.#share.charge(after - before);
    this.#hostMs += after - before;
    if (after - this.#lastSample >= this.#statsIntervalMs) this.#sample();
    if (result.state === 'stopped') {
      const follow = !this.#options.noReboot && this.#machine.canReset !== false;
      if (result.reason.kind === 'reboot' && follow) this.reset();
      else this.#stop(result.reason);
    } else if (result.state === 'idle' && result.wakeInMs >= 1) {
      await this.#sleep(result.wakeInMs);
    } else {
      await nextTurn();
    }
  }

  /** Waits for its share of the host; input and devices do not shorten that. */
  async #throttle(): Promise<void> {
    const before = performance.now();
    this.#throttled++;
    if (before - this.#lastSample >= this.#statsIntervalMs) this.#sample();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.ceil(this.#share.wait()));
      this.#endThrottle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endThrottle = undefined;
    this.#throttledMs += performance.now() - before;
  }

  /** A machine that has a part of each period only pays for one sample in it. */
  get #statsIntervalMs(): number {
    const { statsIntervalMs } = this.#options;
    return this.#share.unlimited ? statsIntervalMs : Math.max(statsIntervalMs, SAMPLE_MS);
  }

  /** Ends every wait: the state has changed. */
  #rouse(): void {
    this.#wake?.();
    this.#endThrottle?.();
  }

  /** Waits for input, drained output or a change of state, at most `milliseconds`. */
  async #sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (milliseconds !== Infinity) timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMEOUT));
    });
    this.#wake = undefined;
    clearTimeout(timer);
  }

  #sample(): void {
    const { sample } = this;
    this.#lastSample = sample.at;
    this.#host.onStats(sample);
  }
}
