// Every register of every device on the bus, read and written at random: nothing throws, every answer is an integer.
// HYPERTAB_LONG=1 does a million operations on each device.
import { expect, test } from 'vitest';
import { slotRegion } from '../../src/machine/device-tree.ts';
import * as map from '../../src/machine/memory-map.ts';
import { Random } from '../diff/random.ts';
import { hostileBoard, hostileWord, LONG, SEED, SLICE_MS, Watchdog } from './hostile.ts';

const OPERATIONS = LONG ? 1_000_000 : 15_000;

/** Where registers are, besides the first bytes of a region. */
interface Subject {
  readonly name: string;
  readonly region: map.Region;
  readonly places: readonly number[];
  readonly virtio?: 'pci' | 'mmio';
}

const slots = Array.from({ length: 32 }, (_, slot) => slot << 15);

const SUBJECTS: readonly Subject[] = [
  { name: 'boot ROM', region: map.BOOT_ROM, places: [0, 0xeff0] },
  { name: 'syscon', region: map.SYSCON, places: [0] },
  { name: 'real-time clock', region: map.RTC, places: [0] },
  { name: 'CLINT', region: map.CLINT, places: [0, 0x4000, 0xbff8, 0xfff8] },
  { name: 'PLIC', region: map.PLIC, places: [0, 0x80, 0x1000, 0x2000, 0x2080, 0x200000, 0x201000, 0x3ff000] },
  { name: 'UART', region: map.UART, places: [0] },
  { name: 'PCI I/O', region: map.PCI_IO, places: [0] },
  {
    name: 'PCI configuration',
    region: map.PCI_ECAM,
    places: [...slots, 0x8000 + 0x40, 0x10000 + 0x40, 0x100000],
  },
  { name: 'PCI memory', region: map.PCI_MMIO, places: [0, 0x1000, 0x2000, 0x3000, 0x4000] },
  { name: 'high PCI memory', region: map.PCI_MMIO_HIGH, places: [0] },
  ...Array.from({ length: map.VIRTIO_MMIO_SLOTS }, (_, slot) => ({
    name: `virtio slot ${slot}`,
    region: slotRegion(slot),
    places: [0, 0x70, 0x100],
    virtio: 'mmio' as const,
  })),
];

/** Enables memory of the cards that there are, at places that a subject's accesses hit. */
function placeCards(board: ReturnType<typeof hostileBoard>): void {
  const { bus } = board;
  for (let slot = 1; slot < 32; slot++) {
    const config = map.PCI_ECAM.base + (slot << 15);
    if (bus.read(config, 4) === 0xffff_ffff) continue;
    bus.write(config + 0x10, 4, map.PCI_MMIO.base + 0x4000 * (slot % 4), 0);
    bus.write(config + 4, 2, 7, 0);
  }
}

function access(random: Random, { region, places }: Subject): { address: number; size: number } {
  const size = random.pick([1, 2, 4, 4, 4, 8, 8]);
  const place = random.once(5) ? Math.floor((random.word() / 2 ** 32) * region.size) : random.pick(places);
  const offset = place + random.below(random.once(4) ? 0x200 : 0x48);
  // Mostly aligned, as the core passes nothing else on; the bus must refuse the rest, and what leaves the region.
  const aligned = random.once(10) ? offset : offset - (offset % size);
  return { address: region.base + aligned, size };
}

test.each(SUBJECTS)(
  'any access to $name is answered with an integer or refused, and nothing throws',
  (subject) => {
    const random = new Random(SEED);
    let requests = 0;
    const board = hostileBoard(
      { virtio: subject.virtio ?? 'pci' },
      {
        syscon: () => {
          requests++;
        },
      },
    );
    placeCards(board);
    const watchdog = new Watchdog();
    let answered = 0;
    for (let operation = 0; operation < OPERATIONS; operation++) {
      const { address, size } = access(random, subject);
      const [low, high] = [hostileWord(random), hostileWord(random)];
      const write = random.once(2);
      const told = (): string =>
        `${write ? 'write' : 'read'} of ${size} bytes at 0x${address.toString(16)}, 0x${low.toString(16)} 0x${high.toString(16)}`;
      watchdog.run(told, () => {
        if (write) {
          if (board.bus.write(address, size, low, size === 8 ? high : 0)) answered++;
          return;
        }
        const value = board.bus.read(address, size);
        if (value === undefined) return;
        answered++;
        if (typeof value === 'number' && !Number.isInteger(value)) throw new Error(`answered ${value}`);
      });
      if (random.once(16)) {
        watchdog.run(
          () => `the work after ${told()}`,
          () => {
            board.rtc.poll();
            board.core.advanceTime(random.below(1 << 30));
            // A slice's worth, as the machine does it.
            const end = performance.now() + 2;
            board.work.run(() => performance.now() >= end);
          },
        );
      }
      if (random.once(5000)) {
        board.powerOn();
        placeCards(board);
      }
    }
    expect(answered).toBeGreaterThan(OPERATIONS / 2);
    expect(watchdog.slowest).toBeLessThan(SLICE_MS * 4);
    if (subject.name === 'syscon') expect(requests).toBeGreaterThan(0);
    if (LONG)
      process.stdout.write(
        `${subject.name}: ${OPERATIONS} operations, the slowest ${watchdog.slowest.toFixed(1)} ms\n`,
      );
  },
  LONG ? 600_000 : 30_000,
);
