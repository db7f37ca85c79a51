import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLINT_MSIP, CLINT_MTIME, CLINT_MTIMECMP, Clint } from '../../src/devices/clint.ts';
import { FakeHart } from './fake-hart.ts';

function make() {
  const hart = new FakeHart();
  const clock = {
    ticks: 0,
    now: () => clock.ticks,
    set: (ticks: number) => {
      clock.ticks = ticks;
    },
  };
  return { hart, clock, clint: new Clint(hart, clock) };
}

describe('CLINT', () => {
  it('drives the software interrupt from bit 0 of msip', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (value) => {
        const { hart, clint } = make();
        clint.write(CLINT_MSIP, 4, value);
        expect(hart.lines.has('msi')).toBe((value & 1) === 1);
        expect(clint.read(CLINT_MSIP, 4)).toBe(value & 1);
        clint.reset();
        expect(hart.lines.size).toBe(0);
      }),
    );
  });

  it('holds mtimecmp as 64 bits, written whole or by halves in either order', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        fc.constantFrom('whole', 'low', 'high'),
        (value, how) => {
          const { hart, clint } = make();
          const halves = [
            () => clint.write(CLINT_MTIMECMP, 4, Number(value & 0xffffffffn)),
            () => clint.write(CLINT_MTIMECMP + 4, 4, Number(value >> 32n)),
          ];
          if (how === 'whole') clint.write64(CLINT_MTIMECMP, value);
          else for (const half of how === 'low' ? halves : halves.reverse()) half();
          expect(hart.mtimecmp).toBe(value);
          expect(clint.read64(CLINT_MTIMECMP)).toBe(value);
          expect(BigInt(clint.read(CLINT_MTIMECMP, 4))).toBe(value & 0xffffffffn);
          expect(BigInt(clint.read(CLINT_MTIMECMP + 4, 4))).toBe(value >> 32n);
        },
      ),
    );
  });

  it('shows the time as mtime and moves it when it is written', () => {
    const { clock, clint } = make();
    clock.ticks = 0x1_2345_6789;
    expect(clint.read64(CLINT_MTIME)).toBe(0x1_2345_6789n);
    expect([clint.read(CLINT_MTIME, 4), clint.read(CLINT_MTIME + 4, 4)]).toEqual([0x23456789, 1]);
    clint.write64(CLINT_MTIME, 77n);
    expect(clock.ticks).toBe(77);
  });

  it('disarms the timer at reset', () => {
    const { hart, clint } = make();
    clint.reset();
    expect(hart.mtimecmp).toBe(0xffffffffffffffffn);
  });
});
