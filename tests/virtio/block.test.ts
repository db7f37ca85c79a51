import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BlockBackend, MaybeLater } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { BlockDevice } from '../../src/virtio/block/block-device.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { type DriverSegment, ModelDriver } from './model-driver.ts';
import { type Port, pciPort } from './ports.ts';

const SECTOR = 512;
const SIZE = 256;
const DESCRIPTORS = RAM_BASE + 0x1000;
const AVAILABLE = RAM_BASE + 0x3000;
const USED = RAM_BASE + 0x4000;
const HEADERS = RAM_BASE + 0x8000;
const DATA = RAM_BASE + 0x10000;
const DATA_BYTES = 0x8000;

const READ = 0;
const WRITE = 1;
const FLUSH = 4;
const GET_ID = 8;
const DISCARD = 11;
const WRITE_ZEROES = 13;
const OK = 0;
const IOERR = 1;
const UNSUPP = 2;

const F_RO = 5;
const F_FLUSH = 9;
const F_DISCARD = 13;
const F_WRITE_ZEROES = 14;
const F_INDIRECT = 28;
const ALL = (1 << F_FLUSH) | (1 << F_DISCARD) | (1 << F_WRITE_ZEROES) | (1 << F_INDIRECT);

/** Answers when it is told to, in any order; fails where it is told to. */
class LateBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly = false;
  readonly inner: MemoryBackend;
  readonly waiting: (() => void)[] = [];
  /** What was asked of it, in order. */
  readonly calls: string[] = [];
  late = true;
  failure: Error | undefined;

  constructor(bytes: number) {
    this.bytes = bytes;
    this.inner = new MemoryBackend({ bytes });
  }
  #do(call: string, work: () => MaybeLater): MaybeLater {
    this.calls.push(call);
    const { failure } = this;
    if (!this.late) {
      if (failure) throw failure;
      return work();
    }
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        if (failure) reject(failure);
        else {
          work();
          resolve();
        }
      });
    });
  }
  read(offset: number, target: Uint8Array): MaybeLater {
    return this.#do(`read ${offset} ${target.length}`, () => this.inner.read(offset, target));
  }
  write(offset: number, source: Uint8Array): MaybeLater {
    return this.#do(`write ${offset} ${source.length}`, () => this.inner.write(offset, source));
  }
  flush(): MaybeLater {
    return this.#do('flush', () => this.inner.flush());
  }
  discard(offset: number, length: number): MaybeLater {
    return this.#do(`discard ${offset} ${length}`, () => this.inner.discard(offset, length));
  }
  writeZeroes(offset: number, length: number): MaybeLater {
    return this.#do(`zero ${offset} ${length}`, () => this.inner.writeZeroes(offset, length));
  }
  close(): MaybeLater {
    return this.inner.close();
  }
  /** Lets one of the waiting operations end, and what follows from it happen. */
  async end(index = 0): Promise<void> {
    this.waiting.splice(index, 1)[0]!();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Drive {
  readonly memory = new TestMemory(1 << 18);
  readonly host = testHost(this.memory);
  readonly device: BlockDevice;
  readonly port: Port;
  readonly errors: unknown[] = [];
  driver!: ModelDriver;
  readonly #slots: number[] = Array.from({ length: 64 }, (_, index) => index);
  readonly #sent = new Map<number, { slot: number; status: number; data: number; length: number }>();

  constructor(backend: BlockBackend, features = ALL) {
    this.device = new BlockDevice({ name: 'drive0', backend, onError: (error) => this.errors.push(error) });
    this.port = pciPort(this.device, this.host);
    this.start(features);
  }

  start(features = ALL): void {
    const { port, memory } = this;
    port.setStatus(0);
    port.setStatus(3);
    port.setDriverFeatures(0, features & port.deviceFeatures(0));
    port.setDriverFeatures(1, 1);
    port.setStatus(11);
    memory.ram.fill(0);
    port.setUpQueue(0, SIZE, [BigInt(DESCRIPTORS), BigInt(AVAILABLE), BigInt(USED)]);
    port.setStatus(15);
    expect(port.status()).toBe(15);
    const layout = { size: SIZE, descriptors: DESCRIPTORS, available: AVAILABLE, used: USED };
    this.driver = new ModelDriver(memory, { ...layout, eventIndex: false });
    this.#sent.clear();
  }

  /** Sends a request; `output` is what the device reads behind the header. Returns its head. */
  send(type: number, sector: bigint, output: Uint8Array, inputBytes: number, cut = 0): number {
    const { memory, driver } = this;
    const slot = this.#slots.shift()!;
    this.#slots.push(slot);
    const header = HEADERS + slot * 64;
    const status = header + 32;
    const data = DATA + (slot % 4) * DATA_BYTES;
    memory.view.setUint32(header - RAM_BASE, type, true);
    memory.view.setBigUint64(header + 8 - RAM_BASE, sector, true);
    memory.ram[status - RAM_BASE] = 0xee;
    const segments: DriverSegment[] = [{ address: header, length: 16, writable: false }];
    const add = (address: number, length: number, writable: boolean) => {
      // In two pieces, where that is asked for: how requests are cut means nothing.
      if (cut > 0 && cut < length) {
        segments.push({ address, length: cut, writable });
        segments.push({ address: address + cut, length: length - cut, writable });
      } else if (length > 0) segments.push({ address, length, writable });
    };
    memory.ram.set(output, data - RAM_BASE);
    add(data, output.length, false);
    add(data, inputBytes, true);
    segments.push({ address: status, length: 1, writable: true });
    const head = driver.add(segments);
    this.#sent.set(head, { slot, status, data, length: inputBytes });
    driver.publish();
    this.port.notify(0);
    this.host.settle();
    return head;
  }

  /** The next request that has ended. */
  ended(): { head: number; status: number; data: Uint8Array } | undefined {
    const used = this.driver.collect();
    if (!used) return undefined;
    const { status, data, length } = this.#sent.get(used.head)!;
    expect(used.written).toBe(length + 1);
    return {
      head: used.head,
      status: this.memory.ram[status - RAM_BASE]!,
      data: this.memory.ram.slice(data - RAM_BASE, data - RAM_BASE + length),
    };
  }

  /** Sends and expects an answer at once. */
  request(type: number, sector: bigint, output: Uint8Array = new Uint8Array(0), inputBytes = 0, cut = 0) {
    const head = this.send(type, sector, output, inputBytes, cut);
    const ended = this.ended();
    expect(ended?.head).toBe(head);
    return ended!;
  }
}

const pattern = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed * 31 + (index >> 8)) & 0xff);

function ranges(...list: [bigint, number, number][]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(list.length * 16);
  const view = new DataView(bytes.buffer);
  for (const [index, [sector, sectors, flags]] of list.entries()) {
    view.setBigUint64(index * 16, sector, true);
    view.setUint32(index * 16 + 8, sectors, true);
    view.setUint32(index * 16 + 12, flags, true);
  }
  return bytes;
}

describe('a drive', () => {
  it('describes itself', () => {
    const { port } = new Drive(new MemoryBackend({ bytes: 3 * 2 ** 30 }));
    expect(port.deviceId()).toBe(2);
    expect([port.config(0, 4), port.config(4, 4)]).toEqual([3 * 2 ** 21, 0]);
    expect(port.config(8, 4)).toBe(65536);
    expect(port.config(12, 4)).toBe(254);
    expect(port.config(20, 4)).toBe(512);
    expect(port.config(24, 1)).toBe(3);
    const offered = port.deviceFeatures(0);
    for (const bit of [1, 2, 6, 9, 10, 13, 14]) expect((offered >>> bit) & 1).toBe(1);
    expect((offered >>> F_RO) & 1).toBe(0);
  });

  it('holds the same as an array of bytes, whatever is written, dropped, zeroed and read', () => {
    const sectors = 128;
    const step = fc.record({
      type: fc.constantFrom(READ, WRITE, WRITE, DISCARD, WRITE_ZEROES, FLUSH),
      sector: fc.nat(sectors + 1),
      count: fc.integer({ min: 0, max: 20 }),
      cut: fc.nat(2000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const backend = new MemoryBackend({ bytes: sectors * SECTOR });
        const drive = new Drive(backend);
        const model = new Uint8Array(sectors * SECTOR);
        for (const [index, { type, sector, count, cut }] of steps.entries()) {
          const from = sector * SECTOR;
          const length = count * SECTOR;
          const inside = from + length <= model.length;
          if (type === READ) {
            const { status, data } = drive.request(READ, BigInt(sector), undefined, length, cut);
            expect(status).toBe(inside ? OK : IOERR);
            if (inside) expect(Buffer.compare(data, model.subarray(from, from + length))).toBe(0);
          } else if (type === WRITE) {
            const data = pattern(length, index);
            expect(drive.request(WRITE, BigInt(sector), data, 0, cut).status).toBe(inside ? OK : IOERR);
            if (inside) model.set(data, from);
          } else if (type === FLUSH) {
            expect(drive.request(FLUSH, 0n).status).toBe(OK);
          } else {
            const { status } = drive.request(type, 0n, ranges([BigInt(sector), count, 0]), 0, cut);
            expect(status).toBe(inside ? OK : IOERR);
            // The memory back end zeroes what is dropped.
            if (inside) model.fill(0, from, from + length);
          }
        }
        const now = new Uint8Array(model.length);
        backend.read(0, now);
        expect(Buffer.compare(now, model)).toBe(0);
        expect(drive.memory.guarded).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('has a serial number', () => {
    const drive = new Drive(new MemoryBackend({ bytes: 4096 }));
    const { status, data } = drive.request(GET_ID, 0n, undefined, 20);
    expect(status).toBe(OK);
    expect(Buffer.from(data).toString()).toBe('drive0'.padEnd(20, '\0'));
  });

  it.each<[string, number, bigint, Uint8Array | undefined, number, number]>([
    ['a read of half a sector', READ, 0n, undefined, 256, IOERR],
    ['a write of half a sector', WRITE, 0n, new Uint8Array(256), 0, IOERR],
    ['a read beyond the end', READ, 15n, undefined, 1024, IOERR],
    ['a read far beyond the end', READ, 0xffff_ffff_ffff_ffffn, undefined, 512, IOERR],
    ['a write whose sector wraps around', WRITE, 1n << 55n, new Uint8Array(512), 0, IOERR],
    ['an unknown kind', 77, 0n, undefined, 0, UNSUPP],
    ['a discard without ranges', DISCARD, 0n, undefined, 0, IOERR],
    ['a discard of half a range', DISCARD, 0n, new Uint8Array(8), 0, IOERR],
    ['a discard beyond the end', DISCARD, 0n, ranges([15n, 2, 0]), 0, IOERR],
    ['a discard with a flag', DISCARD, 0n, ranges([0n, 1, 1]), 0, UNSUPP],
    ['a zeroing with an unknown flag', WRITE_ZEROES, 0n, ranges([0n, 1, 2]), 0, UNSUPP],
    ['a zeroing of too much', WRITE_ZEROES, 0n, ranges([0n, 0xffff_ffff, 0]), 0, IOERR],
    ['ranges of which one is wrong', DISCARD, 0n, ranges([0n, 1, 0], [16n, 1, 0]), 0, IOERR],
    ['more ranges to zero than one', WRITE_ZEROES, 0n, ranges([0n, 1, 0], [1n, 1, 0]), 0, IOERR],
  ])('refuses %s, and changes nothing', (_what, type, sector, output, input, status) => {
    const contents = pattern(16 * SECTOR, 3);
    const backend = new MemoryBackend({ contents: contents.slice() });
    const drive = new Drive(backend);
    expect(drive.request(type, sector, output, input).status).toBe(status);
    const now = new Uint8Array(contents.length);
    backend.read(0, now);
    expect(Buffer.compare(now, contents)).toBe(0);
    expect(drive.port.status()).toBe(15);
    expect(drive.errors).toEqual([]);
  });

  it('that is read-only says so, and takes no writes', () => {
    const contents = pattern(16 * SECTOR, 5);
    const drive = new Drive(new MemoryBackend({ contents, readonly: true }));
    expect((drive.port.deviceFeatures(0) >>> F_RO) & 1).toBe(1);
    expect((drive.port.deviceFeatures(0) >>> F_DISCARD) & 1).toBe(0);
    expect(drive.request(WRITE, 0n, new Uint8Array(512)).status).toBe(IOERR);
    expect(drive.request(DISCARD, 0n, ranges([0n, 1, 0])).status).toBe(UNSUPP);
    expect(drive.request(FLUSH, 0n).status).toBe(OK);
    expect(Buffer.compare(drive.request(READ, 1n, undefined, 512).data, contents.subarray(512, 1024))).toBe(
      0,
    );
  });

  it('needs a reset after a request without room for header or status', () => {
    for (const segments of [
      [
        { address: HEADERS, length: 15, writable: false },
        { address: DATA, length: 1, writable: true },
      ],
      [{ address: HEADERS, length: 16, writable: false }],
    ]) {
      const drive = new Drive(new MemoryBackend({ bytes: 4096 }));
      drive.driver.add(segments);
      drive.driver.publish();
      drive.port.notify(0);
      drive.host.settle();
      expect(drive.port.status() & 64).toBe(64);
    }
  });
});

describe('a drive whose back end answers later', () => {
  it('has many requests under way, which end in any order', async () => {
    const backend = new LateBackend(64 * SECTOR);
    const drive = new Drive(backend);
    const heads = [0, 1, 2, 3].map((index) => drive.send(WRITE, BigInt(index), pattern(SECTOR, index), 0));
    expect(backend.calls).toHaveLength(4);
    expect(drive.ended()).toBeUndefined();
    await backend.end(2);
    expect(drive.ended()).toMatchObject({ head: heads[2], status: OK });
    expect(drive.port.wire).toBe(true);
    for (let index = 0; index < 3; index++) await backend.end();
    expect([drive.ended(), drive.ended(), drive.ended()].map((ended) => ended!.head)).toEqual([
      heads[0],
      heads[1],
      heads[3],
    ]);
  });

  it('writes what was in memory when the request was taken', async () => {
    const backend = new LateBackend(64 * SECTOR);
    const drive = new Drive(backend);
    drive.send(WRITE, 0n, pattern(SECTOR, 1), 0);
    drive.memory.ram.fill(0xff, DATA - RAM_BASE, DATA - RAM_BASE + 4 * DATA_BYTES);
    await backend.end();
    const now = new Uint8Array(SECTOR);
    backend.inner.read(0, now);
    expect(Buffer.compare(now, pattern(SECTOR, 1))).toBe(0);
  });

  it('touches no memory after a reset, and holds new requests until old ones have ended', async () => {
    const backend = new LateBackend(64 * SECTOR);
    const drive = new Drive(backend);
    drive.send(READ, 0n, new Uint8Array(0), SECTOR);
    drive.send(WRITE, 5n, pattern(SECTOR, 1), 0);
    drive.start();
    const before = Buffer.from(drive.memory.ram);
    await backend.end(0);
    expect(before.equals(drive.memory.ram)).toBe(true);
    expect(drive.port.wire).toBe(false);
    // The old write is still under way: a new one to the same place must not be overtaken by it.
    const head = drive.send(WRITE, 5n, pattern(SECTOR, 2), 0);
    expect(backend.calls).toHaveLength(2);
    await backend.end(0);
    drive.host.settle();
    expect(backend.calls).toHaveLength(3);
    await backend.end(0);
    expect(drive.ended()).toMatchObject({ head, status: OK });
    const now = new Uint8Array(SECTOR);
    backend.inner.read(5 * SECTOR, now);
    expect(Buffer.compare(now, pattern(SECTOR, 2))).toBe(0);
  });

  it('reports a failure as an error of the request, and why to its owner', async () => {
    const backend = new LateBackend(64 * SECTOR);
    backend.failure = new StorageError('full', 'no room is left');
    const drive = new Drive(backend);
    const head = drive.send(WRITE, 0n, pattern(SECTOR, 1), 0);
    await backend.end();
    expect(drive.ended()).toMatchObject({ head, status: IOERR });
    backend.late = false;
    expect(drive.request(READ, 0n, undefined, SECTOR).status).toBe(IOERR);
    expect(drive.request(FLUSH, 0n).status).toBe(IOERR);
    expect(drive.errors).toHaveLength(3);
    expect(drive.device.counters.errors).toBe(3);
    // It is the request that failed, not the drive.
    backend.failure = undefined;
    expect(drive.request(READ, 0n, undefined, SECTOR).status).toBe(OK);
  });

  it('takes no more than so many bytes at a time, and goes on when there is room', async () => {
    const backend = new LateBackend(1 << 30);
    const drive = new Drive(backend);
    const { driver } = drive;
    // Each of 1 MiB, out of the same buffers again and again.
    const segments = Array.from({ length: 32 }, () => ({ address: DATA, length: 1 << 15, writable: true }));
    drive.memory.view.setUint32(HEADERS - RAM_BASE, READ, true);
    const table = RAM_BASE + 0x3_0000;
    for (let count = 0; count < 40; count++) {
      driver.add(
        [
          { address: HEADERS, length: 16, writable: false },
          ...segments,
          { address: HEADERS + 32, length: 1, writable: true },
        ],
        table,
      );
    }
    driver.publish();
    drive.port.notify(0);
    drive.host.settle();
    const first = backend.calls.length;
    expect(first).toBeGreaterThan(8);
    expect(first).toBeLessThan(18);
    for (let count = 0; count < 40; count++) {
      expect(backend.waiting.length).toBeGreaterThan(0);
      await backend.end();
      drive.host.settle();
    }
    expect(backend.calls).toHaveLength(40);
    let ended = 0;
    while (driver.collect()) ended++;
    expect(ended).toBe(40);
  });

  it('makes every write durable for a driver that does not know flush', async () => {
    const backend = new LateBackend(64 * SECTOR);
    const drive = new Drive(backend, 0);
    drive.send(WRITE, 0n, pattern(SECTOR, 1), 0);
    await backend.end();
    expect(backend.calls.at(-1)).toBe('flush');
    expect(drive.ended()).toBeUndefined();
    await backend.end();
    expect(drive.ended()).toMatchObject({ status: OK });
  });

  it('takes no more requests than its rates allow, leaves the rest in the queue, and goes on by itself', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const drive = new Drive(new MemoryBackend({ bytes: 64 * SECTOR }));
    drive.device.rates = { iopsRead: 50 };
    for (let count = 0; count < 12; count++) drive.send(READ, 0n, new Uint8Array(0), SECTOR);
    let ended = 0;
    const collect = (milliseconds: number) => {
      for (let ms = 0; ms <= milliseconds; ms++) {
        drive.host.settle();
        while (drive.ended()) ended++;
        if (ms < milliseconds) vi.advanceTimersByTime(1);
      }
      return ended;
    };
    // A tenth of a second's worth at once, one on credit, then one each 20 ms.
    expect([collect(0), collect(65), collect(100)]).toEqual([5, 9, 12]);
    drive.device.rates = {};
    for (let count = 0; count < 100; count++)
      expect(drive.request(READ, 0n, undefined, SECTOR).status).toBe(OK);
  });

  it('moves a request that is larger than its rate, and owes for it', () => {
    const drive = new Drive(new MemoryBackend({ bytes: 64 * SECTOR }));
    drive.device.rates = { bpsWrite: SECTOR };
    expect(drive.request(WRITE, 0n, pattern(32 * SECTOR, 1)).status).toBe(OK);
    drive.send(WRITE, 0n, pattern(SECTOR, 2), 0);
    expect(drive.ended()).toBeUndefined();
    drive.device.rates = {};
    drive.host.settle();
    expect(drive.ended()?.status).toBe(OK);
  });
});
