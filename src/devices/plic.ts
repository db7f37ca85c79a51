// Platform-level interrupt controller: SiFive PLIC 1.0.0 register map, one hart with two contexts (M, then S).
// RISC-V Platform-Level Interrupt Controller Specification 1.0.0; section numbers below are its chapters.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { InterruptWire, MmioDevice } from './device.ts';

/** Interrupt sources, numbered 1 to 96 (riscv,ndev); source 0 does not exist. */
export const PLIC_SOURCES = 96;
export const PLIC_SIZE = 0x600000;
/** Chapter 4: priority of source N at 4 × N. */
export const PLIC_PRIORITY = 0x0;
/** Chapter 5: one pending bit a source. */
export const PLIC_PENDING = 0x1000;
/** Chapter 6: one enable bit a source, a block for each context. */
export const PLIC_ENABLE = 0x2000;
export const PLIC_ENABLE_STRIDE = 0x80;
/** Chapters 7 to 9: threshold, then claim/complete, a page for each context. */
export const PLIC_CONTEXT = 0x200000;
export const PLIC_CONTEXT_STRIDE = 0x1000;
export const PLIC_THRESHOLD = 0;
export const PLIC_CLAIM = 4;
/** Priorities and thresholds are three bits wide. */
export const PLIC_MAX_PRIORITY = 7;

const CONTEXTS = 2;
const WORDS = (PLIC_SOURCES >> 5) + 1;

export class Plic implements MmioDevice, Stateful {
  readonly name = 'plic';
  readonly size = PLIC_SIZE;
  private readonly wires: readonly [InterruptWire, InterruptWire];
  private readonly priority = new Uint8Array(PLIC_SOURCES + 1);
  private readonly level = new Uint32Array(WORDS);
  private readonly pending = new Uint32Array(WORDS);
  /** Claimed and not completed: the gateway forwards no further request (chapter 2). */
  private readonly inService = new Uint32Array(WORDS);
  private readonly enable = new Uint32Array(WORDS * CONTEXTS);
  private readonly threshold = new Uint8Array(CONTEXTS);
  readonly stateVersion = 1;

  /** @param wires the external interrupt lines of the hart: context 0 (MEIP), context 1 (SEIP) */
  constructor(wires: readonly [InterruptWire, InterruptWire]) {
    this.wires = wires;
  }

  /** The wire of a source, for its device. Throws RangeError for a source that does not exist. */
  source(id: number): InterruptWire {
    if (!Number.isInteger(id) || id < 1 || id > PLIC_SOURCES) {
      throw new RangeError(`PLIC source ${id} does not exist; sources are 1 to ${PLIC_SOURCES}`);
    }
    return (level) => this.setLevel(id, level);
  }

  read(offset: number, size: 1 | 2 | 4): number {
    // Registers are words; a part of one is shown without the side effect of a claim.
    const partial = size !== 4 || (offset & 3) !== 0;
    const register = offset & ~3;
    if (!partial) return this.readWord(register);
    const word = this.isClaim(register) ? 0 : this.readWord(register);
    return (word >>> ((offset & 3) * 8)) & (size === 1 ? 0xff : 0xffff);
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (size !== 4 || (offset & 3) !== 0) return;
    if (offset < PLIC_PENDING) {
      const id = offset >>> 2;
      if (id >= 1 && id <= PLIC_SOURCES) this.priority[id] = value & PLIC_MAX_PRIORITY;
    } else if (offset >= PLIC_ENABLE && offset < PLIC_ENABLE + CONTEXTS * PLIC_ENABLE_STRIDE) {
      const context = Math.floor((offset - PLIC_ENABLE) / PLIC_ENABLE_STRIDE);
      const word = ((offset - PLIC_ENABLE) % PLIC_ENABLE_STRIDE) >>> 2;
      if (word < WORDS) this.enable[context * WORDS + word] = value & existing(word);
    } else if (offset >= PLIC_CONTEXT) {
      const context = Math.floor((offset - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE);
      if (context >= CONTEXTS) return;
      const register = (offset - PLIC_CONTEXT) % PLIC_CONTEXT_STRIDE;
      if (register === PLIC_THRESHOLD) this.threshold[context] = value & PLIC_MAX_PRIORITY;
      else if (register === PLIC_CLAIM) this.complete(context, value);
    }
    this.drive();
  }

  reset(): void {
    for (const state of [this.priority, this.pending, this.inService, this.enable, this.threshold])
      state.fill(0);
    // Wires keep their level: what a device asserts is the device's state.
    for (let word = 0; word < WORDS; word++) this.pending[word] = this.level[word]!;
    this.drive();
  }

  /** The levels of all wires into it are part of it; those out of it are the hart's. */
  saveState(writer: StateWriter): void {
    for (const small of [this.priority, this.threshold]) for (const value of small) writer.u8(value);
    for (const words of [this.level, this.pending, this.inService, this.enable]) {
      for (const word of words) writer.u32(word);
    }
  }

  loadState(reader: StateReader): () => void {
    const small = [this.priority, this.threshold].map((own) =>
      Array.from(own, () => reader.u8(PLIC_MAX_PRIORITY)),
    );
    const words = [this.level, this.pending, this.inService, this.enable].map((own) =>
      Array.from(own, (_, index) => {
        const word = reader.u32();
        reader.check((word & ~existing(index % WORDS)) === 0, 'an interrupt source that does not exist');
        return word;
      }),
    );
    return () => {
      for (const [index, own] of [this.priority, this.threshold].entries()) own.set(small[index]!);
      for (const [index, own] of [this.level, this.pending, this.inService, this.enable].entries()) {
        own.set(words[index]!);
      }
    };
  }

  private readWord(offset: number): number {
    if (offset < PLIC_PENDING) {
      const id = offset >>> 2;
      return id <= PLIC_SOURCES ? this.priority[id]! : 0;
    }
    if (offset < PLIC_ENABLE) {
      const word = (offset - PLIC_PENDING) >>> 2;
      return word < WORDS ? this.pending[word]! : 0;
    }
    if (offset < PLIC_ENABLE + CONTEXTS * PLIC_ENABLE_STRIDE) {
      const context = Math.floor((offset - PLIC_ENABLE) / PLIC_ENABLE_STRIDE);
      const word = ((offset - PLIC_ENABLE) % PLIC_ENABLE_STRIDE) >>> 2;
      return word < WORDS ? this.enable[context * WORDS + word]! : 0;
    }
    if (offset < PLIC_CONTEXT) return 0;
    const context = Math.floor((offset - PLIC_CONTEXT) / PLIC_CONTEXT_STRIDE);
    if (context >= CONTEXTS) return 0;
    const register = (offset - PLIC_CONTEXT) % PLIC_CONTEXT_STRIDE;
    if (register === PLIC_THRESHOLD) return this.threshold[context]!;
    return register === PLIC_CLAIM ? this.claim(context) : 0;
  }

  private isClaim(register: number): boolean {
    return register >= PLIC_CONTEXT && register % PLIC_CONTEXT_STRIDE === PLIC_CLAIM;
  }

  private setLevel(id: number, level: boolean): void {
    const word = id >>> 5;
    const bit = 1 << (id & 31);
    if (((this.level[word]! & bit) !== 0) === level) return;
    this.level[word]! ^= bit;
    // A request that was forwarded stays pending when its wire falls (chapter 2).
    if (!level || (this.inService[word]! & bit) !== 0) return;
    this.pending[word]! |= bit;
    this.drive();
  }

  /** The pending, enabled source of highest priority, lowest number first; 0 for none. The threshold plays no part. */
  private best(context: number): number {
    let best = 0;
    let bestPriority = 0;
    for (let word = 0; word < WORDS; word++) {
      let bits = this.pending[word]! & this.enable[context * WORDS + word]!;
      while (bits !== 0) {
        const id = word * 32 + (31 - Math.clz32(bits & -bits));
        bits &= bits - 1;
        if (this.priority[id]! > bestPriority) {
          best = id;
          bestPriority = this.priority[id]!;
        }
      }
    }
    return best;
  }

  /** Chapter 8. */
  private claim(context: number): number {
    const id = this.best(context);
    if (id === 0) return 0;
    this.pending[id >>> 5]! &= ~(1 << (id & 31));
    this.inService[id >>> 5]! |= 1 << (id & 31);
    this.drive();
    return id;
  }

  /** Chapter 9: an id that is not enabled for the context is ignored. */
  private complete(context: number, id: number): void {
    if (id < 1 || id > PLIC_SOURCES) return;
    const word = id >>> 5;
    const bit = 1 << (id & 31);
    if ((this.enable[context * WORDS + word]! & bit) === 0) return;
    if ((this.inService[word]! & bit) === 0) return;
    this.inService[word]! &= ~bit;
    this.pending[word]! |= this.level[word]! & bit;
  }

  private drive(): void {
    for (let context = 0; context < CONTEXTS; context++) {
      const id = this.best(context);
      this.wires[context]!(id !== 0 && this.priority[id]! > this.threshold[context]!);
    }
  }
}

/** Bits of a word of the pending or enable array that belong to a source. */
function existing(word: number): number {
  if (word === 0) return ~1;
  const last = PLIC_SOURCES - word * 32;
  return last >= 31 ? ~0 : (1 << (last + 1)) - 1;
}
