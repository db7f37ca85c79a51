import { describe, expect, it } from 'vitest';
import { formatTable, guest } from '../../src/cli/guest.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

describe('hypertab guest', () => {
  it.each([
    [[], /needs a command/],
    [['prepare'], /guest prepare needs a name/],
    [['rm'], /guest rm needs a name/],
    [['ls', 'busybox'], /guest ls takes no names; what is 'busybox'/],
    [['lst'], /did you mean ls/],
    [['ls', '--refresh'], /--refresh goes with guest prepare only/],
    [['rm', '--json', 'hello'], /--json goes with guest ls only/],
  ])('%j is refused with what to do instead', async (args, message) => {
    await expect(guest(args)).rejects.toThrow(message);
    await expect(guest(args)).rejects.toThrow(UsageError);
  });

  it('prints a table whose columns begin at the same place in every line', () => {
    expect(
      formatTable([
        ['NAME', 'STATE'],
        ['a', 'prepared'],
        ['longer', ''],
      ]),
    ).toBe('NAME    STATE\na       prepared\nlonger\n');
  });
});
