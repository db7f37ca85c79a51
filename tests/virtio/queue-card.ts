// A device on PCI with a driver that has set up all its queues: what tests of one device begin with.
import type { VirtioDevice } from '../../src/virtio/virtio-device.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { type DriverSegment, ModelDriver } from './model-driver.ts';
import { pciPort } from './ports.ts';

const RAM_BYTES = 4 << 20;
const SIZE = 16;
const QUEUES = RAM_BASE + 0x1_0000;
const QUEUE_BYTES = 0x3000;
const BUFFERS = RAM_BASE + 0x10_0000;

/** @param features word 0 of what the driver accepts */
export function queueCard(device: VirtioDevice, features: number) {
  const memory = new TestMemory(RAM_BYTES);
  const host = testHost(memory);
  const port = pciPort(device, host);
  let drivers: ModelDriver[] = [];
  let places = new Map<string, DriverSegment[]>();
  let free = BUFFERS;
  const start = (accepted = features) => {
    port.setStatus(0);
    port.setStatus(3);
    port.setDriverFeatures(0, accepted);
    port.setDriverFeatures(1, 1);
    port.setStatus(11);
    places = new Map();
    free = BUFFERS;
    drivers = device.queueSizes.map((_, queue) => {
      const base = QUEUES + queue * QUEUE_BYTES;
      memory.ram.fill(0, base - RAM_BASE, base - RAM_BASE + QUEUE_BYTES);
      const layout = { size: SIZE, descriptors: base, available: base + 0x1000, used: base + 0x2000 };
      port.setUpQueue(queue, SIZE, [BigInt(base), BigInt(base + 0x1000), BigInt(base + 0x2000)]);
      return new ModelDriver(memory, { ...layout, eventIndex: false });
    });
    port.setStatus(15);
    host.settle();
  };
  start();
  const add = (queue: number, segments: DriverSegment[]) => {
    places.set(`${queue} ${drivers[queue]!.add(segments)}`, segments);
    drivers[queue]!.publish();
    port.notify(queue);
    host.settle();
  };
  const place = (length: number, writable: boolean): DriverSegment => {
    const address = free;
    free += length;
    if (free > RAM_BASE + RAM_BYTES) throw new Error('the test has used up its RAM');
    return { address, length, writable };
  };
  return {
    memory,
    host,
    port,
    start,
    add,
    /** Gives the device bytes to read, and room for `answer` bytes. */
    send: (queue: number, bytes: Uint8Array, answer = 0) => {
      const segment = place(bytes.length, false);
      memory.ram.set(bytes, segment.address - RAM_BASE);
      add(queue, answer > 0 ? [segment, place(answer, true)] : [segment]);
    },
    /** Gives the device room to write to, in one chain of such segments. */
    offer: (queue: number, ...lengths: number[]) =>
      add(
        queue,
        lengths.map((length) => place(length, true)),
      ),
    /** What the device has written into the next chain it gave back; undefined when it gave back none. */
    collect: (queue: number): Uint8Array | undefined => {
      const used = drivers[queue]!.collect();
      if (used === undefined) return undefined;
      const parts = (places.get(`${queue} ${used.head}`) ?? [])
        .filter(({ writable }) => writable)
        .map(({ address, length }) => memory.ram.slice(address - RAM_BASE, address - RAM_BASE + length));
      const bytes = Uint8Array.from(Buffer.concat(parts)).subarray(0, used.written);
      if (bytes.length !== used.written) throw new Error('the device says it wrote more than there was room');
      return bytes;
    },
  };
}
