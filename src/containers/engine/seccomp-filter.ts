// The default profile of containers as a program of seccomp's: what crun would have libseccomp make of it decides by
// comparing with one system call after the other, and the kernel tries it with each of them for its table of those that
// are always allowed: 2.2 of the 11 million instructions of an exec. A search tree over runs of numbers takes a tenth.
import type { SeccompProfile, SeccompRule } from './seccomp-profile.ts';
import { syscallNumber } from './syscall-numbers.ts';

/** Codes of classic BPF (include/uapi/linux/bpf_common.h, filter.h). */
const LOAD = 0x20;
const AND = 0x54;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
/** struct seccomp_data (include/uapi/linux/seccomp.h). */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENTS_AT = 16;
const AUDIT_ARCH_RISCV64 = 0xc000_00f3;
const KILL_THREAD = 0;
const ALLOW = 0x7fff_0000;
const ERRNO = 0x0005_0000;
const WORD = 2 ** 32;
const LONGEST_JUMP = 255;

/** One step: a jump leads to another step, which comes later. */
interface Step {
  code: number;
  value: number;
  yes?: Step;
  no?: Step;
}

type Condition = NonNullable<SeccompRule['args']>[number];
/** What is done with a system call: the first of the tries whose conditions all hold, else `otherwise`. */
interface Decision {
  tries: { conditions: readonly Condition[]; action: number }[];
  otherwise: number;
}

/**
 * The program of a profile, as seccomp(2) takes it (struct sock_filter, little-endian).
 * @throws {Error} for a profile with what the default one does not have: only crun can do that one
 */
export function seccompFilter(profile: SeccompProfile): Uint8Array<ArrayBuffer> {
  const otherwise = actionOf(profile.defaultAction, profile.defaultErrnoRet);
  const decisions = decide(profile, otherwise);
  const numbers = [...decisions.keys()].sort((a, b) => a - b);
  // Runs of numbers that are decided alike.
  const runs: { first: number; step: Step }[] = [{ first: 0, step: leave(otherwise) }];
  const extend = (first: number, step: Step) => {
    const last = runs.at(-1)!;
    if (same(last.step, step)) return;
    if (last.first === first) runs[runs.length - 1] = { first, step };
    else runs.push({ first, step });
  };
  let next = 0;
  for (const number of numbers) {
    if (number > next) extend(next, leave(otherwise));
    extend(number, decisionSteps(decisions.get(number)!));
    next = number + 1;
  }
  extend(next, leave(otherwise));
  return assemble({
    ...{ code: LOAD, value: ARCHITECTURE_AT },
    no: {
      ...{ code: JUMP_EQUAL, value: AUDIT_ARCH_RISCV64 },
      yes: { code: LOAD, value: NUMBER_AT, no: search(runs) },
      no: leave(KILL_THREAD),
    },
  });
}

const leave = (action: number): Step => ({ code: RETURN, value: action });
const same = (a: Step, b: Step) => a.code === RETURN && b.code === RETURN && a.value === b.value;

function decide({ syscalls }: SeccompProfile, otherwise: number): Map<number, Decision> {
  const decisions = new Map<number, Decision>();
  const settled = new Set<number>();
  for (const { names, action, errnoRet, args } of syscalls) {
    for (const name of names) {
      const number = syscallNumber(name);
      if (number === undefined) throw new Error(`seccomp: riscv64 has no system call ${name}`);
      const decided = actionOf(action, errnoRet);
      // A rule without conditions is the last word.
      if (settled.has(number)) continue;
      if (args === undefined) {
        settled.add(number);
        decisions.set(number, { tries: [], otherwise: decided });
        continue;
      }
      const { tries } = decisions.get(number) ?? { tries: [] };
      decisions.set(number, { tries: [...tries, { conditions: args, action: decided }], otherwise });
    }
  }
  return decisions;
}

function actionOf(name: string, errno = 1): number {
  if (name === 'SCMP_ACT_ALLOW') return ALLOW;
  if (name === 'SCMP_ACT_ERRNO') return ERRNO | errno;
  throw new Error(`seccomp: no program for ${name}`);
}

function search(runs: readonly { first: number; step: Step }[]): Step {
  if (runs.length === 1) return runs[0]!.step;
  const middle = runs.length >> 1;
  return {
    ...{ code: JUMP_AT_LEAST, value: runs[middle]!.first },
    yes: search(runs.slice(middle)),
    no: search(runs.slice(0, middle)),
  };
}

function decisionSteps({ tries, otherwise }: Decision): Step {
  return tries.reduceRight<Step>(
    (rest, { conditions, action }) =>
      conditions.reduceRight((then, condition) => conditionSteps(condition, then, rest), leave(action)),
    leave(otherwise),
  );
}

/** Arguments have 64 bits, steps 32: the high word decides first. */
function conditionSteps({ index, value, valueTwo = 0, op }: Condition, yes: Step, no: Step): Step {
  const low = ARGUMENTS_AT + 8 * index;
  const equal = (at: number, word: number, then: Step, mask?: number): Step => {
    const compare: Step = { code: JUMP_EQUAL, value: word, yes: then, no };
    if (mask === undefined) return { code: LOAD, value: at, no: compare };
    return { code: LOAD, value: at, no: { code: AND, value: mask, no: compare } };
  };
  const words = (number: number) => [Math.floor(number / WORD), number % WORD] as const;
  const [high, rest] = words(value);
  if (op === 'SCMP_CMP_EQ') return equal(low + 4, high, equal(low, rest, yes));
  if (op === 'SCMP_CMP_NE') return conditionSteps({ index, value, op: 'SCMP_CMP_EQ' }, no, yes);
  if (op !== 'SCMP_CMP_MASKED_EQ') throw new Error(`seccomp: no program for ${op}`);
  const [wantedHigh, wanted] = words(valueTwo);
  const then = equal(low, wanted, yes, rest);
  return high === 0 && wantedHigh === 0 ? then : equal(low + 4, wantedHigh, then, high);
}

/** Puts steps in a row, each before those that it leads to; an end that is reached in several ways is there once. */
function assemble(start: Step): Uint8Array<ArrayBuffer> {
  // From the end, so that the length of a jump is known when it is written.
  const backwards: number[][] = [];
  const places = new Map<Step | number, number>();
  const keyOf = (step: Step) => (step.code === RETURN ? step.value : step);
  const emit = (step: Step): void => {
    if (places.has(keyOf(step))) return;
    for (const next of [step.yes, step.no]) if (next !== undefined) emit(next);
    const jump = (to: Step) => {
      const skipped = backwards.length - 1 - places.get(keyOf(to))!;
      // What does not jump goes on with what is behind it.
      if (skipped > (step.yes === undefined ? 0 : LONGEST_JUMP))
        throw new Error('seccomp: the profile is too long');
      return skipped;
    };
    const [yes, no] = [step.yes, step.no].map((to) => (to === undefined ? 0 : jump(to)));
    places.set(keyOf(step), backwards.length);
    const { code, value } = step;
    backwards.push([code, 0, yes!, no!, value, value >>> 8, value >>> 16, value >>> 24]);
  };
  emit(start);
  return Uint8Array.from(backwards.reverse().flat());
}
