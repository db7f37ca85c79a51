import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../../src/containers/engine/capabilities.ts';
import { seccompFilter } from '../../../src/containers/engine/seccomp-filter.ts';
import { defaultSeccomp, type SeccompRule } from '../../../src/containers/engine/seccomp-profile.ts';
import { syscallNumber } from '../../../src/containers/engine/syscall-numbers.ts';
import { runFilter } from '../../support/classic-bpf.ts';

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const own = seccompFilter(defaultSeccomp(capabilitiesOf()));
const decide = (name: string, ...args: bigint[]) =>
  runFilter(own, { number: syscallNumber(name)!, arguments: args });

/** What a rule says, by its own words. */
function holds({ args = [] }: SeccompRule, given: readonly bigint[]): boolean {
  return args.every(({ index, value, valueTwo = 0, op }) => {
    const argument = given[index]!;
    if (op === 'SCMP_CMP_MASKED_EQ') return (argument & BigInt(value)) === BigInt(valueTwo);
    return (argument === BigInt(value)) === (op === 'SCMP_CMP_EQ');
  });
}

describe('the program of the default profile', () => {
  it('allows what the profile allows, and nothing else', () => {
    const cases = [
      [],
      capabilitiesOf(),
      capabilitiesOf(['SYS_ADMIN', 'SYS_TIME']),
      capabilitiesOf(['ALL']),
    ].map((capabilities) => {
      const profile = defaultSeccomp(capabilities);
      const rules = profile.syscalls.flatMap((rule) =>
        rule.names.map((name) => [syscallNumber(name)!, rule] as const),
      );
      return { program: seccompFilter(profile), rules };
    });
    const interesting = [
      0n,
      8n,
      40n,
      1n << 32n,
      (1n << 32n) + 40n,
      0xffff_ffffn,
      0x7e02_0000n,
      0x1000_0000n,
      17n,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.nat({ max: 600 }),
        fc.array(fc.oneof(fc.constantFrom(...interesting), fc.bigInt(0n, (1n << 64n) - 1n)), {
          minLength: 6,
          maxLength: 6,
        }),
        ({ program, rules }, number, given) => {
          const own = rules.filter(([of]) => of === number).map(([, rule]) => rule);
          const rule = own.find(({ args }) => args === undefined) ?? own.find((one) => holds(one, given));
          const wanted = rule === undefined ? EPERM : rule.action === 'SCMP_ACT_ALLOW' ? ALLOW : ENOSYS;
          expect(runFilter(program, { number, arguments: given })).toBe(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('looks at arguments where the profile does', () => {
    const sigchld = 17n;
    expect(decide('clone', sigchld)).toBe(ALLOW);
    expect(decide('clone', sigchld | 0x1000_0000n)).toBe(EPERM);
    expect(decide('clone3')).toBe(ENOSYS);
    expect(decide('socket', 2n)).toBe(ALLOW);
    expect(decide('socket', 40n)).toBe(EPERM);
    expect(decide('personality', 0xffff_ffffn)).toBe(ALLOW);
    expect(decide('personality', 0x4_0000n)).toBe(EPERM);
    expect(decide('personality', 1n << 32n)).toBe(EPERM);
  });

  it('decides within a dozen steps, and knows no other architecture and no number out of the table', () => {
    expect(own.length / 8).toBeLessThan(120);
    for (const number of [-1, 0x7fff_ffff, 1000]) expect(runFilter(own, { number })).toBe(EPERM);
    expect(runFilter(own, { number: syscallNumber('read')!, architecture: 0xc000_003e })).toBe(0);
  });

  it('is refused for a profile that has more than that', () => {
    const rule =
      (args: SeccompRule['args'], action = 'SCMP_ACT_ALLOW') =>
      () =>
        seccompFilter({
          defaultAction: 'SCMP_ACT_ERRNO',
          syscalls: [{ names: ['read'], action, ...(args && { args }) }],
        });
    expect(rule(undefined)).not.toThrow();
    expect(rule(undefined, 'SCMP_ACT_TRACE')).toThrow('SCMP_ACT_TRACE');
    expect(rule([{ index: 0, value: 1, op: 'SCMP_CMP_LT' }])).toThrow('SCMP_CMP_LT');
  });
});

const HEADER = '/usr/riscv64-linux-gnu/include/asm-generic/unistd.h';
it('numbers of system calls are those of the kernel’s header', () => {
  // A header of some other version of Linux: what both have must be the same. Some packages of it are not there.
  if (!existsSync(HEADER)) {
    expect(syscallNumber('openat')).toBe(56);
    return;
  }
  let compared = 0;
  for (const [, name, number] of readFileSync(HEADER, 'utf8').matchAll(
    /^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm,
  )) {
    const ours = syscallNumber(name!);
    if (ours === undefined) continue;
    expect([name, ours]).toEqual([name, Number(number)]);
    compared++;
  }
  expect(compared).toBeGreaterThan(280);
});
