import { DockerExit } from './docker-error.ts';

/** How a flag is given: alone, with a value, or with one value each time. */
export type FlagKind = 'flag' | 'value' | 'list';
/** `'memory,m': 'value'`: long name, short name. */
export type FlagTable = Readonly<Record<string, FlagKind>>;

/** The flags of a command line, by their long names. */
export interface Flags {
  has(name: string): boolean;
  value(name: string): string | undefined;
  list(name: string): string[];
  /** Words that are no flags. */
  words: string[];
}

/**
 * Reads flags as docker does: `--name value`, `--name=value`, `-n value`, `-nvalue`, and short ones in a row (`-it`).
 * @param interspersed flags may come behind words, too
 * @param command is named in errors
 * @throws {DockerExit} 125
 */
export function parseFlags(
  command: string,
  args: readonly string[],
  table: FlagTable,
  interspersed = true,
): Flags {
  const kinds = new Map<string, FlagKind>();
  const longNames = new Map<string, string>();
  for (const [names, kind] of Object.entries(table)) {
    const [long = '', short] = names.split(',');
    kinds.set(long, kind);
    if (short !== undefined) longNames.set(short, long);
  }
  const found = new Map<string, string[]>();
  const words: string[] = [];
  const refuse = (why: string) =>
    new DockerExit(
      125,
      `${why}\n\nUsage:  docker ${command} --help\n\nRun 'docker ${command} --help' for more information`,
    );
  const add = (name: string, value: string) => found.set(name, [...(found.get(name) ?? []), value]);
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--' || (!interspersed && (!word.startsWith('-') || word === '-'))) {
      words.push(...args.slice(word === '--' ? at + 1 : at));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      continue;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const kind = kinds.get(name);
      if (kind === undefined) throw refuse(`unknown flag: --${name}`);
      if (kind === 'flag') {
        const value = equals < 0 ? 'true' : word.slice(equals + 1);
        if (!/^(true|false|1|0)$/.test(value)) {
          throw refuse(
            `invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
          );
        }
        found.set(name, [value === 'true' || value === '1' ? 'true' : 'false']);
        continue;
      }
      const value = equals < 0 ? args[++at] : word.slice(equals + 1);
      if (value === undefined) throw refuse(`flag needs an argument: --${name}`);
      add(name, value);
      continue;
    }
    for (let letter = 1; letter < word.length; letter++) {
      const short = word[letter]!;
      const name = longNames.get(short);
      if (name === undefined) throw refuse(`unknown shorthand flag: '${short}' in ${word}`);
      if (kinds.get(name) === 'flag') {
        found.set(name, ['true']);
        continue;
      }
      const rest = word.slice(letter + 1).replace(/^=/, '');
      const value = rest === '' ? args[++at] : rest;
      if (value === undefined) throw refuse(`flag needs an argument: '${short}' in ${word}`);
      add(name, value);
      break;
    }
  }
  return {
    has: (name) => found.get(name)?.at(-1) === 'true',
    value: (name) => found.get(name)?.at(-1),
    list: (name) => found.get(name) ?? [],
    words,
  };
}
