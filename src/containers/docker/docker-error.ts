/** A command ends with that status, after its message, if any. */
export class DockerExit extends Error {
  override readonly name = 'DockerExit';
  readonly status: number;

  constructor(status: number, message = '') {
    super(message);
    this.status = status;
  }
}

/** An error in the words of docker's command line. */
export function daemonError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `Error response from daemon: ${message}`;
}
