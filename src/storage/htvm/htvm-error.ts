/** What is wrong with an .htvm file. */
export type HtvmFault =
  /** It is something else. */
  | 'format'
  /** Written by a newer Hypertab: the message names the format. */
  | 'version'
  /** It ends before it should. */
  | 'truncated'
  /** A length, a digest or a value is not what it must be. */
  | 'damaged';

/** An .htvm file that cannot be read; nothing has been touched. */
export class HtvmError extends Error {
  override readonly name = 'HtvmError';
  readonly fault: HtvmFault;

  constructor(fault: HtvmFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
