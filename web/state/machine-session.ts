import type {
  GuestEntry,
  GuestFiles,
  Hypervisor,
  Snapshot,
  StopReason,
  VirtualMachine,
  VmOptions,
  VmState,
  VmStats,
} from 'hypertab';
import { strings } from '../strings/strings.ts';
import { DropFolder } from './drop-folder.ts';
import { formatBytes } from './format.ts';
import { type DownloadProgress, downloadGuest } from './guest-download.ts';
import { PromptWatch } from './prompt-watch.ts';
import { patch, Store } from './store.ts';

/** Where a machine is on its way, as the page sees it. */
export interface SessionView {
  /** What its user calls it. */
  name: string;
  phase: 'downloading' | 'starting' | 'failed' | VmState;
  download?: DownloadProgress;
  stats?: VmStats;
  reason?: StopReason;
  /** The guest was asked to end, and has not yet. */
  shuttingDown?: boolean;
  /** A snapshot of it is under way: bytes of RAM that are packed. */
  saving?: DownloadProgress;
  /** What became of the last snapshot, in words. */
  saved?: string;
  /** It was there before the page was loaded anew, and has ended with that. */
  recalled?: boolean;
  /** The user pulled the plug. */
  switchedOff: boolean;
  error?: string;
  /** Milliseconds from start (or reset) to the first prompt. */
  bootMs?: number;
  /** A command is under way: its buttons wait. */
  busy: boolean;
}

/** What may be asked of a machine now. */
export interface Abilities {
  start: boolean;
  pause: boolean;
  resume: boolean;
  reset: boolean;
  shutDown: boolean;
  powerOff: boolean;
  snapshot: boolean;
  clone: boolean;
  retry: boolean;
}

/** What its user may choose for a new machine; what is left out is as the guest wants it. */
export type MachineChoices = Pick<VmOptions, 'memory' | 'cpus' | 'consoles' | 'engine'>;

/** What a machine is made of. */
export type MachineOrigin =
  | { kind: 'boot'; choices?: MachineChoices }
  | { kind: 'snapshot'; snapshot: Snapshot }
  | { kind: 'clone'; vm: VirtualMachine };

export function abilities(view: SessionView): Abilities {
  const idle = !view.busy;
  const on = view.phase === 'running' || view.phase === 'paused';
  return {
    start: idle && (view.phase === 'created' || view.phase === 'stopped'),
    pause: idle && view.phase === 'running',
    resume: idle && view.phase === 'paused',
    reset: idle && on,
    shutDown: idle && view.phase === 'running' && view.shuttingDown !== true,
    powerOff: idle && on,
    snapshot: idle && on,
    clone: idle && on,
    retry: idle && view.phase === 'failed',
  };
}

/** Finds the files of a guest by name. */
export type ResolveGuest = (name: string) => Promise<GuestFiles>;

/** Characters of a machine's name. */
const MAX_NAME = 60;

/** One machine on the page: download, creation, life, console, end. */
export class MachineSession {
  readonly id: string;
  readonly guest: GuestEntry;
  readonly view: Store<SessionView>;
  /** Files in and out, for a guest that can mount a share. */
  readonly drop: DropFolder | undefined;
  readonly #hypervisor: Hypervisor;
  readonly #resolveGuest: ResolveGuest;
  readonly #origin: MachineOrigin;
  readonly #abort = new AbortController();
  /** Who listens to console N. */
  readonly #output: Set<(data: Uint8Array) => void>[];
  readonly #clear = new Set<() => void>();
  readonly #subscriptions: (() => void)[] = [];
  #vm: VirtualMachine | undefined;
  /** The machine's worker is gone: only a new machine helps. */
  #lost = false;
  #prompt: string | undefined;
  #watch: PromptWatch | undefined;
  #startedAt = 0;

  constructor(
    id: string,
    name: string,
    guest: GuestEntry,
    hypervisor: Hypervisor,
    resolveGuest: ResolveGuest,
    origin: MachineOrigin = { kind: 'boot' },
  ) {
    this.#origin = origin;
    this.id = id;
    const terminals = (origin.kind === 'boot' ? origin.choices?.consoles : undefined) ?? 0;
    this.#output = Array.from({ length: 1 + terminals }, () => new Set());
    this.view = new Store<SessionView>({ name, phase: 'downloading', switchedOff: false, busy: false });
    this.guest = guest;
    this.drop = guest.kind === 'debian' ? new DropFolder() : undefined;
    this.#hypervisor = hypervisor;
    this.#resolveGuest = resolveGuest;
  }

  /** What its user chose for it. */
  get choices(): MachineChoices {
    return (this.#origin.kind === 'boot' && this.#origin.choices) || {};
  }

  get name(): string {
    return this.view.value.name;
  }

  rename(name: string): void {
    const trimmed = name.trim().slice(0, MAX_NAME);
    if (trimmed !== '') patch(this.view, { name: trimmed });
  }

  /** It was there before the page was loaded anew: off, until somebody starts it. */
  recall(): void {
    patch(this.view, { phase: 'stopped', recalled: true });
  }

  /** The machine once it exists. */
  get vm(): VirtualMachine | undefined {
    return this.#vm;
  }

  /** Downloads, creates and starts. Never rejects: the view says what failed. */
  async boot(): Promise<void> {
    this.view.set({ name: this.name, phase: 'downloading', switchedOff: false, busy: false });
    try {
      await this.#release();
      const begin = performance.now();
      const vm = await this.#make();
      if (this.#abort.signal.aborted) {
        await vm.destroy();
        return;
      }
      this.#prompt = vm.prompt;
      this.#adopt(vm);
      if (this.drop !== undefined) this.#subscriptions.push(await this.drop.attach(vm));
      this.#armBootTimer();
      await vm.start();
      if (vm.isRestored) {
        // Nothing is loaded or booted: what counts is the time since somebody asked for it.
        this.#startedAt = begin;
        this.#onOutput(vm.console(0).backlog);
      } else if (this.#origin.kind === 'boot') {
        void this.#hypervisor.keepWarm(vm, this.#options);
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#fail(error);
    }
  }

  get #options() {
    const shares = this.drop === undefined ? [] : [this.drop.share];
    return { ...this.choices, name: this.name, guest: this.guest.name, shares };
  }

  /** Its serial console, and the terminals beside it. */
  get consoles(): number {
    return this.#output.length;
  }

  /** The machine: a copy, one that goes on from where it was saved, or one that boots from downloaded files. */
  async #make(): Promise<VirtualMachine> {
    const origin = this.#origin;
    const { name, shares } = this.#options;
    if (origin.kind === 'clone') return origin.vm.clone({ name });
    if (origin.kind === 'snapshot') {
      const { snapshot } = origin;
      const missing = shares.filter(({ tag }) => snapshot.shares.includes(tag));
      return this.#hypervisor.restore(snapshot, { name, shares: missing });
    }
    const warm = await this.#hypervisor.createWarm(this.#options);
    if (warm !== undefined) return warm;
    const resolved = await this.#resolveGuest(this.guest.name);
    const files = await downloadGuest(
      resolved,
      this.guest.download,
      (download) => patch(this.view, { download }),
      this.#abort.signal,
    );
    patch(this.view, { phase: 'starting', download: undefined });
    const { kernel, initrd, bios } = files;
    return this.#hypervisor.create({ ...this.#options, kernel, initrd, bios });
  }

  #adopt(vm: VirtualMachine): void {
    this.#vm = vm;
    this.#lost = false;
    this.#subscriptions.push(
      ...this.#output.map((_, index) => vm.console(index).onData((data) => this.#onOutput(data, index))),
      vm.on('state', ({ state, reason }) => {
        if (this.#lost) return;
        patch(this.view, { phase: state, reason });
        // The last figures: those of the half second before may be missing, or all there is.
        if (state === 'paused' || state === 'stopped') void this.#readStats(vm);
      }),
      vm.on('stats', (stats) => patch(this.view, { stats })),
      vm.on('reset', () => {
        this.#armBootTimer();
        for (const clear of this.#clear) clear();
      }),
      vm.on('error', ({ error }) => {
        this.#lost = true;
        patch(this.view, { phase: 'failed', error: strings.machineLost(error.message) });
      }),
    );
    patch(this.view, { phase: vm.state });
  }

  async #readStats(vm: VirtualMachine): Promise<void> {
    try {
      const stats = await vm.stats();
      if (this.#vm === vm) patch(this.view, { stats });
    } catch {
      // A machine that ends meanwhile has no figures to show.
    }
  }

  #armBootTimer(): void {
    this.#startedAt = performance.now();
    this.#watch = this.#prompt ? new PromptWatch(this.#prompt) : undefined;
    patch(this.view, { bootMs: undefined });
  }

  #onOutput(data: Uint8Array, index = 0): void {
    if (index === 0 && this.#watch?.push(data)) {
      this.#watch = undefined;
      patch(this.view, { bootMs: performance.now() - this.#startedAt });
    }
    for (const listener of this.#output[index] ?? []) listener(data);
  }

  /** Calls `data` with a console's bytes, and `clear` when a new life begins; returns a function that ends both. */
  onConsole(index: number, data: (bytes: Uint8Array) => void, clear: () => void): () => void {
    this.#output[index]?.add(data);
    this.#clear.add(clear);
    return () => {
      this.#output[index]?.delete(data);
      this.#clear.delete(clear);
    };
  }

  /** Sends what was typed; nothing happens while the machine is off. */
  type(data: string | Uint8Array, index = 0): void {
    if (this.isOn) this.#vm?.console(index).write(data);
  }

  /** Tells the guest how large a terminal is; the serial console has no way to. */
  resize(index: number, columns: number, rows: number): void {
    if (index > 0 && this.isOn) this.#vm?.console(index).resize(columns, rows);
  }

  /** It runs, or stands still for a while. */
  get isOn(): boolean {
    const { phase } = this.view.value;
    return phase === 'running' || phase === 'paused';
  }

  start(): Promise<void> {
    if (this.view.value.recalled) {
      for (const clear of this.#clear) clear();
      return this.boot();
    }
    return this.#command((vm) => {
      for (const clear of this.#clear) clear();
      this.#armBootTimer();
      return vm.start();
    });
  }

  pause(): Promise<void> {
    return this.#command((vm) => vm.pause());
  }

  resume(): Promise<void> {
    return this.#command((vm) => vm.resume());
  }

  reset(): Promise<void> {
    return this.#command((vm) => vm.reset());
  }

  /** Saves it among the snapshots of this browser; it runs on. */
  snapshot(): Promise<void> {
    return this.#command(async (vm) => {
      const start = performance.now();
      const progress = (done: number, total: number) => {
        const seconds = Math.max(0.001, (performance.now() - start) / 1000);
        patch(this.view, { saving: { received: done, total, rate: done / seconds } });
      };
      const off = vm.on('saving', ({ done, total }) => progress(done, total));
      progress(0, this.guest.memory);
      patch(this.view, { saved: undefined });
      try {
        const { bytes, pauseMs } = await vm.snapshot({ name: this.name });
        patch(this.view, { saved: strings.saved(formatBytes(bytes), `${Math.ceil(pauseMs)} ms`) });
      } finally {
        patch(this.view, { saving: undefined });
        off();
      }
    });
  }

  powerOff(): Promise<void> {
    return this.#command(async (vm) => {
      patch(this.view, { switchedOff: true });
      await vm.powerOff();
    });
  }

  /** Asks the guest to end; other commands may be given meanwhile. */
  async shutDown(): Promise<void> {
    const vm = this.#vm;
    if (!vm || !abilities(this.view.value).shutDown) return;
    patch(this.view, { shuttingDown: true, error: undefined, switchedOff: false });
    try {
      await vm.shutdown();
    } catch (error) {
      // One that was ended otherwise meanwhile is no failure.
      if (vm.state === 'running') this.#fail(error);
    } finally {
      patch(this.view, { shuttingDown: false });
    }
  }

  /** Ends the machine and whatever is under way for it. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#release();
  }

  async #release(): Promise<void> {
    for (const end of this.#subscriptions.splice(0)) end();
    const vm = this.#vm;
    this.#vm = undefined;
    try {
      await vm?.destroy();
    } catch {
      // A worker that is gone already needs no end.
    }
  }

  async #command(action: (vm: VirtualMachine) => Promise<void>): Promise<void> {
    const vm = this.#vm;
    if (!vm || this.view.value.busy) return;
    patch(this.view, { busy: true, error: undefined, switchedOff: false });
    try {
      await action(vm);
    } catch (error) {
      this.#fail(error);
    } finally {
      patch(this.view, { busy: false });
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    // A machine that exists keeps its state: the error is about what was asked of it.
    const phase = this.#vm && !this.#lost ? this.#vm.state : 'failed';
    patch(this.view, { phase, error: message, download: undefined });
  }
}
