import { readFileSync } from 'node:fs';
import { Core } from '../../src/core/core.ts';
import type { CoreHost, CoreOptions } from '../../src/core/core-types.ts';

let compiled: WebAssembly.Module | undefined;

/** The built core; `npm run build` makes it. */
export function coreModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('../../build/core.wasm', import.meta.url)));
  return compiled;
}

/** A host with no devices and a clock that stands still unless the test moves it. */
export class BareHost implements CoreHost {
  now = 0;
  readonly writes: { address: number; size: number; low: number; high: number }[] = [];
  /** Device registers by address; anything else does not answer. */
  readonly registers = new Map<number, bigint>();

  mmioRead(address: number): bigint | undefined {
    return this.registers.get(address);
  }
  mmioWrite(address: number, size: number, low: number, high: number): boolean {
    if (!this.registers.has(address)) return false;
    this.writes.push({ address, size, low, high });
    return true;
  }
  time(): number {
    return this.now;
  }
}

export const RAM = 0x8000_0000;

/** A core of 16 MiB with nothing around it, pc at the start of RAM in M-mode. */
export function bareCore(options: Partial<CoreOptions> = {}): { core: Core; host: BareHost } {
  const host = (options.host as BareHost | undefined) ?? new BareHost();
  const core = Core.create(coreModule(), { ramBytes: 16 << 20, ...options, host });
  core.hart.pc = BigInt(RAM);
  return { core, host };
}

/** Writes bytes or instruction words at a physical address, as a device would. */
export function poke(core: Core, address: number, data: Uint8Array | readonly number[]): void {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(Uint32Array.from(data).buffer);
  core.ram.set(bytes, address - RAM);
  core.noteRamWritten(address - RAM, bytes.length);
}
