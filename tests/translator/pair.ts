// Two machines that must stay equal: one interprets everything, the other translates what is jumped to.
import { readFileSync } from 'node:fs';
import {
  FFLAGS,
  FRM,
  HART_BASE,
  INSTRET,
  IRQ_LINES,
  MCYCLE_OFFSET,
  MINSTRET_OFFSET,
  MSTATUS,
  PC,
  PMPCFG,
  PRIVILEGE,
  RESERVATION,
  TIME_OFFSET,
  WAITING,
} from '../../assembly/layout.ts';
import { Core } from '../../src/core/core.ts';
import type { CoreExit, CoreHost, CoreOptions } from '../../src/core/core-types.ts';
import { coreModule } from '../support/core.ts';
import { DEVICE, RELEASE } from './board.ts';

let other: WebAssembly.Module | undefined;
/** The built core, or the one that HYPERTAB_CORE_WASM names. */
export function coreUnderTest(): WebAssembly.Module {
  const path = process.env.HYPERTAB_CORE_WASM;
  if (path === undefined) return coreModule();
  other ??= new WebAssembly.Module(readFileSync(path));
  return other;
}

/**
 * A device whose registers change at each access. The clock stands still: when a hart looks at it depends on the engine
 * (the instruction clock does not).
 */
class LockstepHost implements CoreHost {
  accesses = 0;
  #state = 1;
  core: Core | undefined;

  reset(): void {
    this.accesses = 0;
    this.#state = 1;
  }
  #note(value: number): number {
    this.accesses++;
    this.#state = (Math.imul(this.#state, 0x0019_660d) + value + 0x3c6e_f35f) | 0;
    return this.#state >>> 0;
  }
  get state(): number {
    return this.#state;
  }
  mmioRead(address: number, size: number): number | bigint | undefined {
    if (address < DEVICE || address >= RELEASE) return undefined;
    const value = this.#note(address * 8 + size);
    return size === 8 ? BigInt(value) << 16n : value;
  }
  mmioWrite(address: number, size: number, low: number, high: number): boolean {
    if (address < DEVICE || address > RELEASE) return false;
    this.#note(low + high + size);
    const hart = this.core?.hart;
    if (address === RELEASE) {
      for (const line of ['sei', 'mei', 'msi', 'ssi'] as const) hart?.setInterruptLine(line, false);
    } else if (address === DEVICE + 8) hart?.setInterruptLine('sei', true);
    else if (address === DEVICE + 16) this.core?.requestExit();
    else if (address === DEVICE + 24 && hart) hart.mtimecmp = BigInt(low & 0xfff);
    return true;
  }
  time(): number {
    return 0;
  }
}

const XS = Array.from({ length: 32 }, (_, index) => [`x${index}`, 8 * index] as const);
const FS = Array.from({ length: 32 }, (_, index) => [`f${index}`, 512 + 8 * index] as const);
const CSRS = [
  'mstatus medeleg mideleg mie mip mtvec mscratch mepc mcause mtval mcounteren mcountinhibit menvcfg mseccfg',
  'stvec sscratch sepc scause stval scounteren senvcfg satp stimecmp mtimecmp',
]
  .join(' ')
  .split(' ')
  .map((name, index) => [name, MSTATUS + 8 * index] as const);
/** Everything of a hart that a guest can see, by offset. */
const STATE: readonly (readonly [string, number])[] = [
  ['pc', PC],
  ['instret', INSTRET],
  ['privilege, waiting', PRIVILEGE],
  ['fflags, frm', FFLAGS],
  ['interrupt lines', IRQ_LINES],
  ['reservation', RESERVATION],
  ['mcycle', MCYCLE_OFFSET],
  ['minstret', MINSTRET_OFFSET],
  ['time offset', TIME_OFFSET],
  ['pmpcfg', PMPCFG],
  ...XS,
  ...FS,
  ...CSRS,
];
if (WAITING !== PRIVILEGE + 4 || FRM !== FFLAGS + 4) throw new Error('the layout of the hart has changed');

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A view of a core's hart, for `differences`. */
export const hartOf = (core: Core): DataView => new DataView(core.ram.buffer, HART_BASE, 2048);

/** One line for each part of the visible state in which two harts differ. */
export function differences(one: DataView, two: DataView): string[] {
  const lines: string[] = [];
  for (const [name, offset] of STATE) {
    const [left, right] = [one.getBigUint64(offset, true), two.getBigUint64(offset, true)];
    if (left !== right) lines.push(`${name}: interpreter ${hex(left)}, translator ${hex(right)}`);
  }
  return lines;
}

/** The first byte in which two memories differ. */
export function ramDifference(one: Uint8Array, two: Uint8Array): string[] {
  if (Buffer.compare(one, two) === 0) return [];
  const at = one.findIndex((byte, index) => byte !== two[index]);
  return [`RAM + 0x${at.toString(16)}: interpreter ${one[at]}, translator ${two[at]}`];
}

export class Pair {
  readonly cores: readonly [Core, Core];
  readonly #hosts: readonly [LockstepHost, LockstepHost];
  readonly #views: readonly DataView[];

  /** @param threshold of the second core */
  constructor(options: Omit<CoreOptions, 'host' | 'hotThreshold'>, threshold = 1) {
    this.#hosts = [new LockstepHost(), new LockstepHost()];
    const make = (host: LockstepHost, hotThreshold: number): Core => {
      host.core = Core.create(coreUnderTest(), { ...options, host, hotThreshold });
      return host.core;
    };
    this.cores = [make(this.#hosts[0], 0), make(this.#hosts[1], threshold)];
    this.#views = this.cores.map(hartOf);
  }

  /** Power-on, with RAM cleared. */
  reset(): void {
    for (const host of this.#hosts) host.reset();
    for (const one of this.cores) {
      one.reset();
      one.ram.fill(0);
    }
  }

  /** Does the same to both. */
  both(action: (core: Core) => void): void {
    for (const one of this.cores) action(one);
  }

  /** Runs both; how they differ then, empty when they agree. */
  run(budget: number): string[] {
    const exits = this.cores.map((one) => one.run(budget));
    return this.compare(exits[0]!, exits[1]!);
  }

  compare(one: CoreExit, two: CoreExit): string[] {
    const lines: string[] = [];
    if (one !== two) lines.push(`exit: interpreter ${one}, translator ${two}`);
    lines.push(...differences(this.#views[0]!, this.#views[1]!));
    const [left, right] = this.#hosts;
    if (left.accesses !== right.accesses || left.state !== right.state)
      lines.push(`device accesses: interpreter ${left.accesses}, translator ${right.accesses}`);
    lines.push(...ramDifference(this.cores[0].ram, this.cores[1].ram));
    return lines;
  }
}
