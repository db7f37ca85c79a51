import { describe, expect, it } from 'vitest';
import type { DebianPackage } from '../../src/guests/debian-index-node.ts';
import { GuestError } from '../../src/guests/guest-error.ts';
import { packageClosure } from '../../src/guests/package-closure.ts';

/** An archive of packages given as `name: [dependencies as in Debian's index, provided names]`. */
function archive(packages: Record<string, [string, string?]>): (name: string) => DebianPackage {
  return (name) => {
    const found = packages[name];
    if (found === undefined) throw new GuestError('package', `no package ${name}`);
    const words = (text: string, mark: string) => text.split(mark).filter((word) => word !== '');
    return {
      name,
      version: '1',
      architecture: 'all',
      filename: `${name}.deb`,
      size: 1,
      sha256: name,
      depends: words(found[0], ',').map((clause) => words(clause, '|')),
      provides: words(found[1] ?? '', ','),
    };
  };
}

const names = (packages: readonly DebianPackage[]) => packages.map(({ name }) => name);

describe('packageClosure', () => {
  it('follows dependencies, also in circles, and names each package once', () => {
    const find = archive({ a: ['b,c'], b: ['c'], c: ['a'], other: [''] });
    expect(names(packageClosure(['a', 'a'], find))).toEqual(['a', 'b', 'c']);
  });

  it('takes the first alternative that exists', () => {
    const find = archive({ a: ['gone|b|c'], b: [''], c: [''] });
    expect(names(packageClosure(['a'], find))).toEqual(['a', 'b']);
  });

  it('takes an alternative that is there already before an earlier one that is not', () => {
    const find = archive({ a: ['b|c'], b: [''], c: [''] });
    expect(names(packageClosure(['a', 'c'], find))).toEqual(['a', 'c']);
  });

  it('takes what a wanted package provides under another name', () => {
    const find = archive({ base: ['awk'], mawk: ['', 'awk'] });
    expect(names(packageClosure(['base', 'mawk'], find))).toEqual(['base', 'mawk']);
  });

  it('names the package and the dependency that nothing satisfies', () => {
    const find = archive({ base: ['awk|nawk'] });
    expect(() => packageClosure(['base'], find)).toThrow(/satisfies base: awk \| nawk/);
  });
});
