// What the toy guests say and answer, on whatever board they run.
import { expect } from 'vitest';
import type { SerialProgram } from './serial-program.ts';

/** It prints its greeting and powers off. */
export async function watchHello(guest: SerialProgram): Promise<void> {
  expect(await guest.end()).toEqual({ code: 0, output: 'Hello from a RISC-V machine.\r\n' });
}

/** It prints four rounds of rates and powers off. */
export async function watchCount(guest: SerialProgram): Promise<void> {
  const { code, output } = await guest.end();
  expect(code).toBe(0);
  const rounds = [...output.matchAll(/^round (\d): (\d+) iterations\/s, (\d+) instructions\/s\r$/gm)];
  expect(rounds.map((round) => round[1])).toEqual(['1', '2', '3', '4']);
  for (const round of rounds) expect(Number(round[2])).toBeGreaterThan(1000);
}

/** It reads and writes memory, edits its line, survives faults, counts down and powers off. */
export async function converseWithMonitor(guest: SerialProgram): Promise<void> {
  expect(await guest.until('> ')).toContain('Hypertab monitor');
  expect(await guest.command('help')).toContain('poke ADDR VALUE');
  expect(await guest.command('poke 0x80010000 0x12345678')).toBe('');
  expect(await guest.command('peek 2147549184')).toBe('0000000080010000: 12345678');
  expect(await guest.command('dump 0x80010000 5')).toMatch(/^0000000080010000: 78 56 34 12 00 {34}xV4\.\.$/);
  expect(await guest.command('petk\x08\x7fek 0x80010000')).toContain('12345678');
  expect(await guest.command('nonsense\x15peek 0x80010000')).toContain('12345678');
  expect(await guest.command('nonsense')).toContain('type help');
  expect(await guest.command('peek zz')).toContain('a number is missing or wrong');
  expect(await guest.command('peek 0x40')).toMatch(
    /^fault: cause 5 at 00000000800[0-9a-f]+, value 0000000000000040$/,
  );
  expect(await guest.command('regs')).toMatch(/s1 {2}0000000000000040/);
  expect(await guest.command('csr')).toMatch(/mcause {4}0000000000000005\r\nmtval {5}0000000000000040/);
  const before = Number.parseInt(await guest.command('time'), 10);
  expect(await guest.command('countdown 1')).toBe('1\r\nlift-off');
  const after = Number.parseInt(await guest.command('time'), 10);
  expect(after - before).toBeGreaterThan(10_000_000);
  guest.type('off\r');
  const { code, output } = await guest.end();
  expect(code).toBe(0);
  expect(output).toContain('bye');
}
