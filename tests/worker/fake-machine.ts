import type {
  MachineApi,
  MachineStats,
  MachineTerminal,
  SliceResult,
} from '../../src/machine/machine-types.ts';

/** A terminal that keeps what it is told. */
export class FakeTerminal implements MachineTerminal {
  onOutput: (bytes: Uint8Array) => void = () => {};
  inputPending = 0;
  typed = '';
  sizes: [number, number][] = [];

  type(bytes: Uint8Array): void {
    this.typed += new TextDecoder().decode(bytes);
  }

  resize(columns: number, rows: number): void {
    this.sizes.push([columns, rows]);
  }

  print(text: string): void {
    this.onOutput(new TextEncoder().encode(text));
  }
}

/** A machine whose slices a test writes. Counts what it was asked to do. */
export class FakeMachine implements MachineApi {
  onConsoleOutput: (bytes: Uint8Array) => void = () => {};
  onReset: (() => void) | undefined;
  consoleInputPending = 0;
  terminals: FakeTerminal[] = [];
  slices = 0;
  resets = 0;
  instructions = 0;
  limit: number | undefined;
  typed: number[] = [];
  clock: string[] = [];
  slice: (machine: FakeMachine) => SliceResult;

  constructor(slice: (machine: FakeMachine) => SliceResult = () => ({ state: 'idle', wakeInMs: Infinity })) {
    this.slice = slice;
  }

  runSlice(_milliseconds: number): SliceResult {
    this.slices++;
    this.instructions += 1000;
    return this.slice(this);
  }

  consoleInput(bytes: Uint8Array): void {
    this.typed.push(...bytes);
  }

  /** What setBalloon() asked for. */
  balloon = 0;
  /** Called with what came behind a break. */
  onBreak: (behind: string) => void = () => {};

  setBalloon(bytes: number): void {
    this.balloon = bytes;
  }

  sendBreak(behind = new Uint8Array(0)): void {
    this.onBreak(new TextDecoder().decode(behind));
  }

  print(text: string): void {
    this.onConsoleOutput(new TextEncoder().encode(text));
  }

  suspend(): void {
    this.clock.push('suspend');
  }

  resumeTime(): void {
    this.clock.push('resume');
  }

  /** Thrown by reset(). */
  refusal: Error | undefined;

  reset(): void {
    if (this.refusal) throw this.refusal;
    this.resets++;
    this.instructions = 0;
  }

  setInstructionLimit(limit: number | undefined): void {
    this.limit = limit;
  }

  stats(): MachineStats {
    return {
      engine: 'interpreter',
      instructions: this.instructions,
      tlbMisses: 0,
      pageWalks: 1,
      traps: 2,
      interrupts: 3,
      mmio: 4,
      decodedPages: 5,
      evictedPages: 6,
      fenceI: 7,
      sfence: 8,
      codeWrites: 9,
      busyMs: this.slices,
      sbiCalls: 10,
      regions: 11,
      droppedRegions: 12,
      translatedInstructions: 13,
      modules: 14,
      moduleBytes: 15,
      codeBytes: 16,
      wfiExits: 17,
      budgetExits: 18,
      requestedExits: 19,
      residentBytes: 20,
      driveReads: 21,
      driveReadBytes: 22,
      driveWrites: 23,
      driveWrittenBytes: 24,
      receivedFrames: 25,
      receivedBytes: 26,
      transmittedFrames: 27,
      transmittedBytes: 28,
    };
  }

  signature(): Uint32Array | undefined {
    return new Uint32Array([0xdeadbeef]);
  }
}

/** Resolves once `condition` holds, or fails after a second. */
export async function eventually(condition: () => boolean, milliseconds = 1000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
