import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChannel, openReader, openSender } from '../../src/worker/byte-channel.ts';
import { FRAME_CHANNEL_BYTES, FrameChannel, FrameSplitter } from '../../src/worker/frame-channel.ts';
import { eventually } from './fake-machine.ts';

function cable(shared: boolean): { a: FrameChannel; b: FrameChannel } {
  const [one, two] = createChannel(shared);
  const [three, four] = createChannel(shared);
  return {
    a: new FrameChannel(openSender(one), openReader(three)),
    b: new FrameChannel(openSender(four), openReader(two)),
  };
}

const frame = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 0xff);

describe.each([
  ['a ring', true],
  ['messages', false],
])('frames through %s', (_, shared) => {
  it('arrive whole and in order, whatever their lengths', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 20 }), async (lengths) => {
        const { a, b } = cable(shared);
        const heard: Uint8Array[] = [];
        b.listen((bytes) => void heard.push(bytes));
        for (const [index, length] of lengths.entries()) {
          while (!a.send(frame(length, index))) {
            await new Promise<void>((resolve) => {
              a.onRoom = resolve;
            });
          }
        }
        await eventually(() => heard.length === lengths.length);
        for (const [index, bytes] of heard.entries()) {
          expect(Buffer.compare(bytes, frame(lengths[index]!, index))).toBe(0);
        }
        a.close();
        b.close();
      }),
      { numRuns: 25 },
    );
  });

  it('are refused while the other end takes none, and asked for again when it does', async () => {
    const { a, b } = cable(shared);
    let letIn = () => {};
    let heard = 0;
    const wait = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    b.listen(() => {
      heard++;
      return wait;
    });
    let rooms = 0;
    a.onRoom = () => void rooms++;
    let sent = 0;
    for (let still = 0; still < 3; ) {
      while (a.send(frame(1500, sent))) {
        sent++;
        still = 0;
      }
      still++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // What both ends hold: the sender's bound, and what the reader has taken out of the channel at once.
    expect(sent * 1502).toBeGreaterThan(FRAME_CHANNEL_BYTES);
    expect(sent * 1502).toBeLessThan(3 * FRAME_CHANNEL_BYTES);
    rooms = 0;
    letIn();
    await eventually(() => heard === sent);
    expect(rooms).toBe(1);
    a.close();
    b.close();
  });
});

describe('a splitter of frames', () => {
  it('finds the same frames however the stream was cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
        (frames, cuts) => {
          const stream = frames.flatMap((bytes) => [bytes.length & 0xff, bytes.length >> 8, ...bytes]);
          const splitter = new FrameSplitter();
          const found: number[][] = [];
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const count = cuts[turn % cuts.length]!;
            splitter.split(
              Uint8Array.from(stream.slice(at, at + count)),
              (bytes) => void found.push([...bytes]),
            );
            at += count;
          }
          expect(found).toEqual(frames.map((bytes) => [...bytes]));
        },
      ),
    );
  });
});
