import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteQueue } from '../../src/devices/byte-queue.ts';

test('a byte queue gives back what it was given, in order, however it is taken', () => {
  const step = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constant('shift' as const),
    fc.constant('clear' as const),
    fc.nat(30),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const queue = new ByteQueue();
      const model: number[] = [];
      for (const action of steps) {
        if (action === 'shift') {
          expect(queue.shift()).toBe(model.shift());
        } else if (action === 'clear') {
          queue.clear();
          model.length = 0;
        } else if (typeof action === 'number') {
          const target = new Uint8Array(action);
          const count = queue.shiftInto(target);
          expect([...target.subarray(0, count)]).toEqual(model.splice(0, action));
        } else {
          const given = Buffer.from(action);
          queue.push(given);
          model.push(...action);
          given.fill(0); // what the caller does with its bytes later is its own affair
        }
        expect(queue.length).toBe(model.length);
      }
    }),
  );
});
