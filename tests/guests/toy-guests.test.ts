// The toy guests on QEMU's virt board: they are written for the hardware, not for our machine, which runs the same
// dialogues in tests/system/toy-guests.test.ts.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { buildToyGuest, TOY_GUESTS } from '../../src/guests/toy-guests.ts';
import { readToySource } from '../../src/guests/toy-recipe-node.ts';
import { SerialProgram } from '../support/serial-program.ts';
import { converseWithMonitor, watchCount, watchHello } from '../support/toy-dialogues.ts';

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hypertab-toy-'));
  for (const toy of TOY_GUESTS) {
    writeFileSync(join(folder, `${toy.name}.elf`), buildToyGuest(await readToySource(toy)));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function onQemu(name: string, converse: (guest: SerialProgram) => Promise<void>): Promise<void> {
  const board = ['-M', 'virt', '-m', '16M', '-display', 'none', '-serial', 'stdio'];
  const guest = new SerialProgram(
    spawn('qemu-system-riscv64', [...board, '-bios', join(folder, `${name}.elf`)]),
    'qemu-system-riscv64 cannot be run: install the Debian package qemu-system-misc',
  );
  try {
    await converse(guest);
  } finally {
    guest.stop();
  }
}

test('hello prints its greeting and powers off', () => onQemu('hello', watchHello));

test('count prints four rounds of rates and powers off', () => onQemu('count', watchCount));

test('monitor reads and writes memory, edits its line, survives faults, counts down and powers off', () =>
  onQemu('monitor', converseWithMonitor));
