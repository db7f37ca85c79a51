// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../../../src/containers/images/build/dockerfile.ts';
import { parseDockerignore, patternRegExp } from '../../../../src/containers/images/build/dockerignore.ts';
import {
  expandPlain,
  expandWord,
  expandWords,
  splitWords,
} from '../../../../src/containers/images/build/words.ts';

describe('a Dockerfile', () => {
  it('is taken apart into instructions with their lines, flags and arguments', () => {
    const { instructions } = parseDockerfile(
      [
        '# a comment',
        'from  busybox AS base',
        '',
        'RUN one \\',
        '  # in between',
        '',
        '  two',
        'COPY --from=base --chown="a:b" a b /c/',
        'CMD ["sh", "-c", "echo \\"hi\\""]',
        '  ENV A=b',
      ].join('\n'),
    );
    expect(instructions.map(({ line, name, rest }) => [line, name, rest])).toEqual([
      [2, 'FROM', 'busybox AS base'],
      [4, 'RUN', 'one   two'],
      [8, 'COPY', 'a b /c/'],
      [9, 'CMD', '["sh", "-c", "echo \\"hi\\""]'],
      [10, 'ENV', 'A=b'],
    ]);
    expect([...instructions[2]!.flags]).toEqual([
      ['from', 'base'],
      ['chown', 'a:b'],
    ]);
    expect(instructions[3]!.json).toEqual(['sh', '-c', 'echo "hi"']);
  });

  it('may have another escape sign, and texts of its own', () => {
    const { instructions, escapeSign } = parseDockerfile(
      "# escape=`\nFROM x\nRUN a `\n b\nCOPY <<'ONE' <<-TWO /d/\n$one\nONE\n\t\ttwo\n\tTWO\nRUN <<EOF\nx\nEOF\n",
    );
    expect(escapeSign).toBe('`');
    expect(instructions[1]!.rest).toBe('a  b');
    expect(instructions[2]!.heredocs).toEqual([
      { name: 'ONE', quoted: true, text: '$one\n' },
      { name: 'TWO', quoted: false, text: 'two\n' },
    ]);
    expect(instructions[3]!.heredocs[0]?.text).toBe('x\n');
  });

  it.each([
    ['', 'file with no instructions'],
    ['# only this', 'file with no instructions'],
    ['FROM x\nFOO bar', 'dockerfile parse error on line 2: unknown instruction: FOO'],
    ['FROM x\n\n\nRUN', 'dockerfile parse error on line 4: RUN requires at least one argument'],
    ['FROM x\nRUN <<EOF\nno end', 'dockerfile parse error on line 2: unterminated heredoc'],
    ['# escape=x\nFROM x', "invalid ESCAPE 'x'"],
  ])('%j is refused in the words of docker', (text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });

  it('any text at all is parsed or refused with a typed error', () => {
    const piece = fc.constantFrom(
      'FROM',
      ' ',
      'RUN',
      '\n',
      '\\',
      '"',
      "'",
      '<<EOF',
      'EOF',
      '[',
      ']',
      '--a=b',
      '#',
      '$',
      '{',
      'x',
      '`',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parseDockerfile(pieces.join(''));
        } catch (error) {
          expect(error).toMatchObject({ name: 'ImageStoreError', code: 'invalid' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('words', () => {
  const variables = new Map([
    ['a', 'one'],
    ['empty', ''],
    ['blank', 'x y'],
  ]);

  it.each([
    ['$a', 'one'],
    ['${a}b', 'oneb'],
    ['$ab', ''],
    ['\\$a', '$a'],
    ["'$a'", '$a'],
    ['"$a"', 'one'],
    ['"\\$a \\" \\n"', '$a " \\n'],
    ['${none:-x${a}}', 'xone'],
    ['${empty:-x}', 'x'],
    ['${empty-x}', ''],
    ['${a:+set}', 'set'],
    ['${none:+set}', ''],
    ['${a:?no}', 'one'],
    ['$', '$'],
    ['a$-b', 'a$-b'],
    ['$1', ''],
  ])('%s becomes %j', (text, expected) => {
    expect(expandWord(text, variables, '\\')).toBe(expected);
  });

  it.each([
    ['${', 'bad substitution'],
    ['${a', 'missing }'],
    ['${a:-b', 'missing }'],
    ['${a%b}', 'unsupported modifier'],
    ["'a", 'matching single-quote'],
    ['"a', 'matching double-quote'],
    ['${none:?is needed}', 'none: is needed'],
  ])('%s is refused', (text, message) => {
    expect(() => expandWord(text, variables, '\\')).toThrow(message);
  });

  it('blanks part words, but not those in quotes or behind an escape sign, nor those of a value', () => {
    expect(expandWords('a "b c" d\\ e $blank', variables, '\\')).toEqual(['a', 'b c', 'd e', 'x y']);
    expect(splitWords('a="b c" d=e\\ f', '\\')).toEqual(['a="b c"', 'd=e\\ f']);
  });

  it('in a text of its own quotes are plain', () => {
    expect(expandPlain('"$a" \'${a}\' $none', variables)).toBe('"one" \'one\' ');
  });

  it('any text is expanded or refused with a typed error', () => {
    const sign = fc.constantFrom('$', '{', '}', ':', '-', '+', 'a', '"', "'", '\\', ' ');
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
        try {
          expandWords(signs.join(''), variables, '\\');
        } catch (error) {
          expect(error).toMatchObject({ name: 'ImageStoreError' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('.dockerignore', () => {
  const ignores = parseDockerignore(
    '# comment\n*.log\n/build\n**/cache\ndocs/*\n!docs/keep.md\na?c\n[x-z]1\n!important.log\n',
  );

  it.each(['x.log', 'build', 'build/deep/file', 'cache', 'a/b/cache', 'a/cache/x', 'docs/a.md', 'abc', 'y1'])(
    '%s stays out',
    (path) => expect(ignores(path)).toBe(true),
  );

  it.each(['a/x.log', 'src/build', 'docs/keep.md', 'docs', 'important.log', 'ac', 'w1', 'cached'])(
    '%s stays in',
    (path) => expect(ignores(path)).toBe(false),
  );

  it('patterns fit as those of a shell do', () => {
    const fits = (pattern: string, name: string) => patternRegExp(pattern).test(name);
    expect(fits('*.c', 'a.c')).toBe(true);
    expect(fits('*.c', 'a/b.c')).toBe(false);
    expect(fits('**/*.c', 'a/b/c.c')).toBe(true);
    expect(fits('a\\*', 'a*')).toBe(true);
    expect(fits('a\\*', 'ab')).toBe(false);
    expect(fits('[z-a]', 'b')).toBe(false);
    expect(fits('(a|b)+', '(a|b)+')).toBe(true);
  });
});
