import { HypertabError } from '../../hypervisor/errors.ts';

/** What kind of thing went wrong. */
export type ImageStoreErrorCode =
  | 'not-found' // no such image, manifest or repository
  | 'conflict' // in use, or has other names
  | 'invalid' // a reference, archive, manifest or layer is malformed
  | 'digest' // bytes are not what their digest says
  | 'platform' // there is none for linux/riscv64
  | 'unauthorized' // the registry wants to know who asks
  | 'denied' // the registry does not let one
  | 'network' // the registry cannot be reached, or breaks off
  | 'registry' // the registry answers what it should not
  | 'full' // no room in the store
  | 'storage' // the store cannot be read or written
  | 'cancelled'; // the caller asked for it

const STATUS: Partial<Record<ImageStoreErrorCode, number>> = {
  'not-found': 404,
  conflict: 409,
  invalid: 400,
};

/** An image cannot be found, fetched or kept. The message is what docker would say where it has a word for it. */
export class ImageStoreError extends HypertabError {
  override name = 'ImageStoreError';
  readonly code: ImageStoreErrorCode;

  constructor(code: ImageStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** The status of the Engine API's answer. */
  get status(): number {
    return STATUS[this.code] ?? 500;
  }
}
