import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EthernetSwitch, type SwitchPort } from '../../src/network/ethernet-switch.ts';

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const station = (number: number) => [2, 0, 0, 0, number >> 8, number & 0xff];

/** A frame with a payload that tells it from others. */
function frame(to: readonly number[], from: readonly number[], tag = 0, length = 64): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([...to, ...from, 0x88, 0xb5].slice(0, length));
  if (length >= 18) new DataView(bytes.buffer).setUint32(14, tag);
  return bytes;
}
const tagOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(14);

class Station {
  readonly port: SwitchPort;
  readonly heard: Uint8Array[] = [];
  deaf = false;

  constructor(network: EthernetSwitch) {
    this.port = network.connect((bytes) => {
      if (this.deaf) return false;
      this.heard.push(bytes);
      return true;
    });
  }
}

function setUp(count: number, options: { mtu?: number; ageMs?: number } = {}) {
  const clock = { now: 0 };
  const network = new EthernetSwitch({ ...options, now: () => clock.now });
  return { network, clock, stations: Array.from({ length: count }, () => new Station(network)) };
}

describe('a switch', () => {
  it('delivers each frame to where its station was last heard, or to all others, once and in order', () => {
    const action = fc.record({
      port: fc.nat(3),
      from: fc.nat(7),
      to: fc.oneof(fc.nat(7), fc.constant(undefined)),
      passes: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 80 }) },
      ),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const { clock, stations } = setUp(4, { ageMs: 100 });
        const where = new Map<number, { port: number; at: number }>();
        const expected: number[][] = stations.map(() => []);
        for (const [tag, { port, from, to, passes }] of actions.entries()) {
          clock.now += passes;
          stations[port]!.port.send(frame(to === undefined ? BROADCAST : station(to), station(from), tag));
          where.set(from, { port, at: clock.now });
          const known = to === undefined ? undefined : where.get(to);
          const target = known && clock.now - known.at <= 100 ? known.port : undefined;
          for (const [index, list] of expected.entries()) {
            if (index !== port && (target === undefined || target === index)) list.push(tag);
          }
        }
        expect(stations.map(({ heard }) => heard.map(tagOf))).toEqual(expected);
      }),
    );
  });

  it('forgets the stations of a port that is unplugged, and gives it nothing more', () => {
    const { network, stations } = setUp(3);
    const [a, b, c] = stations as [Station, Station, Station];
    b.port.send(frame(BROADCAST, station(2)));
    b.port.close();
    a.port.send(frame(station(2), station(1), 7));
    b.port.send(frame(station(1), station(2)));
    expect(b.heard).toEqual([]);
    expect(c.heard.map(tagOf)).toEqual([0, 7]);
    expect(a.heard.map(tagOf)).toEqual([0]);
    expect(network.ports).toHaveLength(2);
  });

  it('keeps what a busy port cannot take in order, up to its bounds, and counts what is lost', () => {
    const { stations } = setUp(2);
    const [a, b] = stations as [Station, Station];
    b.deaf = true;
    for (let tag = 0; tag < 400; tag++) a.port.send(frame(BROADCAST, station(1), tag));
    expect(b.port.counters).toMatchObject({ dropped: 144, receivedFrames: 0 });
    b.deaf = false;
    b.port.drain();
    expect(b.heard.map(tagOf)).toEqual(Array.from({ length: 256 }, (_, tag) => tag));
    expect(b.port.counters).toMatchObject({ dropped: 144, receivedFrames: 256, receivedBytes: 256 * 64 });
    expect(a.port.counters).toMatchObject({ sentFrames: 400, sentBytes: 400 * 64 });
  });

  it('bounds what waits in bytes as well', () => {
    const { stations } = setUp(2, { mtu: 65_000 });
    const [a, b] = stations as [Station, Station];
    b.deaf = true;
    for (let tag = 0; tag < 20; tag++) a.port.send(frame(BROADCAST, station(1), tag, 65_000));
    expect(b.port.counters.dropped).toBe(12);
  });

  it('refuses frames that are too short, too long, or from a group', () => {
    const { stations } = setUp(2);
    const [a, b] = stations as [Station, Station];
    for (const bytes of [new Uint8Array(0), frame(BROADCAST, station(1), 0, 13)]) a.port.send(bytes);
    a.port.send(frame(BROADCAST, station(1), 0, 1519));
    a.port.send(frame(BROADCAST, [3, 0, 0, 0, 0, 1]));
    expect(b.heard).toEqual([]);
    expect(a.port.counters).toMatchObject({ refused: 4, sentFrames: 0 });
    a.port.send(frame(BROADCAST, station(1), 0, 14));
    a.port.send(frame(BROADCAST, station(1), 0, 1518));
    expect(b.heard.map(({ length }) => length)).toEqual([14, 1518]);
  });

  it('passes on nothing that is meant for bridges', () => {
    const { stations } = setUp(2);
    const [a, b] = stations as [Station, Station];
    for (const last of [0x00, 0x0e, 0x0f, 0x10]) a.port.send(frame([1, 0x80, 0xc2, 0, 0, last], station(1)));
    expect(b.heard).toHaveLength(1);
  });

  it('lets no port that invents stations push out those of others', () => {
    const { stations, clock } = setUp(3);
    const [a, b, c] = stations as [Station, Station, Station];
    b.port.send(frame(BROADCAST, station(0xffff)));
    for (let number = 0; number < 5000; number++) {
      clock.now++;
      a.port.send(frame(station(0xffff), station(number), number));
    }
    expect(b.heard).toHaveLength(5000);
    // Only the broadcast: what was for b went to b alone.
    expect(c.heard).toHaveLength(1);
    b.port.send(frame(station(10), station(0xffff), 1));
    expect(c.heard).toHaveLength(1);
    // One that was too many to be learned is reached all the same.
    b.port.send(frame(station(4000), station(0xffff), 2));
    expect(c.heard).toHaveLength(2);
    expect(a.heard.map(tagOf)).toEqual([0, 1, 2]);
  });

  it('takes answers that are sent while a frame is taken', () => {
    const network = new EthernetSwitch();
    const order: string[] = [];
    const a = network.connect((bytes) => {
      order.push(`a${tagOf(bytes)}`);
      if (tagOf(bytes) < 5) a.send(frame(station(2), station(1), tagOf(bytes) + 1));
      return true;
    });
    const b = network.connect((bytes) => {
      order.push(`b${tagOf(bytes)}`);
      b.send(frame(station(1), station(2), tagOf(bytes) + 1));
      return true;
    });
    b.send(frame(BROADCAST, station(2), 0));
    expect(order).toEqual(['a0', 'b1', 'a2', 'b3', 'a4', 'b5', 'a6']);
  });

  it('refuses an MTU that no network has', () => {
    for (const mtu of [0, 67, 65_518, 1500.5, Number.NaN])
      expect(() => new EthernetSwitch({ mtu })).toThrow(RangeError);
    expect(new EthernetSwitch({ mtu: 9000 }).mtu).toBe(9000);
  });
});
