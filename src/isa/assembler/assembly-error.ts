/** A mistake in assembly source: the message says what is wrong and what to do, `line` where (from 1). */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}
