import type { ShareSetup } from '../worker/machine-control.ts';
import { OptionError } from './errors.ts';
import type { VmShare } from './types.ts';

/** Linux's limit of a tag is 36 bytes; our guests make a directory of that name. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,35}$/;

/**
 * Shares as a worker is told of them.
 * @throws {OptionError} for a tag that cannot be, or comes twice
 */
export function setUpShares(shares: readonly VmShare[]): ShareSetup[] {
  const tags = new Set<string>();
  return shares.map(({ tag, ...tree }) => {
    if (!TAG.test(tag)) {
      throw new OptionError(
        `share: '${tag}' is no tag; give 1 to 36 letters, digits, dots, dashes or underscores`,
      );
    }
    if (tags.has(tag)) throw new OptionError(`share: the tag '${tag}' comes twice; give each its own`);
    tags.add(tag);
    return { tag, tree };
  });
}
