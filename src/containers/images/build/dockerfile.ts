// Dockerfiles, line by line (docs.docker.com/reference/dockerfile: the grammar is small, and what matters is which
// words are expanded when, which no parser tells).
import { ImageStoreError } from '../image-store-error.ts';
import { dockerfileError } from './build-error.ts';

export const INSTRUCTIONS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;

export type InstructionName = (typeof INSTRUCTIONS)[number];

/** Text that stands in the Dockerfile itself (`<<NAME` … `NAME`). */
export interface Heredoc {
  name: string;
  /** Its name was quoted: nothing in it is expanded. */
  quoted: boolean;
  text: string;
}

export interface Instruction {
  /** Of its first line, from 1. */
  line: number;
  name: InstructionName;
  /** `--name=value` before the arguments; the value is empty where there is none. */
  flags: Map<string, string>;
  /** What follows the flags, on one line. */
  rest: string;
  /** Where `rest` is a JSON array of texts. */
  json: string[] | undefined;
  heredocs: Heredoc[];
  /** As `docker build` shows it. */
  text: string;
}

/** A Dockerfile taken apart. */
export interface Dockerfile {
  instructions: Instruction[];
  /** The character that goes before a line's end, or before another to make it plain. */
  escapeSign: string;
}

const LINES_MAX = 100_000;

/**
 * Parses a Dockerfile.
 * @throws {ImageStoreError} invalid, in docker's words, with the line
 */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  if (lines.length > LINES_MAX) throw new ImageStoreError('invalid', 'the Dockerfile has too many lines');
  const escapeSign = escapeOf(lines);
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; ) {
    if (isIgnored(lines[at]!)) {
      at++;
      continue;
    }
    const line = at + 1;
    const parts: string[] = [];
    for (let goesOn = true; goesOn && at < lines.length; at++) {
      const current = lines[at]!;
      // Comments and empty lines in the middle of an instruction are not part of it.
      if (parts.length > 0 && isIgnored(current)) continue;
      const trimmed = current.trimEnd();
      goesOn = trimmed.endsWith(escapeSign);
      parts.push(goesOn ? trimmed.slice(0, -1) : current);
    }
    const instruction = readInstruction(parts.join('').trim(), line);
    for (const heredoc of heredocsOf(instruction)) {
      const body: string[] = [];
      for (;;) {
        if (at >= lines.length) throw dockerfileError(line, `unterminated heredoc`);
        const current = lines[at++]!;
        if ((heredoc.strips ? current.replace(/^\t+/, '') : current) === heredoc.name) break;
        body.push(heredoc.strips ? current.replace(/^\t+/, '') : current);
      }
      const { name, quoted } = heredoc;
      instruction.heredocs.push({ name, quoted, text: body.map((part) => `${part}\n`).join('') });
    }
    instructions.push(instruction);
  }
  if (instructions.length === 0)
    throw new ImageStoreError('invalid', 'the Dockerfile cannot be empty: file with no instructions');
  return { instructions, escapeSign };
}

const isIgnored = (line: string) => /^\s*(?:#.*)?$/.test(line);

/** Directives stand before everything else: `# escape=CHARACTER`. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const match = /^\s*#\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) break;
    if (match[1]!.toLowerCase() !== 'escape') continue;
    if (match[2] !== '\\' && match[2] !== '`') {
      throw new ImageStoreError('invalid', `invalid ESCAPE '${match[2]}'. Must be \` or \\`);
    }
    return match[2];
  }
  return '\\';
}

function readInstruction(text: string, line: number): Instruction {
  const [, word = '', after = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const name = INSTRUCTIONS.find((known) => known === word.toUpperCase());
  if (name === undefined) throw dockerfileError(line, `unknown instruction: ${word.slice(0, 80)}`);
  const flags = new Map<string, string>();
  let rest = after;
  const takesFlags = ['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN'].includes(name);
  for (;;) {
    const match = takesFlags ? /^--([a-z][a-z-]*)(?:=("[^"]*"|\S*))?(?:\s+|$)/.exec(rest) : null;
    if (match === null) break;
    flags.set(match[1]!, (match[2] ?? '').replace(/^"(.*)"$/, '$1'));
    rest = rest.slice(match[0].length);
  }
  if (rest === '' && !(name === 'HEALTHCHECK' && flags.size > 0)) {
    throw dockerfileError(line, `${name} requires at least one argument`);
  }
  return { line, name, flags, rest, json: jsonArray(rest), heredocs: [], text: `${name} ${after}` };
}

function jsonArray(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isTexts ? (value as string[]) : undefined;
  } catch {
    return undefined;
  }
}

/** Texts that an instruction announces; RUN, COPY and ADD may. */
function heredocsOf({ name, rest, json }: Instruction): { name: string; quoted: boolean; strips: boolean }[] {
  if (!['RUN', 'COPY', 'ADD'].includes(name) || json !== undefined) return [];
  return [...rest.matchAll(/(?:^|[\s;|&(])\d*<<(-?)(["']?)([A-Za-z_]\w*)\2(?=$|[\s;|&)>])/g)].map(
    (match) => ({
      name: match[3]!,
      quoted: match[2] !== '',
      strips: match[1] === '-',
    }),
  );
}
