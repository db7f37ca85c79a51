// One machine: the run loop around a board, the guest's requests to stop or start again, and its figures.
import { Core } from '../core/core.ts';
import type { CoreExit } from '../core/core-types.ts';
import type { SysconRequest } from '../devices/syscon.ts';
import { BlockDevice, type DriveRates } from '../virtio/block/block-device.ts';
import { NetDevice, type NetworkRates } from '../virtio/net/net-device.ts';
import { Board, type BoardEvents, type CoreFactory } from './board.ts';
import { ConsoleOutput } from './console-output.ts';
import { describeFault } from './fault.ts';
import { Figures } from './figures.ts';
import { Htif } from './htif.ts';
import { countIo } from './io-counters.ts';
import { type MachineStateApi, MachineStateError, type StateSection } from './machine-state.ts';
import type {
  MachineApi,
  MachineConfig,
  MachineMemory,
  MachineParts,
  MachineStats,
  MachineTerminal,
  SliceResult,
  StopReason,
} from './machine-types.ts';
import { TICKS_PER_MS } from './memory-map.ts';
import { Pacer } from './pacer.ts';
import { PanicDetector } from './panic-detector.ts';
import { ResidentMeter } from './resident-meter.ts';
import { handleSbiCall } from './sbi.ts';
import type { SbiHost } from './sbi-types.ts';
import { readSignature } from './signature.ts';
import { loadSections, type StateParts, saveSections } from './state-sections.ts';

type Request = SysconRequest | { kind: 'exit'; code: number };

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Milliseconds that a call of stats() may look at memory for. */
const LOOK_MS = 0.1;
/** Longest timer a host can be asked to set, in milliseconds; beyond it only an input wakes the guest. */
const LONGEST_SLEEP_MS = 0x7fffffff;
/** How long to sleep when a timer has fired that nobody listens to. */
const UNHEARD_TIMER_MS = 10;

export class Machine implements MachineApi, MachineStateApi {
  onConsoleOutput: (bytes: Uint8Array) => void = () => {};
  onReset: () => void = () => {};
  onWake: () => void = () => {};
  private readonly config: MachineConfig;
  private readonly board: Board;
  private readonly output = new ConsoleOutput((bytes) => this.onConsoleOutput(bytes));
  private readonly panic = new PanicDetector();
  private readonly pacer = new Pacer();
  private readonly htif: Htif | undefined;
  private readonly sbiHost: SbiHost;
  private request: Request | undefined;
  private stopped: StopReason | undefined;
  private limit: number | undefined;
  private readonly figures = new Figures();
  private readonly resident = new ResidentMeter();

  /**
   * Builds the board and loads its files; the machine runs with runSlice().
   * @param parts what `config` names and the caller has opened
   * @throws ConfigError, LoadError or DamagedFileError, with one line that says what was wrong and what to do
   */
  constructor(config: MachineConfig, createCore: CoreFactory = Core.create, parts: MachineParts = {}) {
    this.config = config;
    const events: BoardEvents = {
      consoleByte: (byte) => this.writeConsoleByte(byte),
      syscon: (request) => {
        this.request = request;
        this.board.core.requestExit();
      },
      wake: () => this.onWake(),
    };
    this.board = new Board(config, createCore, events, parts);
    const { board } = this;
    const shared = {
      ramView: (address: bigint, length: bigint) => board.ramView(address, length),
      noteRamWritten: (address: bigint, length: number) => board.noteRamWritten(address, length),
      writeConsole: (bytes: Uint8Array) => {
        for (const byte of bytes) this.writeConsoleByte(byte);
      },
      readConsole: () => board.uart.takeInput(),
    };
    this.sbiHost = {
      ...shared,
      // Kernels end early lines with \n alone; a serial line needs the carriage returned, and firmware sees to it.
      writeConsole: (bytes) => {
        for (const byte of bytes) {
          if (byte === LINE_FEED) this.writeConsoleByte(CARRIAGE_RETURN);
          this.writeConsoleByte(byte);
        }
      },
      flushTranslations: () => board.flushTranslations(),
      requestStop: (kind) => {
        this.request = { kind };
      },
    };
    const elf = (board.placement.bios ?? board.placement.kernel)?.elf;
    const tohost = elf?.symbol('tohost');
    if (elf && tohost !== undefined) {
      this.htif = new Htif(tohost, elf.symbol('fromhost'), {
        ...shared,
        exit: (code) => {
          this.request = { kind: 'exit', code };
        },
      });
    }
    this.watchHtif();
  }

  runSlice(milliseconds: number): SliceResult {
    if (this.stopped) return { state: 'stopped', reason: this.stopped };
    const begin = performance.now();
    const result = this.runUntil(begin + milliseconds);
    this.output.flush();
    return result;
  }

  consoleInput(bytes: Uint8Array): void {
    this.board.uart.receive(bytes);
    this.htif?.pollInput();
  }

  get consoleInputPending(): number {
    return this.board.uart.inputPending;
  }

  get terminals(): readonly MachineTerminal[] {
    return this.board.terminals;
  }

  suspend(): void {
    this.board.clock.suspend();
  }

  resumeTime(): void {
    this.board.clock.resume();
  }

  reset(): void {
    this.output.flush();
    this.request = undefined;
    this.stopped = { kind: 'fault', message: 'the machine could not be loaded again' };
    this.figures.reset(this.board.core.instructions);
    this.panic.reset();
    this.board.powerOn();
    this.stopped = undefined;
    this.watchHtif();
  }

  get canReset(): boolean {
    return this.board.canBoot;
  }

  provideFiles(files: Pick<MachineConfig, 'kernel' | 'initrd'>): void {
    this.board.provideFiles(files);
  }

  renewGeneration(): void {
    this.board.generation.renew();
  }

  quiesce(): Promise<void> {
    return this.board.quiesce();
  }

  saveState(): StateSection[] {
    if (this.stopped && this.stopped.kind !== 'limit') {
      throw new MachineStateError(
        'configuration',
        'hart',
        'the machine has stopped: there is nothing to go on with',
      );
    }
    return saveSections(this.stateParts);
  }

  restoreState(sections: readonly StateSection[]): void {
    const takeOver = loadSections(this.stateParts, sections);
    this.output.flush();
    this.board.restore(takeOver);
    this.request = undefined;
    this.stopped = undefined;
    this.watchHtif();
  }

  get ram(): Uint8Array {
    return this.board.core.ram;
  }

  ramWritten(offset: number, length: number): void {
    this.board.core.noteRamWritten(offset, length);
  }

  takeDirtyPages(): Uint8Array {
    return this.board.core.takeDirtyPages();
  }

  nonZeroPages(): Uint8Array {
    return this.board.core.nonZeroPages();
  }

  private get stateParts(): StateParts {
    const parts = new Map([...this.board.stateParts, ['panic', this.panic], ['figures', this.figures]]);
    if (this.htif) parts.set('htif', this.htif);
    return parts;
  }

  setInstructionLimit(limit: number | undefined): void {
    this.limit = limit;
  }

  stats(): MachineStats {
    this.resident.look(this.board.core.ram.buffer, LOOK_MS);
    return {
      ...this.board.core.counters(),
      ...countIo(this.board.devices),
      ...this.figures.exits,
      residentBytes: this.resident.bytes,
      engine: this.config.engine === 'interpreter' ? 'interpreter' : 'translator',
      busyMs: this.figures.busyMs,
    };
  }

  setBalloon(bytes: number): void {
    this.board.balloon.target = bytes;
  }

  setDriveRates(index: number, rates: DriveRates): void {
    const drives = this.board.devices.filter((device) => device instanceof BlockDevice);
    if (drives[index]) drives[index].rates = rates;
  }

  setNetworkRates(index: number, rates: NetworkRates): void {
    const interfaces = this.board.devices.filter((device) => device instanceof NetDevice);
    if (interfaces[index]) interfaces[index].rates = rates;
  }

  sendBreak(behind: Uint8Array = new Uint8Array(0)): void {
    this.board.uart.receiveBreak();
    this.consoleInput(behind);
  }

  memory(): MachineMemory {
    const { balloon } = this.board;
    balloon.requestStats();
    return {
      balloonTarget: balloon.target,
      balloonActual: balloon.actual,
      reportedFree: balloon.counters.reportedBytes,
      guest: balloon.stats,
    };
  }

  signature(): Uint32Array | undefined {
    const { bios, kernel } = this.board.placement;
    const elf = (bios ?? kernel)?.elf;
    return elf && readSignature(elf, this.board.core.ram);
  }

  private runUntil(end: number): SliceResult {
    const { board, pacer } = this;
    let before = performance.now();
    let unheard = false;
    for (;;) {
      if (board.work.pending) {
        // A repeatable run does all that is to do at the same instruction, however long it takes.
        board.work.run(() => !board.deterministic && performance.now() >= end);
        before = performance.now();
      }
      board.rtc.poll();
      const budget = Math.min(pacer.budget(end - before), this.instructionsLeft(), board.alarmInInstructions);
      if (budget <= 0)
        return this.stop({ kind: 'limit', message: `stopped after ${this.limit} instructions` });
      const instructions = board.core.instructions;
      const exit = board.core.run(budget);
      const now = performance.now();
      const executed = board.core.instructions - instructions;
      pacer.note(executed, now - before);
      this.figures.busyMs += now - before;
      before = now;

      const reason = this.handleExit(exit) ?? this.handleRequest();
      if (reason) return this.stop(reason);
      if (exit === 'wfi' && board.core.waiting && !board.work.pending) {
        const wakeInMs = this.idle(executed === 0 && unheard);
        if (wakeInMs > 0) return { state: 'idle', wakeInMs };
        unheard = executed === 0;
      }
      if (now >= end) return { state: 'running' };
    }
  }

  /** What an exit of the core means; the reason when it is the end. */
  private handleExit(exit: CoreExit): StopReason | undefined {
    const { board } = this;
    const { hart } = board.core;
    switch (exit) {
      case 'sbi':
        this.figures.exits.sbiCalls++;
        handleSbiCall(hart, this.sbiHost);
        return undefined;
      case 'watch':
        this.htif?.serve();
        return undefined;
      case 'wfi':
        this.figures.exits.wfiExits++;
        this.panic.acquit();
        return undefined;
      case 'double-fault':
        return { kind: 'fault', message: describeFault(hart) };
      case 'budget': {
        this.figures.exits.budgetExits++;
        if (this.panic.suspicion === undefined) return undefined;
        const message = this.panic.sample(hart.privilege !== 0, board.now());
        return message === undefined ? undefined : { kind: 'panic', message };
      }
      case 'requested':
        this.figures.exits.requestedExits++;
        return undefined;
    }
  }

  /** Follows what the guest asked for; the reason when it is the end. */
  private handleRequest(): StopReason | undefined {
    const { request } = this;
    if (!request) return undefined;
    this.request = undefined;
    if (request.kind === 'exit' || request.kind === 'fail') return { kind: 'exit', code: request.code };
    const message = this.panic.suspicion;
    if (message !== undefined) return { kind: 'panic', message };
    if (request.kind === 'poweroff') return { kind: 'poweroff' };
    if (this.config.noReboot || !this.canReset) return { kind: 'reboot' };
    this.reset();
    this.onReset();
    return undefined;
  }

  /**
   * The hart waits. Milliseconds until something can wake it, 0 to run on at once.
   * @param again a timer that should have woken it did not
   */
  private idle(again: boolean): number {
    const { board } = this;
    const now = board.now();
    const timer = board.core.nextTimer() ?? Infinity;
    const alarm = now + board.alarmInTicks;
    const wake = Math.min(timer, alarm);
    if (board.deterministic && wake <= Number.MAX_SAFE_INTEGER && !again) {
      board.core.advanceTime(wake);
      return 0;
    }
    if (wake <= now) return again ? UNHEARD_TIMER_MS : 0;
    const ms = (wake - now) / TICKS_PER_MS;
    return ms > LONGEST_SLEEP_MS ? Infinity : ms;
  }

  private instructionsLeft(): number {
    if (this.limit === undefined) return Infinity;
    return this.limit - this.figures.instructionsBefore - this.board.core.instructions;
  }

  private stop(reason: StopReason): SliceResult {
    this.stopped = reason;
    return { state: 'stopped', reason };
  }

  private writeConsoleByte(byte: number): void {
    this.output.writeByte(byte);
    this.panic.observe(byte, () => this.board.now());
  }

  private watchHtif(): void {
    this.board.core.watch(this.htif && Number(this.htif.tohost));
  }
}

/** Builds a machine: `new Machine(config)`. */
export function createMachine(config: MachineConfig): Machine {
  return new Machine(config);
}
