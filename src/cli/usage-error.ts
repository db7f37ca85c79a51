/** The command line itself is wrong; the message ends up on one line of stderr and the exit status is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
