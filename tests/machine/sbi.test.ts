import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handleSbiCall } from '../../src/machine/sbi.ts';
import type { SbiHost } from '../../src/machine/sbi-types.ts';
import { FakeHart } from '../devices/fake-hart.ts';

const BASE = 0x10n;
const TIME = 0x54494d45n;
const IPI = 0x735049n;
const RFENCE = 0x52464e43n;
const HSM = 0x48534dn;
const SRST = 0x53525354n;
const DBCN = 0x4442434en;
const PMU = 0x504d55n;
const RAM = 0x80000000n;
const ALL_ONES = (1n << 64n) - 1n;

function make() {
  const hart = new FakeHart();
  const ram = new Uint8Array(0x20000);
  const state = {
    out: [] as number[],
    input: [] as number[],
    stop: '',
    flushes: 0,
    noted: [] as [bigint, number][],
  };
  const host: SbiHost = {
    writeConsole: (bytes) => state.out.push(...bytes),
    readConsole: () => state.input.shift(),
    ramView: (address, length) =>
      address >= RAM && address + length <= RAM + BigInt(ram.length)
        ? ram.subarray(Number(address - RAM), Number(address - RAM + length))
        : undefined,
    noteRamWritten: (address, length) => state.noted.push([address, length]),
    flushTranslations: () => {
      state.flushes++;
    },
    requestStop: (kind) => {
      state.stop = kind;
    },
  };
  const call = (extension: bigint, id: bigint, ...args: bigint[]) => {
    hart.setX(17, extension);
    hart.setX(16, id);
    for (let index = 0; index < 6; index++) hart.setX(10 + index, args[index] ?? 0n);
    const pc = hart.pc;
    handleSbiCall(hart, host);
    expect(hart.pc).toBe(pc + 4n);
    return { error: Number(BigInt.asIntN(64, hart.getX(10))), value: hart.getX(11) };
  };
  return { hart, ram, state, call };
}

describe('SBI base extension', () => {
  it('announces specification 2.0', () => {
    expect(make().call(BASE, 0n)).toEqual({ error: 0, value: 0x2000000n });
  });

  it.each([
    [BASE, 1n],
    [TIME, 1n],
    [IPI, 1n],
    [RFENCE, 1n],
    [HSM, 1n],
    [SRST, 1n],
    [DBCN, 1n],
    [1n, 1n],
    [PMU, 0n],
    [4n, 0n],
    [0x4e41434cn, 0n],
  ])('probes extension 0x%s as %s', (extension, there) => {
    expect(make().call(BASE, 3n, extension)).toEqual({ error: 0, value: there });
  });
});

describe('SBI', () => {
  it('refuses unknown extensions and functions with SBI_ERR_NOT_SUPPORTED', () => {
    for (const [extension, id] of [
      [PMU, 0n],
      [BASE, 7n],
      [TIME, 1n],
      [IPI, 1n],
      [RFENCE, 3n],
      [HSM, 4n],
      [SRST, 1n],
      [DBCN, 3n],
    ] as const) {
      expect(make().call(extension, id).error).toBe(-2);
    }
  });

  it('sets the supervisor timer', () => {
    const { hart, call } = make();
    expect(call(TIME, 0n, 12345n).error).toBe(0);
    expect(hart.stimecmp).toBe(12345n);
  });

  it.each([
    [1n, 0n, 0, true],
    [0n, 0n, 0, false],
    [0n, ALL_ONES, 0, true],
    [2n, 0n, -3, false],
    [1n, 1n, -3, false],
  ])('an IPI to mask %s from base %s answers %s', (mask, base, error, raised) => {
    const { hart, call } = make();
    expect(call(IPI, 0n, mask, base).error).toBe(error);
    expect(((hart.readCsr(0x344) ?? 0n) & 2n) !== 0n).toBe(raised);
  });

  it('remote fences end translations of the harts selected, fence.i needs nothing', () => {
    const { state, call } = make();
    expect(call(RFENCE, 0n, 1n, 0n).error).toBe(0);
    expect(state.flushes).toBe(0);
    expect(call(RFENCE, 1n, 1n, 0n, 0n, ALL_ONES).error).toBe(0);
    expect(call(RFENCE, 2n, 0n, ALL_ONES, 0n, 4096n, 5n).error).toBe(0);
    expect(state.flushes).toBe(2);
    expect(call(RFENCE, 1n, 4n, 0n).error).toBe(-3);
  });

  it('knows one hart, which is started', () => {
    const { call } = make();
    expect(call(HSM, 2n, 0n)).toEqual({ error: 0, value: 0n });
    expect(call(HSM, 2n, 1n).error).toBe(-3);
    expect(call(HSM, 0n, 0n, RAM).error).toBe(-6);
    expect(call(HSM, 0n, 1n, RAM).error).toBe(-3);
    expect(call(HSM, 1n).error).toBe(-1);
  });

  it.each([
    [0n, 0n, 0, 'poweroff'],
    [1n, 0n, 0, 'reboot'],
    [2n, 1n, 0, 'reboot'],
    [3n, 0n, -3, ''],
    [0n, 9n, -3, ''],
  ])('system reset of type %s for reason %s answers %s', (type, reason, error, stop) => {
    const { state, call } = make();
    expect(call(SRST, 0n, type, reason).error).toBe(error);
    expect(state.stop).toBe(stop);
  });
});

describe('SBI debug console', () => {
  it('writes bytes from RAM and reads input into it', () => {
    const { ram, state, call } = make();
    ram.set(new TextEncoder().encode('hello'), 16);
    expect(call(DBCN, 0n, 5n, RAM + 16n)).toEqual({ error: 0, value: 5n });
    expect(String.fromCharCode(...state.out)).toBe('hello');
    state.input.push(7, 8, 9);
    expect(call(DBCN, 1n, 2n, RAM)).toEqual({ error: 0, value: 2n });
    expect([...ram.subarray(0, 3)]).toEqual([7, 8, 0]);
    expect(state.noted).toEqual([[RAM, 2]]);
    expect(call(DBCN, 1n, 9n, RAM)).toEqual({ error: 0, value: 1n });
    expect(call(DBCN, 1n, 9n, RAM)).toEqual({ error: 0, value: 0n });
    call(DBCN, 2n, 0x141n);
    expect(state.out.at(-1)).toBe(0x41);
  });

  it('refuses every buffer that is not all in RAM', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: ALL_ONES }),
        fc.bigInt({ min: 0n, max: ALL_ONES }),
        fc.constantFrom(0n, 1n, 1n << 63n),
        fc.constantFrom(0n, 1n),
        (length, address, high, id) => {
          const { ram, state, call } = make();
          const inside = high === 0n && address >= RAM && address + length <= RAM + BigInt(ram.length);
          expect(call(DBCN, id, length, address, high).error).toBe(inside ? 0 : -3);
          if (!inside) expect(state.out).toEqual([]);
        },
      ),
    );
  });

  it('moves a long buffer in parts', () => {
    const { call, state } = make();
    expect(call(DBCN, 0n, 0x20000n, RAM)).toEqual({ error: 0, value: 0x10000n });
    expect(state.out.length).toBe(0x10000);
  });
});

describe('SBI legacy calls', () => {
  it('answer in a0 alone', () => {
    const { hart, state, call } = make();
    expect(call(1n, 0n, 65n, 99n)).toEqual({ error: 0, value: 99n });
    expect(state.out).toEqual([65]);
    expect(call(2n, 0n, 0n, 98n)).toEqual({ error: -1, value: 98n });
    state.input.push(66);
    expect(call(2n, 0n).error).toBe(66);
    call(0n, 0n, 500n);
    expect(hart.stimecmp).toBe(500n);
    expect(call(5n, 0n).error).toBe(-2);
    call(8n, 0n);
    expect(state.stop).toBe('poweroff');
  });
});

it('no call whatever makes the SBI throw', () => {
  const word = fc.oneof(
    fc.bigInt({ min: 0n, max: ALL_ONES }),
    fc.constantFrom(0n, 1n, 2n, RAM, RAM + 0x1fff0n, ALL_ONES),
  );
  const extension = fc.oneof(
    fc.constantFrom(BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU),
    fc.bigInt({ min: 0n, max: 16n }),
    word,
  );
  fc.assert(
    fc.property(
      extension,
      fc.oneof(fc.bigInt({ min: 0n, max: 8n }), word),
      fc.array(word, { maxLength: 6 }),
      (e, f, args) => {
        make().call(e, f, ...args);
      },
    ),
    { numRuns: 1000 },
  );
});
