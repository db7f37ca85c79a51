// Boots Debian's kernel in three machines at once: one interprets, two translate from different thresholds on. They run
// in the same slices, and have the same registers after each and the same memory every few million instructions.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Core } from '../../src/core/core.ts';
import type { GuestManifest } from '../../src/guests/guest-types.ts';
import { Machine } from '../../src/machine/machine.ts';
import { Random } from '../diff/random.ts';
import { coreUnderTest, differences, hartOf, ramDifference } from '../translator/pair.ts';

const GUEST = new URL('../../build/guests/busybox/', import.meta.url);
if (!existsSync(new URL('guest.json', GUEST)))
  throw new Error('the busybox guest is missing: run `npx hypertab guest prepare busybox`');
const manifest = JSON.parse(readFileSync(new URL('guest.json', GUEST), 'utf8')) as GuestManifest;
const file = (name: 'kernel' | 'initrd'): Uint8Array =>
  readFileSync(new URL(manifest.files[name]?.name ?? name, GUEST));

const THRESHOLDS = [0, 50, 4000];
const MEMORY = 96 << 20;
/** Instructions between two looks at all of memory. */
const MEMORY_INTERVAL = 4_000_000;
/** A boot takes about 220 million. */
const MOST = 700_000_000;
/** The shell asks for the place of the cursor behind it. */
const CURSOR_QUERY = '\u001b[6n';
const COMMANDS = [
  'uname -a; cat /proc/cpuinfo',
  'seq 3000 | sha256sum',
  'for i in 1 2 3 4 5 6 7 8; do /bin/busybox true; done; ls -l /proc/self/ | wc -l',
  "awk 'BEGIN { for (i = 0; i < 5000; i++) s += i / 7 * i; print s }'",
  'head -c 200000 /bin/busybox | gzip -c | gunzip -c | md5sum; dmesg | tail -n 3',
];

interface Subject {
  readonly machine: Machine;
  readonly core: Core;
  readonly hart: DataView;
  output: string;
}

/** Instructions of the next slice: a translated region needs some thousands to be entered at all. */
function sliceLength(random: Random): number {
  if (random.once(6)) return random.between(1, 3000);
  return random.between(3000, 120_000);
}

function boot(threshold: number, length: () => number): Subject {
  let core: Core | undefined;
  const machine = new Machine(
    {
      core: coreUnderTest(),
      memory: MEMORY,
      kernel: file('kernel'),
      initrd: file('initrd'),
      append: manifest.append,
      engine: 'interpreter',
      clock: 'instructions',
      seed: 7,
    },
    (module, options) => {
      core = Core.create(module, { ...options, hotThreshold: threshold });
      const run = core.run.bind(core);
      core.run = () => run(length());
      return core;
    },
  );
  if (core === undefined) throw new Error('the machine has made no core');
  const subject: Subject = { machine, core, hart: hartOf(core), output: '' };
  const decoder = new TextDecoder();
  machine.onConsoleOutput = (bytes) => {
    subject.output += decoder.decode(bytes, { stream: true });
  };
  return subject;
}

function compare(subjects: readonly Subject[], memoryToo: boolean): void {
  const [first, ...others] = subjects as [Subject, ...Subject[]];
  for (const [index, other] of others.entries()) {
    const lines = differences(first.hart, other.hart);
    if (memoryToo) lines.push(...ramDifference(first.core.ram, other.core.ram));
    if (other.output !== first.output) lines.push('the output differs');
    if (lines.length > 0)
      expect.fail(
        `threshold ${THRESHOLDS[index + 1]}, after ${first.core.instructions} instructions:\n${lines.join('\n')}`,
      );
  }
}

test('a kernel boots and commands run with the same registers and memory, interpreted and translated', () => {
  const random = new Random(Number(process.env.HYPERTAB_LOCKSTEP_SEED ?? 1));
  let length = 0;
  const subjects = THRESHOLDS.map((threshold) => boot(threshold, () => length));
  const [first] = subjects as [Subject, ...Subject[]];
  const commands = [...COMMANDS];
  let seen = 0;
  let looked = 0;
  let finished = false;
  while (!finished) {
    length = sliceLength(random);
    // With no time to spend, a slice is one run of the core.
    for (const { machine } of subjects) {
      const result = machine.runSlice(0);
      if (result.state === 'stopped') expect.fail(`the machine stopped: ${JSON.stringify(result.reason)}`);
    }
    const { instructions } = first.core;
    expect(instructions, `too long; the console says:\n${first.output}`).toBeLessThan(MOST);
    if (first.output.slice(seen).endsWith(` # ${CURSOR_QUERY}`)) {
      seen = first.output.length;
      const command = commands.shift();
      if (command === undefined) finished = true;
      else for (const { machine } of subjects) machine.consoleInput(new TextEncoder().encode(`${command}\n`));
    }
    const memoryToo = finished || instructions - looked >= MEMORY_INTERVAL;
    if (memoryToo) looked = instructions;
    compare(subjects, memoryToo);
  }
  expect(first.output).toContain('GNU/Linux');
  for (const { core } of subjects.slice(1)) {
    const { translatedInstructions, instructions } = core.counters();
    expect(translatedInstructions / instructions).toBeGreaterThan(0.2);
  }
});
