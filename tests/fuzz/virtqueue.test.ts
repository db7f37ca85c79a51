// Every virtio device on the board under a driver that lies: rings outside RAM, descriptors in circles, indices that
// wrap, lengths that overflow, requests over queues and code. HYPERTAB_LONG=1: a million operations on each device.
import { expect, test } from 'vitest';
import type { Board } from '../../src/machine/board.ts';
import { Random } from '../diff/random.ts';
import { hostileBoard, LONG, SEED, SLICE_MS, Watchdog } from './hostile.ts';
import { findCards, HostileDriver } from './virtio-driver.ts';

const OPERATIONS = LONG ? 1_000_000 : 20_000;
/** Work that is not done after so many slices goes on for ever. */
const SLICES_MOST = 5000;

/** What RAM holds, as far as the guest and the devices have said that they wrote it. */
class Shadow {
  readonly board: Board;
  #shadow: Uint8Array | undefined;

  constructor() {
    this.board = hostileBoard({}, { written: (offset, length) => this.#copy(offset, length) });
    this.#shadow = this.board.core.ram.slice();
  }
  #copy(offset: number, length: number): void {
    // The board says it once, of all of RAM, while it is being made: that is before there is a shadow.
    this.#shadow?.set(this.board.core.ram.subarray(offset, offset + length), offset);
  }
  poke(offset: number, bytes: Uint8Array): void {
    this.board.core.ram.set(bytes, offset);
    this.#shadow?.set(bytes, offset);
  }
  /** Where RAM was changed and nobody said so: code decoded from there would be stale. */
  get difference(): number | undefined {
    const { ram } = this.board.core;
    const shadow = this.#shadow ?? ram;
    if (Buffer.compare(ram, shadow) === 0) return undefined;
    return ram.findIndex((byte, index) => byte !== shadow[index]);
  }
}

const cards = findCards(hostileBoard());

test('the board has virtio devices to try', () => {
  expect(cards.length).toBeGreaterThan(0);
});

test.each(cards)(
  'the virtio device of type $deviceId in slot $slot keeps within RAM, says what it writes, and ends its slices',
  async (card) => {
    const random = new Random(SEED + card.slot);
    const shadow = new Shadow();
    const { board } = shadow;
    findCards(board);
    const driver = new HostileDriver(board, card, random, (offset, bytes) => shadow.poke(offset, bytes));
    const watchdog = new Watchdog();
    const seed = `card ${card.slot}, seed ${SEED}`;
    let rounds = 0;
    let answered = 0;
    while (driver.operations < OPERATIONS) {
      rounds++;
      watchdog.run(
        () => `set-up of ${seed}`,
        () => driver.setUp(),
      );
      for (let request = random.between(1, 12); request > 0; request--) {
        watchdog.run(
          () => `a request to ${seed}`,
          () => {
            if (random.once(6)) driver.meddle();
            driver.request(random.below(driver.queues + (random.once(20) ? 1 : 0)));
          },
        );
        if (random.once(4)) continue;
        for (let slices = 0; board.work.pending; slices++) {
          if (slices > SLICES_MOST) throw new Error(`${seed}: the work never ends`);
          watchdog.run(
            () => `work of ${seed}`,
            () => {
              const end = performance.now() + 2;
              board.work.run(() => performance.now() >= end);
            },
          );
        }
        // What stands behind a device may answer later.
        if (random.once(8)) await new Promise((done) => setImmediate(done));
      }
      answered += driver.answered;
      if (rounds % 40 !== 0) continue;
      const at = shadow.difference;
      if (at !== undefined)
        throw new Error(`${seed}, round ${rounds}: RAM + 0x${at.toString(16)} was written and not told`);
    }
    expect(shadow.difference).toBeUndefined();
    // Not everything was refused.
    expect(answered).toBeGreaterThan(OPERATIONS / 500);
    expect(watchdog.slowest).toBeLessThan(SLICE_MS * 4);
    if (LONG)
      process.stdout.write(
        `virtio ${card.deviceId}: ${driver.operations} operations, ${answered} chains answered, the slowest ${watchdog.slowest.toFixed(1)} ms\n`,
      );
  },
  LONG ? 900_000 : 60_000,
);
