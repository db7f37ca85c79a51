// One hart with trap handlers in place, memory open to every mode, and words for what happened to an instruction.
import type { Core } from '../../src/core/core.ts';
import type { CoreOptions, Privilege } from '../../src/core/core-types.ts';
import { type BareHost, bareCore, poke, RAM } from '../support/core.ts';
import { MCAUSE, MEPC, MTVAL, MTVEC, PMPADDR0, PMPCFG0, SCAUSE, SEPC, STVAL, STVEC } from './csr-numbers.ts';
import { LOOP } from './instructions.ts';

export { poke, RAM };

/** Where tests put code and data, and the two trap handlers (loops) are. */
export const CODE = RAM + 0x1000;
export const DATA = RAM + 0x10000;
export const M_HANDLER = RAM + 0x8000;
export const S_HANDLER = RAM + 0x9000;

export const M = 3;
export const S = 1;
export const U = 0;
export const MODES: readonly Privilege[] = [U, S, M];
export const nameOf = (mode: Privilege): string => ({ 0: 'U', 1: 'S', 3: 'M' })[mode];

export interface Trap {
  /** The mode whose handler was entered. */
  to: Privilege;
  cause: bigint;
  tval: bigint;
  epc: bigint;
}

export interface Hart {
  core: Core;
  host: BareHost;
  csr(address: number): bigint;
  setCsr(address: number, value: bigint): void;
  x(register: number): bigint;
  setX(register: number, value: bigint | number): void;
  /** Writes words at an address (CODE if absent), points pc there in a mode. */
  program(words: readonly number[], mode?: Privilege, at?: number | bigint): void;
  /** Executes `count` instructions or traps; the last trap if pc stands at a handler. */
  step(count?: number): Trap | undefined;
  /** program() and step() through all words, or up to the first trap. */
  execute(words: readonly number[], mode?: Privilege): Trap | undefined;
  read64(address: number): bigint;
  write64(address: number, value: bigint): void;
}

export const unsigned = (value: bigint | number): bigint => BigInt.asUintN(64, BigInt(value));

let shared: ReturnType<typeof bareCore> | undefined;

/** The core of all harts made without options, as after power-on: making one anew costs 10 ms. */
function sharedCore(): ReturnType<typeof bareCore> {
  shared ??= bareCore({ ramBytes: 4 << 20 });
  const { core, host } = shared;
  host.now = 0;
  host.writes.length = 0;
  host.registers.clear();
  core.reset();
  core.ram.fill(0);
  return shared;
}

/**
 * A hart in M-mode with nothing delegated, PMP entry 0 open, x0 to x31 zero. Without options it has 4 MiB, and
 * takes the place of the one before.
 */
export function newHart(options?: Partial<CoreOptions>): Hart {
  const { core, host } = options ? bareCore({ ramBytes: 4 << 20, ...options }) : sharedCore();
  const { hart } = core;
  const view = new DataView(core.ram.buffer, core.ram.byteOffset, core.ram.byteLength);
  poke(core, M_HANDLER, [LOOP]);
  poke(core, S_HANDLER, [LOOP]);
  hart.writeCsr(MTVEC, BigInt(M_HANDLER));
  hart.writeCsr(STVEC, BigInt(S_HANDLER));
  hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
  hart.writeCsr(PMPCFG0, 0x1fn);
  const csr = (address: number) => {
    const value = hart.readCsr(address);
    if (value === undefined) throw new Error(`no CSR 0x${address.toString(16)}`);
    return value;
  };
  const trapped = (): Trap | undefined => {
    if (hart.pc === BigInt(M_HANDLER) && hart.privilege === M) {
      return { to: M, cause: csr(MCAUSE), tval: csr(MTVAL), epc: csr(MEPC) };
    }
    if (hart.pc === BigInt(S_HANDLER) && hart.privilege === S) {
      return { to: S, cause: csr(SCAUSE), tval: csr(STVAL), epc: csr(SEPC) };
    }
    return undefined;
  };
  const machine: Hart = {
    core,
    host,
    csr,
    setCsr: (address, value) => {
      if (!hart.writeCsr(address, unsigned(value))) throw new Error(`no CSR 0x${address.toString(16)}`);
    },
    x: (register) => hart.getX(register),
    setX: (register, value) => hart.setX(register, unsigned(value)),
    program: (words, mode = M, at = CODE) => {
      poke(core, Number(at), words);
      hart.pc = unsigned(at);
      hart.privilege = mode;
    },
    step: (count = 1) => {
      core.run(count);
      return trapped();
    },
    execute: (words, mode = M) => {
      machine.program(words, mode);
      for (let done = 0; done < words.length; done++) {
        const trap = machine.step();
        if (trap) return trap;
      }
      return undefined;
    },
    read64: (address) => view.getBigUint64(address - RAM, true),
    write64: (address, value) => {
      view.setBigUint64(address - RAM, unsigned(value), true);
      core.noteRamWritten(address - RAM, 8);
    },
  };
  return machine;
}

/** Executes one instruction in a mode on a fresh hart that `prepare` has set up. */
export function tryInstruction(
  word: number,
  mode: Privilege,
  prepare: (hart: Hart) => void = () => {},
): Trap | undefined {
  const hart = newHart();
  prepare(hart);
  return hart.execute([word], mode);
}
