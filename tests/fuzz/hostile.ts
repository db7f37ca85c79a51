// Values and accesses a hostile guest would choose, and a board whose core sees to it that devices keep within RAM.
import { Core } from '../../src/core/core.ts';
import { Board } from '../../src/machine/board.ts';
import type { MachineConfig, MachineParts } from '../../src/machine/machine-types.ts';
import { RAM_BASE } from '../../src/machine/memory-map.ts';
import type { FrameLink, FrameListener } from '../../src/network/frame-link.ts';
import type { BlockBackend, MaybeLater } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { staticElf } from '../diff/elf.ts';
import type { Random } from '../diff/random.ts';
import { coreModule } from '../support/core.ts';

export const RAM_BYTES = 16 << 20;
/** Operations on each subject: a sample, or the million of a long run. */
export const LONG = process.env.HYPERTAB_LONG === '1';
export const SEED = Number(process.env.HYPERTAB_SEED ?? 4);
/** The longest a slice of the machine's work may take, in milliseconds. */
export const SLICE_MS = 50;

/** `j .`, as an ELF at the start of RAM. */
const IDLE_PROGRAM = Uint8Array.of(0x6f, 0, 0, 0);

/** Addresses at the edges of RAM and of arithmetic on addresses. */
export function hostileAddress(random: Random): bigint {
  const base = BigInt(RAM_BASE);
  const end = base + BigInt(RAM_BYTES);
  const near = BigInt(random.between(-32, 32));
  switch (random.below(8)) {
    case 0:
      return BigInt.asUintN(64, base + near);
    case 1:
      return BigInt.asUintN(64, end + near);
    case 2:
      return BigInt.asUintN(64, (1n << BigInt(random.below(64))) + near);
    case 3:
      return BigInt.asUintN(64, -(1n << BigInt(random.below(64))) + near);
    case 4:
      return random.long();
    default:
      return base + BigInt(random.below(RAM_BYTES / 16) * 16);
  }
}

/** 32 bits: small numbers, powers of two and their neighbours, halves of addresses, noise. */
export function hostileWord(random: Random): number {
  switch (random.below(6)) {
    case 0:
      return random.below(16);
    case 1:
      return ((1 << random.below(32)) + random.between(-1, 1)) >>> 0;
    case 2:
      return Number(BigInt.asUintN(32, hostileAddress(random)));
    case 3:
      return random.pick([0, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff, 0x5555, 0x7777, 0x3333]);
    default:
      return random.word();
  }
}

/** Answers everything later, and in any order. */
class SlowBackend implements BlockBackend {
  readonly readonly = false;
  readonly #inner: MemoryBackend;
  #turn = 0;

  constructor(bytes: number) {
    this.#inner = new MemoryBackend({ bytes });
  }
  get bytes(): number {
    return this.#inner.bytes;
  }
  async #later(action: () => MaybeLater): Promise<void> {
    for (let turns = this.#turn++ % 3; turns >= 0; turns--) await new Promise((done) => setImmediate(done));
    await action();
  }
  read(offset: number, target: Uint8Array): MaybeLater {
    return this.#later(() => this.#inner.read(offset, target));
  }
  write(offset: number, source: Uint8Array): MaybeLater {
    return this.#later(() => this.#inner.write(offset, source));
  }
  flush(): MaybeLater {
    return this.#later(() => this.#inner.flush());
  }
  discard(offset: number, length: number): MaybeLater {
    return this.#later(() => this.#inner.discard(offset, length));
  }
  writeZeroes(offset: number, length: number): MaybeLater {
    return this.#later(() => this.#inner.writeZeroes(offset, length));
  }
  close(): MaybeLater {
    return this.#inner.close();
  }
}

/** Sends back what it is sent, two frames for one, and has no room now and then. */
class Echo implements FrameLink {
  onRoom: (() => void) | undefined;
  #give: FrameListener = () => {};
  #turn = 0;

  send(frame: Uint8Array): boolean {
    if (this.#turn++ % 5 === 4) {
      setImmediate(() => this.onRoom?.());
      return false;
    }
    for (let count = 0; count < 2; count++) void this.#give(frame.slice());
    return true;
  }
  listen(listener: FrameListener): void {
    this.#give = listener;
  }
}

/** Drives that answer at once and later, a share, and a network. */
const hostileParts = (): MachineParts => ({
  drives: [
    { backend: new MemoryBackend({ bytes: 4 << 20 }) },
    { backend: new SlowBackend(4 << 20) },
    { backend: new MemoryBackend({ bytes: 1 << 20, readonly: true }) },
  ],
  networks: [{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), mtu: 1500, link: new Echo() }],
  shares: [{ tag: 'share', tree: new MemoryTree({ capacity: 8 << 20 }) }],
});

interface BoardWatch {
  syscon?: () => void;
  /** A device has written [offset, offset + length) of RAM. */
  written?: (offset: number, length: number) => void;
}

/** A board in the state after power-on, with everything it can have. */
export function hostileBoard(settings: Partial<MachineConfig> = {}, watch: BoardWatch = {}): Board {
  const config: MachineConfig = {
    core: coreModule(),
    memory: RAM_BYTES,
    bios: staticElf(RAM_BASE, IDLE_PROGRAM),
    engine: 'interpreter',
    clock: 'instructions',
    seed: 1,
    consoles: 2,
    ...settings,
  };
  const create = (module: WebAssembly.Module, options: Parameters<typeof Core.create>[1]): Core => {
    const core = Core.create(module, options);
    const note = core.noteRamWritten.bind(core);
    // The core trusts what it is told.
    core.noteRamWritten = (offset, length) => {
      const inside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
      if (!inside || offset + length > core.ram.length)
        throw new Error(`a device says it has written ${length} bytes at RAM + ${offset}`);
      note(offset, length);
      watch.written?.(offset, length);
    };
    return core;
  };
  const events = { consoleByte: () => {}, syscon: () => watch.syscon?.(), wake: () => {} };
  return new Board(config, create, events, hostileParts());
}

/** Runs steps; an error is thrown on with the step's number and what it was. */
export class Watchdog {
  /** Milliseconds of the longest step, not counting what the host gave to others meanwhile. */
  slowest = 0;
  #steps = 0;

  run(what: () => string, step: () => void): void {
    const begin = performance.now();
    const cpu = process.cpuUsage();
    try {
      step();
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new Error(`step ${this.#steps}, ${what()}: ${reason}`);
    }
    const { user, system } = process.cpuUsage(cpu);
    const took = Math.min(performance.now() - begin, (user + system) / 1000);
    this.slowest = Math.max(this.slowest, took);
    this.#steps++;
  }
}
