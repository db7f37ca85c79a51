import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest, parseChoice, parseCount, parseOptions, parseSeconds } from '../../src/cli/options.ts';
import { parseRun } from '../../src/cli/run-options.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

const NAMES = { memory: 'value', stats: 'flag', help: 'flag' } as const;

describe('the options of a command', () => {
  it('are read before, between and after the words, as two words or with an equals sign', () => {
    const read = parseOptions(['a', '--memory', '1G', 'b', '--stats', 'c'], NAMES);
    expect(read.words).toEqual(['a', 'b', 'c']);
    expect(read.values.memory).toBe('1G');
    expect([...read.flags]).toEqual(['stats']);
    expect(parseOptions(['--memory=a=b'], NAMES).values.memory).toBe('a=b');
    expect(parseOptions(['-h'], NAMES).flags.has('help')).toBe(true);
  });

  it('end at --', () => {
    expect(parseOptions(['--', '--stats', '-x'], NAMES).words).toEqual(['--stats', '-x']);
  });

  it('take values that begin with a dash or are empty', () => {
    expect(parseOptions(['--memory', '-1'], NAMES).values.memory).toBe('-1');
    expect(parseOptions(['--memory', '--other'], NAMES).values.memory).toBe('--other');
    expect(parseOptions(['--memory', ''], NAMES).values.memory).toBe('');
    expect(parseOptions(['--memory='], NAMES).values.memory).toBe('');
  });

  it.each([
    [['--memory'], '--memory needs a value'],
    [['--memory', '--stats'], '--memory needs a value'],
    [['--stats=yes'], '--stats takes no value'],
    [['--memry', '1G'], "unknown option '--memry'; did you mean --memory?"],
    [['--zzzzzzzz'], "unknown option '--zzzzzzzz'; there are --memory, --stats, --help"],
    [['-m', '1G'], "unknown option '-m'"],
    [['--toString'], "unknown option '--toString'"],
    [['--__proto__=1'], "unknown option '--__proto__'"],
  ])('%j is refused: %s', (args, message) => {
    expect(() => parseOptions(args, NAMES)).toThrow(UsageError);
    expect(() => parseOptions(args, NAMES)).toThrow(message);
  });

  it('never crash, whatever the words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--', '--memory', '--stats', '-h'))),
        (args) => {
          try {
            parseOptions(args, NAMES);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        },
      ),
    );
  });
});

describe('values of options', () => {
  it('counts are whole numbers', () => {
    expect(parseCount('--n', '0')).toBe(0);
    expect(parseCount('--n', '123456789012')).toBe(123456789012);
    for (const wrong of ['', '-1', '1.5', '1e3', '0x10', '99999999999999999999', 'many']) {
      expect(() => parseCount('--n', wrong)).toThrow(`--n: '${wrong}' is not a count`);
    }
  });

  it('times are seconds above zero that a timer can hold', () => {
    expect(parseSeconds('--t', '0.5')).toBe(0.5);
    expect(parseSeconds('--t', '.25')).toBe(0.25);
    for (const wrong of ['', '0', '-1', '5s', 'Infinity', '1e9', '2147484', '.']) {
      expect(() => parseSeconds('--t', wrong)).toThrow(`--t: '${wrong}' is not a time`);
    }
  });

  it('choices name what there is', () => {
    expect(parseChoice('--engine', 'auto', ['auto', 'interpreter'])).toBe('auto');
    expect(() => parseChoice('--engine', 'jit', ['auto', 'interpreter'])).toThrow(
      "--engine: 'jit' is none of auto, interpreter",
    );
  });

  it('the nearest word is a near one or none', () => {
    expect(nearest('rnu', ['run', 'guest'])).toBe('run');
    expect(nearest('docker', ['run', 'guest', 'bench'])).toBeUndefined();
  });
});

describe('--drive', () => {
  it.each([
    ['disk.img', { kind: 'file', path: 'disk.img' }],
    ['disk.img,readonly', { kind: 'file', path: 'disk.img', readonly: true }],
    ['disk.img,snapshot,readonly', { kind: 'file', path: 'disk.img', readonly: true, snapshot: true }],
    ['disk.img,werror=enospc', { kind: 'file', path: 'disk.img', werror: 'enospc' }],
    ['odd,name,snapshot', { kind: 'file', path: 'odd,name', snapshot: true }],
    ['readonly', { kind: 'file', path: 'readonly' }],
  ])('%s is a drive', (text, drive) => {
    expect(parseRun(['a', '--drive', text, '--drive', 'b']).vm.drives).toEqual([
      drive,
      { kind: 'file', path: 'b' },
    ]);
  });
});

describe('hypertab run', () => {
  it('understands the contract of the command line', () => {
    const request = parseRun(
      [
        ['busybox', '--memory', '256M', '--bios', 'none', '--kernel', 'K', '--initrd', 'I'],
        ['--append', 'quiet x=y', '--engine', 'interpreter', '--exec', 'uname -a', '--timeout', '30'],
        ['--max-instructions', '1000', '--stats', '--signature', 'S', '--no-reboot', '--net', 'none'],
        ['--save', 'F', '--warm'],
      ].flat(),
    );
    expect(request).toEqual({
      help: false,
      vm: {
        guest: 'busybox',
        memory: 268435456,
        bios: 'none',
        kernel: 'K',
        initrd: 'I',
        append: 'quiet x=y',
        engine: 'interpreter',
        maxInstructions: 1000,
        noReboot: true,
      },
      exec: 'uname -a',
      timeout: 30,
      stats: true,
      signature: 'S',
      save: 'F',
      warm: true,
    });
    expect(parseRun(['--restore', 'F', '--drive', 'D'])).toMatchObject({
      restore: 'F',
      vm: { drives: [{ kind: 'file', path: 'D' }] },
    });
  });

  it.each([
    [[], 'there is nothing to boot'],
    [['--bios', 'none'], 'there is nothing to boot'],
    [['a', 'b'], "what is 'b'?"],
    [['a', '--memory', 'x'], "memory: 'x' is not a size"],
    [['a', '--cores', '1'], "unknown option '--cores'"],
    [['a', '--gpu', 'x'], "unknown option '--gpu'"],
    [['a', '--net', 'user'], "--net user: this version has no way out to the host's network"],
    [['a', '--net', 'tap'], "--net: 'tap' is none of none, user"],
    [['a', '--drive', ',readonly'], "--drive: ',readonly' names no file"],
    [['a', '--restore', 'f'], '--restore: the machine is what it was when it was saved; leave out a guest'],
    [['--restore', 'f', '--append', 'x'], 'leave out --append'],
    [['a', '--save', ''], '--save names no file'],
    [['--kernel', 'K', '--warm'], '--warm goes with a guest only'],
    [['a', '--exec', 'x'.repeat(4096)], 'the command has 4096 bytes'],
  ])('%j is refused: %s', (args, message) => {
    expect(() => parseRun(args)).toThrow(message);
  });
});
