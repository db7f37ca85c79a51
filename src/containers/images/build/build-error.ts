import { ImageStoreError } from '../image-store-error.ts';

/** A line of a Dockerfile that cannot be. */
export function dockerfileError(line: number, why: string): ImageStoreError {
  return new ImageStoreError('invalid', `dockerfile parse error on line ${line}: ${why}`);
}
