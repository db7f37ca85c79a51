import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConsoleFeed } from '../../web/state/console-feed.ts';
import { formatBytes, formatCount, formatShare, formatUptime } from '../../web/state/format.ts';
import { abilities, type SessionView } from '../../web/state/machine-session.ts';
import { PromptWatch } from '../../web/state/prompt-watch.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the prompt watch', () => {
  test('sees the prompt at the end of the output however the bytes are cut, and nowhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.integer({ min: 1, max: 7 })), (before, cuts) => {
        const output = bytes(`${before}\r\n/ # \x1b[6n`);
        const watch = new PromptWatch('/ # ');
        let seen = false;
        let offset = 0;
        for (const cut of [...cuts, output.length]) {
          if (offset >= output.length) break;
          seen = watch.push(output.subarray(offset, offset + cut));
          offset += cut;
        }
        expect(seen).toBe(true);
        expect(watch.push(bytes('x'))).toBe(false);
      }),
    );
  });
});

describe('the console feed', () => {
  /** A terminal that shows nothing until told to. */
  function slowTerminal() {
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    const decoder = new TextDecoder('latin1');
    return {
      written,
      waiting,
      write(data: Uint8Array | string, done?: () => void) {
        written.push(typeof data === 'string' ? data : decoder.decode(data));
        if (done) waiting.push(done);
      },
      drain() {
        for (let done = waiting.shift(); done; done = waiting.shift()) done();
      },
    };
  }

  test('passes everything on, in order, while the terminal keeps up', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.boolean())), (steps) => {
        const terminal = slowTerminal();
        const feed = new ConsoleFeed(terminal, () => 'SKIPPED');
        let expected = '';
        for (const [data, drain] of steps) {
          feed.push(data);
          expected += new TextDecoder('latin1').decode(data);
          if (drain) terminal.drain();
        }
        expect(terminal.written.join('')).toBe(expected);
      }),
    );
  });

  test('holds a flood to a bounded size, says that it skipped, and shows the end', () => {
    const terminal = slowTerminal();
    const feed = new ConsoleFeed(terminal, () => 'SKIPPED');
    const chunk = new Uint8Array(65_536).fill(0x2e);
    for (let index = 0; index < 200; index++) feed.push(chunk);
    feed.push(bytes('the end'));
    expect(terminal.written.join('').length).toBeLessThanOrEqual((1 << 20) + chunk.length);
    terminal.drain();
    const shown = terminal.written.join('');
    expect(shown).toContain('SKIPPED');
    expect(shown.endsWith('the end')).toBe(true);
    expect(shown.length).toBeLessThan(2 << 20);
  });
});

describe('what may be asked of a machine', () => {
  const view = (phase: SessionView['phase'], busy = false): SessionView => ({
    phase,
    name: 'one',
    switchedOff: false,
    busy,
  });

  test('nothing while a command is under way or before it exists', () => {
    for (const phase of ['created', 'running', 'paused', 'stopped', 'failed'] as const) {
      expect(Object.values(abilities(view(phase, true)))).not.toContain(true);
    }
    for (const phase of ['downloading', 'starting', 'destroyed'] as const) {
      expect(Object.values(abilities(view(phase)))).not.toContain(true);
    }
  });

  test('pause only while running, resume only while paused, start only while off', () => {
    expect(abilities(view('running'))).toMatchObject({
      pause: true,
      resume: false,
      start: false,
      powerOff: true,
      shutDown: true,
    });
    expect(abilities({ ...view('running'), shuttingDown: true })).toMatchObject({
      shutDown: false,
      powerOff: true,
    });
    expect(abilities(view('paused'))).toMatchObject({
      shutDown: false,
      pause: false,
      resume: true,
      start: false,
      powerOff: true,
    });
    expect(abilities(view('stopped'))).toMatchObject({
      pause: false,
      start: true,
      powerOff: false,
      reset: false,
    });
  });
});

describe('figures', () => {
  test.each([
    [512, '512 bytes'],
    [1536, '1.5 KiB'],
    [128 * 2 ** 20, '128 MiB'],
    [10_400_000, '9.9 MiB'],
    [3 * 2 ** 30, '3 GiB'],
  ])('%d bytes are %s', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });

  test.each([
    [0, '0'],
    [999, '999'],
    [1234, '1.23 k'],
    [219_600_000, '220 M'],
    [999_999, '1.00 M'],
    [7_890_000_000, '7.89 G'],
  ])('%d instructions are %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });

  test('uptime and share', () => {
    expect([0, 61_000, 3_723_000].map(formatUptime)).toEqual(['0:00', '1:01', '1:02:03']);
    expect([0, 0.374, 1.2, -1].map(formatShare)).toEqual(['0 %', '37 %', '100 %', '0 %']);
  });
});
