import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { elfLibraries } from '../../src/guests/elf-libraries.ts';
import { GuestError } from '../../src/guests/guest-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-libraries-'));
const file = (name: string) => join(folder, name);

function gcc(...args: string[]): void {
  const command = ['-nostdlib', '-nostartfiles', '-fPIC', ...args];
  const { error, status, stderr } = spawnSync('riscv64-linux-gnu-gcc', command, { encoding: 'utf8' });
  if (error)
    throw new Error('riscv64-linux-gnu-gcc is missing: install the Debian package gcc-riscv64-linux-gnu');
  if (status !== 0) throw new Error(stderr);
}

beforeAll(() => {
  writeFileSync(file('one.c'), 'int one(void) { return 1; }\n');
  writeFileSync(file('two.c'), 'int one(void); int two(void) { return one(); }\n');
  writeFileSync(file('main.c'), 'int two(void); int one(void); void _start(void) { two(); one(); }\n');
  gcc('-shared', '-Wl,-soname,libone.so.1', '-o', file('libone.so'), file('one.c'));
  gcc('-shared', '-Wl,-soname,libtwo.so.2', '-o', file('libtwo.so'), file('two.c'), file('libone.so'));
  gcc(
    '-Wl,-dynamic-linker,/lib/loader.so',
    '-o',
    file('main'),
    file('main.c'),
    file('libtwo.so'),
    file('libone.so'),
  );
  gcc('-static', '-o', file('static'), file('main.c'), file('one.c'), file('two.c'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('tells the libraries and the loader of a program', () => {
  expect(elfLibraries(readFileSync(file('main')), 'main')).toEqual({
    needed: ['libtwo.so.2', 'libone.so.1'],
    loader: '/lib/loader.so',
  });
  expect(elfLibraries(readFileSync(file('libtwo.so')), 'two')).toEqual({
    needed: ['libone.so.1'],
    loader: undefined,
  });
  expect(elfLibraries(readFileSync(file('static')), 'static')).toEqual({ needed: [], loader: undefined });
});

it('refuses a damaged program by its name, and never fails otherwise', () => {
  const whole = readFileSync(file('main'));
  expect(() => elfLibraries(whole.subarray(0, 40), 'half')).toThrow('half is no ELF program');
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const damaged = Uint8Array.from(whole);
      damaged[at] = value;
      try {
        elfLibraries(damaged, 'damaged');
      } catch (error) {
        expect(error).toBeInstanceOf(GuestError);
      }
    }),
    { numRuns: 1000 },
  );
});
