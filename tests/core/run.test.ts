// run(): exact budgets, why it comes back, devices on the way, code that changes. The CoreApi contract.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAUSE } from './csr-numbers.ts';
import { CODE, DATA, newHart, poke, RAM, S } from './harness.ts';
import { addi, amoadd, EBREAK, FENCE_I, jal, jalr, LOOP, load, NOP, store, WFI } from './instructions.ts';
import { PageTables, RWX } from './page-tables.ts';

describe('run(n)', () => {
  it('executes exactly n instructions, over branches, calls, pages and instructions that straddle pages', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 }), (slices) => {
        const hart = newHart();
        // 4,090 bytes of c.nop, a straddling addi, a jump back over the page: 1 + 2045 + 1 + 1 instructions a round.
        const page = Math.floor(DATA / 4096) * 4096;
        poke(
          hart.core,
          page,
          Uint8Array.from({ length: 4094 }, (_, at) => (at & 1 ? 0 : 1)),
        );
        const straddling = new Uint8Array(new Uint32Array([addi(6, 6, 1), jal(0, -4098)]).buffer);
        poke(hart.core, page + 4094, straddling);
        hart.core.hart.pc = BigInt(page);
        let total = 0;
        for (const slice of slices) {
          expect(hart.core.run(slice)).toBe('budget');
          total += slice;
          expect(hart.core.instructions).toBe(total);
        }
        const round = 2047 + 2;
        const done = total % round;
        expect(hart.x(6)).toBe(BigInt(Math.floor(total / round) + (done >= 2048 ? 1 : 0)));
        const pc = done <= 2047 ? page + done * 2 : page + 4098;
        expect(hart.core.hart.pc).toBe(BigInt(pc));
      }),
      { numRuns: 40 },
    );
  });

  it('counts a trap as a step of the budget, not as an instruction', () => {
    const hart = newHart();
    hart.program([NOP, EBREAK]);
    hart.core.run(2);
    expect(hart.core.instructions).toBe(1);
    expect(hart.core.counters().traps).toBe(1);
  });

  it('of zero does nothing', () => {
    const hart = newHart();
    hart.program([NOP]);
    expect(hart.core.run(0)).toBe('budget');
    expect(hart.core.hart.pc).toBe(BigInt(CODE));
  });
});

describe('requestExit', () => {
  it('ends the run after the instruction that reached the device', () => {
    for (const word of [store(4, 6, 5), load(4, 7, 5)]) {
      const hart = newHart();
      hart.host.registers.set(0x1000_0000, 1n);
      const { mmioRead, mmioWrite } = hart.host;
      hart.host.mmioRead = (address) => {
        hart.core.requestExit();
        return mmioRead.call(hart.host, address);
      };
      hart.host.mmioWrite = (...parameters) => {
        hart.core.requestExit();
        return mmioWrite.apply(hart.host, parameters);
      };
      hart.setX(5, 0x1000_0000);
      hart.program([NOP, word, NOP, NOP, NOP]);
      expect(hart.core.run(5)).toBe('requested');
      expect([hart.core.instructions, hart.core.hart.pc]).toEqual([2, BigInt(CODE + 8)]);
      if (word === load(4, 7, 5)) expect(hart.x(7)).toBe(1n);
      expect(hart.core.run(2)).toBe('budget');
      expect(hart.core.hart.pc).toBe(BigInt(CODE + 16));
      Object.assign(hart.host, { mmioRead, mmioWrite });
    }
  });
});

describe('watch', () => {
  it('reports a store that covers the address, by any instruction, and no other', () => {
    for (const [word, base, seen] of [
      [store(8, 6, 5), DATA, true],
      [store(4, 6, 5), DATA, true],
      [store(1, 6, 5), DATA + 1, false],
      [store(8, 6, 5), DATA + 8, false],
      [store(8, 6, 5), DATA - 4, true],
      [amoadd(8, 7, 5, 6), DATA, true],
      [load(8, 7, 5), DATA, false],
    ] as const) {
      const hart = newHart();
      hart.setX(5, DATA + 16);
      hart.execute([store(8, 0, 5)]);
      hart.core.watch(DATA);
      hart.setX(5, base);
      hart.setX(6, 1);
      hart.program([word, NOP, LOOP]);
      expect(hart.core.run(10)).toBe(seen ? 'watch' : 'budget');
      if (seen) expect(hart.core.hart.pc).toBe(BigInt(CODE + 4));
    }
  });
  it('reports every store, and none once it has ended', () => {
    const hart = newHart();
    hart.core.watch(DATA);
    hart.setX(5, DATA);
    hart.program([store(8, 6, 5), store(8, 6, 5), store(8, 6, 5), LOOP]);
    expect([hart.core.run(10), hart.core.run(10)]).toEqual(['watch', 'watch']);
    hart.core.watch(undefined);
    expect(hart.core.run(10)).toBe('budget');
  });
});

describe('a device access', () => {
  it('carries address, size and value; a load takes as many bits as it asks for', () => {
    for (const size of [1, 2, 4, 8] as const) {
      const hart = newHart();
      const mask = (1n << BigInt(8 * size)) - 1n;
      hart.host.registers.set(0x1000_0008, 0x8182838485868788n);
      hart.setX(5, 0x1000_0000);
      hart.setX(6, 0xf1f2f3f4f5f6f7f8n);
      expect(hart.execute([load(size, 7, 5, 8), store(size, 6, 5, 8)])).toBeUndefined();
      expect(hart.x(7)).toBe(BigInt.asUintN(64, BigInt.asIntN(8 * size, 0x8182838485868788n)));
      const [write] = hart.host.writes;
      expect(write).toMatchObject({ address: 0x1000_0008, size });
      expect((BigInt(write!.high) << 32n) | BigInt(write!.low)).toBe(0xf1f2f3f4f5f6f7f8n & mask);
    }
  });
  it('misaligned is an access fault and does not reach the device', () => {
    const hart = newHart();
    for (let at = 0; at < 16; at++) hart.host.registers.set(0x1000_0000 + at, 1n);
    hart.setX(5, 0x1000_0001);
    for (const size of [2, 4, 8] as const) {
      expect(hart.execute([load(size, 7, 5)])).toMatchObject({
        cause: CAUSE.LOAD_ACCESS,
        tval: 0x1000_0001n,
      });
      expect(hart.execute([store(size, 7, 5)])).toMatchObject({ cause: CAUSE.STORE_ACCESS });
    }
    expect(hart.host.writes).toEqual([]);
  });
  it('goes through translation', () => {
    const hart = newHart();
    hart.host.registers.set(0x1000_0008, 77n);
    const tables = new PageTables(hart);
    tables.map(BigInt(CODE), CODE, RWX);
    tables.map(0x15_0000_0000n, 0x1000_0000, RWX);
    tables.enable();
    hart.setX(5, 0x15_0000_0008n);
    expect(hart.execute([load(8, 7, 5)], S)).toBeUndefined();
    expect(hart.x(7)).toBe(77n);
  });
  it('cannot be a fetch', () => {
    const hart = newHart();
    hart.host.registers.set(0x1000_0000, BigInt(NOP));
    hart.core.hart.pc = 0x1000_0000n;
    expect(hart.step()).toMatchObject({ cause: CAUSE.FETCH_ACCESS, tval: 0x1000_0000n });
  });
});

describe('the last bytes of RAM', () => {
  it('can be loaded and stored, the next cannot, nor an access across the end', () => {
    const hart = newHart();
    const end = RAM + hart.core.ram.length;
    hart.setX(5, end);
    hart.setX(6, 3);
    expect(hart.execute([store(8, 6, 5, -8), load(8, 7, 5, -8)])).toBeUndefined();
    expect(hart.x(7)).toBe(3n);
    expect(hart.execute([load(1, 7, 5)])).toMatchObject({ cause: CAUSE.LOAD_ACCESS, tval: BigInt(end) });
    expect(hart.execute([load(8, 7, 5, -4)])).toMatchObject({ cause: CAUSE.LOAD_ACCESS });
    expect(hart.execute([store(8, 6, 5, -4)])).toMatchObject({ cause: CAUSE.STORE_ACCESS });
    expect(hart.read64(end - 8)).toBe(3n);
  });
});

describe('code that changes', () => {
  it('by a store of its own is executed as it is now, after fence.i', () => {
    const hart = newHart();
    hart.setX(5, CODE + 20);
    hart.setX(6, addi(7, 0, 2));
    // Executes the word at +20 twice, changed in between.
    hart.program([jal(1, 20), store(4, 6, 5), FENCE_I, jal(1, 8), LOOP, addi(7, 0, 1), jalr(0, 1)]);
    hart.core.run(3);
    expect(hart.x(7)).toBe(1n);
    hart.core.run(4);
    expect(hart.x(7)).toBe(2n);
  });
  it('by the host is executed as it is now', () => {
    const hart = newHart();
    hart.execute([addi(7, 0, 1)]);
    hart.execute([addi(7, 0, 2)]);
    expect(hart.x(7)).toBe(2n);
  });
  it('thousands of times over in one page stays right', () => {
    const hart = newHart();
    hart.setX(5, DATA);
    for (let round = 0; round < 300; round++) {
      hart.setX(6, addi(7, 0, round));
      hart.program([store(4, 6, 5), FENCE_I, jalr(1, 5)]);
      poke(hart.core, DATA + 4, [LOOP]);
      hart.core.run(4);
      expect(hart.x(7)).toBe(BigInt(round));
    }
  });
  it('is found through whatever address it was written', () => {
    const hart = newHart();
    const tables = new PageTables(hart);
    tables.map(BigInt(CODE), CODE, RWX);
    tables.map(0x10_0000_0000n, DATA, RWX);
    tables.map(0x20_0000_0000n, DATA, RWX);
    tables.enable();
    for (let round = 1; round < 5; round++) {
      hart.setX(5, 0x10_0000_0000n);
      hart.setX(6, addi(7, 0, round));
      hart.execute([store(4, 6, 5), FENCE_I], S);
      hart.core.hart.pc = 0x20_0000_0000n;
      hart.step();
      expect(hart.x(7)).toBe(BigInt(round));
    }
  });
});

describe('wfi', () => {
  it('gives the budget back', () => {
    const hart = newHart();
    hart.program([NOP, WFI]);
    expect(hart.core.run(1_000_000)).toBe('wfi');
    expect(hart.core.instructions).toBe(2);
    expect(hart.core.nextTimer()).toBeUndefined();
  });
});
