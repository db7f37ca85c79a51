// What can be typed next in a `docker` command.
import { dockerCommands } from './docker-command.ts';
import type { FlagTable } from './docker-flags.ts';
import type { Command, DockerTask } from './docker-task.ts';

/** Flags whose values are names of something. */
const VALUES: Readonly<Record<string, 'image' | 'container' | 'volume'>> = { volume: 'volume' };

/**
 * Words that may stand where the last of `words` is (its beginning, or empty), in the order of their names.
 * @param words what stands behind `docker`
 */
export async function completeDocker(
  task: Pick<DockerTask, 'engine' | 'images'>,
  words: readonly string[],
): Promise<string[]> {
  const commands = dockerCommands();
  const typed = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  const only = (candidates: Iterable<string>) =>
    [...new Set(candidates)].filter((word) => word.startsWith(last)).sort();
  const depth = ['image', 'container', 'volume'].includes(typed[0] ?? '') ? 2 : 1;
  if (typed.length < depth) {
    const before = typed.length === 0 ? '' : `${typed[0]} `;
    const names = [...commands.keys()]
      .filter((name) => name.startsWith(before))
      .map((name) => name.slice(before.length).split(' ')[0]!);
    return only(names);
  }
  const [group = '', verb = ''] = typed;
  const command = commands.get(depth === 2 ? `${group} ${verb}` : group);
  if (command === undefined) return [];
  if (last.startsWith('-')) return only(flagNames(command.flags));
  const operands = operandsOf(typed.slice(depth), command);
  const kind = operands.value ?? operandKind(command.usage, operands.count);
  switch (kind) {
    case 'image': {
      const images = await task.images.list();
      return only(images.flatMap(({ RepoTags }) => RepoTags.map((name) => name.replace(/:latest$/, ''))));
    }
    case 'container':
      return only(task.engine.list({ all: true }).flatMap(({ Names }) => Names.map((name) => name.slice(1))));
    case 'volume':
      return only((await task.engine.listVolumes()).map(({ Name }) => Name));
    default:
      return [];
  }
}

function flagNames(flags: FlagTable): string[] {
  return [...Object.keys(flags), 'help'].map((names) => `--${names.split(',')[0]}`);
}

/** How many words that are no flags stand there, and of what kind the value is that is typed now. */
function operandsOf(words: readonly string[], { flags }: Command) {
  const kinds = new Map<string, string>();
  const longs = new Map<string, string>();
  for (const [names, kind] of Object.entries(flags)) {
    const [long = '', short] = names.split(',');
    for (const name of [`--${long}`, ...(short === undefined ? [] : [`-${short}`])]) {
      kinds.set(name, kind);
      longs.set(name, long);
    }
  }
  let count = 0;
  let value: 'image' | 'container' | 'volume' | 'other' | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith('-') || word === '-') {
      count++;
      continue;
    }
    // Of letters in a row the last may take a value.
    const name = /^-[A-Za-z]{2,}$/.test(word) ? `-${word.at(-1)}` : word;
    if (word.includes('=') || (kinds.get(name) ?? 'flag') === 'flag') continue;
    index++;
    if (index >= words.length) value = VALUES[longs.get(name) ?? ''] ?? 'other';
  }
  return { count, value };
}

/** What the next word is, by the way the usage of a command is written. */
function operandKind(usage: string, count: number): 'image' | 'container' | 'volume' | undefined {
  const operands = usage.split(' ').filter((word) => /[A-Z]{4}/.test(word) && word !== '[OPTIONS]');
  const last = operands.at(-1) ?? '';
  const operand = operands[count] ?? (last.endsWith('...]') && last !== '[ARG...]' ? last : '');
  if (/IMAGE|REPOSITORY|NAME\[:TAG/.test(operand)) return 'image';
  if (operand.includes('VOLUME')) return 'volume';
  return /CONTAINER|NAME\|ID/.test(operand) ? 'container' : undefined;
}
