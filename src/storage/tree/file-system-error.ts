/** POSIX error numbers as Linux has them (asm-generic/errno-base.h and errno.h; riscv uses these). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENETUNREACH: 101,
  ESTALE: 116,
  EDQUOT: 122,
  ECANCELED: 125,
} as const;

export type ErrorCode = keyof typeof ERRNO;

/**
 * A file operation was refused, for the reason POSIX has a name for. It has no stack: most are answers like any other
 * (a name that is not there, an attribute that was never set), and a stack costs 5 to 10 microseconds each.
 */
export class FileSystemError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = code, options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'FileSystemError';
    this.code = code;
  }

  /** The positive error number. */
  get errno(): number {
    return ERRNO[this.code];
  }
}

/** Stops an operation with an error of that name. */
export function fail(code: ErrorCode, message?: string): never {
  throw new FileSystemError(code, message);
}

/** The error of that name, with the cause kept; EIO for a name that Linux does not have. */
export function fromSystemError(error: unknown): FileSystemError {
  if (error instanceof FileSystemError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known =
    code === 'ENOTSUP'
      ? 'EOPNOTSUPP'
      : typeof code === 'string' && Object.hasOwn(ERRNO, code)
        ? (code as ErrorCode)
        : 'EIO';
  return new FileSystemError(known, String(message ?? error), { cause: error });
}
