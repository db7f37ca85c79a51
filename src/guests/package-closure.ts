import type { DebianPackage } from './debian-index-node.ts';
import { GuestError } from './guest-error.ts';

/**
 * Packages with all that they need, as apt would choose: of alternatives the one that is there already, under its
 * own name or another that it provides, else the first that exists.
 * @param names packages that are wanted
 * @param find looks one up; throws for a name that no package has
 * @returns in the order in which they were found, those that were asked for first
 * @throws {GuestError} package, when nothing satisfies a dependency
 */
export function packageClosure(
  names: Iterable<string>,
  find: (name: string) => DebianPackage,
): DebianPackage[] {
  const chosen = new Map<string, DebianPackage>();
  const provided = new Set<string>();
  const choose = (found: DebianPackage) => {
    chosen.set(found.name, found);
    for (const name of found.provides) provided.add(name);
  };
  for (const name of names) if (!chosen.has(name)) choose(find(name));
  // A Map's iteration goes on to what is added meanwhile.
  for (const { name, depends } of chosen.values()) {
    for (const alternatives of depends) {
      if (alternatives.some((other) => chosen.has(other) || provided.has(other))) continue;
      const found = firstOf(alternatives, find);
      if (found === undefined) {
        throw new GuestError(
          'package',
          `nothing in the archive satisfies ${name}: ${alternatives.join(' | ')}`,
        );
      }
      choose(found);
    }
  }
  return [...chosen.values()];
}

function firstOf(names: readonly string[], find: (name: string) => DebianPackage): DebianPackage | undefined {
  for (const name of names) {
    try {
      return find(name);
    } catch (error) {
      if (!(error instanceof GuestError) || error.code !== 'package') throw error;
    }
  }
  return undefined;
}
