// Variables and quotes in Dockerfiles, as docker's own small shell reads them.
import { ImageStoreError } from '../image-store-error.ts';

export type Variables = ReadonlyMap<string, string>;

const LENGTH_MAX = 1 << 20;

/**
 * Splits a text at blanks, expands variables and takes quotes away.
 * @throws {ImageStoreError} invalid
 */
export function expandWords(text: string, variables: Variables, escapeSign: string): string[] {
  return new Expander(text, variables, escapeSign).words();
}

/** The same with blanks left in: one word. */
export function expandWord(text: string, variables: Variables, escapeSign: string): string {
  return new Expander(text, variables, escapeSign).word();
}

/** Splits at blanks that are not quoted, and leaves everything else as it is. */
export function splitWords(text: string, escapeSign: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === escapeSign && quote !== "'" && at + 1 < text.length) {
      word += sign + text[++at]!;
    } else if (quote === '' && /\s/.test(sign)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (quote === '' && (sign === '"' || sign === "'")) quote = sign;
      else if (sign === quote) quote = '';
      word += sign;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** Variables in a text that stands in the Dockerfile: quotes in it are its own. */
export function expandPlain(text: string, variables: Variables): string {
  return text.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_, braced?: string, plain?: string) => variables.get(braced ?? plain ?? '') ?? '',
  );
}

class Expander {
  private readonly text: string;
  private readonly variables: Variables;
  private readonly escapeSign: string;
  private at = 0;
  private length = 0;

  constructor(text: string, variables: Variables, escapeSign: string) {
    this.text = text;
    this.variables = variables;
    this.escapeSign = escapeSign;
  }

  words(): string[] {
    const words: string[] = [];
    while (this.at < this.text.length) {
      if (/\s/.test(this.text[this.at]!)) {
        this.at++;
        continue;
      }
      words.push(this.until((sign) => /\s/.test(sign)));
    }
    return words;
  }

  word(): string {
    return this.until(() => false);
  }

  private until(ends: (sign: string) => boolean): string {
    let out = '';
    while (this.at < this.text.length) {
      const sign = this.text[this.at]!;
      if (ends(sign)) break;
      this.at++;
      if (sign === "'") out += this.single();
      else if (sign === '"') out += this.double();
      else if (sign === this.escapeSign) out += this.text[this.at++] ?? '';
      else if (sign === '$') out += this.variable();
      else out += sign;
      this.grow(out);
    }
    return out;
  }

  private single(): string {
    const end = this.text.indexOf("'", this.at);
    if (end < 0) throw this.bad('unexpected end of statement while looking for matching single-quote');
    const inside = this.text.slice(this.at, end);
    this.at = end + 1;
    return inside;
  }

  private double(): string {
    let out = '';
    for (;;) {
      const sign = this.text[this.at++];
      if (sign === undefined)
        throw this.bad('unexpected end of statement while looking for matching double-quote');
      if (sign === '"') return out;
      if (sign === '$') out += this.variable();
      else if (sign === this.escapeSign && ['"', '$', this.escapeSign].includes(this.text[this.at] ?? '')) {
        out += this.text[this.at++];
      } else out += sign;
      this.grow(out);
    }
  }

  /** Behind a `$`. */
  private variable(): string {
    const plain = /^(?:[A-Za-z_]\w*|\d)/.exec(this.text.slice(this.at, this.at + 256))?.[0];
    if (plain !== undefined) {
      this.at += plain.length;
      return this.variables.get(plain) ?? '';
    }
    if (this.text[this.at] !== '{') return '$';
    const name = /^\{([A-Za-z_]\w*|\d)/.exec(this.text.slice(this.at, this.at + 256))?.[1];
    if (name === undefined) throw this.bad('bad substitution');
    this.at += name.length + 1;
    const value = this.variables.get(name);
    const [sign, next] = [this.text[this.at++], this.text[this.at]];
    if (sign === '}') return value ?? '';
    const withColon = sign === ':';
    const operator = withColon ? next : sign;
    if (withColon) this.at++;
    const other = this.until((end) => end === '}');
    if (this.text[this.at++] !== '}') throw this.bad('syntax error: missing }');
    const isSet = value !== undefined && !(withColon && value === '');
    if (operator === '-') return isSet ? value : other;
    if (operator === '+') return isSet ? other : '';
    if (operator === '?') {
      if (isSet) return value;
      throw new ImageStoreError('invalid', `${name}: ${other || 'not set'}`);
    }
    throw this.bad(`unsupported modifier (${sign}${withColon ? next : ''}) in substitution`);
  }

  private grow(out: string): void {
    this.length = Math.max(this.length, out.length);
    if (this.length > LENGTH_MAX) throw this.bad('the result is too long');
  }

  private bad(why: string): ImageStoreError {
    return new ImageStoreError('invalid', `failed to process "${this.text.slice(0, 200)}": ${why}`);
  }
}
