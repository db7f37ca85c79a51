import * as Comlink from 'comlink';
import type { MachineMemory, StopReason } from '../machine/machine-types.ts';
import { canShareMemory, createChannel, openReader, openSender } from '../worker/byte-channel.ts';
import type { MachineControl, MachineSetup, TerminalEnds, WorkerEvent } from '../worker/machine-control.ts';
import { StatsBoard } from '../worker/stats-channel.ts';
import { Emitter } from './emitter.ts';
import { HypertabError, OptionError, StateError, WorkerLostError } from './errors.ts';
import { type Schedulable, schedulableOf } from './host-scheduler.ts';
import type { VmLimits } from './limits.ts';
import type { WorkerHandle } from './platform.ts';
import { refusal } from './refusal.ts';
import { type ShutdownOptions, shutDown } from './shutdown.ts';
import { parseSize } from './size.ts';
import type { CloneOptions, FreshSnapshot, SnapshotOptions } from './snapshot-types.ts';
import type { VirtualMachine, VmEvents, VmState, VmStats } from './types.ts';
import { GuestConsole } from './vm-console.ts';
import { VmFigures } from './vm-figures.ts';
import { GuestFolder } from './vm-folder.ts';
import { PluggedInterface } from './vm-interface.ts';
import type { VmParts } from './vm-parts.ts';
import { VmResources } from './vm-resources.ts';
import { VmSaving } from './vm-saving.ts';

/** Milliseconds a worker is given to close drives and shares. */
const CLOSE_MS = 2000;

/** A virtual machine: this side of one worker. */
export class Vm implements VirtualMachine {
  readonly id: string;
  readonly name: string;
  readonly prompt: string | undefined;
  readonly isRestored: boolean;
  readonly interfaces: readonly PluggedInterface[];
  readonly shares: ReadonlyMap<string, GuestFolder>;
  readonly #memory: number;
  readonly #channels: number;
  readonly #noReboot: boolean;
  /** True when it has drives or shares. */
  readonly #stores: boolean;
  readonly #worker: WorkerHandle;
  readonly #control: Comlink.Remote<MachineControl>;
  readonly #events: MessagePort;
  /** The serial one first, channels last. */
  readonly #consoles: GuestConsole[];
  readonly #emitter = new Emitter<VmEvents>();
  readonly #figures: VmFigures;
  readonly #resources: VmResources;
  readonly saving: VmSaving;
  /** Told when its limits have changed. */
  onLimits: () => void = () => {};
  #state: VmState = 'created';
  #reason: StopReason | undefined;
  #run = 0;
  #plugPulled = false;
  /** Why the plug is pulled, when it is not because somebody asked for it. */
  #pulledFor: StopReason | undefined;
  #lost: WorkerLostError | undefined;
  /** Rejects when the worker is lost, so that no call waits for an answer that never comes. */
  readonly #whenLost: Promise<never>;
  #rejectLost!: (error: Error) => void;

  private constructor(
    parts: VmParts,
    control: Comlink.Remote<MachineControl>,
    events: MessagePort,
    console: GuestConsole,
    interfaces: readonly PluggedInterface[],
    board: StatsBoard | undefined,
  ) {
    this.id = parts.id;
    this.name = parts.name;
    this.prompt = parts.prompt;
    this.isRestored = parts.restore !== undefined;
    this.#memory = parts.config.memory;
    this.#channels = parts.config.channels ?? 0;
    this.#noReboot = parts.config.noReboot === true;
    this.#stores = (parts.drives?.length ?? 0) + (parts.shares?.length ?? 0) > 0;
    this.#worker = parts.worker;
    this.#control = control;
    this.#events = events;
    this.#consoles = [console];
    this.saving = new VmSaving({
      parts,
      consoles: this.#consoles,
      control,
      call: (answer) => this.#call(answer),
    });
    this.interfaces = interfaces;
    this.shares = new Map((parts.shares ?? []).map(({ tag }) => [tag, this.#openFolder(tag)]));
    this.#figures = new VmFigures(board, parts.config.memory, () =>
      this.#emitter.emit('stats', this.#figures.describe(this.#state)),
    );
    this.#resources = new VmResources({
      vm: this,
      parts,
      control,
      call: (answer) => this.#call(answer),
      onLease: (remainingMs) => this.#emitter.emit('lease', { remainingMs }),
      onWarning: (message) => this.#emitter.emit('warning', { message }),
      stop: (reason) => {
        this.#pulledFor = reason;
        return this.powerOff();
      },
    });
    this.#whenLost = new Promise((_, reject) => {
      this.#rejectLost = reject;
    });
    this.#whenLost.catch(() => {});
    events.onmessage = (event: MessageEvent<WorkerEvent>) => void this.#onEvent(event.data);
    parts.worker.onLost((error) => this.#onLost(error));
  }

  /**
   * Hands a machine's configuration to its worker.
   * @throws {ImageError} {OptionError} when the machine refuses it; {WorkerLostError} when the worker breaks
   */
  static async create(parts: VmParts): Promise<Vm> {
    const shared = parts.shared ?? canShareMemory();
    const [outputHere, consoleOut] = createChannel(shared);
    const [inputHere, consoleIn] = createChannel(shared);
    const calls = new MessageChannel();
    const events = new MessageChannel();
    const board = shared ? StatsBoard.create() : undefined;
    parts.worker.hello({ port: calls.port2 });
    const vm = new Vm(
      parts,
      Comlink.wrap<MachineControl>(calls.port1),
      events.port1,
      new GuestConsole(openSender(inputHere), openReader(outputHere)),
      (parts.networks ?? []).map((plan) => new PluggedInterface(plan, shared)),
      board === undefined ? undefined : new StatsBoard(board),
    );
    const terminals = vm.#openTerminals(parts.config.consoles ?? 0, parts.config.channels ?? 0, shared);
    const networks = vm.interfaces.map(({ setup }) => setup);
    const setup: MachineSetup = {
      config: parts.config,
      maxInstructions: parts.maxInstructions,
      restore: parts.restore?.source,
      shares: parts.shares,
      drives: parts.drives,
      terminals,
      networks,
      consoleOut,
      consoleIn,
      stats: board === undefined ? { kind: 'messages' } : { kind: 'board', board },
      events: events.port2,
    };
    const cables = [...terminals, ...networks].flatMap((ends) => [ends.out.port, ends.in.port]);
    const owned = [...parts.owned, ...(parts.restore?.owned ?? [])];
    const transfers = [consoleOut.port, consoleIn.port, events.port2, ...cables, ...owned];
    for (const [index, tail] of (parts.restore?.consoles ?? []).entries())
      vm.#consoles[index]?.presetBacklog(tail);
    try {
      await vm.#call(vm.#control.create(Comlink.transfer(setup, transfers)));
      if (parts.limits !== undefined) await vm.#resources.update(parts.limits);
    } catch (error) {
      await vm.destroy();
      throw refusal(error, parts.config.memory);
    }
    return vm;
  }

  get state(): VmState {
    return this.#state;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  async start(): Promise<void> {
    this.#demand('start', 'created', 'running', 'stopped');
    if (this.#state === 'running') return;
    if (this.#state === 'stopped') await this.#provideFiles();
    await this.#powerCycle((run) => this.#control.start(run));
  }

  async pause(): Promise<void> {
    this.#demand('pause', 'running', 'paused');
    if (this.#state === 'paused') return;
    await this.#call(this.#control.pause());
    // It may have stopped by itself meanwhile.
    if ((this.#state as VmState) === 'running') this.#enter('paused');
  }

  async resume(): Promise<void> {
    this.#demand('resume', 'paused', 'running');
    if (this.#state === 'running') return;
    this.#enter('running');
    await this.#call(this.#control.resume());
  }

  async reset(): Promise<void> {
    this.#demand('reset', 'created', 'running', 'paused', 'stopped');
    await this.#provideFiles();
    this.saving.isStandingBy = false;
    await this.#powerCycle((run) => this.#control.reset(run));
  }

  async snapshot(options: SnapshotOptions = {}): Promise<FreshSnapshot> {
    this.#demand('save', 'created', 'running', 'paused');
    return this.#inWords(this.saving.save(options));
  }

  async clone(options: CloneOptions = {}): Promise<VirtualMachine> {
    this.#demand('clone', 'created', 'running', 'paused');
    return this.#inWords(this.saving.clone(options));
  }

  async powerOff(): Promise<void> {
    this.#demand('power off', 'created', 'running', 'paused', 'stopped');
    if (this.#state === 'stopped') return;
    this.#plugPulled = true;
    const stopped = this.wait();
    const answer = this.#call(this.#control.powerOff());
    answer.catch(() => {});
    // The news may overtake the answer.
    await Promise.race([stopped, answer.then(() => stopped)]);
  }

  async shutdown(options?: ShutdownOptions): Promise<StopReason> {
    this.#demand('shut down', 'running');
    return shutDown({ vm: this, press: (key) => this.sendBreak(key) }, options);
  }

  async sendBreak(behind = ''): Promise<void> {
    this.#demand('send a break to', 'running', 'paused');
    await this.#call(this.#control.sendBreak(new TextEncoder().encode(behind)));
  }

  async update(limits: VmLimits): Promise<void> {
    this.#demand('change the limits of', 'created', 'running', 'paused', 'stopped');
    await this.#resources.update(limits);
    this.onLimits();
  }

  get limits(): Required<VmLimits> {
    return this.#resources.current;
  }

  get leaseRemainingMs(): number | undefined {
    return this.#resources.leaseRemainingMs;
  }

  /** As the host's scheduler sees it. */
  get schedulable(): Schedulable {
    return schedulableOf(this.#resources, {
      running: () => this.#state === 'running' && this.#lost === undefined,
      sample: () => this.#figures.latest,
      setPlan: (plan) => {
        if (this.#lost === undefined && this.#state !== 'destroyed')
          this.#call(this.#control.setCpu(plan)).catch(() => {});
      },
    });
  }

  async destroy(): Promise<void> {
    if (this.#state === 'destroyed') return;
    this.#reason ??= { kind: 'poweroff' };
    this.#enter('destroyed');
    this.#rejectLost(new StateError(`${this.name} has been destroyed`));
    if (this.#stores && this.#lost === undefined) await this.#closeStores();
    for (const console of this.#consoles) console.close();
    for (const plugged of this.interfaces) plugged.close();
    this.#events.onmessage = null;
    this.#events.close();
    this.#control[Comlink.releaseProxy]();
    await this.#worker.terminate();
    this.#emitter.clear();
  }

  async stats(): Promise<VmStats> {
    if (this.#lost === undefined && this.#state !== 'destroyed') {
      const stats = await this.#call(this.#control.stats()).catch(() => undefined);
      if (stats !== undefined) return this.#figures.describe(this.#state, stats);
    }
    return this.#figures.describe(this.#state);
  }

  console(index = 0): GuestConsole {
    const last = this.#consoles.length - 1 - this.#channels;
    const console = index <= last ? this.#consoles[index] : undefined;
    if (console !== undefined) return console;
    const others = last === 0 ? '; option consoles gives it more' : `, ${last} is the last`;
    throw new OptionError(`${this.name} has no console ${index}; console 0 is the serial port${others}`);
  }

  channel(index = 0): GuestConsole {
    const channel = index >= 0 ? this.#consoles[this.#consoles.length - this.#channels + index] : undefined;
    if (channel !== undefined) return channel;
    throw new OptionError(`${this.name} has no channel ${index}; option channels gave it ${this.#channels}`);
  }

  async setBalloon(size: number | string): Promise<void> {
    this.#demand('set the balloon of', 'created', 'running', 'paused');
    const bytes = typeof size === 'number' ? size : parseSize(size);
    if (!(Number.isSafeInteger(bytes) && bytes >= 0 && bytes < this.#memory)) {
      throw new OptionError(
        `balloon: ${size} is no part of ${this.#memory / 1024 ** 2} MiB; give less, or 0`,
      );
    }
    await this.#call(this.#control.setBalloon(bytes));
  }

  async memory(): Promise<MachineMemory | undefined> {
    this.#demand('ask for the memory of', 'created', 'running', 'paused', 'stopped');
    return this.#call(this.#control.memory());
  }

  async signature(): Promise<Uint32Array | undefined> {
    if (this.#state === 'destroyed') throw new StateError(`${this.name} has been destroyed`);
    return this.#call(this.#control.signature());
  }

  wait(): Promise<StopReason> {
    if (this.#reason !== undefined) return Promise.resolve(this.#reason);
    return new Promise((resolve) => {
      const off = this.on('state', ({ state }) => {
        if (state !== 'stopped' && state !== 'destroyed') return;
        off();
        resolve(this.#reason ?? { kind: 'poweroff' });
      });
    });
  }

  on<K extends keyof VmEvents>(event: K, listener: (value: VmEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  /** Lets the worker end its writes; one that does not answer is ended all the same. */
  async #closeStores(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.#control.close().catch(() => {}), late]);
    clearTimeout(timer);
  }

  #call<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    return Promise.race([answer, this.#whenLost]);
  }

  #demand(verb: string, ...states: VmState[]): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (!states.includes(this.#state)) {
      throw new StateError(`cannot ${verb} ${this.name}: it is ${this.#state}, not ${states.join(' or ')}`);
    }
  }

  /** A new power cycle; what the worker still tells about the last one is ignored from here on. */
  async #powerCycle(begin: (run: number) => Promise<readonly number[]>): Promise<void> {
    const run = ++this.#run;
    this.#plugPulled = false;
    this.#pulledFor = undefined;
    this.#reason = undefined;
    this.#figures.reset();
    this.#enter('running');
    try {
      const consoleBytes = await this.#call(begin(run));
      if (!this.saving.isStandingBy) this.#beginPowerCycle(consoleBytes);
      this.saving.isStandingBy = false;
    } catch (error) {
      const refused = refusal(error, this.#memory);
      // A machine that cannot be loaded again stands still; a lost or destroyed one has said so.
      if (run === this.#run && refused instanceof HypertabError && this.#isOn()) {
        this.#stopped({ kind: 'fault', message: refused.message });
      }
      throw refused;
    }
  }

  #provideFiles(): Promise<void> {
    return this.#inWords(this.saving.provideFiles());
  }

  #inWords<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw refusal(error, this.#memory);
    });
  }

  /** A guest that asked for a reboot before its machine had the files for one. */
  async #followReboot(): Promise<void> {
    try {
      await this.reset();
      this.#emitter.emit('reset', {});
    } catch (error) {
      if (this.#isOn())
        this.#stopped({ kind: 'fault', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** A prompt of the last power cycle, which may still be on its way, must not pass for one of this. */
  #beginPowerCycle(consoleBytes: readonly number[]): void {
    for (const [index, console] of this.#consoles.entries()) {
      console.beginPowerCycle(consoleBytes[index] ?? 0);
    }
  }

  #enter(state: VmState): void {
    this.#state = state;
    this.#figures.entered(state);
    this.#resources.entered(state);
    const reason = state === 'stopped' ? this.#reason : undefined;
    this.#emitter.emit('state', reason === undefined ? { state } : { state, reason });
  }

  async #onEvent(event: WorkerEvent): Promise<void> {
    switch (event.type) {
      case 'stats':
        this.#figures.note(event.sample);
        return;
      case 'reset':
        this.#beginPowerCycle(event.consoleBytes);
        this.#emitter.emit('reset', {});
        return;
      case 'saving': {
        const { id, done, total } = event;
        this.#emitter.emit('saving', { id, done, total });
        return;
      }
      case 'share':
        this.#emitter.emit('share', { tag: event.tag });
        return;
      case 'warning':
        this.#emitter.emit('warning', { message: event.message });
        return;
      case 'full':
        if (event.run !== this.#run) return;
        if (this.#state === 'running') await this.pause();
        this.#emitter.emit('warning', {
          message: `${event.message}; the machine is paused: make room, then resume it`,
        });
        return;
      case 'failed':
        if (event.run !== this.#run) return;
        this.#onLost(new Error(event.message));
        return;
      case 'stopped':
        // The last words first, then the news; a plug that was pulled does not wait for a slow listener.
        if (!this.#plugPulled) await this.#whenReceived(event.consoleBytes);
        if (event.run !== this.#run || !this.#isOn()) return;
        if (event.reason.kind === 'reboot' && this.saving.lacksFiles && !this.#noReboot)
          await this.#followReboot();
        else this.#stopped(this.#pulledFor ?? event.reason);
    }
  }

  async #whenReceived(consoleBytes: readonly number[]): Promise<void> {
    await Promise.all(this.#consoles.map((console, index) => console.whenReceived(consoleBytes[index] ?? 0)));
  }

  /** Makes the consoles beside the serial one, and channels; returns the worker's ends of them. */
  #openTerminals(consoles: number, channels: number, shared: boolean): TerminalEnds[] {
    return Array.from({ length: consoles + channels }, (_, index) => {
      const [outputHere, out] = createChannel(shared);
      const [inputHere, into] = createChannel(shared);
      const resize = (columns: number, rows: number) => {
        if (this.#lost === undefined)
          this.#call(this.#control.resizeTerminal(index, columns, rows)).catch(() => {});
      };
      this.#consoles.push(new GuestConsole(openSender(inputHere), openReader(outputHere), resize));
      return { out, in: into };
    });
  }

  #openFolder(tag: string): GuestFolder {
    return new GuestFolder(tag, async (action) => {
      this.#demand('use the files of', 'created', 'running', 'paused', 'stopped');
      try {
        return await this.#call(action(this.#control));
      } catch (error) {
        throw refusal(error, this.#memory);
      }
    });
  }

  #isOn(): boolean {
    return this.#state === 'created' || this.#state === 'running' || this.#state === 'paused';
  }

  #stopped(reason: StopReason): void {
    this.#reason = reason;
    this.#enter('stopped');
  }

  #onLost(cause: Error): void {
    if (this.#lost !== undefined || this.#state === 'destroyed') return;
    for (const plugged of this.interfaces) plugged.close();
    const error = new WorkerLostError(`${this.name}: its worker is lost: ${cause.message}`, { cause });
    this.#lost = error;
    this.#rejectLost(error);
    this.#emitter.emit('error', { error });
    if (this.#isOn()) this.#stopped({ kind: 'fault', message: error.message });
  }
}
