import {
  ATTENTION,
  CODE_BYTES,
  COUNT_CODE_WRITE,
  COUNT_DECODE,
  COUNT_FENCE_I,
  COUNT_INTERRUPT,
  COUNT_MMIO,
  COUNT_MODULE,
  COUNT_MODULE_BYTE,
  COUNT_PAGE_WALK,
  COUNT_REGION,
  COUNT_REGION_DROP,
  COUNT_SFENCE,
  COUNT_SLOT_EVICT,
  COUNT_TLB_MISS,
  COUNT_TRANSLATED,
  COUNT_TRAP,
  EXIT_DOUBLE_FAULT,
  EXIT_REQUESTED,
  EXIT_SBI,
  EXIT_WATCH,
  EXIT_WFI,
  F,
  HART_BASE,
  HART_STRIDE,
  HOST_TIME,
  INSTRET,
  IRQ_LINES,
  IRQ_MEI,
  IRQ_MSI,
  IRQ_MTI,
  IRQ_SEI,
  IRQ_SSI,
  IRQ_STI,
  MENVCFG,
  MIE,
  MTIMECMP,
  PAGE_DIRTY,
  PAGE_FOUND,
  PC,
  PRIVILEGE,
  RAM_BASE,
  RAM_MAX,
  REGION_COUNT,
  REGION_TABLE_FIRST,
  SCRATCH,
  STIMECMP,
  STOP_CAUSE,
  STOP_VALUE,
  TIME_OFFSET,
  WAITING,
  X,
} from '../../assembly/layout.ts';
import type {
  CoreApi,
  CoreCounters,
  CoreExit,
  CoreOptions,
  HartView,
  InterruptLine,
  Privilege,
} from './core-types.ts';
import { HART_STATE_VERSION, loadHart, saveHart } from './hart-state.ts';
import { featureBits, hostFeatures } from './host-features.ts';
import { regionCalls } from './region-calls.ts';
import type { StateReader, StateWriter } from './state-bytes.ts';

/** The core could not be made: too little memory in the host, or a wrong RAM size. */
export class CoreError extends Error {
  override name = 'CoreError';
}

/** What assembly/index.ts exports. */
interface CoreExports {
  reset(ramBytes: number, sbi: number, divisor: number, threshold: number, features: number): void;
  run(budget: number): number;
  requestExit(): void;
  noteTimerSet(): void;
  getCsr(csr: number): bigint;
  setCsr(csr: number, value: bigint): void;
  csrFound(): number;
  noteRamWritten(offset: number, length: number): void;
  clearRam(): void;
  watch(address: bigint): void;
  stateRestored(): void;
  watchWrites(): void;
  findNonZeroPages(): void;
}

const WASM_PAGE = 65536;
const LINE_BITS: Record<InterruptLine, number> = {
  ssi: IRQ_SSI,
  msi: IRQ_MSI,
  sti: IRQ_STI,
  mti: IRQ_MTI,
  sei: IRQ_SEI,
  mei: IRQ_MEI,
};
const MENVCFG_STCE = 1n << 63n;
/** Longest single run the core takes; longer ones are cut. */
const RUN_MAX = 0x4000_0000;
/** A compare register beyond this many ticks (28 years) is as good as never. */
const NEVER = 1n << 53n;

/** Hart state in linear memory, by the offsets of assembly/layout.ts. */
class Hart implements HartView {
  readonly id = 0;
  readonly #view: DataView;
  readonly #exports: CoreExports;

  constructor(view: DataView, exports: CoreExports) {
    this.#view = view;
    this.#exports = exports;
  }

  get pc(): bigint {
    return this.#view.getBigUint64(PC, true);
  }
  set pc(value: bigint) {
    this.#view.setBigUint64(PC, value, true);
  }
  get privilege(): Privilege {
    return this.#view.getUint32(PRIVILEGE, true) as Privilege;
  }
  set privilege(value: Privilege) {
    this.#view.setUint32(PRIVILEGE, value, true);
  }
  getX(index: number): bigint {
    return this.#view.getBigUint64(X + (index & 31) * 8, true);
  }
  setX(index: number, value: bigint): void {
    if (index & 31) this.#view.setBigUint64(X + (index & 31) * 8, value, true);
  }
  getF(index: number): bigint {
    return this.#view.getBigUint64(F + (index & 31) * 8, true);
  }
  setF(index: number, value: bigint): void {
    this.#view.setBigUint64(F + (index & 31) * 8, value, true);
  }
  readCsr(address: number): bigint | undefined {
    const value = this.#exports.getCsr(address);
    return this.#exports.csrFound() ? BigInt.asUintN(64, value) : undefined;
  }
  writeCsr(address: number, value: bigint): boolean {
    // Addresses with bits 11:10 set are read-only.
    if (address >> 10 === 3) return false;
    this.#exports.setCsr(address, BigInt.asIntN(64, value));
    return this.#exports.csrFound() !== 0;
  }
  get mtimecmp(): bigint {
    return this.#view.getBigUint64(MTIMECMP, true);
  }
  set mtimecmp(value: bigint) {
    this.#setTimer(MTIMECMP, value);
  }
  get stimecmp(): bigint {
    return this.#view.getBigUint64(STIMECMP, true);
  }
  set stimecmp(value: bigint) {
    this.#setTimer(STIMECMP, value);
  }
  setInterruptLine(line: InterruptLine, level: boolean): void {
    this.#setLine(LINE_BITS[line], level);
  }
  get stop(): { cause: bigint; value: bigint } {
    return {
      cause: this.#view.getBigUint64(STOP_CAUSE, true),
      value: this.#view.getBigUint64(STOP_VALUE, true),
    };
  }

  #setTimer(offset: number, value: bigint): void {
    this.#view.setBigUint64(offset, value, true);
    this.#exports.noteTimerSet();
  }
  #setLine(bit: number, level: boolean): void {
    // All lines are in the low word; as a 64-bit number each change made two objects (3 % of small reads of a drive).
    const old = this.#view.getUint32(IRQ_LINES, true);
    const mask = 1 << bit;
    const now = (level ? old | mask : old & ~mask) >>> 0;
    if (now === old) return;
    this.#view.setUint32(IRQ_LINES, now, true);
    this.#view.setUint32(ATTENTION, 1, true);
  }
}

/** One machine's processor and RAM. See CoreApi. */
export class Core implements CoreApi {
  readonly ram: Uint8Array;
  readonly hart: HartView;
  readonly #view: DataView;
  readonly #exports: CoreExports;
  readonly #options: CoreOptions;
  readonly stateVersion = HART_STATE_VERSION;

  /**
   * Instantiates core.wasm with a linear memory of its own.
   * @throws CoreError when the RAM size is not a multiple of 4,096, is too large, or the host has no memory for it.
   */
  static create(module: WebAssembly.Module, options: CoreOptions): Core {
    return new Core(module, options);
  }

  private constructor(module: WebAssembly.Module, options: CoreOptions) {
    const { ramBytes } = options;
    if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % 4096 !== 0 || ramBytes > RAM_MAX) {
      throw new CoreError(
        `guest RAM of ${ramBytes} bytes is not possible: give a multiple of 4,096 up to ${RAM_MAX}`,
      );
    }
    const pages = Math.ceil((RAM_BASE + ramBytes) / WASM_PAGE);
    let memory: WebAssembly.Memory;
    try {
      memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch {
      throw new CoreError(
        `the host has no ${Math.ceil(ramBytes / 2 ** 20)} MiB left for this machine: give it less memory, or stop others`,
      );
    }
    this.#options = options;
    this.#view = new DataView(memory.buffer, HART_BASE, HART_STRIDE);
    this.ram = new Uint8Array(memory.buffer, RAM_BASE, ramBytes);
    const host = options.host;
    const table = new WebAssembly.Table({ initial: REGION_TABLE_FIRST + REGION_COUNT, element: 'anyfunc' });
    let imports: WebAssembly.ModuleImports = {};
    const instance = new WebAssembly.Instance(module, {
      env: {
        memory,
        table,
        abort: () => {
          throw new CoreError('the core stopped itself: a fault in Hypertab, please report it');
        },
      },
      host: {
        mmioRead: (address: number, size: number) => this.#mmioRead(address, size),
        mmioWrite: (address: number, size: number, low: number, high: number) =>
          host.mmioWrite(address, size, low >>> 0, high >>> 0) ? 1 : 0,
        install: (address: number, length: number) => {
          const translated = new WebAssembly.Module(new Uint8Array(memory.buffer, address, length));
          const { exports } = new WebAssembly.Instance(translated, { c: imports });
          // A module without the table gives its regions by their places in it.
          for (const [place, region] of Object.entries(exports)) table.set(Number(place), region);
        },
        call: (kind: number) => (kind === HOST_TIME ? Math.floor(host.time()) : 0),
      },
    });
    this.#exports = instance.exports as unknown as CoreExports;
    imports = {
      ...instance.exports,
      ...regionCalls(table, (options.features ?? hostFeatures()).tailCalls),
      memory,
      table,
    };
    this.hart = new Hart(this.#view, this.#exports);
    this.reset();
  }

  reset(): void {
    const { ramBytes, sbi, instructionsPerTick, hotThreshold, features } = this.#options;
    this.#exports.reset(
      ramBytes,
      sbi ? 1 : 0,
      instructionsPerTick ?? 0,
      hotThreshold ?? 0,
      featureBits(features ?? hostFeatures()),
    );
  }

  run(maxInstructions: number): CoreExit {
    const budget = Math.min(Math.max(Math.floor(maxInstructions), 0), RUN_MAX);
    switch (this.#exports.run(budget)) {
      case EXIT_WFI:
        return 'wfi';
      case EXIT_SBI:
        return 'sbi';
      case EXIT_DOUBLE_FAULT:
        return 'double-fault';
      case EXIT_WATCH:
        return 'watch';
      case EXIT_REQUESTED:
        return 'requested';
      default:
        return 'budget';
    }
  }

  requestExit(): void {
    this.#exports.requestExit();
  }

  noteRamWritten(offset: number, length: number): void {
    if (length > 0) this.#exports.noteRamWritten(offset, length);
  }

  clearRam(): void {
    this.#exports.clearRam();
    this.#exports.noteRamWritten(0, this.ram.length);
  }

  takeDirtyPages(): Uint8Array<ArrayBuffer> {
    this.#exports.watchWrites();
    const marks = this.#pageBits(PAGE_DIRTY);
    const taken = marks.slice();
    marks.fill(0);
    return taken;
  }

  nonZeroPages(): Uint8Array<ArrayBuffer> {
    this.#exports.findNonZeroPages();
    return this.#pageBits(PAGE_FOUND).slice();
  }

  saveState(writer: StateWriter): void {
    saveHart(this.#view, writer);
  }

  loadState(reader: StateReader): () => void {
    const write = loadHart(this.#view, this.ram.length, reader);
    return () => {
      write();
      this.#exports.stateRestored();
    };
  }

  watch(address: number | undefined): void {
    this.#exports.watch(BigInt(address ?? 0));
  }

  get waiting(): boolean {
    return this.#view.getUint32(WAITING, true) !== 0;
  }

  nextTimer(): number | undefined {
    // Only a timer whose interrupt is enabled can end a wait.
    const enabled = this.#view.getBigUint64(MIE, true);
    let next = NEVER;
    if ((enabled >> BigInt(IRQ_MTI)) & 1n) next = this.hart.mtimecmp;
    if ((enabled >> BigInt(IRQ_STI)) & 1n && this.#view.getBigUint64(MENVCFG, true) & MENVCFG_STCE) {
      const supervisor = this.hart.stimecmp;
      if (supervisor < next) next = supervisor;
    }
    return next < NEVER ? Number(next) : undefined;
  }

  advanceTime(ticks: number): void {
    const divisor = this.#options.instructionsPerTick ?? 0;
    if (divisor === 0) return;
    const offset = ticks - Math.floor(this.instructions / divisor);
    if (offset > this.#count(TIME_OFFSET)) this.#view.setBigUint64(TIME_OFFSET, BigInt(offset), true);
  }

  get instructions(): number {
    return this.#count(INSTRET);
  }

  counters(): CoreCounters {
    return {
      instructions: this.#count(INSTRET),
      tlbMisses: this.#count(COUNT_TLB_MISS),
      pageWalks: this.#count(COUNT_PAGE_WALK),
      traps: this.#count(COUNT_TRAP),
      interrupts: this.#count(COUNT_INTERRUPT),
      mmio: this.#count(COUNT_MMIO),
      decodedPages: this.#count(COUNT_DECODE),
      evictedPages: this.#count(COUNT_SLOT_EVICT),
      fenceI: this.#count(COUNT_FENCE_I),
      sfence: this.#count(COUNT_SFENCE),
      codeWrites: this.#count(COUNT_CODE_WRITE),
      regions: this.#count(COUNT_REGION),
      droppedRegions: this.#count(COUNT_REGION_DROP),
      translatedInstructions: this.#count(COUNT_TRANSLATED),
      codeBytes: this.#count(CODE_BYTES),
      modules: this.#count(COUNT_MODULE),
      moduleBytes: this.#count(COUNT_MODULE_BYTE),
    };
  }

  /** A bit for each page of RAM, in the core's memory. */
  #pageBits(address: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer as ArrayBuffer, address, Math.ceil(this.ram.length / 4096 / 8));
  }

  #count(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true));
  }

  #mmioRead(address: number, size: number): number {
    const value = this.#options.host.mmioRead(address, size);
    if (value === undefined) return 0;
    this.#view.setBigUint64(SCRATCH, typeof value === 'bigint' ? value : BigInt(value >>> 0), true);
    return 1;
  }
}
