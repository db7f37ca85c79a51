import { UsageError } from './usage-error.ts';

/** An option's kind: a flag stands alone, a value takes the next word (or what follows `=`), a list any number. */
export type OptionSpec = Record<string, 'flag' | 'value' | 'list'>;

export interface ParsedOptions<S extends OptionSpec> {
  flags: Set<{ [K in keyof S]: S[K] extends 'flag' ? K : never }[keyof S]>;
  values: Partial<Record<{ [K in keyof S]: S[K] extends 'value' ? K : never }[keyof S], string>>;
  /** Every value of a list, in order. */
  lists: { [K in keyof S as S[K] extends 'list' ? K : never]: string[] };
  /** Words that are no options. */
  words: string[];
}

/**
 * Reads `--name`, `--name VALUE` and `--name=VALUE`; `--` ends the options. Given twice, the last one holds.
 * @param names options without their dashes
 * @throws {UsageError} for an unknown option, a missing value or a value for a flag
 */
export function parseOptions<S extends OptionSpec>(args: readonly string[], names: S): ParsedOptions<S> {
  const flags = new Set<string>();
  const values: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  for (const [name, kind] of Object.entries(names)) if (kind === 'list') lists[name] = [];
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    if (word === '--') {
      words.push(...args.slice(index + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    if (word === '-h' && names.help === 'flag') {
      flags.add('help');
      continue;
    }
    const equals = word.indexOf('=');
    const option = equals < 0 ? word : word.slice(0, equals);
    const name = option.slice(2);
    const kind = option.startsWith('--') && Object.hasOwn(names, name) ? names[name] : undefined;
    if (kind === undefined) throw new UsageError(unknownOption(option, Object.keys(names)));
    if (kind === 'flag') {
      if (equals >= 0) throw new UsageError(`${option} takes no value`);
      flags.add(name);
      continue;
    }
    const value = equals >= 0 ? word.slice(equals + 1) : args[++index];
    const next = equals < 0 && value?.startsWith('--') ? value.slice(2).split('=')[0]! : undefined;
    // A value may begin with dashes, but not be one of our own options: that is a value forgotten.
    if (value === undefined || (next !== undefined && Object.hasOwn(names, next))) {
      throw new UsageError(`${option} needs a value`);
    }
    if (kind === 'list') lists[name]!.push(value);
    else values[name] = value;
  }
  return { flags, values, lists, words } as unknown as ParsedOptions<S>;
}

function unknownOption(option: string, names: string[]): string {
  const known = names.map((name) => `--${name}`);
  const near = nearest(option, known);
  return near === undefined
    ? `unknown option '${option}'; there are ${known.join(', ')}`
    : `unknown option '${option}'; did you mean ${near}?`;
}

/** The word most like `word`, or undefined when none is like it. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 4)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein's distance: the fewest insertions, deletions and replacements that turn one word into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/**
 * A whole number, 0 or more.
 * @throws {UsageError}
 */
export function parseCount(option: string, text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: '${text}' is not a count; give a whole number, 0 or more`);
  }
  return value;
}

/**
 * A positive number of seconds, fractions allowed, at most what a timer can hold (24 days).
 * @throws {UsageError}
 */
export function parseSeconds(option: string, text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value * 1000 <= 0x7fffffff)) {
    throw new UsageError(`${option}: '${text}' is not a time; give seconds, more than 0, like 30 or 0.5`);
  }
  return value;
}

/**
 * One of a few words.
 * @throws {UsageError}
 */
export function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`${option}: '${text}' is none of ${choices.join(', ')}`);
  }
  return choice;
}
