import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NetDevice } from '../../src/virtio/net/net-device.ts';
import { Cable } from './cable.ts';
import { queueCard } from './queue-card.ts';

const MTU = 1 << 3;
const MAC = 1 << 5;
const MERGE = 1 << 15;
const STATUS = 1 << 16;
const CONTROLS = (1 << 17) | (1 << 18) | (1 << 23);
const ALL = MTU | MAC | MERGE | STATUS | CONTROLS;
const RECEIVE = 0;
const TRANSMIT = 1;
const CONTROL = 2;
const HEADER = 12;
const OWN = [2, 0, 0, 0, 0, 1];

function setUp({ features = ALL, mtu = 1500 } = {}) {
  const cable = new Cable();
  const device = new NetDevice({ name: 'net0', mac: Uint8Array.from(OWN), mtu, link: cable });
  const card = queueCard(device, features);
  return {
    cable,
    device,
    ...card,
    /** A frame from the network, and what the device does with it. */
    receive: (frame: Uint8Array) => {
      const answer = cable.give(frame);
      card.host.settle();
      return answer;
    },
    command: (...request: number[]) => {
      card.send(CONTROL, Uint8Array.from(request), 1);
      return card.collect(CONTROL)?.[0];
    },
  };
}

/** A frame for a station. */
function frame(length = 60, to: readonly number[] = OWN, seed = 0): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, index) => (index + seed) & 0xff);
  bytes.set(to.slice(0, length));
  return bytes;
}
const behindHeader = (bytes: Uint8Array) => {
  const whole = new Uint8Array(HEADER + bytes.length);
  whole.set(bytes, HEADER);
  return whole;
};
const buffersOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint16(10, true);

describe('the network device', () => {
  it('tells its address, its MTU and that the cable is plugged in', () => {
    const { port, device } = setUp({ mtu: 9000 });
    expect(port.deviceId()).toBe(1);
    expect(Array.from({ length: 6 }, (_, index) => port.config(index, 1))).toEqual(OWN);
    expect([port.config(6, 2), port.config(8, 2), port.config(10, 2)]).toEqual([1, 1, 9000]);
    device.setLink(false);
    expect(port.takeInterrupts()).toBe(2);
    expect(port.config(6, 2)).toBe(0);
    device.setLink(false);
    expect(port.takeInterrupts()).toBe(0);
  });

  it('sends the guest’s frames without their headers', () => {
    const { cable, send, collect } = setUp();
    const frames = [frame(14), frame(60, OWN, 1), frame(1518, OWN, 2)];
    for (const bytes of frames) send(TRANSMIT, behindHeader(bytes));
    expect(cable.sent).toEqual(frames);
    expect(collect(TRANSMIT)).toEqual(new Uint8Array(0));
  });

  it('sends nothing that is no frame, and goes on', () => {
    const { cable, device, send, collect, add, port } = setUp();
    send(TRANSMIT, new Uint8Array(5));
    send(TRANSMIT, new Uint8Array(HEADER + 13));
    send(TRANSMIT, new Uint8Array(HEADER + 1519));
    add(TRANSMIT, [{ address: 0x8000_0000, length: 4096, writable: true }]);
    send(TRANSMIT, behindHeader(frame()));
    for (let chain = 0; chain < 5; chain++) expect(collect(TRANSMIT)).toEqual(new Uint8Array(0));
    expect(cable.sent).toEqual([frame()]);
    expect(device.counters).toMatchObject({ refused: 4, transmittedFrames: 1 });
    expect(port.status()).toBe(15);
  });

  it('lets the guest’s frames wait while the network has no room', () => {
    const { cable, host, send, collect } = setUp();
    cable.full = true;
    send(TRANSMIT, behindHeader(frame(60, OWN, 1)));
    send(TRANSMIT, behindHeader(frame(60, OWN, 2)));
    expect(collect(TRANSMIT)).toBeUndefined();
    cable.full = false;
    cable.onRoom?.();
    host.settle();
    expect(cable.sent).toEqual([frame(60, OWN, 1), frame(60, OWN, 2)]);
    expect(collect(TRANSMIT)).toBeDefined();
  });

  it('gives the guest frames over as many buffers as each takes, and says how many', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 14, max: 1518 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 14 }),
        (lengths, rooms) => {
          const { receive, offer, collect, device, memory } = setUp();
          const frames = lengths.map((length, index) => frame(length, OWN, index));
          for (let turn = 0; turn < Math.max(lengths.length, rooms.length); turn++) {
            if (frames[turn]) receive(frames[turn]!);
            if (rooms[turn] !== undefined) offer(RECEIVE, rooms[turn]!);
          }
          const chains: Uint8Array[] = [];
          for (let chain = collect(RECEIVE); chain; chain = collect(RECEIVE)) chains.push(chain);
          let at = 0;
          for (let index = 0; index < device.counters.receivedFrames; index++) {
            // How many buffers there are stands in the header, which may itself lie over several.
            let whole = new Uint8Array(0);
            let count = 0;
            while (whole.length < HEADER + frames[index]!.length) {
              whole = Uint8Array.from([...whole, ...chains[at++]!]);
              count++;
            }
            expect(buffersOf(whole)).toBe(count);
            expect(whole.subarray(0, 10)).toEqual(new Uint8Array(10));
            expect(whole.subarray(HEADER)).toEqual(frames[index]);
          }
          expect(at).toBe(chains.length);
          const room = rooms.reduce((sum, length) => sum + length, 0);
          const needed = lengths.reduce((sum, length) => sum + HEADER + length, 0);
          // With room for each in a buffer of its own nothing is left over.
          if (rooms.length >= lengths.length && Math.min(...rooms) >= 1530) {
            expect(device.counters.receivedFrames).toBe(lengths.length);
          }
          if (room < needed) expect(device.counters.receivedFrames).toBeLessThan(lengths.length);
          expect(memory.guarded).toBe(true);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('without merging gives a frame to one buffer, and loses it when that is too small', () => {
    const { receive, offer, collect, device } = setUp({ features: MAC });
    receive(frame(100));
    receive(frame(200));
    offer(RECEIVE, 12, 99);
    offer(RECEIVE, 12, 300);
    expect(collect(RECEIVE)).toEqual(new Uint8Array(0));
    const whole = collect(RECEIVE)!;
    expect(buffersOf(whole)).toBe(1);
    expect(whole.subarray(HEADER)).toEqual(frame(200));
    expect(device.counters).toMatchObject({ receivedFrames: 1, lost: 1 });
  });

  it('holds the network back while frames wait, until the guest has taken half of them', async () => {
    const { receive, offer, collect } = setUp();
    let answer: unknown;
    for (let count = 0; count < 256; count++) {
      expect(answer).toBeUndefined();
      answer = receive(frame());
    }
    let went = false;
    expect(answer).toBeInstanceOf(Promise);
    void (answer as Promise<void>).then(() => {
      went = true;
    });
    for (let count = 0; count < 128; count++) {
      offer(RECEIVE, 100);
      expect(collect(RECEIVE)).toBeDefined();
      await Promise.resolve();
      expect(went).toBe(false);
    }
    offer(RECEIVE, 100);
    await Promise.resolve();
    await Promise.resolve();
    expect(went).toBe(true);
  });

  it('loses what arrives while there is no driver, or before the driver that is there now', () => {
    const { cable, port, host, receive, offer, collect, start } = setUp();
    receive(frame(60, OWN, 1));
    port.setStatus(0);
    cable.give(frame(60, OWN, 2));
    start();
    offer(RECEIVE, 100);
    host.settle();
    expect(collect(RECEIVE)).toBeUndefined();
    receive(frame(60, OWN, 3));
    expect(collect(RECEIVE)?.subarray(HEADER)).toEqual(frame(60, OWN, 3));
  });

  describe('told what the driver wants to hear', () => {
    const group = [1, 0, 0x5e, 0, 0, 9];
    const other = [2, 0, 0, 0, 0, 9];
    const broadcast = [255, 255, 255, 255, 255, 255];
    /** Which of them get through: own, other, group, broadcast. */
    const heard = ({ receive, offer, collect }: ReturnType<typeof setUp>) =>
      [OWN, other, group, broadcast].map((to) => {
        receive(frame(60, to));
        offer(RECEIVE, 100);
        const got = collect(RECEIVE) !== undefined;
        // The buffer is used up by the next frame in any case.
        if (!got) {
          receive(frame());
          collect(RECEIVE);
        }
        return got;
      });

    it('gives it everything until it says otherwise', () => {
      expect(heard(setUp())).toEqual([true, true, true, true]);
    });

    it('follows its modes and its tables', () => {
      const net = setUp();
      expect(net.command(0, 0, 0)).toBe(0);
      expect(heard(net)).toEqual([true, false, false, true]);
      expect(net.command(0, 1, 1)).toBe(0);
      expect(heard(net)).toEqual([true, false, true, true]);
      expect(net.command(0, 1, 0)).toBe(0);
      expect(net.command(1, 0, 1, 0, 0, 0, ...other, 1, 0, 0, 0, ...group)).toBe(0);
      expect(heard(net)).toEqual([true, true, true, true]);
      expect(net.command(1, 0, 0, 0, 0, 0, 1, 0, 0, 0, ...group)).toBe(0);
      expect(heard(net)).toEqual([true, false, true, true]);
      expect(net.command(0, 0, 1)).toBe(0);
      expect(heard(net)).toEqual([true, true, true, true]);
    });

    it('takes a new address, and has its own again after a reset', () => {
      const net = setUp();
      expect(net.command(0, 0, 0)).toBe(0);
      expect(net.command(1, 1, ...other)).toBe(0);
      expect(net.port.config(5, 1)).toBe(9);
      expect(heard(net).slice(1)).toEqual([true, false, true]);
      net.start();
      expect(net.port.config(5, 1)).toBe(1);
    });

    it('refuses commands that are none', () => {
      const net = setUp();
      for (const request of [
        [0],
        [0, 0],
        [0, 9, 1],
        [1, 1, ...group],
        [1, 1, 2, 0, 0],
        [1, 0],
        [1, 0, 2, 0, 0, 0, ...other],
        [1, 0, 0xff, 0xff, 0xff, 0xff],
        [1, 0, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 0, ...other, 1, 0, 0, 0],
        [4, 0, 1, 0],
      ])
        expect(net.command(...request)).toBe(1);
      expect(heard(net)).toEqual([true, true, true, true]);
    });
  });

  it('keeps to its rates in each direction, loses nothing that fits its queues, and goes on by itself', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { cable, device, host, send, receive, offer, collect } = setUp();
    device.rates = { ppsTransmit: 50, ppsReceive: 50 };
    for (let index = 0; index < 12; index++) {
      send(TRANSMIT, behindHeader(frame(60, OWN, index)));
      offer(RECEIVE, 200);
      receive(frame(60, OWN, index));
    }
    let received = 0;
    const take = () => {
      host.settle();
      while (collect(RECEIVE)) received++;
      return [received, cable.sent.length];
    };
    // A tenth of a second's worth at once, one on credit, then one each 20 ms.
    expect(take()).toEqual([5, 5]);
    for (let ms = 0; ms < 65; ms++) {
      vi.advanceTimersByTime(1);
      take();
    }
    expect(take()).toEqual([9, 9]);
    for (let ms = 0; ms < 100; ms++) {
      vi.advanceTimersByTime(1);
      take();
    }
    expect(take()).toEqual([12, 12]);
    expect(cable.sent).toEqual(Array.from({ length: 12 }, (_, index) => frame(60, OWN, index)));
    expect(device.counters).toMatchObject({
      lost: 0,
      transmittedFrames: 12,
      transmittedBytes: 720,
      receivedFrames: 12,
      receivedBytes: 720,
    });
  });
});
