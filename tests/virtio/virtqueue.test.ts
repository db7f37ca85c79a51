import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chain } from '../../src/virtio/chain.ts';
import { QUEUE_SIZE_MAX, Virtqueue } from '../../src/virtio/virtqueue.ts';
import { RAM_BASE, TestMemory } from './memory.ts';
import { type DriverSegment, ModelDriver } from './model-driver.ts';

const RAM_BYTES = 1 << 20;
const DESCRIPTORS = RAM_BASE + 0x1000;
const AVAILABLE = RAM_BASE + 0x8000;
const USED = RAM_BASE + 0xc000;
const TABLES = RAM_BASE + 0x2_0000;
const BUFFERS = RAM_BASE + 0x8_0000;

interface Setup {
  memory: TestMemory;
  queue: Virtqueue;
  driver: ModelDriver;
  interrupts: () => number;
  broken: string[];
}

function setUp(size: number, eventIndex: boolean, indirect = true): Setup {
  const memory = new TestMemory(RAM_BYTES);
  const broken: string[] = [];
  let interrupts = 0;
  const queue = new Virtqueue(memory.guest, size, {
    usedBuffers: () => interrupts++,
    broken: (reason) => broken.push(reason),
  });
  for (const [index, address] of [DESCRIPTORS, AVAILABLE, USED].entries())
    queue.addresses[index * 2] = address;
  queue.enable({ eventIndex, indirect });
  const layout = { size, descriptors: DESCRIPTORS, available: AVAILABLE, used: USED, eventIndex };
  return { memory, queue, driver: new ModelDriver(memory, layout), interrupts: () => interrupts, broken };
}

const bytesOf = (parts: readonly Uint8Array[]) => Buffer.concat(parts);

/** What a chain is to hold: lengths of its segments, which are readable first. */
const shape = fc.record({
  readable: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 4 }),
  writable: fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 4 }),
  indirect: fc.boolean(),
  /** Segments lie side by side, so that the queue may join them. */
  dense: fc.boolean(),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

interface Sent {
  head: number;
  input: Buffer;
  output: { address: number; length: number }[];
}

/** Puts a chain of this shape into RAM; undefined when there is no room in the table. */
function send(setup: Setup, index: number, { readable, writable, indirect, dense }: Shape): Sent | undefined {
  const lengths = [...readable, ...writable];
  if (lengths.length === 0) return undefined;
  const { driver, memory } = setup;
  if (driver.freeDescriptors < (indirect ? 1 : lengths.length)) return undefined;
  let address = BUFFERS + (index % 64) * 0x2000;
  const segments: DriverSegment[] = lengths.map((length, at) => {
    const segment = { address, length, writable: at >= readable.length };
    address += length + (dense ? 0 : 7);
    return segment;
  });
  for (const { address: to, length } of segments.slice(0, readable.length)) {
    for (let at = 0; at < length; at++) memory.ram[to - RAM_BASE + at] = (index * 31 + to + at * 7) & 0xff;
  }
  const input = bytesOf(
    segments
      .filter((segment) => !segment.writable)
      .map((segment) =>
        memory.ram.slice(segment.address - RAM_BASE, segment.address - RAM_BASE + segment.length),
      ),
  );
  const head = driver.add(segments, indirect ? TABLES + (index % 64) * 0x400 : undefined);
  return { head, input, output: segments.filter((segment) => segment.writable) };
}

describe('a split virtqueue', () => {
  it('carries any chains both ways, past the wrap of its indices, and interrupts exactly when asked to', () => {
    const step = fc.record({
      chains: fc.array(shape, { maxLength: 6 }),
      finishLast: fc.boolean(),
      interruptAfter: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 8, 64),
        fc.boolean(),
        fc.array(step, { minLength: 1, maxLength: 30 }),
        (size, eventIndex, steps) => {
          const setup = setUp(size, eventIndex);
          const { memory, queue, driver, broken } = setup;
          let index = 0;
          for (const { chains, finishLast, interruptAfter } of steps) {
            const sent: Sent[] = [];
            for (const one of chains) {
              const result = send(setup, index++, one);
              if (result) sent.push(result);
            }
            driver.publish();
            driver.wantInterrupt(interruptAfter);
            const before = setup.interrupts();
            const taken: Chain[] = [];
            for (let chain = queue.pop(); chain; chain = queue.pop()) taken.push(chain);
            expect(taken.map(({ head }) => head)).toEqual(sent.map(({ head }) => head));
            for (const [at, chain] of taken.entries()) {
              expect(bytesOf(chain.readable).equals(sent[at]!.input)).toBe(true);
              expect(chain.readableBytes).toBe(sent[at]!.input.length);
              const copy = new Uint8Array(chain.readableBytes + 5);
              expect(chain.read(0, copy)).toBe(chain.readableBytes);
              expect(bytesOf(chain.readableParts(3, 10)).equals(sent[at]!.input.subarray(3, 13))).toBe(true);
            }
            // Chains may be given back in any order.
            const order = finishLast ? [...taken].reverse() : taken;
            const written = new Map<number, Buffer>();
            for (const chain of order) {
              const data = Buffer.from(
                Array.from({ length: chain.writableBytes }, (_, at) => (at * 13 + index) & 0xff),
              );
              memory.noted.fill(0);
              expect(chain.write(0, data)).toBe(chain.writableBytes);
              expect(chain.finish(chain.writableBytes)).toBe(true);
              written.set(chain.head, data);
              const { output } = sent.find(({ head }) => head === chain.head)!;
              for (const { address, length } of output) {
                const at = address - RAM_BASE;
                expect(memory.noted.subarray(at, at + length).every((byte) => byte === 1)).toBe(true);
              }
              expect(chain.current).toBe(false);
              expect(chain.finish(0)).toBe(false);
            }
            const wanted = eventIndex
              ? interruptAfter !== undefined && interruptAfter <= taken.length
                ? 1
                : 0
              : interruptAfter === undefined
                ? 0
                : taken.length;
            expect(setup.interrupts() - before).toBe(wanted);
            for (const chain of order) {
              const used = driver.collect()!;
              expect(used).toEqual({ head: chain.head, written: chain.writableBytes });
              const { output } = sent.find(({ head }) => head === used.head)!;
              const seen = bytesOf(
                output.map(({ address, length }) =>
                  memory.ram.slice(address - RAM_BASE, address - RAM_BASE + length),
                ),
              );
              expect(seen.equals(written.get(used.head)!)).toBe(true);
            }
            expect(driver.collect()).toBeUndefined();
            expect(queue.inFlight).toBe(0);
          }
          expect(broken).toEqual([]);
          expect(memory.guarded).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([true, false])('goes on after 70,000 chains (event index: %s)', (eventIndex) => {
    const setup = setUp(4, eventIndex);
    const { queue, driver, memory } = setup;
    const segment = { address: BUFFERS, length: 4, writable: true };
    for (let count = 0; count < 70_000; count++) {
      driver.add([segment]);
      // A device that has emptied the queue wants to know of the next chain, always.
      if (!driver.publish()) throw new Error(`no notification wanted for chain ${count}`);
      driver.wantInterrupt(1);
      const chain = queue.pop()!;
      if (queue.pop()) throw new Error('one too many');
      chain.write(0, Uint8Array.of(count & 0xff));
      chain.finish(1);
      if (setup.interrupts() !== count + 1) throw new Error(`no interrupt for chain ${count}`);
      const used = driver.collect();
      if (used?.written !== 1 || memory.ram[BUFFERS - RAM_BASE] !== (count & 0xff)) throw new Error('wrong');
    }
    expect(setup.broken).toEqual([]);
  });

  it('asks for no notification while it has chains to take', () => {
    const { queue, driver } = setUp(8, true);
    const segment = { address: BUFFERS, length: 4, writable: true };
    driver.add([segment]);
    expect(driver.publish()).toBe(true);
    driver.add([segment]);
    expect(driver.publish()).toBe(false);
    queue.pop();
    queue.pop();
    expect(queue.pop()).toBeUndefined();
    driver.add([segment]);
    expect(driver.publish()).toBe(true);
  });

  it('drops a chain that is finished after a reset, and does not touch its memory', () => {
    const { queue, driver, memory, interrupts } = setUp(8, false);
    driver.add([{ address: BUFFERS, length: 16, writable: true }]);
    driver.publish();
    const chain = queue.pop()!;
    queue.reset();
    const before = Buffer.from(memory.ram);
    expect(chain.current).toBe(false);
    expect(chain.write(0, new Uint8Array(16).fill(7))).toBe(0);
    expect(chain.finish(16)).toBe(false);
    for (const [index, address] of [DESCRIPTORS, AVAILABLE, USED].entries())
      queue.addresses[index * 2] = address;
    queue.enable({ eventIndex: false, indirect: true });
    expect(chain.finish(16)).toBe(false);
    expect(before.equals(memory.ram)).toBe(true);
    expect(interrupts()).toBe(0);
  });

  it('takes an indirect table behind direct descriptors', () => {
    const { queue, driver, memory, broken } = setUp(8, false);
    driver.add([
      { address: BUFFERS, length: 3, writable: false },
      { address: TABLES, length: 32, writable: false },
    ]);
    memory.ram.set([1, 2, 3, 4, 5], BUFFERS - RAM_BASE);
    const table = TABLES - RAM_BASE;
    for (const [at, address, flags] of [
      [0, BUFFERS + 3, 1],
      [16, BUFFERS + 5, 2],
    ] as const) {
      memory.view.setBigUint64(table + at, BigInt(address), true);
      memory.view.setUint32(table + at + 8, 2, true);
      memory.view.setUint16(table + at + 12, flags, true);
      memory.view.setUint16(table + at + 14, 1, true);
    }
    // The second descriptor becomes the indirect one.
    for (let index = 0; index < 8; index++) {
      const at = DESCRIPTORS - RAM_BASE + index * 16;
      if (memory.view.getBigUint64(at, true) === BigInt(TABLES)) memory.view.setUint16(at + 12, 4, true);
    }
    driver.publish();
    const chain = queue.pop()!;
    expect(broken).toEqual([]);
    expect([...bytesOf(chain.readable)]).toEqual([1, 2, 3, 4, 5]);
    expect(chain.writableBytes).toBe(2);
  });
});

describe('a hostile ring', () => {
  /** Writes one descriptor. */
  function describe_(
    setup: Setup,
    index: number,
    address: bigint,
    length: number,
    flags: number,
    next = 0,
  ): void {
    const { view } = setup.memory;
    const at = DESCRIPTORS - RAM_BASE + index * 16;
    view.setBigUint64(at, BigInt.asUintN(64, address), true);
    view.setUint32(at + 8, length, true);
    view.setUint16(at + 12, flags, true);
    view.setUint16(at + 14, next, true);
  }
  function offer(setup: Setup, head: number, index = 1): void {
    setup.memory.view.setUint16(AVAILABLE - RAM_BASE + 4, head, true);
    setup.memory.view.setUint16(AVAILABLE - RAM_BASE + 2, index, true);
  }
  const ram = BigInt(RAM_BASE);

  it.each<[string, (setup: Setup) => void]>([
    ['a buffer below RAM', (s) => describe_(s, 0, ram - 1n, 2, 0)],
    ['a buffer that ends behind RAM', (s) => describe_(s, 0, ram + BigInt(RAM_BYTES) - 1n, 2, 0)],
    ['an address that wraps around', (s) => describe_(s, 0, 0xffff_ffff_ffff_fff0n, 0x20, 0)],
    ['an address that wraps to RAM', (s) => describe_(s, 0, (1n << 53n) + ram, 16, 0)],
    ['a device register as a buffer', (s) => describe_(s, 0, 0x1000_0000n, 8, 0)],
    ['a length of 4 GiB less one', (s) => describe_(s, 0, ram, 0xffff_ffff, 2)],
    ['a chain that leads to itself', (s) => describe_(s, 0, ram, 4, 1, 0)],
    [
      'a chain that runs in a circle',
      (s) => {
        describe_(s, 0, ram, 4, 1, 1);
        describe_(s, 1, ram, 4, 1, 2);
        describe_(s, 2, ram, 4, 1, 1);
      },
    ],
    ['a next descriptor beyond the table', (s) => describe_(s, 0, ram, 4, 1, 8)],
    ['a head beyond the table', (s) => offer(s, 8)],
    [
      'readable behind writable',
      (s) => {
        describe_(s, 0, ram, 4, 3, 1);
        describe_(s, 1, ram, 4, 0);
      },
    ],
    ['an indirect table of no descriptors', (s) => describe_(s, 0, BigInt(TABLES), 0, 4)],
    ['an indirect table of half a descriptor', (s) => describe_(s, 0, BigInt(TABLES), 24, 4)],
    ['an indirect table outside RAM', (s) => describe_(s, 0, 0x1000n, 32, 4)],
    ['an indirect descriptor with a next one', (s) => describe_(s, 0, BigInt(TABLES), 16, 5, 1)],
    [
      'an indirect table within an indirect table',
      (s) => {
        describe_(s, 0, BigInt(TABLES), 16, 4);
        s.memory.view.setBigUint64(TABLES - RAM_BASE, BigInt(TABLES), true);
        s.memory.view.setUint32(TABLES - RAM_BASE + 8, 16, true);
        s.memory.view.setUint16(TABLES - RAM_BASE + 12, 4, true);
      },
    ],
    [
      'an indirect table whose last link leaves it',
      (s) => {
        describe_(s, 0, BigInt(TABLES), 16, 4);
        s.memory.view.setBigUint64(TABLES - RAM_BASE, ram, true);
        s.memory.view.setUint16(TABLES - RAM_BASE + 12, 1, true);
        s.memory.view.setUint16(TABLES - RAM_BASE + 14, 1, true);
      },
    ],
    [
      'an indirect chain of more parts than a queue can have',
      (s) => {
        const entries = QUEUE_SIZE_MAX + 2;
        describe_(s, 0, BigInt(TABLES), entries * 16, 4);
        for (let index = 0; index < entries; index++) {
          const at = TABLES - RAM_BASE + index * 16;
          s.memory.view.setBigUint64(at, ram, true);
          s.memory.view.setUint16(at + 12, index + 1 < entries ? 1 : 0, true);
          s.memory.view.setUint16(at + 14, index + 1, true);
        }
      },
    ],
    ['an available index that runs ahead', (s) => offer(s, 0, 9)],
    ['an available index that runs backwards', (s) => offer(s, 0, 0xffff)],
  ])('with %s breaks the queue, and nothing else', (_name, spoil) => {
    const setup = setUp(8, true);
    describe_(setup, 0, ram, 4, 0);
    offer(setup, 0);
    spoil(setup);
    const before = Buffer.from(setup.memory.ram);
    expect(setup.queue.pop()).toBeUndefined();
    expect(setup.broken).toHaveLength(1);
    expect(before.equals(setup.memory.ram)).toBe(true);
    // It stays broken, and says so once.
    expect(setup.queue.pop()).toBeUndefined();
    expect(setup.broken).toHaveLength(1);
    setup.queue.reset();
    expect(setup.queue.enabled).toBe(false);
  });

  it('without the indirect feature refuses indirect descriptors', () => {
    const setup = setUp(8, false, false);
    describe_(setup, 0, BigInt(TABLES), 16, 4);
    offer(setup, 0);
    expect(setup.queue.pop()).toBeUndefined();
    expect(setup.broken).toHaveLength(1);
  });

  it('cannot have more chains in flight than it has entries', () => {
    const setup = setUp(2, false);
    describe_(setup, 0, ram, 4, 0);
    for (let count = 1; count <= 2; count++) {
      offer(setup, 0, count);
      expect(setup.queue.pop()).toBeDefined();
    }
    offer(setup, 0, 3);
    expect(setup.queue.pop()).toBeUndefined();
    expect(setup.broken).toHaveLength(1);
  });

  it.each([
    ['outside RAM', [0x1000, AVAILABLE, USED]],
    ['that ends behind RAM', [DESCRIPTORS, AVAILABLE, RAM_BASE + RAM_BYTES - 8]],
    ['off its alignment', [DESCRIPTORS + 8, AVAILABLE, USED]],
  ])('with an area %s is not enabled', (_name, areas) => {
    const memory = new TestMemory(RAM_BYTES);
    const broken: string[] = [];
    const queue = new Virtqueue(memory.guest, 8, {
      usedBuffers: () => {},
      broken: (reason) => broken.push(reason),
    });
    for (const [index, address] of areas.entries()) queue.addresses[index * 2] = address;
    queue.enable({ eventIndex: true, indirect: true });
    expect(queue.enabled).toBe(false);
    expect(broken).toHaveLength(1);
  });

  it('of random bytes does no harm', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 8, 64),
        fc.boolean(),
        fc.uint8Array({ minLength: 0x400, maxLength: 0x400 }),
        fc.array(fc.tuple(fc.nat(0x3f), fc.nat(0xffff), fc.nat(7)), { maxLength: 40 }),
        (size, eventIndex, noise, tweaks) => {
          const setup = setUp(size, eventIndex);
          const { view, ram: bytes } = setup.memory;
          bytes.set(noise, DESCRIPTORS - RAM_BASE);
          bytes.set(noise.subarray(0x200), AVAILABLE - RAM_BASE);
          bytes.set(noise, TABLES - RAM_BASE);
          // Some descriptors point into RAM, so that not everything fails at the first look.
          for (const [index, length, flags] of tweaks) {
            const at = DESCRIPTORS - RAM_BASE + index * 16;
            view.setBigUint64(at, BigInt(flags & 4 ? TABLES : BUFFERS + index * 8), true);
            view.setUint32(at + 8, length, true);
            view.setUint16(at + 12, flags, true);
          }
          let index = 0;
          for (let count = 0; count < 200; count++) {
            index = (index + 1) & 0xffff;
            view.setUint16(AVAILABLE - RAM_BASE + 2, index, true);
            const chain = setup.queue.pop();
            if (!chain) break;
            chain.write(0, new Uint8Array(64).fill(count));
            chain.finish(Math.min(64, chain.writableBytes));
          }
          expect(setup.memory.guarded).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
