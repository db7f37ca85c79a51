import { describe, expect, it } from 'vitest';
import { statusOf, statusOfError } from '../../src/cli/exit-status.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { GuestError } from '../../src/guests/guest-error.ts';
import { FileError, ImageError, OptionError, WorkerLostError } from '../../src/hypervisor/errors.ts';
import type { StopReason } from '../../src/machine/machine-types.ts';

describe('the exit status', () => {
  it.each<[StopReason, number]>([
    [{ kind: 'poweroff' }, 0],
    [{ kind: 'reboot' }, 0],
    [{ kind: 'exit', code: 0 }, 0],
    [{ kind: 'exit', code: 7 }, 7],
    [{ kind: 'exit', code: 255 }, 255],
    [{ kind: 'exit', code: 256 }, 1], // not success, though its low byte is zero
    [{ kind: 'panic', message: 'p' }, 1],
    [{ kind: 'fault', message: 'f' }, 1],
    [{ kind: 'limit', message: 'l' }, 124],
  ])('of %j is %i', (reason, status) => {
    expect(statusOf(reason).status).toBe(status);
  });

  it.each<[Error, number]>([
    [new UsageError('x'), 2],
    [new OptionError('x'), 2],
    [new FileError('x'), 2],
    [new ImageError('x'), 2],
    [new GuestError('unknown', 'x'), 2],
    [new GuestError('not-prepared', 'x'), 2],
    [new GuestError('network', 'x'), 1],
    [new WorkerLostError('x'), 70],
    [new TypeError('x'), 70],
  ])('of %s is %i', (error, status) => {
    expect(statusOfError(error).status).toBe(status);
  });

  it('comes with a message of one line', () => {
    expect(statusOfError(new OptionError('a\n  b\n')).message).toBe('a b ');
  });
});
