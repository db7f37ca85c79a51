import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChannel, openReader, openSender } from '../../src/worker/byte-channel.ts';
import { createRing, RING_BYTES, RingByteReader, RingByteSender } from '../../src/worker/ring-channel.ts';
import { eventually } from './fake-machine.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

for (const shared of [true, false]) {
  describe(shared ? 'a ring in shared memory' : 'a channel of messages', () => {
    it('delivers any interleaving of writes of any sizes as the same bytes', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat({ max: 200_000 }), fc.boolean()), { maxLength: 12 }),
          fc.boolean(),
          async (writes, slowListener) => {
            const [here, there] = createChannel(shared);
            const sender = openSender(here);
            const reader = openReader(there);
            const got: Uint8Array[] = [];
            reader.listen((bytes) => {
              got.push(bytes);
              return slowListener ? turn().then(() => {}) : undefined;
            });
            const sent: Buffer[] = [];
            let value = 0;
            for (const [size, pause] of writes) {
              const bytes = Buffer.alloc(size);
              for (let index = 0; index < size; index++) bytes[index] = value = (value * 5 + 17) & 0xff;
              sent.push(Buffer.from(bytes));
              sender.send(bytes);
              // The sender keeps a copy: what the caller does afterwards is its own affair.
              bytes.fill(0);
              if (pause) await turn();
            }
            const total = sent.reduce((sum, bytes) => sum + bytes.length, 0);
            await reader.whenReceived(total);
            expect(Buffer.concat(got).equals(Buffer.concat(sent))).toBe(true);
            await eventually(() => sender.undelivered === 0);
            sender.close();
            reader.close();
          },
        ),
        { numRuns: 60 },
      );
    });

    it('counts what the reader has not taken and reports when it has', async () => {
      const [here, there] = createChannel(shared);
      const sender = openSender(here);
      const reader = openReader(there);
      let drained = 0;
      sender.onDrain = () => drained++;
      sender.send(new Uint8Array(1_000_000));
      await turn();
      expect(sender.undelivered).toBe(1_000_000);
      expect(sender.sent).toBe(1_000_000);
      reader.listen(() => {});
      await reader.whenReceived(1_000_000);
      await eventually(() => sender.undelivered === 0);
      expect(drained).toBeGreaterThan(0);
      sender.close();
      reader.close();
    });

    it('gives a listener no more while its promise is pending', async () => {
      const [here, there] = createChannel(shared);
      const sender = openSender(here);
      const reader = openReader(there);
      let calls = 0;
      let release = () => {};
      reader.listen(() => {
        calls++;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      });
      sender.send(new Uint8Array(10));
      await eventually(() => calls === 1);
      sender.send(new Uint8Array(10));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(calls).toBe(1);
      release();
      await eventually(() => calls === 2);
      release();
      await reader.whenReceived(20);
      sender.close();
      reader.close();
    });
  });
}

describe('a ring between two threads', () => {
  it('loses nothing and wakes both sides while they run at once', async () => {
    const ring = createRing();
    const { port1, port2 } = new MessageChannel();
    // Plain JavaScript that writes by the ring's rules, so that the reader meets a real second thread.
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       const { ring, port, total } = workerData;
       const header = new Int32Array(ring, 0, 4), data = new Uint8Array(ring, 16);
       let sent = 0;
       function pump() {
         while (sent < total) {
           const room = data.length - ((Atomics.load(header, 1) - Atomics.load(header, 0)) >>> 0);
           if (room === 0) {
             Atomics.store(header, 3, 1);
             if (((Atomics.load(header, 1) - Atomics.load(header, 0)) >>> 0) === data.length) return;
             continue;
           }
           const count = Math.min(room, total - sent, 1 + (sent * 7) % 5000);
           const write = Atomics.load(header, 1) >>> 0;
           for (let i = 0; i < count; i++) data[(write + i) & (data.length - 1)] = (sent + i) * 31;
           Atomics.store(header, 1, (write + count) | 0);
           sent += count;
           if (Atomics.exchange(header, 2, 0) === 1) port.postMessage(null);
         }
         port.close();
       }
       port.on('message', pump);
       pump();`,
      {
        eval: true,
        workerData: { ring, port: port2, total: 3_000_000 },
        transferList: [port2 as unknown as import('node:worker_threads').MessagePort],
      },
    );
    const reader = new RingByteReader(ring, port1);
    let at = 0;
    let wrong = 0;
    reader.listen((bytes) => {
      for (const byte of bytes) if (byte !== ((at++ * 31) & 0xff)) wrong++;
    });
    await reader.whenReceived(3_000_000);
    expect(wrong).toBe(0);
    expect(at).toBe(3_000_000);
    reader.close();
    await worker.terminate();
  });

  it('goes on where the counters wrap around', async () => {
    const ring = createRing();
    const header = new Int32Array(ring, 0, 4);
    header[0] = header[1] = -1000; // 2^32 - 1000 as unsigned
    const { port1, port2 } = new MessageChannel();
    const sender = new RingByteSender(ring, port1);
    const reader = new RingByteReader(ring, port2);
    const got: Uint8Array[] = [];
    reader.listen((bytes) => void got.push(bytes));
    const bytes = Uint8Array.from({ length: RING_BYTES + 5000 }, (_, index) => index * 13);
    sender.send(bytes);
    await reader.whenReceived(bytes.length);
    expect(Buffer.concat(got).equals(Buffer.from(bytes))).toBe(true);
    sender.close();
    reader.close();
  });
});
