// Virtio devices saved at any moment go on in another machine: with chains under way, and what waits.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBytes, StateFormatError, saveBytes } from '../../src/core/state-bytes.ts';
import type { FrameLink } from '../../src/network/frame-link.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { MemoryTree } from '../../src/storage/tree/memory-tree.ts';
import { BalloonDevice } from '../../src/virtio/balloon.ts';
import { BlockDevice } from '../../src/virtio/block/block-device.ts';
import { ConsoleDevice } from '../../src/virtio/console/console-device.ts';
import { EntropyDevice } from '../../src/virtio/entropy.ts';
import { FsDevice } from '../../src/virtio/fs/fs-device.ts';
import { NetDevice } from '../../src/virtio/net/net-device.ts';
import type { VirtioDevice } from '../../src/virtio/virtio-device.ts';
import { VirtioTransport } from '../../src/virtio/virtio-transport.ts';
import { Cable } from './cable.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { type DriverSegment, ModelDriver } from './model-driver.ts';

const RAM_BYTES = 2 << 20;
const SIZE = 16;
const RINGS = RAM_BASE + 0x1_0000;
const RING_BYTES = 0x3000;
const VERSION_1 = 1;
const DRIVER_OK = 15;

/** A device behind a transport of its own. */
function place(device: VirtioDevice, memory = new TestMemory(RAM_BYTES)) {
  const host = testHost(memory);
  const transport = new VirtioTransport(device, host, () => {});
  return { device, memory, host, transport };
}

/** A driver that has set up all queues, and accepted `features` (word 0). */
function start({ device, memory, host, transport }: ReturnType<typeof place>, features = 0xff_ffff) {
  transport.setStatus(3);
  transport.setDriverFeatures(features & transport.deviceFeatures & 0xff_ffff);
  transport.driverFeaturesSelect = 1;
  transport.setDriverFeatures(VERSION_1);
  transport.setStatus(11);
  const drivers = device.queueSizes.map((_, index) => {
    const base = RINGS + index * RING_BYTES;
    const layout = { size: SIZE, descriptors: base, available: base + 0x1000, used: base + 0x2000 };
    transport.queueSelect = index;
    const queue = transport.queues[index]!;
    queue.size = SIZE;
    for (const [area, address] of [base, base + 0x1000, base + 0x2000].entries())
      queue.addresses[area * 2] = address;
    transport.enableQueue();
    return new ModelDriver(memory, { ...layout, eventIndex: false });
  });
  transport.setStatus(DRIVER_OK);
  host.settle();
  return drivers;
}

/** The same device in another machine, which has the same RAM. */
function moved<D extends VirtioDevice>(from: ReturnType<typeof place>, device: D) {
  const to = place(device, from.memory);
  const bytes = saveBytes(from.transport);
  loadBytes(to.transport, bytes)();
  expect(saveBytes(to.transport)).toEqual(bytes);
  return to;
}

const BUFFERS = RAM_BASE + 0x10_0000;
const segment = (at: number, length: number, writable: boolean): DriverSegment => ({
  address: BUFFERS + at,
  length,
  writable,
});
const at = (memory: TestMemory, offset: number, length: number) =>
  memory.ram.slice(BUFFERS - RAM_BASE + offset, BUFFERS - RAM_BASE + offset + length);

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const net = (link: FrameLink, mac = MAC, mtu = 1500) => new NetDevice({ name: 'net0', mac, mtu, link });
const frameOf = (length: number, seed: number) => {
  const frame = Uint8Array.from({ length }, (_, index) => (index * seed) & 0xff);
  frame.set(MAC);
  return frame;
};

describe('a network device that was moved', () => {
  it('gives the guest what had come, and goes on with buffers it had taken', () => {
    const [old, fresh] = [new Cable(), new Cable()];
    const from = place(net(old));
    const [receive] = start(from);
    // One buffer of 100 bytes, and frames that need more: the device keeps the buffer until there is another.
    receive!.add([segment(0, 100, true)]);
    receive!.publish();
    from.transport.notify(0);
    from.host.settle();
    void old.give(frameOf(300, 3));
    void old.give(frameOf(60, 5));
    from.host.settle();
    expect(from.transport.queues[0]!.inFlight).toBe(1);
    const to = moved(from, net(fresh));
    receive!.add([segment(0x1000, 400, true)]);
    receive!.add([segment(0x2000, 400, true)]);
    receive!.publish();
    to.transport.notify(0);
    to.host.settle();
    const used = [receive!.collect(), receive!.collect(), receive!.collect(), receive!.collect()];
    expect(used.map((each) => each?.written)).toEqual([100, 212, 72, undefined]);
    const bytes = Buffer.concat([at(from.memory, 12, 88), at(from.memory, 0x1000, 212)]);
    expect(bytes.equals(frameOf(300, 3))).toBe(true);
    expect(Buffer.from(at(from.memory, 0x200c, 60)).equals(frameOf(60, 5))).toBe(true);
  });

  it('sends the frame that had found no room', () => {
    const [old, fresh] = [new Cable(), new Cable()];
    old.full = true;
    const from = place(net(old));
    const [, transmit] = start(from);
    from.memory.ram.set(frameOf(80, 7), BUFFERS - RAM_BASE + 12);
    transmit!.add([segment(0, 92, false)]);
    transmit!.publish();
    from.transport.notify(1);
    from.host.settle();
    const to = moved(from, net(fresh));
    to.host.settle();
    expect(fresh.sent).toEqual([frameOf(80, 7)]);
    expect(transmit!.collect()?.written).toBe(0);
    expect(old.sent).toEqual([]);
  });

  it('keeps the filter and an address that the driver chose; an interface with another address shows that', () => {
    const from = place(net(new Cable()));
    const drivers = start(from);
    const other = Uint8Array.of(2, 0, 0, 0, 0, 9);
    expect(Array.from(moved(from, net(new Cable())).device.config.slice(0, 6))).toEqual(Array.from(MAC));
    const renamed = place(net(new Cable(), other), from.memory);
    loadBytes(renamed.transport, saveBytes(from.transport))();
    expect(renamed.device.config.slice(0, 6)).toEqual(other);
    // VIRTIO_NET_CTRL_RX_PROMISC off, VIRTIO_NET_CTRL_MAC_ADDR_SET
    const chosen = Uint8Array.of(1, 1, 2, 0, 0, 0, 0, 7);
    for (const command of [Uint8Array.of(0, 0, 0), chosen]) {
      from.memory.ram.set(command, BUFFERS - RAM_BASE);
      drivers[2]!.add([segment(0, command.length, false), segment(16, 1, true)]);
      drivers[2]!.publish();
      from.transport.notify(2);
      from.host.settle();
    }
    const cable = new Cable();
    const to = place(net(cable, other), from.memory);
    loadBytes(to.transport, saveBytes(from.transport))();
    expect(to.device.config.slice(0, 6)).toEqual(chosen.slice(2));
    const stranger = frameOf(60, 1);
    stranger.set([2, 9, 9, 9, 9, 9]);
    const { device } = to;
    void cable.give(stranger);
    expect((device as NetDevice).counters.lost).toBe(1);
  });

  it('does not fit an interface with another MTU', () => {
    const from = place(net(new Cable()));
    const to = place(net(new Cable(), MAC, 9000));
    expect(() => loadBytes(to.transport, saveBytes(from.transport))).toThrow(/frames of 1519/);
  });
});

describe('a balloon that was moved', () => {
  it('asks for statistics by the buffer that it held, and knows what it was told', () => {
    const memory = new TestMemory(RAM_BYTES);
    const from = place(new BalloonDevice(memory.guest), memory);
    (from.device as BalloonDevice).target = 1 << 20;
    const drivers = start(from);
    const stats = Buffer.alloc(10);
    stats.writeUInt16LE(4, 0);
    stats.writeBigUInt64LE(12345n, 2);
    memory.ram.set(stats, BUFFERS - RAM_BASE);
    drivers[2]!.add([segment(0, 10, false)]);
    drivers[2]!.publish();
    from.transport.notify(2);
    from.host.settle();
    const to = moved(from, new BalloonDevice(memory.guest));
    const balloon = to.device as BalloonDevice;
    expect(balloon.stats).toEqual({ free: 12345 });
    expect(balloon.target).toBe(1 << 20);
    expect(drivers[2]!.collect()).toBeUndefined();
    balloon.requestStats();
    expect(drivers[2]!.collect()?.written).toBe(0);
  });
});

describe('a console that was moved', () => {
  it('has what was typed, what it was to tell, and its sizes', () => {
    const from = place(new ConsoleDevice(2));
    const drivers = start(from);
    const device = from.device as ConsoleDevice;
    device.ports[0]!.resize(100, 30);
    device.ports[1]!.type(new TextEncoder().encode('typed'));
    device.ports[1]!.announce();
    from.host.settle();
    const to = moved(from, new ConsoleDevice(2));
    const { ports } = to.device as ConsoleDevice;
    expect(ports[0]!.size).toEqual({ columns: 100, rows: 30 });
    expect(ports[1]!.inputPending).toBe(5);
    drivers[2]!.add([segment(0, 64, true)]);
    drivers[2]!.publish();
    drivers[4]!.add([segment(64, 64, true)]);
    drivers[4]!.publish();
    for (const queue of [2, 4]) to.transport.notify(queue);
    to.host.settle();
    expect(drivers[2]!.collect()?.written).toBe(8);
    expect(drivers[4]!.collect()?.written).toBe(5);
    expect(new TextDecoder().decode(at(from.memory, 64, 5))).toBe('typed');
    expect(() => loadBytes(place(new ConsoleDevice(3)).transport, saveBytes(from.transport))).toThrow(
      StateFormatError,
    );
  });
});

describe('a drive', () => {
  /** Reads when it is told to. */
  class LateBackend extends MemoryBackend {
    answer: () => void = () => {};
    override read(offset: number, target: Uint8Array): undefined | Promise<void> {
      return new Promise<void>((resolve) => {
        this.answer = resolve;
      }).then(() => void super.read(offset, target));
    }
  }

  it('has nothing under way once it is quiet, and has written to nobody since', async () => {
    const backend = new LateBackend({ bytes: 1 << 16 });
    backend.write(512, new Uint8Array(512).fill(0x5a));
    const from = place(new BlockDevice({ name: 'drive0', backend }));
    const drivers = start(from);
    const request = Buffer.alloc(16);
    request.writeBigUInt64LE(1n, 8);
    from.memory.ram.set(request, BUFFERS - RAM_BASE);
    drivers[0]!.add([segment(0, 16, false), segment(0x1000, 513, true)]);
    drivers[0]!.publish();
    from.transport.notify(0);
    from.host.settle();
    let quiet = false;
    const settled = from.device.quiesce!().then(() => {
      quiet = true;
    });
    await Promise.resolve();
    expect(quiet).toBe(false);
    backend.answer();
    await settled;
    expect(from.transport.queues[0]!.inFlight).toBe(0);
    expect(at(from.memory, 0x1000, 512).every((byte) => byte === 0x5a)).toBe(true);
    expect(drivers[0]!.collect()?.written).toBe(513);
    moved(from, new BlockDevice({ name: 'drive0', backend: new MemoryBackend({ bytes: 1 << 16 }) }));
  });

  it('does not fit a drive of another size, or one that cannot be written', () => {
    const of = (bytes: number, readonly = false) =>
      place(new BlockDevice({ name: 'drive0', backend: new MemoryBackend({ bytes, readonly }) })).transport;
    const bytes = saveBytes(of(4096));
    expect(() => loadBytes(of(8192), bytes)).toThrow(/drive of bytes 4096, but this machine has 8192/);
    expect(() => loadBytes(of(4096, true), bytes)).toThrow(StateFormatError);
  });
});

it('an entropy device with a seed goes on where its sequence was', () => {
  const counter = () => ({
    position: 0,
    next(length: number) {
      return Uint8Array.from({ length }, () => this.position++);
    },
  });
  const from = place(new EntropyDevice(counter()));
  const [driver] = start(from);
  const ask = (card: ReturnType<typeof place>, offset: number) => {
    driver!.add([segment(offset, 8, true)]);
    driver!.publish();
    card.transport.notify(0);
    card.host.settle();
    driver!.collect();
    return Array.from(at(from.memory, offset, 8));
  };
  expect(ask(from, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(ask(moved(from, new EntropyDevice(counter())), 16)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
});

describe('bytes that nobody saved', () => {
  const devices: Record<string, (memory: TestMemory) => VirtioDevice> = {
    net: () => net(new Cable()),
    balloon: (memory) => new BalloonDevice(memory.guest),
    console: () => new ConsoleDevice(2),
    block: () => new BlockDevice({ name: 'drive0', backend: new MemoryBackend({ bytes: 1 << 16 }) }),
    entropy: () => new EntropyDevice({ next: (length) => new Uint8Array(length) }),
    fs: () => new FsDevice('tag', new MemoryTree()),
  };

  it.each(Object.keys(devices))('are refused, or make a %s that harms nobody', async (name) => {
    const make = devices[name]!;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.double({ min: 0, max: 0.999999, noNaN: true }), fc.integer({ min: 1, max: 255 })),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        fc.option(fc.double({ min: 0, max: 0.999999, noNaN: true })),
        async (flips, cut) => {
          const memory = new TestMemory(RAM_BYTES);
          const from = place(make(memory), memory);
          const drivers = start(from);
          for (const driver of drivers) {
            driver.add([segment(0, 64, false), segment(64, 1600, true)]);
            driver.publish();
          }
          for (const index of drivers.keys()) from.transport.notify(index);
          from.host.settle();
          const bytes = saveBytes(from.transport);
          for (const [place, flip] of flips) bytes[Math.floor(place * bytes.length)]! ^= flip;
          const given = cut === null ? bytes : bytes.subarray(0, Math.floor(cut * bytes.length));
          const to = place(make(memory), memory);
          try {
            loadBytes(to.transport, given)();
          } catch (error) {
            expect(error).toBeInstanceOf(StateFormatError);
            return;
          }
          expect(cut).toBeNull();
          for (const driver of drivers) {
            if (driver.freeDescriptors < 2) continue;
            driver.add([segment(0, 64, false), segment(64, 1600, true)]);
            driver.publish();
          }
          for (let round = 0; round < 3; round++) {
            for (const index of drivers.keys()) to.transport.notify(index);
            to.host.work.run(() => false);
          }
          await to.device.quiesce?.();
          saveBytes(to.transport);
          to.transport.reset();
          expect(memory.guarded).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
