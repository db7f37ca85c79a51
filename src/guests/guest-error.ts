/** What kind of thing went wrong while a guest was looked up or made. */
export type GuestErrorCode =
  | 'unknown' // no guest of that name
  | 'not-prepared' // known, but its files are not there
  | 'no-mirror' // no Debian mirror is configured
  | 'network' // the mirror cannot be reached, or the transfer broke off
  | 'checksum' // bytes are not what the chain of hashes says
  | 'signature' // the archive's signature is bad
  | 'format' // a package or index is malformed
  | 'package' // the archive has no such package
  | 'disk' // full, read-only or forbidden
  | 'aborted'; // the caller asked for it

/** A guest cannot be found or made; the message says what was wrong, where, and what to do, in one line. */
export class GuestError extends Error {
  override readonly name = 'GuestError';
  readonly code: GuestErrorCode;

  constructor(code: GuestErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
