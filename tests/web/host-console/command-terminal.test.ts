import { describe, expect, test } from 'vitest';
import { CommandTerminal, withReturns } from '../../../web/host-console/command-terminal.ts';

/** A terminal of which a test sees what it shows. */
function terminal() {
  let shown = '';
  const decoder = new TextDecoder();
  const screen = {
    cols: 80,
    rows: 24,
    write: (data: string | Uint8Array, done?: () => void) => {
      shown += typeof data === 'string' ? data : decoder.decode(data, { stream: true });
      done?.();
    },
    onResize: () => ({ dispose: () => {} }),
  };
  const files = {
    open: async () => new Blob(['chosen']),
    save: async () => {},
    openFolder: async () => [],
  };
  return { command: new CommandTerminal(screen, files), shown: () => shown };
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string[]> {
  const parts: string[] = [];
  for await (const bytes of input) parts.push(new TextDecoder().decode(bytes));
  return parts;
}

describe('the terminal of a command', () => {
  test('gives lines when they are whole, shows what is typed, and ends at Ctrl-D', async () => {
    const { command, shown } = terminal();
    const read = readAll(command.io.stdin());
    command.feed('onx\x7fe\rtwo\r\x04');
    expect(await read).toEqual(['one\n', 'two\n']);
    expect(shown()).toBe('onx\b \be\r\ntwo\r\n');
  });

  test('gives every key as it is, and shows nothing of it, in raw mode', async () => {
    const { command, shown } = terminal();
    const cooked = command.io.raw();
    command.feed('a\x03\x04\r');
    const input = command.io.stdin()[Symbol.asyncIterator]();
    expect(new TextDecoder().decode((await input.next()).value)).toBe('a\x03\x04\r');
    expect(shown()).toBe('');
    await command.io.stdout('line\n');
    expect(shown()).toBe('line\n');
    cooked();
    cooked();
    await command.io.stdout('line\n');
    expect(shown()).toBe('line\nline\r\n');
  });

  test('tells of Ctrl-C; after the third the command is left alone', async () => {
    const { command } = terminal();
    const signals: string[] = [];
    const off = command.io.onSignal((signal) => signals.push(signal));
    let abandoned = false;
    void command.abandoned.then(() => {
      abandoned = true;
    });
    command.feed('\x03\x03');
    await Promise.resolve();
    expect([signals, abandoned]).toEqual([['SIGINT', 'SIGINT'], false]);
    off();
    command.feed('\x03');
    await command.abandoned;
    expect(signals).toHaveLength(2);
  });

  test('shows nothing of a command that is over, and gives back what that has not read', async () => {
    const { command, shown } = terminal();
    command.feed('next\rhalf');
    const before = shown();
    expect(command.end()).toBe('next\rhalf');
    await command.io.stdout('late');
    expect(shown()).toBe(before);
    expect(await readAll(command.io.stdin())).toEqual([]);
  });

  test.each([
    ['a\nb\n', 0, 'a\r\nb\r\n'],
    ['a\r\nb', 0, 'a\r\nb'],
    ['\n', 13, '\n'],
    ['\n\n', 10, '\r\n\r\n'],
  ])('%j becomes lines of a terminal', (text, before, lines) => {
    expect(new TextDecoder().decode(withReturns(new TextEncoder().encode(text), before))).toBe(lines);
  });
});
