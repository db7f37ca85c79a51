import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breakLine, positionAfter } from '../../../web/host-console/cell-width.ts';
import { LineEditor, type LineHistory } from '../../../web/host-console/line-editor.ts';
import { TestScreen } from './screen.ts';

const PROMPT = '$ ';
const WORDS = ['docker', 'document', 'run'];

function editor(columns = 80, history: string[] = []) {
  const screen = new TestScreen(columns);
  const kept: LineHistory = { lines: () => history, add: (line) => void history.push(line) };
  const line = new LineEditor(
    {
      write: (text) => screen.write(text),
      columns: () => columns,
      complete: async (before) => {
        const start = before.lastIndexOf(' ') + 1;
        return { start, candidates: WORDS.filter((word) => word.startsWith(before.slice(start))) };
      },
    },
    kept,
  );
  const read = line.read(PROMPT);
  return { screen, line, read, history };
}

const keys = {
  left: '\x1b[D',
  right: '\x1b[C',
  home: '\x01',
  end: '\x1b[F',
  backspace: '\x7f',
  delete: '\x1b[3~',
  wordLeft: '\x1bb',
  wordRight: '\x1b[1;5C',
} as const;

/** What those keys do to a text, said again in the plainest way. */
function model(state: { text: string[]; cursor: number }, key: keyof typeof keys | string) {
  const { text, cursor } = state;
  const isWord = (at: number) => /\w/.test(text[at] ?? '');
  switch (key) {
    case 'left':
      return { text, cursor: Math.max(0, cursor - 1) };
    case 'right':
      return { text, cursor: Math.min(text.length, cursor + 1) };
    case 'home':
      return { text, cursor: 0 };
    case 'end':
      return { text, cursor: text.length };
    case 'backspace':
      return cursor === 0 ? state : { text: text.toSpliced(cursor - 1, 1), cursor: cursor - 1 };
    case 'delete':
      return { text: text.toSpliced(cursor, 1), cursor };
    case 'wordLeft': {
      let at = cursor;
      while (at > 0 && !isWord(at - 1)) at--;
      while (at > 0 && isWord(at - 1)) at--;
      return { text, cursor: at };
    }
    case 'wordRight': {
      let at = cursor;
      while (at < text.length && !isWord(at)) at++;
      while (at < text.length && isWord(at)) at++;
      return { text, cursor: at };
    }
    default:
      return { text: text.toSpliced(cursor, 0, ...key), cursor: cursor + [...key].length };
  }
}

describe('the line editor', () => {
  test('shows the text and the cursor where they are, whatever keys come and however narrow the terminal is', () => {
    const key = fc.oneof(
      fc.constantFrom(...(Object.keys(keys) as (keyof typeof keys)[])),
      fc.stringMatching(/^[a-z ,é漢字😀]{1,9}$/u).filter((text) => !(text in keys)),
    );
    fc.assert(
      fc.property(fc.array(key, { maxLength: 40 }), fc.integer({ min: 4, max: 30 }), (pressed, columns) => {
        const { screen, line } = editor(columns);
        let state: { text: string[]; cursor: number } = { text: [], cursor: 0 };
        for (const each of pressed) {
          line.feed(each in keys ? keys[each as keyof typeof keys] : each);
          state = model(state, each);
        }
        const shown = new TestScreen(columns);
        shown.write(PROMPT + state.text.join(''));
        expect(screen.lines).toEqual(shown.lines);
        const before = [...PROMPT, ...state.text.slice(0, state.cursor)];
        expect(screen.cursor).toEqual(positionAfter(before, columns));
      }),
      { numRuns: 300 },
    );
  });

  test('gives a line at Enter, and what was pasted behind it to whoever comes next', async () => {
    const { line, read, history } = editor();
    expect(line.feed('docker ps\r\ndocker images')).toBe('docker images');
    expect(await read).toBe('docker ps');
    expect(history).toEqual(['docker ps']);
    expect(line.reading).toBe(false);
  });

  test('gives a line up at Ctrl-C', async () => {
    const { line, read, screen, history } = editor();
    line.feed('docker\x03');
    expect(await read).toBeUndefined();
    expect(screen.lines).toEqual(['$ docker^C']);
    expect(history).toEqual([]);
  });

  test('goes through the lines before, and back to what was being typed', async () => {
    const { line, screen } = editor(80, ['one', 'two']);
    line.feed('mine\x1b[A\x1b[A\x1b[A');
    expect(screen.lines).toEqual(['$ one']);
    line.feed('\x1b[B');
    expect(screen.lines).toEqual(['$ two']);
    line.feed('\x1b[B');
    expect(screen.lines).toEqual(['$ mine']);
  });

  test('cuts and gives back', async () => {
    const { line, screen } = editor();
    line.feed('one two three\x17\x01\x19\x0b');
    expect(screen.lines).toEqual(['$ three']);
    line.feed('\x19\x15\x19 end');
    expect(screen.lines).toEqual(['$ threeone two  end']);
  });

  test('completes a word, as far as it is certain, and then shows what there is', async () => {
    const { line, screen } = editor();
    line.feed('r\t');
    await line.settled;
    expect(screen.lines).toEqual(['$ run']);
    line.feed('d\t');
    await line.settled;
    expect(screen.lines).toEqual(['$ run doc']);
    line.feed('\t');
    await line.settled;
    expect(screen.lines).toEqual(['$ run doc', 'docker    document', '$ run doc']);
    line.feed('k\t');
    await line.settled;
    expect(screen.lines.at(-1)).toBe('$ run docker');
    line.feed('x\t');
    await line.settled;
    expect(screen.lines.at(-1)).toBe('$ run docker x');
  });
});

test('a line that is too wide is broken between words', () => {
  expect(breakLine('one  two three four', 10)).toBe('one  two\n  three\n  four');
  expect(breakLine('一二三 四五六', 10, 0)).toBe('一二三\n四五六');
  expect(breakLine('averylongwordalone and more', 10)).toBe('averylongwordalone\n  and\n  more');
  expect(breakLine('', 10)).toBe('');
});
