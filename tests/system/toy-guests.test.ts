// The toy guests on our machine, through the command line; the same dialogues as on QEMU's virt board.
import { test } from 'vitest';
import { SerialProgram } from '../support/serial-program.ts';
import { converseWithMonitor, watchCount, watchHello } from '../support/toy-dialogues.ts';
import { startHypertab } from './cli.ts';

const run = (name: string, ...more: string[]) =>
  new SerialProgram(startHypertab(['run', name, ...more]), 'node cannot be run');

test('hello prints its greeting and powers off', () => watchHello(run('hello')));

test('count prints four rounds of rates and powers off', () => watchCount(run('count')));

test.each(['interpreter', 'auto'])(
  'monitor reads and writes memory, edits its line, survives faults, counts down and powers off (%s)',
  (engine) => converseWithMonitor(run('monitor', '--engine', engine)),
);
