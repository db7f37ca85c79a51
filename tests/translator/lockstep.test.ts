// HYPERTAB_LONG=1 npx vitest run tests/translator runs for hours; HYPERTAB_LOCKSTEP_SECONDS=300 for five minutes;
// HYPERTAB_LOCKSTEP_SEED=7 begins elsewhere.
import { expect, test } from 'vitest';
import { compareEngines } from './campaign.ts';

const SEED = Number(process.env.HYPERTAB_LOCKSTEP_SEED ?? 1);
const SECONDS = Number(process.env.HYPERTAB_LOCKSTEP_SECONDS ?? (process.env.HYPERTAB_LONG ? 7200 : 25));
const MILLISECONDS = 1000 * SECONDS;

test(
  'random programs leave the same state in the interpreter and in translated code, after each of their runs',
  () => {
    const { programs, instructions, translated, failure } = compareEngines(SEED, MILLISECONDS);
    expect(failure, failure).toBeUndefined();
    expect(programs).toBeGreaterThan(50);
    // The translator takes a fair part: else nothing is compared.
    expect(translated / instructions).toBeGreaterThan(0.1);
  },
  MILLISECONDS + 120_000,
);
