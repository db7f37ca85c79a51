// The errors a user of the library meets. All are HypertabError; the message says what was wrong, where, and
// what to do. Anything else that is thrown is a fault of our own.

/** Base of every error that the caller, a file or the guest is the cause of. */
export class HypertabError extends Error {
  override name = 'HypertabError';
}

/** An option with a value that cannot be. */
export class OptionError extends HypertabError {
  override name = 'OptionError';
}

/** A file that cannot be read, fetched or unpacked. */
export class FileError extends HypertabError {
  override name = 'FileError';
}

/** A kernel, firmware or initrd that the machine refuses. */
export class ImageError extends HypertabError {
  override name = 'ImageError';
}

/** An operation that the VM's state does not allow. */
export class StateError extends HypertabError {
  override name = 'StateError';
}

/** The guest stopped while something was still awaited from it. */
export class GuestStoppedError extends HypertabError {
  override name = 'GuestStoppedError';
}

/** Something did not happen in the time given for it. */
export class TimeoutError extends HypertabError {
  override name = 'TimeoutError';
}

/** The VM's worker is gone or broke: the VM is lost. Not a HypertabError, because nobody asked for it. */
export class WorkerLostError extends Error {
  override name = 'WorkerLostError';
}
