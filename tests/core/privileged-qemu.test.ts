// Plays the same privileged scenarios, from the same binary, on QEMU and on our machine, and compares the outcomes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../src/machine/machine.ts';
import { coreModule } from '../support/core.ts';
import { serialOutputOfQemu } from '../support/qemu.ts';
import { sinvalVma } from './instructions.ts';
import { assembleProgram, COLUMNS, type Scenario } from './privileged-program.ts';
import { Chooser, isAmo, makeScenario } from './privileged-scenarios.ts';

const COUNT = 4000;
/** HYPERTAB_SEED plays others. */
const SEED = Number(process.env.HYPERTAB_SEED ?? 20);

const choose = new Chooser(SEED);
const scenarios = Array.from({ length: COUNT }, () => makeScenario(choose));
let folder = '';
let elf = '';
let ours: string[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hypertab-privileged-'));
  elf = assembleProgram(folder, scenarios);
  ours = onMachine(elf, 'interpreter');
});
afterAll(() => rmSync(folder, { recursive: true }));

function onQemu(elf: string): string[] {
  const cpu = 'rv64,h=off,svpbmt=on,svnapot=on,svinval=on';
  return lines(serialOutputOfQemu(folder, ['-cpu', cpu, '-m', '128M', '-bios', elf], 50_000));
}

function onMachine(elf: string, engine: 'interpreter' | 'translator'): string[] {
  const machine = new Machine({
    core: coreModule(),
    memory: 128 << 20,
    engine,
    bios: new Uint8Array(readFileSync(elf)),
  });
  let text = '';
  machine.onConsoleOutput = (bytes) => {
    text += String.fromCharCode(...bytes);
  };
  const end = performance.now() + 30_000;
  while (machine.runSlice(20).state !== 'stopped') {
    if (performance.now() > end)
      throw new Error(`still running after 30 s, at scenario ${lines(text).length}`);
  }
  return lines(text);
}
const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/**
 * The columns of a line, with the liberties that the specification gives or QEMU 7.2 takes removed: xtval of ebreak
 * may be pc or zero (QEMU: zero), that of an illegal sinval.vma its bits or zero; faults of AMOs are a store's (QEMU: a load's, as it loads first).
 */
function normalise(line: string | undefined, { words }: Scenario): string[] {
  const columns = line?.split(' ') ?? [];
  for (const [cause, value] of [
    [0, 1],
    [4, 5],
  ] as const) {
    if (columns[cause] === '3') columns[value] = 'any';
    if (columns[cause] === '2' && words[0] === sinvalVma()) columns[value] = 'any';
    const asStore: Record<string, string> = { 4: '6', 5: '7', d: 'f' };
    if (words.some(isAmo)) columns[cause] = asStore[columns[cause] ?? ''] ?? columns[cause] ?? '';
  }
  return columns;
}

const show = (scenario: Scenario): string =>
  Object.entries(scenario)
    .map(([name, value]) => {
      const values = [value].flat() as (bigint | number)[];
      return `${name}=${values.map((one) => one.toString(16)).join('/')}`;
    })
    .join(' ');

describe('privileged scenarios', () => {
  it(`end on QEMU and here with the same trap, state and memory, ${COUNT} times`, () => {
    const theirs = onQemu(elf);
    const different: string[] = [];
    for (const [index, scenario] of scenarios.entries()) {
      const mine = normalise(ours[index], scenario);
      const oracle = normalise(theirs[index], scenario);
      const columns = COLUMNS.filter((_, at) => mine[at] !== oracle[at]).map((name) => {
        const at = COLUMNS.indexOf(name);
        return `${name} ${mine[at]}, QEMU ${oracle[at]}`;
      });
      if (columns.length) different.push(`${index}: ${columns.join('; ')}\n    ${show(scenario)}`);
    }
    expect(different.slice(0, 20).join('\n')).toBe('');
    expect([ours.length, theirs.length]).toEqual([COUNT, COUNT]);
  });

  it('end the same in translated code', () => {
    expect(onMachine(elf, 'translator')).toEqual(ours);
  });

  it('cover every cause, from every mode, to both handlers', () => {
    const seen = new Set<string>();
    for (const line of ours) {
      const [mcause, , , , scause] = line.split(' ');
      seen.add(`M ${mcause}`);
      if (scause !== '0') seen.add(`S ${scause}`);
    }
    const exceptions = ['1', '2', '3', '4', '5', '6', '7', '8', 'c', 'd', 'f'];
    const interrupts = ['1', '5', '9'].map((cause) => `800000000000000${cause}`);
    for (const cause of [...exceptions, ...interrupts]) {
      expect(seen).toContain(`M ${cause}`);
      expect(seen).toContain(`S ${cause}`);
    }
    for (const cause of ['9', 'b', '8000000000000003', '8000000000000007'])
      expect(seen).toContain(`M ${cause}`);
  });
});
