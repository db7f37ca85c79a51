import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteWord, splitWords, wordsToComplete } from '../../../web/host-console/shell-words.ts';

describe('a line of the host console', () => {
  test.each([
    ['docker  run -it busybox ', ['docker', 'run', '-it', 'busybox']],
    [`sh -c 'echo "a b" | wc'`, ['sh', '-c', 'echo "a b" | wc']],
    [`"a \\"b\\" \\c" d\\ e`, ['a "b" \\c', 'd e']],
    [`'' a""b`, ['', 'ab']],
    ['run # a comment | here', ['run']],
    ['a#b', ['a#b']],
    ['', []],
  ])('%j is taken apart as a shell does it', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test.each([
    ['docker ps | wc', '|'],
    ['a > b', '>'],
    ['a; b', ';'],
    ['a & b', '&'],
    ['a `b`', '`'],
    ['rm $(ps)', '$('],
    ['rm "$(ps)"', '$('],
  ])('%j wants a shell, and says so', (line, sign) => {
    expect(() => splitWords(line)).toThrow(expect.objectContaining({ reason: 'shell', sign }));
  });

  test('with an open quotation mark is not run', () => {
    expect(() => splitWords("echo 'a")).toThrow(expect.objectContaining({ reason: 'quote' }));
  });

  test('has any words that are quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        const typed = words.map((word) => quoteWord(word) || "''").join(' ');
        expect(splitWords(typed)).toEqual(words);
      }),
    );
  });

  test.each([
    ['docker r', ['docker', 'r'], 7],
    ['docker ', ['docker', ''], 7],
    ['', [''], 0],
    ["a 'b c", ['a', 'b c'], 2],
  ])('%j is completed at its last word', (line, words, start) => {
    expect(wordsToComplete(line)).toEqual({ words, start });
  });
});
