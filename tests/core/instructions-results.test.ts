// Results of instructions that tests/diff cannot compare, because QEMU 7.2 has none of them or has them wrong.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../diff/encode.ts';
import { newHart } from './harness.ts';

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

function binary(mnemonic: string, a: bigint, b: bigint): bigint {
  const machine = newHart();
  machine.setX(6, a);
  machine.setX(7, b);
  machine.execute([encode(mnemonic, { rd: 5, rs1: 6, rs2: 7 })]);
  return machine.x(5);
}

describe('Zicond', () => {
  const condition = fc.oneof(fc.constant(0n), u64);
  it('czero.eqz gives zero when the condition is zero, else its operand', () => {
    fc.assert(
      fc.property(u64, condition, (a, b) => {
        expect(binary('czero.eqz', a, b)).toBe(b === 0n ? 0n : a);
      }),
    );
  });
  it('czero.nez gives zero when the condition is not zero, else its operand', () => {
    fc.assert(
      fc.property(u64, condition, (a, b) => {
        expect(binary('czero.nez', a, b)).toBe(b === 0n ? a : 0n);
      }),
    );
  });
  it('looks at all 64 bits of the condition', () => {
    for (let bit = 0n; bit < 64n; bit++) {
      expect(binary('czero.eqz', 5n, 1n << bit)).toBe(5n);
      expect(binary('czero.nez', 5n, 1n << bit)).toBe(0n);
    }
  });
});

it('ctzw and clzw of a word of zeros are 32, whatever the upper half holds', () => {
  for (const upper of [0n, 1n, 0xffff_ffffn, 0x8000_0000n]) {
    expect(binary('ctzw', upper << 32n, 0n)).toBe(32n);
    expect(binary('clzw', upper << 32n, 0n)).toBe(32n);
  }
});

describe('an sc', () => {
  const address = 0x8001_0000;
  const lr = encode('lr.w', { rd: 5, rs1: 8 });
  const sc = (rs1: number): number => encode('sc.w', { rd: 6, rs1, rs2: 9 });
  function run(...words: number[]) {
    const machine = newHart();
    machine.setX(8, address);
    machine.setX(9, 0x1234);
    machine.setX(10, address + 64);
    expect(machine.execute(words)).toBeUndefined();
    return { succeeded: machine.x(6) === 0n, memory: machine.read64(address) };
  }
  it('succeeds after lr to its address and writes', () =>
    expect(run(lr, sc(8))).toEqual({ succeeded: true, memory: 0x1234n }));
  it('fails without lr, with rd = 1, and writes nothing', () =>
    expect(run(sc(8))).toEqual({ succeeded: false, memory: 0n }));
  it('fails when another sc came between, even one that failed', () =>
    expect(run(lr, sc(10), sc(8))).toEqual({ succeeded: false, memory: 0n }));
  it('fails when another lr took the reservation', () =>
    expect(run(lr, encode('lr.w', { rs1: 10 }), sc(8))).toEqual({ succeeded: false, memory: 0n }));
  it('fails after the host wrote there', () => {
    const machine = newHart();
    machine.setX(8, address);
    machine.execute([lr]);
    machine.write64(address, 7n);
    machine.execute([sc(8)]);
    expect([machine.x(6), machine.read64(address)]).toEqual([1n, 7n]);
  });
});

it.each(['lr.w', 'lr.d', 'sc.w', 'sc.d', 'amoadd.w', 'amoswap.d'])(
  '%s of a misaligned address is a misaligned exception with the address in mtval',
  (mnemonic) => {
    const size = mnemonic.endsWith('w') ? 4 : 8;
    for (let offset = 1; offset < size; offset++) {
      const machine = newHart();
      machine.setX(8, 0x8001_0000 + offset);
      expect(machine.execute([encode(mnemonic, { rd: 5, rs1: 8 })])).toMatchObject({
        cause: mnemonic.startsWith('lr') ? 4n : 6n,
        tval: BigInt(0x8001_0000 + offset),
      });
    }
  },
);
