import { expect, it } from 'vitest';
import { StatsBoard } from '../../src/worker/stats-channel.ts';
import { FakeMachine } from './fake-machine.ts';

it('a board gives back every figure that was written to it', () => {
  const memory = StatsBoard.create();
  const machine = new FakeMachine();
  machine.instructions = 2 ** 45 + 1;
  const sample = {
    at: 12.5,
    stats: { ...machine.stats(), hostMs: 29, cpuMs: 32, throttledMs: 30, throttled: 31 },
  };
  new StatsBoard(memory).write(sample);
  expect(new StatsBoard(memory).read()).toEqual(sample);
});

it('a board without figures reads as nothing', () => {
  expect(new StatsBoard(StatsBoard.create()).read()).toBeUndefined();
});

it('a board whose writer died half-way reads as nothing instead of blocking', () => {
  const memory = StatsBoard.create();
  new Int32Array(memory, 0, 1)[0] = 3;
  expect(new StatsBoard(memory).read()).toBeUndefined();
});
