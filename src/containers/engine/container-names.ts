import { badParameter } from './engine-error.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

const QUALITIES =
  'amber brave bright calm candid clever cosy crisp eager early fair fluent fond gentle glad golden happy keen kind late lively lucid merry mild modest nimble novel patient placid proud quick quiet rapid sharp silent silver solid steady sunny swift tidy vivid warm wise witty'.split(
    ' ',
  );
const PEOPLE =
  'allen backus bartik boole cerf church codd conway dijkstra engelbart floyd goldberg gosling hamilton hamming hoare hopper iverson jennings kahn karp kay kernighan knuth kleene lamport lampson liskov lovelace mccarthy milner minsky moore naur perlis perlman postel rabin ritchie shamir shannon stallman tarjan thompson torvalds turing wilkes wirth yao zuse'.split(
    ' ',
  );

/** 64 hex digits that no other container has. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A name like `keen_hopper` that is not taken. */
export function newName(isTaken: (name: string) => boolean): string {
  const pick = (words: readonly string[]) => {
    return words[crypto.getRandomValues(new Uint32Array(1))[0]! % words.length]!;
  };
  for (let tries = 0; ; tries++) {
    const name = `${pick(QUALITIES)}_${pick(PEOPLE)}${tries < 6 ? '' : tries}`;
    if (!isTaken(name)) return name;
  }
}

/** @throws {EngineError} 400 unless it can be a name; what: container or volume */
export function checkContainerName(name: string): void {
  if (NAME.test(name)) return;
  throw badParameter(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
}

/** @throws {EngineError} 400 */
export function checkVolumeName(name: string): void {
  if (NAME.test(name)) return;
  throw badParameter(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}
