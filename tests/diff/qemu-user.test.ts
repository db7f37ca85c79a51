// `npm run test:diff -- --seed 7 --count 5000000` runs more, from another seed.
import { expect, test } from 'vitest';
import { compareWithQemu } from './campaign.ts';

const SEED = Number(process.env.HYPERTAB_DIFF_SEED ?? 1);
const COUNT = Number(process.env.HYPERTAB_DIFF_COUNT ?? 200_000);
const VERBOSE = process.env.HYPERTAB_DIFF_COUNT !== undefined;
const REPORT_INTERVAL = 500_000;

test(
  'random instruction sequences leave the registers, flags and memory that qemu-riscv64 leaves, interpreted and translated',
  async () => {
    let reported = 0;
    const { instructions, cases, translated, failure } = await compareWithQemu(SEED, COUNT, (done) => {
      if (!VERBOSE || done - reported < REPORT_INTERVAL) return;
      reported = done;
      process.stdout.write(`${done} instructions, no difference\n`);
    });
    expect(failure, failure).toBeUndefined();
    expect(instructions).toBeGreaterThanOrEqual(COUNT);
    // Cases are a tenth of what the machine runs, the harness the rest: nearly all of both must be translated.
    expect(translated).toBeGreaterThan(0.94);
    if (VERBOSE) {
      const share = (100 * translated).toFixed(0);
      process.stdout.write(
        `${instructions} instructions in ${cases} cases: no difference; ${share} % of the translator's ran translated\n`,
      );
    }
  },
  60_000 + COUNT,
);
