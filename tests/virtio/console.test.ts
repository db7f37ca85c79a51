import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleDevice } from '../../src/virtio/console/console-device.ts';
import { queueCard } from './queue-card.ts';

const SIZE = 1;
const MULTIPORT = 2;
const TELL = 2;
const LISTEN = 3;
// Events of control messages.
const DEVICE_READY = 0;
const PORT_ADD = 1;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const RESIZE = 5;
const OPEN = 6;
const NAME = 7;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => data && new TextDecoder().decode(data);

function control(id: number, event: number, value: number): Uint8Array {
  const message = new Uint8Array(8);
  const view = new DataView(message.buffer);
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  return message;
}

function setUp(ports = 2, features = SIZE | MULTIPORT) {
  const device = new ConsoleDevice(ports);
  const card = queueCard(device, features);
  /** Messages of the device until it has no more: [port, event, value, what follows]. */
  const told = () => {
    const all: [number, number, number, number[]][] = [];
    for (;;) {
      card.offer(TELL, 64);
      const message = card.collect(TELL);
      if (message === undefined) return all;
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      all.push([
        view.getUint32(0, true),
        view.getUint16(4, true),
        view.getUint16(6, true),
        [...message.subarray(8)],
      ]);
    }
  };
  const say = (id: number, event: number, value: number) => card.send(LISTEN, control(id, event, value));
  return { device, ...card, told, say };
}

describe('the console device', () => {
  it('tells how many ports it can have, and has a pair of queues for each and for control', () => {
    const { port } = setUp(3);
    expect(port.deviceId()).toBe(3);
    expect(port.config(4, 4)).toBe(3);
    expect(port.queueMax(7)).toBeGreaterThan(0);
    expect(port.queueMax(8)).toBe(0);
  });

  it('announces its ports, then makes each a console with a name, open, and as large as its terminal', () => {
    const { device, say, told } = setUp();
    device.ports[1]!.resize(132, 50);
    say(0xffff_ffff, DEVICE_READY, 1);
    expect(told()).toEqual([
      [0, PORT_ADD, 0, []],
      [1, PORT_ADD, 0, []],
    ]);
  });

  it('makes a port that is ready a console with a name, open, and as large as its terminal', () => {
    const { device, say, told } = setUp();
    device.ports[1]!.resize(132, 50);
    say(1, PORT_READY, 1);
    expect(told()).toEqual([
      [1, CONSOLE_PORT, 1, []],
      [1, NAME, 1, [...bytes('hypertab.console2')]],
      [1, OPEN, 1, []],
      [1, RESIZE, 0, [132, 0, 50, 0]],
    ]);
  });

  it('gives a channel a name of its own, and does not call it a console', () => {
    const card = setUp(2);
    const device = new ConsoleDevice(1, 1);
    expect(device.queueSizes).toHaveLength(card.device.queueSizes.length);
    const { send } = queueCard(device, SIZE | MULTIPORT);
    device.ports[1]!.resize(80, 24);
    send(LISTEN, control(1, PORT_READY, 1));
    const kinds = [];
    for (let next = device.ports[1]!.message; next !== undefined; next = device.ports[1]!.message) {
      kinds.push([next[4], text(next.subarray(8))]);
      device.ports[1]!.told();
    }
    expect(kinds).toEqual([
      [NAME, 'hypertab.channel0'],
      [OPEN, ''],
    ]);
    expect(() => new ConsoleDevice(10, 7)).toThrow(RangeError);
  });

  it('keeps what is sent on a channel until a program has opened it', () => {
    const device = new ConsoleDevice(0, 1);
    const { send, offer, collect } = queueCard(device, SIZE | MULTIPORT);
    device.ports[0]!.type(bytes('early'));
    offer(0, 64);
    expect(collect(0)).toBeUndefined();
    send(LISTEN, control(0, OPEN, 1));
    expect(text(collect(0))).toBe('early');
  });

  it('tells of a new size once, and of the last one only', () => {
    const { device, say, told } = setUp();
    say(0, PORT_READY, 1);
    told();
    device.ports[0]!.resize(80, 24);
    device.ports[0]!.resize(300, 24);
    device.ports[0]!.resize(300, 24);
    expect(told()).toEqual([[0, RESIZE, 0, [0x2c, 0x01, 24, 0]]]);
    for (const [columns, rows] of [
      [0, 24],
      [80, 65_536],
      [80.5, 24],
    ] as const)
      expect(() => device.ports[0]!.resize(columns, rows)).toThrow(RangeError);
  });

  it('tells a driver that knows of one port its size by the configuration', () => {
    const { device, port, say, offer, collect } = setUp(1, SIZE);
    device.ports[0]!.resize(100, 40);
    expect(port.takeInterrupts() & 2).toBe(2);
    expect([port.config(0, 2), port.config(2, 2)]).toEqual([100, 40]);
    say(0, PORT_READY, 1);
    offer(TELL, 64);
    expect(collect(TELL)).toBeUndefined();
  });

  it('passes on what the guest writes, port by port', () => {
    const { device, send, collect } = setUp();
    const heard: [string, string] = ['', ''];
    for (const index of [0, 1] as const) {
      device.ports[index]!.onOutput = (data) => {
        heard[index] += text(data);
      };
    }
    send(1, bytes('one '));
    send(5, bytes('two'));
    send(1, bytes('more'));
    expect(heard).toEqual(['one more', 'two']);
    expect(collect(1)).toEqual(new Uint8Array(0));
  });

  it('gives the guest what was typed, in whatever pieces it has room for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }),
        (typed, rooms) => {
          const { device, offer, collect } = setUp();
          const all = bytes(typed.join(''));
          let got: number[] = [];
          for (let turn = 0; turn < Math.max(typed.length, rooms.length); turn++) {
            if (typed[turn] !== undefined) device.ports[1]!.type(bytes(typed[turn]!));
            if (rooms[turn] !== undefined) offer(4, rooms[turn]!);
          }
          for (let chain = collect(4); chain !== undefined; chain = collect(4)) got = [...got, ...chain];
          expect(got).toEqual([...all.subarray(0, got.length)]);
          const waits = device.ports[1]!.inputPending;
          expect(got.length + waits).toBe(all.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps what is typed before the guest knows of the port, and drops what the last guest left', () => {
    const { device, start, host, say, offer, collect } = setUp();
    const [first] = device.ports;
    first!.type(bytes('early'));
    start();
    offer(0, 16);
    host.settle();
    expect(text(collect(0))).toBe('early');
    say(0, PORT_READY, 1);
    say(0, OPEN, 1);
    expect(first!.open).toBe(true);
    first!.type(bytes('late'));
    start();
    expect(first!.open).toBe(false);
    expect(first!.inputPending).toBe(0);
  });

  it('passes over control messages that mean nothing', () => {
    const { port, say, send, told } = setUp();
    for (const id of [2, 77, 0xffff_ffff]) for (const event of [PORT_READY, OPEN, 9]) say(id, event, 1);
    say(0, DEVICE_READY, 0);
    say(0, PORT_READY, 0);
    send(LISTEN, new Uint8Array(7));
    expect(told()).toEqual([]);
    expect(port.status()).toBe(15);
  });

  it('says what it has to say once, however often it is asked before it can', () => {
    const { say, told, collect } = setUp();
    for (let turn = 0; turn < 12; turn++) {
      say(0, PORT_READY, 1);
      collect(LISTEN);
    }
    expect(told().map(([, event]) => event)).toEqual([CONSOLE_PORT, NAME, OPEN]);
  });

  it('gives back a buffer that has no room for a message, and keeps the message', () => {
    const { say, offer, collect, told } = setUp();
    say(0, DEVICE_READY, 1);
    offer(TELL, 4);
    expect(collect(TELL)).toEqual(new Uint8Array(0));
    expect(told()).toHaveLength(2);
  });

  it('takes no more of a chain than a driver can mean', () => {
    const { device, add, memory } = setUp();
    let heard = 0;
    device.ports[0]!.onOutput = (data) => {
      heard += data.length;
    };
    const address = 0x8000_0000;
    // The same 3 MiB over and over.
    add(
      1,
      Array.from({ length: 10 }, () => ({ address, length: 3 << 20, writable: false })),
    );
    expect(heard).toBe(1 << 20);
    expect(memory.guarded).toBe(true);
  });

  it('refuses to be made with ports that cannot be', () => {
    for (const ports of [0, 17, 1.5]) expect(() => new ConsoleDevice(ports)).toThrow(RangeError);
  });
});
