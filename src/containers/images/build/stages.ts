import { ImageStoreError } from '../image-store-error.ts';
import { dockerfileError } from './build-error.ts';
import type { Instruction } from './dockerfile.ts';

/** A stage as it stands in the Dockerfile. */
export interface StageText {
  /** In lower case; undefined when it has none. */
  name: string | undefined;
  from: Instruction;
  instructions: Instruction[];
}

/**
 * Takes a Dockerfile apart into stages.
 * @throws {ImageStoreError} invalid, in docker's words
 */
export function stagesOf(instructions: readonly Instruction[]): {
  before: Instruction[];
  stages: StageText[];
} {
  const before: Instruction[] = [];
  const stages: StageText[] = [];
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') {
      const name = /\s+as\s+(\S+)\s*$/i.exec(instruction.rest)?.[1]?.toLowerCase();
      if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name)) {
        throw dockerfileError(
          instruction.line,
          `invalid name for build stage: "${name}", name can't start with a number or contain symbols`,
        );
      }
      stages.push({ name, from: instruction, instructions: [] });
    } else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.name === 'ARG') before.push(instruction);
    else throw dockerfileError(instruction.line, 'no build stage in current context');
  }
  if (stages.length === 0) throw new ImageStoreError('invalid', 'no build stage in current context');
  return { before, stages };
}

/**
 * Which stages a target needs, in their order.
 * @param expand fills in the variables of FROM
 * @throws {ImageStoreError} invalid
 */
export function needed(
  stages: readonly StageText[],
  target: string | undefined,
  expand: (text: string) => string,
): { order: number[]; last: number } {
  const find = (name: string, below: number): number => {
    for (let index = below - 1; index >= 0; index--)
      if (stages[index]!.name === name.toLowerCase()) return index;
    return /^\d+$/.test(name) && Number(name) < below ? Number(name) : -1;
  };
  const last = target === undefined ? stages.length - 1 : find(target, stages.length);
  if (last < 0) throw new ImageStoreError('invalid', `target stage "${target}" could not be found`);
  const wanted = new Set<number>();
  const visit = (index: number) => {
    if (index < 0 || wanted.has(index)) return;
    wanted.add(index);
    const { from, instructions } = stages[index]!;
    visit(find(expand(from.rest.split(/\s/)[0]!), index));
    for (const { flags } of instructions) {
      const other = flags.get('from');
      if (other !== undefined) visit(find(expand(other), index));
    }
  };
  visit(last);
  return { order: [...wanted].sort((a, b) => a - b), last };
}
