// HYPERTAB_DIFF_SEED=7 HYPERTAB_DIFF_COUNT=5000000 npx vitest run tests/diff runs more, from another seed.
import { expect, test } from 'vitest';
import { compareWithQemu } from './campaign.ts';

const SEED = Number(process.env.HYPERTAB_DIFF_SEED ?? 1);
const COUNT = Number(process.env.HYPERTAB_DIFF_COUNT ?? 200_000);

test(
  'random instruction sequences leave the registers, flags and memory that qemu-riscv64 leaves',
  async () => {
    const { instructions, failure } = await compareWithQemu(SEED, COUNT);
    expect(failure, failure).toBeUndefined();
    expect(instructions).toBeGreaterThanOrEqual(COUNT);
  },
  60_000 + COUNT,
);
