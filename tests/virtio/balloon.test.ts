import { describe, expect, it } from 'vitest';
import { BalloonDevice } from '../../src/virtio/balloon.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { type DriverSegment, ModelDriver } from './model-driver.ts';
import { pciPort } from './ports.ts';

const RAM_BYTES = 16 << 20;
const SIZE = 16;
const ALL = (1 << 1) | (1 << 2) | (1 << 5);
const BUFFER = RAM_BASE + 0x10_0000;
const INFLATE = 0;
const DEFLATE = 1;
const STATS = 2;
const REPORTING = 3;

function setUp(features = ALL) {
  const memory = new TestMemory(RAM_BYTES);
  const host = testHost(memory);
  const balloon = new BalloonDevice(memory.guest);
  const port = pciPort(balloon, host);
  const start = () => {
    port.setStatus(0);
    port.setStatus(3);
    port.setDriverFeatures(0, features);
    port.setDriverFeatures(1, 1);
    port.setStatus(11);
    const drivers = [0, 1, 2, 3].map((queue) => {
      const base = RAM_BASE + 0x1_0000 + queue * 0x3000;
      const [descriptors, available, used] = [base, base + 0x1000, base + 0x2000];
      memory.ram.fill(0, base - RAM_BASE, base - RAM_BASE + 0x3000);
      port.setUpQueue(queue, SIZE, [BigInt(descriptors), BigInt(available), BigInt(used)]);
      return new ModelDriver(memory, { size: SIZE, descriptors, available, used, eventIndex: false });
    });
    port.setStatus(15);
    host.settle();
    return drivers;
  };
  let drivers = start();
  const send = (queue: number, ...segments: DriverSegment[]) => {
    drivers[queue]!.add(segments);
    drivers[queue]!.publish();
    port.notify(queue);
    host.settle();
  };
  return {
    memory,
    balloon,
    port,
    host,
    send,
    collect: (queue: number) => drivers[queue]!.collect(),
    restart: () => {
      drivers = start();
    },
    /** Sends page numbers. */
    pages: (queue: number, numbers: number[]) => {
      for (const [index, number] of numbers.entries()) {
        memory.view.setUint32(BUFFER - RAM_BASE + index * 4, number, true);
      }
      send(queue, { address: BUFFER, length: numbers.length * 4, writable: false });
    },
  };
}

const pageAt = (memory: TestMemory, address: number) =>
  memory.ram.subarray(address - RAM_BASE, address - RAM_BASE + 4096);

describe('the balloon', () => {
  it('tells the guest its target, and learns how far it has followed', () => {
    const { port, balloon } = setUp();
    expect(port.deviceId()).toBe(5);
    balloon.target = 10 * 4096 + 100;
    expect(port.takeInterrupts()).toBe(2);
    expect(port.config(0, 4)).toBe(10);
    port.setConfig(4, 4, 7);
    expect(balloon.actual).toBe(7 * 4096);
    // The target is the host's to set.
    port.setConfig(0, 4, 0);
    expect(balloon.target).toBe(10 * 4096);
    // The same again is no news.
    balloon.target = 10 * 4096;
    expect(port.takeInterrupts()).toBe(0);
  });

  it('zeroes pages that the guest gives up, and only those that hold something', () => {
    const { memory, balloon, pages, collect } = setUp();
    const address = RAM_BASE + 0x20_0000;
    memory.ram.fill(0x77, 0x20_0000, 0x20_3000);
    memory.noted.fill(0);
    pages(INFLATE, [address / 4096, address / 4096 + 2, address / 4096 + 5]);
    expect(collect(INFLATE)).toBeDefined();
    expect(pageAt(memory, address).every((byte) => byte === 0)).toBe(true);
    expect(pageAt(memory, address + 4096).every((byte) => byte === 0x77)).toBe(true);
    expect(pageAt(memory, address + 8192).every((byte) => byte === 0)).toBe(true);
    expect(memory.noted[0x20_0000]).toBe(1);
    expect(memory.noted[0x20_1000]).toBe(0);
    expect(memory.noted[0x20_5000]).toBe(0);
    expect(balloon.counters).toMatchObject({ inflatedPages: 3, zeroedBytes: 8192 });
    pages(DEFLATE, [address / 4096]);
    expect(collect(DEFLATE)).toBeDefined();
    expect(balloon.counters.deflatedPages).toBe(1);
  });

  it('takes page numbers outside RAM without harm', () => {
    const { memory, pages, collect, port } = setUp();
    pages(INFLATE, [0, 1, 0xffff_ffff, RAM_BASE / 4096 - 1, (RAM_BASE + RAM_BYTES) / 4096]);
    expect(collect(INFLATE)).toBeDefined();
    expect(memory.guarded).toBe(true);
    expect(port.status()).toBe(15);
  });

  it('zeroes reported free pages, however many at once', () => {
    const { memory, balloon, send, collect } = setUp();
    memory.ram.fill(0x55, 0x20_0000, RAM_BYTES);
    const length = RAM_BYTES - 0x20_0000 - 4096;
    send(REPORTING, { address: RAM_BASE + 0x20_0000, length, writable: true });
    expect(collect(REPORTING)).toEqual({ head: expect.any(Number), written: 0 });
    expect(memory.ram.subarray(0x20_0000, 0x20_0000 + length).every((byte) => byte === 0)).toBe(true);
    expect(memory.ram[RAM_BYTES - 4096]).toBe(0x55);
    expect(balloon.counters).toMatchObject({ reportedBytes: length, zeroedBytes: length });
  });

  it('forgets a report that is under way at a reset', () => {
    const { memory, host, port, balloon, restart } = setUp();
    memory.ram.fill(0x55, 0x20_0000, RAM_BYTES);
    const driver = new ModelDriver(memory, {
      size: SIZE,
      descriptors: RAM_BASE + 0x1_9000,
      available: RAM_BASE + 0x1_a000,
      used: RAM_BASE + 0x1_b000,
      eventIndex: false,
    });
    driver.add([{ address: RAM_BASE + 0x20_0000, length: RAM_BYTES - 0x20_0000, writable: true }]);
    driver.publish();
    port.notify(REPORTING);
    host.work.run(() => true);
    const { reportedBytes } = balloon.counters;
    expect(reportedBytes).toBe(4 << 20);
    restart();
    host.settle();
    expect(balloon.counters.reportedBytes).toBe(reportedBytes);
    expect(memory.ram[RAM_BYTES - 1]).toBe(0x55);
  });

  it('asks for statistics and reads them', () => {
    const { memory, balloon, send, collect } = setUp();
    const write = (entries: [number, bigint][]) => {
      for (const [index, [tag, value]] of entries.entries()) {
        memory.view.setUint16(BUFFER - RAM_BASE + index * 10, tag, true);
        memory.view.setBigUint64(BUFFER - RAM_BASE + index * 10 + 2, value, true);
      }
      send(STATS, { address: BUFFER, length: entries.length * 10, writable: false });
    };
    expect(balloon.stats).toBeUndefined();
    write([
      [4, 1000n],
      [5, 2n ** 33n],
      [6, 0xffff_ffff_ffff_ffffn],
      [99, 1n],
    ]);
    expect(balloon.stats).toEqual({ free: 1000, total: 2 ** 33 });
    expect(collect(STATS)).toBeUndefined();
    balloon.requestStats();
    expect(collect(STATS)).toBeDefined();
    write([[4, 2000n]]);
    expect(balloon.stats).toEqual({ free: 2000 });
  });

  it('finds the reporting queue where a driver without statistics has it', () => {
    const { memory, send, balloon } = setUp(1 << 5);
    memory.ram.fill(0x55, 0x20_0000, 0x20_1000);
    send(STATS, { address: RAM_BASE + 0x20_0000, length: 4096, writable: true });
    expect(balloon.counters.reportedBytes).toBe(4096);
  });
});
