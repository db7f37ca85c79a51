import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chain } from '../../src/virtio/chain.ts';
import { featureBit, type VirtioDevice, type VirtioLink } from '../../src/virtio/virtio-device.ts';
import { VirtioMmio } from '../../src/virtio/virtio-mmio.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { ModelDriver } from './model-driver.ts';
import { mmioPort, type Port, type PortMaker, pciBus, pciPort, virtioCapabilities } from './ports.ts';

const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;
const NEEDS_RESET = 64;
const VERSION_1 = 1; // in the second word
const EVENT_IDX = 2 ** 29;
const INDIRECT = 2 ** 28;

const SIZE = 16;
const DESCRIPTORS = RAM_BASE + 0x1000;
const AVAILABLE = RAM_BASE + 0x2000;
const USED = RAM_BASE + 0x3000;
const BUFFER = RAM_BASE + 0x8000;

/** Gives back what it is sent, inverted; keeps every other chain until it is told to go on. */
class InvertingDevice implements VirtioDevice {
  readonly stateVersion = 1;
  saveState(): void {}
  loadState(): () => void {
    return () => {};
  }
  readonly name = 'inverting';
  readonly deviceId = 7;
  readonly features = featureBit(3) | featureBit(5);
  readonly queueSizes = [SIZE, 4];
  readonly config = Uint8Array.of(1, 2, 3, 4, 5, 6);
  readonly written: [number, number, number][] = [];
  readonly kept: Chain[] = [];
  starts = 0;
  resets = 0;
  link: VirtioLink | undefined;
  keep = false;

  attach(link: VirtioLink): void {
    this.link = link;
  }
  start(): void {
    this.starts++;
  }
  writeConfig(offset: number, size: 1 | 2 | 4, value: number): void {
    this.written.push([offset, size, value]);
  }
  serve(queue: number): boolean {
    const chain = this.link!.queue(queue).pop();
    if (!chain) return false;
    if (this.keep) this.kept.push(chain);
    else this.answer(chain);
    return true;
  }
  answer(chain: Chain): boolean {
    const data = new Uint8Array(chain.readableBytes);
    chain.read(0, data);
    return chain.finish(
      chain.write(
        0,
        data.map((byte) => ~byte),
      ),
    );
  }
  reset(): void {
    this.resets++;
  }
}

function setUp(makePort: PortMaker) {
  const memory = new TestMemory(1 << 16);
  const host = testHost(memory);
  const device = new InvertingDevice();
  const port = makePort(device, host);
  return { memory, host, device, port };
}

function negotiate(port: Port, low = 0): void {
  port.setStatus(0);
  port.setStatus(ACKNOWLEDGE);
  port.setStatus(ACKNOWLEDGE | DRIVER);
  port.setDriverFeatures(0, low);
  port.setDriverFeatures(1, VERSION_1);
  port.setStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

function start(port: Port, memory: TestMemory, low = 0): ModelDriver {
  negotiate(port, low);
  port.setUpQueue(0, SIZE, [BigInt(DESCRIPTORS), BigInt(AVAILABLE), BigInt(USED)]);
  port.setStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
  return new ModelDriver(memory, {
    size: SIZE,
    descriptors: DESCRIPTORS,
    available: AVAILABLE,
    used: USED,
    eventIndex: (low & EVENT_IDX) !== 0,
  });
}

/** Sends four bytes and room for four. */
function send(driver: ModelDriver, memory: TestMemory, byte: number): void {
  memory.ram.fill(byte, BUFFER - RAM_BASE, BUFFER - RAM_BASE + 4);
  driver.add([
    { address: BUFFER, length: 4, writable: false },
    { address: BUFFER + 16, length: 4, writable: true },
  ]);
  driver.publish();
}
const received = (memory: TestMemory) => memory.ram[BUFFER + 16 - RAM_BASE];

describe.each([
  ['mmio', mmioPort],
  ['pci', pciPort],
] as const)('virtio over %s', (_name, makePort) => {
  it('shows a device, its features, queues and configuration', () => {
    const { port } = setUp(makePort);
    expect(port.deviceId()).toBe(7);
    expect(port.status()).toBe(0);
    expect(port.deviceFeatures(0)).toBe(EVENT_IDX + INDIRECT + (1 << 3) + (1 << 5));
    expect(port.deviceFeatures(1)).toBe(VERSION_1);
    expect(port.deviceFeatures(2)).toBe(0);
    expect([0, 1, 2, 0xffff].map((index) => port.queueMax(index))).toEqual([SIZE, 4, 0, 0]);
    expect([port.config(0, 4), port.config(4, 2), port.config(1, 1)]).toEqual([0x04030201, 0x0605, 2]);
    expect([port.config(4, 4), port.config(64, 4)]).toEqual([0x0605, 0]);
  });

  it('carries chains both ways, with an interrupt until it is acknowledged', () => {
    const { port, memory, host, device } = setUp(makePort);
    const driver = start(port, memory, EVENT_IDX);
    expect(device.starts).toBe(1);
    driver.wantInterrupt(1);
    send(driver, memory, 0x0f);
    port.notify(0);
    expect(received(memory)).toBe(0);
    host.settle();
    expect(received(memory)).toBe(0xf0);
    expect(driver.collect()).toEqual({ head: expect.any(Number), written: 4 });
    expect(port.wire).toBe(true);
    expect(port.takeInterrupts()).toBe(1);
    expect(port.wire).toBe(false);
    expect(port.takeInterrupts()).toBe(0);
  });

  it('takes only features it has offered, and only with VERSION_1', () => {
    const { port } = setUp(makePort);
    for (const [low, high] of [
      [0, 0],
      [1, VERSION_1],
      [0, VERSION_1 | 2],
    ]) {
      port.setStatus(0);
      port.setStatus(ACKNOWLEDGE | DRIVER);
      port.setDriverFeatures(0, low!);
      port.setDriverFeatures(1, high!);
      port.setStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK);
      expect(port.status()).toBe(ACKNOWLEDGE | DRIVER);
      port.setStatus(ACKNOWLEDGE | DRIVER | DRIVER_OK);
      expect(port.status()).toBe(ACKNOWLEDGE | DRIVER);
    }
    negotiate(port, 1 << 3);
    expect(port.status()).toBe(ACKNOWLEDGE | DRIVER | FEATURES_OK);
    // What was agreed on stays.
    port.setDriverFeatures(0, 0);
    port.setStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    expect(port.status() & DRIVER_OK).toBe(DRIVER_OK);
  });

  it('uses no buffer before DRIVER_OK, nor after a reset', () => {
    const { port, memory, host, device } = setUp(makePort);
    negotiate(port);
    port.setUpQueue(0, SIZE, [BigInt(DESCRIPTORS), BigInt(AVAILABLE), BigInt(USED)]);
    const layout = { size: SIZE, descriptors: DESCRIPTORS, available: AVAILABLE, used: USED };
    const driver = new ModelDriver(memory, { ...layout, eventIndex: false });
    send(driver, memory, 1);
    port.notify(0);
    host.settle();
    expect(driver.collect()).toBeUndefined();
    // Once it is ready, it finds what is there.
    port.setStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    host.settle();
    expect(driver.collect()).toBeDefined();
    send(driver, memory, 2);
    port.notify(0);
    const resets = device.resets;
    port.setStatus(0);
    host.settle();
    expect(driver.collect()).toBeUndefined();
    expect(device.resets).toBe(resets + 1);
    expect([port.status(), port.wire, port.queueEnabled(0)]).toEqual([0, false, false]);
  });

  it.each(['the driver', 'the machine'])('drops what is finished after a reset by %s', (who) => {
    const { port, memory, host, device } = setUp(makePort);
    const driver = start(port, memory);
    device.keep = true;
    send(driver, memory, 0x33);
    port.notify(0);
    host.settle();
    const before = Buffer.from(memory.ram);
    if (who === 'the driver') port.setStatus(0);
    else port.reset();
    expect(device.answer(device.kept[0]!)).toBe(false);
    expect(before.equals(memory.ram)).toBe(true);
    expect(port.wire).toBe(false);
    // The next life is not disturbed by the last one's chain.
    device.keep = false;
    memory.ram.fill(0);
    const again = start(port, memory);
    device.answer(device.kept[0]!);
    send(again, memory, 0x55);
    port.notify(0);
    host.settle();
    expect(received(memory)).toBe(0xaa);
    expect(again.collect()).toBeDefined();
    expect(again.collect()).toBeUndefined();
  });

  it('needs a reset after a ring that breaks the rules, says so, and works after it', () => {
    const { port, memory, host } = setUp(makePort);
    const driver = start(port, memory);
    driver.add([{ address: 0x1000, length: 4, writable: true }]);
    driver.publish();
    port.notify(0);
    host.settle();
    expect(port.status() & NEEDS_RESET).toBe(NEEDS_RESET);
    expect(port.wire).toBe(true);
    expect(port.takeInterrupts()).toBe(2);
    port.notify(0);
    host.settle();
    expect(driver.collect()).toBeUndefined();
    memory.ram.fill(0);
    const again = start(port, memory);
    send(again, memory, 0);
    port.notify(0);
    host.settle();
    expect(again.collect()).toBeDefined();
  });

  it.each([
    ['of no size', 0, BigInt(DESCRIPTORS)],
    ['of a size that is no power of two', 12, BigInt(DESCRIPTORS)],
    ['larger than it may be', 2 * SIZE, BigInt(DESCRIPTORS)],
    ['outside RAM', SIZE, 0x1000n],
    ['beyond 64 bits of RAM', SIZE, 0xffff_ffff_8000_1000n],
  ])('refuses a queue %s', (_what, size, descriptors) => {
    const { port } = setUp(makePort);
    negotiate(port);
    port.setUpQueue(0, size, [descriptors, BigInt(AVAILABLE), BigInt(USED)]);
    expect(port.queueEnabled(0)).toBe(false);
    expect(port.status() & NEEDS_RESET).toBe(NEEDS_RESET);
  });

  it('tells a driver of a change of the configuration', () => {
    const { port, memory, device } = setUp(makePort);
    device.link!.configChanged();
    expect(port.wire).toBe(false);
    start(port, memory);
    const before = port.generation();
    device.config[0] = 9;
    device.link!.configChanged();
    expect(port.generation()).not.toBe(before);
    expect(port.config(0, 1)).toBe(9);
    expect(port.takeInterrupts()).toBe(2);
  });

  it('passes on writes of the configuration, within it', () => {
    const { port, device } = setUp(makePort);
    port.setConfig(0, 4, 0xdeadbeef);
    port.setConfig(4, 2, 0x1234);
    port.setConfig(5, 1, 0x56);
    port.setConfig(4, 4, 1);
    port.setConfig(0x80, 4, 1);
    expect(device.written).toEqual([
      [0, 4, 0xdeadbeef],
      [4, 2, 0x1234],
      [5, 1, 0x56],
    ]);
  });
});

describe('virtio-mmio', () => {
  it('has the magic, version 2 and no shared memory, and answers words only', () => {
    const { device, host } = setUp(mmioPort);
    const slot = new VirtioMmio(device, host, () => {});
    expect([0, 4, 0xb0, 0xb4].map((offset) => slot.read(offset, 4))).toEqual([
      0x74726976, 2, 0xffffffff, 0xffffffff,
    ]);
    expect([slot.read(0, 1), slot.read(0, 2)]).toEqual([0, 0]);
    slot.write(0x070, 1, 1);
    expect(slot.read(0x070, 4)).toBe(0);
  });

  it('ends a queue that is made not ready', () => {
    const { port, memory, host, device } = setUp(mmioPort);
    const slot = new VirtioMmio(device, host, () => {});
    expect(port.queueEnabled(0)).toBe(false);
    slot.write(0x030, 4, 0);
    slot.write(0x038, 4, 4);
    for (const [at, address] of [DESCRIPTORS, AVAILABLE, USED].entries()) {
      slot.write(0x080 + at * 16, 4, address);
    }
    slot.write(0x044, 4, 1);
    expect(slot.read(0x044, 4)).toBe(1);
    slot.write(0x044, 4, 0);
    expect(slot.read(0x044, 4)).toBe(0);
    expect(memory.guarded).toBe(true);
  });
});

describe('a virtio card', () => {
  it('has a header, a sized base address register and INTA', () => {
    const { device, host } = setUp(mmioPort);
    const pci = pciBus(device, host);
    expect([pci.getConfig(0, 4), pci.getConfig(8, 4)]).toEqual([0x1047_1af4, 0x00ff_0001]);
    expect([pci.getConfig(0x0e, 1), pci.getConfig(0x3d, 1), pci.getConfig(0x2c, 2)]).toEqual([0, 1, 0x1af4]);
    pci.setConfig(0x10, 4, 0xffff_ffff);
    const mask = pci.getConfig(0x10, 4);
    expect(mask & 0xf).toBe(0);
    expect(-(mask | 0)).toBe(0x4000);
    pci.setConfig(0x14, 4, 0xffff_ffff);
    expect(pci.getConfig(0x14, 4)).toBe(0);
    // Beyond the capabilities nothing can be written.
    pci.setConfig(0x00, 4, 0);
    expect(pci.getConfig(0x00, 4)).toBe(0x1047_1af4);
    expect(pci.getConfig(0x100, 4)).toBe(0);
  });

  it('answers in memory space only while its command register lets it', () => {
    const { device, host } = setUp(mmioPort);
    const pci = pciBus(device, host);
    pci.setConfig(0x10, 4, 0x4010_0000);
    expect(pci.get(0x4010_0000 + 0x12, 2)).toBe(0xffff);
    pci.setConfig(0x04, 2, 2);
    expect(pci.get(0x4010_0000 + 0x12, 2)).toBe(2);
    pci.setConfig(0x10, 4, 0x4020_0000);
    expect(pci.get(0x4010_0000 + 0x12, 2)).toBe(0xffff);
    expect(pci.get(0x4020_0000 + 0x12, 2)).toBe(2);
  });

  it('holds its interrupt back while INTx is disabled, and shows it in its status', () => {
    const { device, host, memory } = setUp(mmioPort);
    const pci = pciBus(device, host);
    pci.setConfig(0x10, 4, 0x4010_0000);
    pci.setConfig(0x04, 2, 0x0402);
    pci.set(0x4010_0000 + 0x14, 1, 0);
    pci.set(0x4010_0000 + 0x08, 4, 1);
    pci.set(0x4010_0000 + 0x0c, 4, 1);
    pci.set(0x4010_0000 + 0x14, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    pci.set(0x4010_0000 + 0x14, 1, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
    device.link!.configChanged();
    expect(pci.wires).toEqual([false, false, false, false]);
    expect(pci.getConfig(0x06, 2) & 8).toBe(8);
    pci.setConfig(0x04, 2, 0x0002);
    expect(pci.wires).toEqual([false, true, false, false]);
    pci.bus.ecam.reset();
    expect(pci.wires).toEqual([false, false, false, false]);
    expect(memory.guarded).toBe(true);
  });

  it('gives access through configuration space', () => {
    const { device, host } = setUp(mmioPort);
    const pci = pciBus(device, host);
    const capabilities = virtioCapabilities(pci.getConfig);
    expect([...capabilities.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
    const window = capabilities.get(5)!.at;
    const point = (offset: number, length: number) => {
      pci.setConfig(window + 4, 1, 0);
      pci.setConfig(window + 8, 4, offset);
      pci.setConfig(window + 12, 4, length);
    };
    point(capabilities.get(1)!.offset + 0x14, 1);
    pci.setConfig(window + 16, 1, ACKNOWLEDGE | DRIVER);
    expect(pci.getConfig(window + 16, 1)).toBe(ACKNOWLEDGE | DRIVER);
    point(capabilities.get(1)!.offset + 0x12, 2);
    expect(pci.getConfig(window + 16, 2)).toBe(2);
    point(capabilities.get(4)!.offset, 4);
    expect(pci.getConfig(window + 16, 4)).toBe(0x04030201);
    // Set up wrongly, it reads as zero and writes nothing.
    for (const [offset, length] of [
      [0x4000, 4],
      [0xffff_fffc, 4],
      [0x2001, 2],
      [0, 3],
    ]) {
      point(offset!, length!);
      pci.setConfig(window + 16, 4, 0);
      expect(pci.getConfig(window + 16, 4)).toBe(0);
    }
  });

  it('cannot be put into a slot that is taken', () => {
    const { device, host } = setUp(mmioPort);
    const { bus } = pciBus(device, host);
    const card = { name: 'other' } as Parameters<typeof bus.plug>[1];
    for (const slot of [0, 5, 32, -1]) expect(() => bus.plug(slot, card)).toThrow(RangeError);
  });

  it('and its host take any accesses without throwing', () => {
    const access = fc.record({
      window: fc.boolean(),
      offset: fc.oneof(fc.nat(0x3fff), fc.nat(0xff), fc.integer({ min: 0, max: (1 << 28) - 4 })),
      size: fc.constantFrom(1 as const, 2 as const, 4 as const),
      write: fc.boolean(),
      value: fc.oneof(fc.nat(15), fc.integer({ min: 0, max: 0xffff_ffff })),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 150 }), (accesses) => {
        const { device, host, memory } = setUp(mmioPort);
        const pci = pciBus(device, host);
        pci.setConfig(0x10, 4, 0x4000_0000);
        pci.setConfig(0x04, 2, 2);
        for (const { window, offset, size, write, value } of accesses) {
          const target = window ? pci.bus.window : pci.bus.ecam;
          const place = (window ? 0 : offset < 0x4000 ? 5 << 15 : 0) + offset - (offset % size);
          if (write) target.write(place, size, size === 4 ? value : value & (2 ** (size * 8) - 1));
          else {
            const read = target.read(place, size);
            expect(read >= 0 && read < 2 ** (size * 8)).toBe(true);
          }
          host.settle();
        }
        expect(memory.guarded).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
