/** The container host could not do what it was asked. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  /** POSIX's name of the error. */
  readonly code: string;

  constructor(code: string, what: string) {
    super(`${what}: ${code}`);
    this.code = code;
  }
}
