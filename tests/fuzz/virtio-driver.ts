// A virtio driver that does what it should not, for any device on PCI. Virtio 1.2, section 4.1; what it knows of a device
// is only how a request begins, so that it gets further than the first check.
import type { Board } from '../../src/machine/board.ts';
import { PCI_ECAM, PCI_MMIO } from '../../src/machine/memory-map.ts';
import {
  COMMON_DEVICE_FEATURE,
  COMMON_DEVICE_FEATURE_SELECT,
  COMMON_DEVICE_STATUS,
  COMMON_DRIVER_FEATURE,
  COMMON_DRIVER_FEATURE_SELECT,
  COMMON_NUM_QUEUES,
  COMMON_QUEUE_DESC,
  COMMON_QUEUE_ENABLE,
  COMMON_QUEUE_NOTIFY_OFF,
  COMMON_QUEUE_SELECT,
  COMMON_QUEUE_SIZE,
} from '../../src/virtio/pci-common-config.ts';
import { VIRTIO_PCI_VENDOR } from '../../src/virtio/virtio-pci.ts';
import type { Random } from '../diff/random.ts';
import { hostileAddress, hostileWord } from './hostile.ts';

const RAM_BASE = 0x8000_0000;
/** Where queues are when they are where they should be, and buffers: offsets in RAM. */
const QUEUES_AT = 0x10_0000;
const QUEUE_BYTES = 0x1_0000;
const BUFFERS_AT = 0x80_0000;
const BUFFER_BYTES = 0x40_0000;
const BLOCK = 2;
const CONSOLE = 3;
const BALLOON = 5;
const FILE_SYSTEM = 26;
const CAPABILITY_VENDOR = 9;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

/** A virtio card on bus 0. */
export interface Card {
  readonly slot: number;
  readonly deviceId: number;
  /** Physical addresses of its structures. */
  readonly common: number;
  readonly notify: number;
  readonly multiplier: number;
  readonly isr: number;
  readonly device: number | undefined;
}

const register = (board: Board, address: number, size: number): number =>
  Number(board.bus.read(address, size) ?? 0) >>> 0;

/** Gives the cards addresses and says what and where they are. */
export function findCards(board: Board): Card[] {
  const cards: Card[] = [];
  for (let slot = 1; slot < 32; slot++) {
    const config = PCI_ECAM.base + (slot << 15);
    if (register(board, config, 2) !== VIRTIO_PCI_VENDOR) continue;
    const bar = PCI_MMIO.base + 0x1_0000 * slot;
    board.bus.write(config + 0x10, 4, bar, 0);
    board.bus.write(config + 4, 2, 6, 0);
    const places = new Map<number, number>();
    let multiplier = 0;
    for (let at = register(board, config + 0x34, 1); at !== 0; at = register(board, config + at + 1, 1)) {
      if (register(board, config + at, 1) !== CAPABILITY_VENDOR) continue;
      const type = register(board, config + at + 3, 1);
      places.set(type, bar + register(board, config + at + 8, 4));
      if (type === 2) multiplier = register(board, config + at + 16, 4);
    }
    cards.push({
      slot,
      deviceId: register(board, config + 2, 2) - 0x1040,
      common: places.get(1)!,
      notify: places.get(2)!,
      multiplier,
      isr: places.get(3)!,
      device: places.get(4),
    });
  }
  return cards;
}

export class HostileDriver {
  /** Register accesses, descriptors and ring entries so far. */
  operations = 0;
  readonly #board: Board;
  readonly #card: Card;
  readonly #random: Random;
  readonly #poke: (offset: number, bytes: Uint8Array) => void;
  readonly #available: number[] = [];
  /** Every other time the driver does what it should, so that devices get to work. */
  #polite = false;

  /** @param poke writes RAM as the guest does */
  constructor(board: Board, card: Card, random: Random, poke: (offset: number, bytes: Uint8Array) => void) {
    this.#board = board;
    this.#card = card;
    this.#random = random;
    this.#poke = poke;
  }

  /** True once in so many times, while the driver lies. */
  #lies(times: number): boolean {
    return !this.#polite && this.#random.once(times);
  }

  #write(address: number, size: number, value: number): void {
    this.operations++;
    this.#board.bus.write(address, size, value >>> 0, 0);
  }
  #common(offset: number, size: number, value: number): void {
    this.#write(this.#card.common + offset, size, value);
  }
  #words(offset: number, ...words: number[]): void {
    this.#poke(offset, new Uint8Array(Uint32Array.from(words).buffer));
  }
  #halves(offset: number, ...halves: number[]): void {
    this.#poke(offset, new Uint8Array(Uint16Array.from(halves).buffer));
  }

  /** Resets the device and sets it up, most of the time as a driver should. */
  setUp(): void {
    const random = this.#random;
    const { common } = this.#card;
    this.#polite = random.once(2);
    this.#common(COMMON_DEVICE_STATUS, 1, 0);
    this.#common(COMMON_DEVICE_STATUS, 1, 1);
    this.#common(COMMON_DEVICE_STATUS, 1, 3);
    for (const half of [0, 1]) {
      this.#common(COMMON_DEVICE_FEATURE_SELECT, 4, half);
      const offered = register(this.#board, common + COMMON_DEVICE_FEATURE, 4);
      this.#common(COMMON_DRIVER_FEATURE_SELECT, 4, half);
      // VIRTIO_F_VERSION_1 is bit 32.
      const chosen = random.once(3) ? offered & random.word() : offered;
      this.#common(COMMON_DRIVER_FEATURE, 4, this.#lies(12) ? random.word() : chosen | half);
    }
    this.#common(COMMON_DEVICE_STATUS, 1, 11);
    const queues = register(this.#board, common + COMMON_NUM_QUEUES, 2);
    for (let queue = 0; queue < queues; queue++) if (!this.#lies(10)) this.#setUpQueue(queue);
    this.#common(COMMON_DEVICE_STATUS, 1, this.#lies(20) ? random.below(256) : 15);
  }

  #setUpQueue(queue: number): void {
    const random = this.#random;
    this.#common(COMMON_QUEUE_SELECT, 2, queue);
    const largest = register(this.#board, this.#card.common + COMMON_QUEUE_SIZE, 2);
    const size = this.#lies(10) ? random.word() & 0xffff : largest >> random.below(4);
    this.#common(COMMON_QUEUE_SIZE, 2, size);
    const base = RAM_BASE + QUEUES_AT + QUEUE_BYTES * queue;
    for (const [area, address] of [base, base + 0x8000, base + 0xc000].entries()) {
      const place = this.#lies(15) ? hostileAddress(random) : BigInt(address);
      this.#common(COMMON_QUEUE_DESC + 8 * area, 4, Number(place & 0xffff_ffffn));
      this.#common(COMMON_QUEUE_DESC + 8 * area + 4, 4, Number(place >> 32n));
    }
    this.#available[queue] = 0;
    this.#halves(QUEUES_AT + QUEUE_BYTES * queue + 0x8000, random.below(2), 0);
    this.#halves(QUEUES_AT + QUEUE_BYTES * queue + 0xc000, 0, 0);
    this.#common(COMMON_QUEUE_ENABLE, 2, 1);
  }

  /** A piece of memory: mostly among the buffers, at times at the edges, over a queue, over code, or huge. */
  #buffer(): { address: bigint; length: number } {
    const random = this.#random;
    const lengths = [0, 1, 15, 16, 17, 40, 56, 80, 512, 513, 4096, 5000, 65536];
    const length = this.#lies(12) ? hostileWord(random) : random.pick(lengths);
    if (this.#lies(14)) return { address: hostileAddress(random), length };
    if (this.#lies(20)) {
      const place = random.pick([0, QUEUES_AT, QUEUES_AT + 0x8000, QUEUES_AT + 0xc000]);
      return { address: BigInt(RAM_BASE + place + random.below(256)), length };
    }
    return { address: BigInt(RAM_BASE + BUFFERS_AT + random.below(BUFFER_BYTES)), length };
  }

  /** How a request of this device begins, with anything in its fields. */
  #header(): { words: number[]; length: number } {
    const random = this.#random;
    const small = (): number => (random.once(4) ? hostileWord(random) : random.below(64));
    switch (this.#card.deviceId) {
      case BLOCK: // 5.2.6: type, ioprio, sector
        return {
          words: [random.pick([0, 0, 1, 1, 4, 8, 11, 13, 14, random.word()]), 0, small(), 0],
          length: 16,
        };
      case CONSOLE: // 5.3.6.2: id, event, value
        return {
          words: [random.once(4) ? hostileWord(random) : random.below(3), random.below(9) | 0x1_0000],
          length: 8,
        };
      case BALLOON: {
        // 5.5.6: numbers of pages
        const pages = random.between(0, 40);
        const page = (): number => (RAM_BASE >>> 12) + (this.#lies(6) ? random.word() : random.below(4200));
        return { words: Array.from({ length: pages }, page), length: 4 * pages };
      }
      case FILE_SYSTEM: {
        // struct fuse_in_header: len, opcode, unique, nodeid, uid, gid, pid, total_extlen
        const body = random.pick([0, 8, 16, 24, 40, 80]);
        const words = [40 + body, random.below(60), random.word(), 0, 1 + random.below(4), 0, 0, 0, 1, 0];
        for (let at = 0; at < body; at += 4) words.push(small());
        // The first request of a session: FUSE_INIT, 7.31.
        if (random.once(8)) words.splice(0, 12, 40 + 16, 26, 1, 0, 0, 0, 0, 0, 0, 0, 7, 31);
        if (this.#lies(6)) words[0] = hostileWord(random);
        if (random.once(4)) words[4] = hostileWord(random);
        return { words, length: 40 + body };
      }
      default:
        return { words: Array.from({ length: 8 }, small), length: 32 };
    }
  }

  #descriptor(
    table: number,
    index: number,
    address: bigint,
    length: number,
    flags: number,
    next: number,
  ): void {
    this.operations++;
    const at = table + 16 * index;
    this.#words(at, Number(address & 0xffff_ffffn), Number(address >> 32n), length);
    this.#halves(at + 12, flags, next);
  }

  /** Descriptors from `index` on: a request of some parts, or something that only looks like one. */
  #chain(queue: number, index: number): void {
    const random = this.#random;
    const table = QUEUES_AT + QUEUE_BYTES * queue;
    if (this.#polite && this.#card.deviceId === BLOCK) {
      this.#blockRequest(table, index);
      return;
    }
    const parts = random.between(1, 6);
    const header = this.#header();
    const place = BUFFERS_AT + (random.below(BUFFER_BYTES / 16) << 4);
    this.#words(place, ...header.words);
    const readable = random.between(0, parts);
    for (let part = 0; part < parts; part++) {
      const odd = this.#lies(25);
      const buffer =
        part === 0 ? { address: BigInt(RAM_BASE + place), length: header.length } : this.#buffer();
      let flags = (part < parts - 1 ? NEXT : 0) | (part > readable ? WRITE : 0);
      if (odd) flags = random.below(16);
      if (this.#lies(30)) flags |= INDIRECT;
      const next = odd || this.#lies(30) ? random.below(1 << random.between(1, 16)) : index + part + 1;
      this.#descriptor(table, index + part, buffer.address, buffer.length, flags, next);
    }
    if (!random.once(8)) return;
    // The request through an indirect table, which may be of any length.
    const indirect = BUFFERS_AT + (random.below(BUFFER_BYTES / 16) << 4);
    for (let part = 0; part < parts; part++) {
      const { address, length } = this.#buffer();
      this.#descriptor(
        indirect,
        part,
        address,
        length,
        (part < parts - 1 ? NEXT : 0) | (part > readable ? WRITE : 0),
        part + 1,
      );
    }
    const bytes = this.#lies(6) ? hostileWord(random) : 16 * parts;
    this.#descriptor(table, index, BigInt(RAM_BASE + indirect), bytes, INDIRECT, 0);
  }

  /** A read, write or flush as 5.2.6 has it: header, whole sectors, a byte for the status. */
  #blockRequest(table: number, index: number): void {
    const random = this.#random;
    const buffer = (): number => BUFFERS_AT + random.below(BUFFER_BYTES / 4096) * 4096;
    const header = buffer();
    const type = random.pick([0, 0, 1, 1, 4, 8]);
    this.#words(header, type, 0, random.below(64), 0);
    const data = type === 1 ? 0 : WRITE;
    this.#descriptor(table, index, BigInt(RAM_BASE + header), 16, NEXT, index + 1);
    if (type !== 4) {
      const length = type === 8 ? 20 : 512 * random.between(1, 8);
      this.#descriptor(table, ++index, BigInt(RAM_BASE + buffer()), length, NEXT | data, index + 1);
    }
    this.#descriptor(table, index + 1, BigInt(RAM_BASE + buffer()), 1, WRITE, 0);
  }

  /** Makes some requests available in a queue and notifies it. */
  request(queue: number): void {
    const random = this.#random;
    const { common, notify, multiplier } = this.#card;
    this.#common(COMMON_QUEUE_SELECT, 2, queue);
    const size = register(this.#board, common + COMMON_QUEUE_SIZE, 2) || 1;
    const ring = QUEUES_AT + QUEUE_BYTES * queue + 0x8000;
    let index = this.#available[queue] ?? 0;
    for (let count = random.between(0, 5); count > 0; count--) {
      const head = random.below(Math.max(1, Math.min(size, 1024) - 8));
      this.#chain(queue, head);
      this.operations++;
      this.#halves(ring + 4 + 2 * (index % size), this.#lies(40) ? random.word() & 0xffff : head);
      index = (index + 1) & 0xffff;
    }
    if (this.#lies(40)) index = random.word() & 0xffff;
    this.#available[queue] = index;
    this.#halves(ring + 2, index);
    const offset = register(this.#board, common + COMMON_QUEUE_NOTIFY_OFF, 2);
    this.#write(notify + offset * multiplier, 2, this.#lies(20) ? random.word() & 0xffff : queue);
  }

  /** Something else a driver may do at any time. */
  meddle(): void {
    const random = this.#random;
    const { common, device, isr } = this.#card;
    switch (random.below(4)) {
      case 0:
        this.#write(common + random.below(0x40), random.pick([1, 2, 4]), hostileWord(random));
        break;
      case 1:
        if (device !== undefined)
          this.#write(device + random.below(64), random.pick([1, 2, 4]), hostileWord(random));
        break;
      case 2:
        register(this.#board, isr, 1);
        this.operations++;
        break;
      default: {
        // A queue changes under the device.
        const at = QUEUES_AT + random.below(2 * QUEUE_BYTES);
        this.#words(at & ~3, hostileWord(random));
      }
    }
  }

  /** Chains that the device has given back since the queues were set up, if they are where they should be. */
  get answered(): number {
    const ram = this.#board.core.ram;
    const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
    let sum = 0;
    for (let queue = 0; queue < this.queues; queue++)
      sum += view.getUint16(QUEUES_AT + QUEUE_BYTES * queue + 0xc002, true);
    return sum;
  }

  get queues(): number {
    return register(this.#board, this.#card.common + COMMON_NUM_QUEUES, 2);
  }
}
