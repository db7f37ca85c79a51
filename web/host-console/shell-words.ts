/** Why a line cannot be taken apart. */
export class LineError extends Error {
  override readonly name = 'LineError';
  readonly reason: 'quote' | 'shell';
  /** The sign of a shell's that stands in it. */
  readonly sign: string;

  constructor(reason: 'quote' | 'shell', sign = '') {
    super(reason);
    this.reason = reason;
    this.sign = sign;
  }
}

interface Word {
  text: string;
  /** Where it begins in the line. */
  start: number;
}

/**
 * Takes a line apart as a shell does: quotation marks, backslashes, comments. There are no variables, patterns, pipes or
 * lists.
 * @throws {LineError}
 */
export function splitWords(line: string): string[] {
  return scan(line, true).map(({ text }) => text);
}

/** The words before the end of a line, and the one that is being typed there, which may be empty or half quoted. */
export function wordsToComplete(line: string): { words: string[]; start: number } {
  const words = scan(line, false);
  const last = words.at(-1);
  const isNew = last === undefined || /(^|[^\\])\s$/.test(line);
  const all = words.map(({ text }) => text);
  return isNew ? { words: [...all, ''], start: line.length } : { words: all, start: last.start };
}

function scan(line: string, strict: boolean): Word[] {
  const words: Word[] = [];
  let word: Word | undefined;
  let quote = '';
  const add = (text: string, at: number) => {
    word ??= { text: '', start: at };
    word.text += text;
  };
  for (let at = 0; at < line.length; at++) {
    const sign = line[at]!;
    const isSubstitution = sign === '$' && line[at + 1] === '(' && quote !== "'";
    if (strict && isSubstitution) throw new LineError('shell', '$(');
    if (quote === "'" || (quote === '"' && sign !== '\\')) {
      if (sign === quote) quote = '';
      else add(sign, at);
    } else if (sign === '\\') {
      const next = line[++at] ?? '';
      // Within double quotation marks it is itself before anything else.
      add(quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next, at - 1);
    } else if (sign === '"' || sign === "'") {
      quote = sign;
      add('', at);
    } else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (sign === '#' && word === undefined) {
      break;
    } else {
      if (strict && /[|&;<>`]/.test(sign)) throw new LineError('shell', sign);
      add(sign, at);
    }
  }
  if (quote !== '' && strict) throw new LineError('quote');
  if (word !== undefined) words.push(word);
  return words;
}

/** A word as it must be typed. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
