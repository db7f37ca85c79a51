// Host-target interface of bare-metal RISC-V tests: the program stores commands to `tohost`, answers come in
// `fromhost`. Protocol as in the RISC-V ISA simulator's front end: device in bits 63..56, command in 55..48.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import { LoadError } from './errors.ts';

export interface HtifHost {
  /** `length` bytes of RAM at a physical address; undefined unless all of it is RAM. */
  ramView(address: bigint, length: bigint): Uint8Array | undefined;
  noteRamWritten(address: bigint, length: number): void;
  writeConsole(bytes: Uint8Array): void;
  readConsole(): number | undefined;
  exit(code: number): void;
}

const DEVICE_SYSTEM = 0n;
const DEVICE_CONSOLE = 1n;
const CONSOLE_READ = 0n;
const CONSOLE_WRITE = 1n;
const PAYLOAD = (1n << 48n) - 1n;
/** A system call passed by address: eight 64-bit words, number first; the result replaces the number. */
const SYSCALL_BYTES = 64n;
const SYS_WRITE = 64n;
const SYS_EXIT = 93n;
const ENOSYS = -38n;
const EFAULT = -14n;
/** Most bytes one write may print. */
const WRITE_LIMIT = 0x1_0000n;

export class Htif implements Stateful {
  readonly stateVersion = 1;
  /** Physical address of `tohost`: watch it, and call serve() after each store. */
  readonly tohost: bigint;
  private readonly fromhost: bigint | undefined;
  private readonly host: HtifHost;
  private readPending = false;

  /** Throws LoadError when `tohost` or `fromhost` is no 8-byte word in RAM. */
  constructor(tohost: bigint, fromhost: bigint | undefined, host: HtifHost) {
    this.tohost = tohost;
    this.fromhost = fromhost;
    this.host = host;
    for (const [name, address] of [
      ['tohost', tohost],
      ['fromhost', fromhost],
    ] as const) {
      if (address === undefined) continue;
      if (address % 8n !== 0n || !host.ramView(address, 8n)) {
        throw new LoadError(
          `bios: its symbol ${name} (0x${address.toString(16)}) is no aligned word in RAM; link it into RAM`,
        );
      }
    }
  }

  /** Carries out the command in `tohost` and takes it away. */
  serve(): void {
    const command = this.load(this.tohost);
    if (command === 0n) return;
    const device = command >> 56n;
    const code = (command >> 48n) & 0xffn;
    const payload = command & PAYLOAD;
    this.store(this.tohost, 0n);
    if (device === DEVICE_SYSTEM && code === 0n) {
      if ((payload & 1n) !== 0n) this.host.exit(Number(payload >> 1n));
      else this.systemCall(payload);
    } else if (device === DEVICE_CONSOLE && code === CONSOLE_WRITE) {
      this.host.writeConsole(Uint8Array.of(Number(payload & 0xffn)));
      this.answer((DEVICE_CONSOLE << 56n) | (CONSOLE_WRITE << 48n));
    } else if (device === DEVICE_CONSOLE && code === CONSOLE_READ) {
      this.readPending = true;
      this.pollInput();
    }
  }

  /** Input has come: answers a read that waits. */
  pollInput(): void {
    if (!this.readPending) return;
    const byte = this.host.readConsole();
    if (byte === undefined) return;
    this.readPending = false;
    this.answer((DEVICE_CONSOLE << 56n) | (CONSOLE_READ << 48n) | 0x100n | BigInt(byte));
  }

  saveState(writer: StateWriter): void {
    writer.flag(this.readPending);
  }

  loadState(reader: StateReader): () => void {
    const pending = reader.flag();
    return () => {
      this.readPending = pending;
    };
  }

  private systemCall(block: bigint): void {
    const words = block % 8n === 0n ? this.host.ramView(block, SYSCALL_BYTES) : undefined;
    if (!words) return;
    const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
    const [number, first, second, third] = [0, 8, 16, 24].map((at) => view.getBigUint64(at, true)) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    if (number === SYS_EXIT) {
      this.host.exit(Number(first & 0xffffffffn));
      return;
    }
    let result = ENOSYS;
    if (number === SYS_WRITE) {
      const length = third < WRITE_LIMIT ? third : WRITE_LIMIT;
      const text = this.host.ramView(second, length);
      if (text) this.host.writeConsole(text);
      result = text ? length : EFAULT;
    }
    this.store(block, BigInt.asUintN(64, result));
    this.answer(1n);
  }

  private answer(value: bigint): void {
    if (this.fromhost !== undefined) this.store(this.fromhost, value);
  }

  private load(address: bigint): bigint {
    const bytes = this.host.ramView(address, 8n)!;
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  private store(address: bigint, value: bigint): void {
    const bytes = this.host.ramView(address, 8n)!;
    new DataView(bytes.buffer, bytes.byteOffset, 8).setBigUint64(0, value, true);
    this.host.noteRamWritten(address, 8);
  }
}
