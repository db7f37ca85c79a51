// Every operation against the exact model: value and all five flags, all rounding modes, with NX clear (exact flags)
// and with NX set (the fast path). HYPERTAB_LONG=1 tries 2 million operands an operation; HYPERTAB_SEED chooses others.
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFloatCore, type FloatCore } from './core.ts';
import { Random, randomOperands, specialOperands } from './operands.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import { NX, type Outcome, ROUNDING_NAMES, ROUNDINGS } from './oracle.ts';

const LONG = process.env.HYPERTAB_LONG === '1';
const COUNT = LONG ? 2_000_000 : 8_000;
const SEED = Number(process.env.HYPERTAB_SEED ?? 754);

let core: FloatCore;
beforeAll(async () => {
  core = await compileFloatCore();
});

const show = ({ bits, flags }: Outcome): string => `0x${bits.toString(16)} flags ${flags}`;

/** Throws at the first disagreement; no matcher in the loop, for speed. */
function check(operation: Operation, operands: readonly bigint[]): void {
  const names = [operation.name, `${operation.name}Slow`].filter((name) => core.names.includes(name));
  for (const rounding of operation.rounds ? ROUNDINGS : ([0] as const)) {
    const wanted = operation.expect(operands, rounding);
    for (const name of names) {
      for (const before of [0, NX]) {
        const got = core.run(operation, operands, rounding, before, name);
        if (got.bits !== wanted.bits || got.flags !== (wanted.flags | before)) {
          const list = operands.map((bits) => `0x${bits.toString(16)}`).join(', ');
          throw new Error(
            `${name}(${list}) ${ROUNDING_NAMES[rounding]}, fflags ${before}: got ${show(got)}, exact is ${show(wanted)}`,
          );
        }
      }
    }
  }
}

describe.each(OPERATIONS.map((operation) => [operation.name, operation] as const))('%s', (_, operation) => {
  it('is exact in value and flags for every combination of special operands', () => {
    let cases = 0;
    for (const operands of specialOperands(operation)) {
      check(operation, operands);
      cases++;
    }
    expect(cases).toBeGreaterThan(50);
  });

  it(
    `is exact in value and flags for ${COUNT} hard operands (seed ${SEED})`,
    () => {
      const random = new Random(SEED);
      const inexact = new Set<number>();
      for (let i = 0; i < COUNT; i++) {
        const operands = randomOperands(random, operation);
        check(operation, operands);
        if (i < 1000) inexact.add(operation.expect(operands, 0).flags);
      }
      // The generator reaches what it is for: results with flags and without.
      if (operation.rounds && operation.name !== 'f64Class') expect(inexact.size).toBeGreaterThan(1);
    },
    LONG ? 3_600_000 : 60_000,
  );
});

it('widens all 65,536 half-precision numbers exactly', () => {
  for (const operation of OPERATIONS.filter(({ operands }) => operands[0] === 'f16')) {
    for (let bits = 0n; bits < 0x10000n; bits++) check(operation, [bits]);
  }
  expect(OPERATIONS.filter(({ operands }) => operands[0] === 'f16')).toHaveLength(2);
});

it('every exported operation has a model', () => {
  const modelled = new Set(OPERATIONS.map(({ name }) => name));
  const unknown = core.names.filter(
    (name) => !modelled.has(name.replace(/Slow$/, '')) && /^[fiu]\d/.test(name),
  );
  expect(unknown).toEqual([]);
  for (const { name } of OPERATIONS) expect(core.names).toContain(name);
});
