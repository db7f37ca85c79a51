import { badParameter } from './engine-error.ts';

/** Linux's signals in the order of their numbers (asm-generic/signal.h). */
const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const FIRST_REALTIME = 34;
const LAST = 64;

/** The number of a signal given as `SIGTERM`, `term` or `15`. @throws {EngineError} 400 */
export function signalNumber(given: string): number {
  const name = given.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RTMIN(?:\+(\d+))?$/.exec(name);
  const number = /^\d+$/.test(name)
    ? Number(name)
    : realtime !== null
      ? FIRST_REALTIME + Number(realtime[1] ?? 0)
      : NAMES.indexOf(name) + 1;
  if (number >= 1 && number <= LAST) return number;
  throw badParameter(`invalid signal: ${given}`);
}
