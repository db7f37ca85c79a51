import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Clint } from '../../src/devices/clint.ts';
import type { MmioDevice } from '../../src/devices/device.ts';
import { EmptyVirtioSlot, OpenBus } from '../../src/devices/empty-slots.ts';
import { GoldfishRtc } from '../../src/devices/goldfish-rtc.ts';
import { Plic } from '../../src/devices/plic.ts';
import { Rom } from '../../src/devices/rom.ts';
import { Syscon, type SysconRequest } from '../../src/devices/syscon.ts';
import { Uart16550 } from '../../src/devices/uart16550.ts';
import { Bus } from '../../src/machine/bus.ts';
import { FakeHart } from './fake-hart.ts';

const none = () => {};
const makers: Record<string, () => MmioDevice> = {
  clint: () => new Clint(new FakeHart(), { now: () => 5, set: none }),
  plic: () => new Plic([none, none]),
  uart: () => new Uart16550(none, none),
  rtc: () => new GoldfishRtc(() => 5n, none),
  syscon: () => new Syscon(none),
  'virtio slot': () => new EmptyVirtioSlot(0),
  'open bus': () => new OpenBus('ecam', 0x10000),
  rom: () => new Rom('rom', 0xf000, Uint8Array.of(1, 2, 3)),
};

describe.each(Object.entries(makers))('hostile accesses to the %s', (_name, make) => {
  it('never throw, and answer with a value of their size', () => {
    const { size } = make();
    // Mostly where registers are.
    const offset = fc.oneof(fc.nat(0x40), fc.nat(size - 1), fc.nat(Math.min(size - 1, 0x3000)));
    const access = fc.record({
      offset,
      size: fc.constantFrom(1, 2, 4, 8),
      write: fc.boolean(),
      low: fc.nat(0xffffffff),
      high: fc.nat(0xffffffff),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
        const bus = new Bus();
        bus.attach({ base: 0x1000, size }, make());
        for (const a of accesses) {
          const address = 0x1000 + a.offset - (a.offset % a.size);
          if (address + a.size > 0x1000 + size) continue;
          if (a.write) {
            expect(bus.write(address, a.size, a.low, a.high)).toBe(true);
          } else {
            const value = bus.read(address, a.size);
            expect(value).toBeDefined();
            const wide = typeof value === 'bigint' ? value : BigInt(value! >>> 0);
            expect(wide >= 0n && wide < 1n << BigInt(a.size * 8)).toBe(true);
          }
        }
        bus.reset();
      }),
    );
  });
});

describe('syscon', () => {
  it('passes on power-off, reboot and failure codes, and nothing else', () => {
    const seen: SysconRequest[] = [];
    const syscon = new Syscon((request) => seen.push(request));
    for (const value of [0, 0x5555, 0x7777, (42 << 16) | 0x3333, 0x1234]) syscon.write(0, 4, value);
    syscon.write(4, 4, 0x5555);
    expect(seen).toEqual([{ kind: 'poweroff' }, { kind: 'reboot' }, { kind: 'fail', code: 42 }]);
  });
});

describe('empty slots', () => {
  it('an empty virtio slot has the magic, version 2 and device id 0', () => {
    const slot = new EmptyVirtioSlot(3);
    expect([0, 4, 8].map((offset) => slot.read(offset, 4))).toEqual([0x74726976, 2, 0]);
  });

  it('PCI configuration space without devices reads as all ones', () => {
    const ecam = new OpenBus('ecam', 0x1000);
    expect([ecam.read(0, 1), ecam.read(0, 2), ecam.read(0, 4)]).toEqual([0xff, 0xffff, 0xffffffff]);
  });
});
