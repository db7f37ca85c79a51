// The toy guests: bare-metal programs of ours (guests/toy/) that need no download.
import { assemble } from '../isa/assembler/assemble.ts';
import { writeElf } from '../isa/elf-writer.ts';

export interface ToyGuest {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Its source: files of guests/toy/, assembled one behind the other. */
  readonly sources: readonly string[];
  /** Bytes of RAM it wants. */
  readonly memory: number;
  /** What it prints when it waits for input; undefined for one that takes none. */
  readonly prompt?: string;
}

const MIB = 1024 * 1024;

/** All of them. */
export const TOY_GUESTS: readonly ToyGuest[] = [
  {
    name: 'hello',
    title: 'Hello',
    description: 'Prints a greeting and powers off',
    sources: ['hello.s'],
    memory: 16 * MIB,
  },
  {
    name: 'monitor',
    title: 'Monitor',
    description: 'A tiny machine monitor: look at memory and registers, change them, count down',
    sources: ['monitor.s', 'monitor-commands.s', 'monitor-console.s', 'monitor-data.s'],
    memory: 16 * MIB,
    prompt: '> ',
  },
  {
    name: 'count',
    title: 'Count',
    description: 'Counts loop iterations and instructions a second, then powers off',
    sources: ['count.s'],
    memory: 16 * MIB,
  },
];

/**
 * Builds a toy guest from its source: an ELF executable that starts in M-mode at 0x8000_0000 (a `bios`).
 * @throws AssemblyError where the source is wrong
 */
export function buildToyGuest(source: string): Uint8Array {
  return writeElf(assemble(source));
}
