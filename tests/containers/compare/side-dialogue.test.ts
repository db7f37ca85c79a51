// The measured script at the shell of this computer, which is one as good as any.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatComparison } from '../../../src/containers/compare/compare-table.ts';
import type { SideFigures } from '../../../src/containers/compare/compare-types.ts';
import { measuredScript, SideDialogue } from '../../../src/containers/compare/side-dialogue.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-compare-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a script, as a side does that is a process here. */
function side(script: string) {
  const shell = spawn('sh', ['-c', measuredScript(script, join(folder, 'own'))], { cwd: folder });
  const dialogue = new SideDialogue('it', (text) => shell.stdin.write(text));
  shell.stdin.on('error', () => {});
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (bytes) => dialogue.hear(bytes));
  const exit = new Promise<number | null>((resolve) => shell.once('close', resolve));
  void exit.then((code) => dialogue.fail(new Error(`it ended with ${code}`)));
  return { dialogue, exit };
}

describe('a program that is measured', () => {
  it('waits before it runs, tells how it ended and what memory there is, and waits again', async () => {
    const { dialogue, exit } = side('pwd; echo some output');
    await dialogue.ready();
    const { available } = await dialogue.run();
    expect(await available()).toBeGreaterThan(2 ** 20);
    dialogue.end();
    expect(await exit).toBe(0);
  });

  it('that fails is told of with what it said', async () => {
    const { dialogue } = side('echo no such thing >&2; exit 7');
    await dialogue.ready();
    const message = /^it: it ended with 7; it said: [\s\S]*no such thing/;
    await expect(dialogue.run()).rejects.toThrow(message);
    dialogue.end();
  });

  it('that breaks off is told of', async () => {
    const { dialogue } = side('kill -9 $$');
    await dialogue.ready();
    await expect(dialogue.run()).rejects.toThrow(/^it: it ended with null/);
  });
});

it('a comparison is a table with its terms under it', () => {
  const figures = (unit: number): SideFigures => ({
    ...{
      startMs: 2000 * unit,
      startInstructions: 240e6 * unit,
      runMs: 5 * unit,
      runInstructions: 1e6 * unit,
    },
    ...{
      runCpuMs: 4 * unit,
      memoryBytes: 80e6 * unit,
      diskBytes: 14e6 * unit,
      fitInGiB: Math.floor(13 / unit),
    },
  });
  const program = { name: 'loop', title: 'a loop', image: 'busybox', instructionRatio: 0.5, cpuRatio: 0.25 };
  const text = formatComparison({
    measuredAt: '2026-01-01T00:00:00Z',
    runs: 1,
    host: { startMs: 900, memoryBytes: 101e6, diskBytes: 14.1e6, idleContainerBytes: 800e3 },
    programs: [{ ...program, vm: figures(1), container: figures(0.5) }],
  });
  expect(text.split('\n')).toEqual([
    'PROGRAM  AS           START      M     RUN    M     CPU  MEMORY  DISK  IN 1 GIB',
    'loop     VM         2000 ms  240.0  5.0 ms  1.0  4.0 ms    80MB  14MB        13',
    '         container  1000 ms  120.0  2.5 ms  0.5  2.0 ms    40MB   7MB        26',
    'Medians of 1 run; M: million instructions. A VM starts from nothing, a container',
    'in a host that runs: that took 900 ms, 101MB of memory, 14.1MB on disk, once for all;',
    'a container that only waits takes 800kB.',
    'Container to VM, of the program alone:',
    '  loop     50 % of the instructions, 25 % of the processor time',
    '',
  ]);
});
