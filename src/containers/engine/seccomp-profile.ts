import { badParameter } from './engine-error.ts';
import { ALLOWED, ALLOWED_WITH, namesIn } from './seccomp-syscalls.ts';

/** linux.seccomp of the OCI runtime spec (config-linux.md, "Seccomp"). */
export interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  syscalls: SeccompRule[];
}

export interface SeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}

const EPERM = 1;
const ENOSYS = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: a container makes no namespaces. */
const NEW_NAMESPACES = 0x7e020000;
/** PER_LINUX, PER_LINUX32, UNAME26 with each, and the question which it is. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];

/** The profile of a container with these capabilities: everything that is not allowed fails with EPERM. */
export function defaultSeccomp(capabilities: readonly string[]): SeccompProfile {
  const allowed = new Set(namesIn(ALLOWED));
  for (const capability of capabilities) {
    for (const name of namesIn(ALLOWED_WITH[capability] ?? '')) if (name !== '') allowed.add(name);
  }
  const allow = (names: string[], args?: SeccompRule['args']): SeccompRule => {
    return { names, action: 'SCMP_ACT_ALLOW', ...(args && { args }) };
  };
  const rules = [
    allow([...allowed].sort()),
    allow(['socket'], [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }]),
    ...PERSONALITIES.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
  ];
  if (!capabilities.includes('CAP_SYS_ADMIN')) {
    const none = { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
    rules.push(allow(['clone'], [none]));
    // Its flags are in memory, where no filter can look; programs fall back to clone.
    rules.push({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS });
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ['SCMP_ARCH_RISCV64'],
    syscalls: rules,
  };
}

/**
 * The profile that `--security-opt seccomp=…` asks for: undefined for `unconfined`.
 * @param given a profile as JSON text, or `unconfined`
 * @throws {EngineError} 400
 */
export function seccompOf(given: string): SeccompProfile | undefined {
  if (given === 'unconfined') return undefined;
  let profile: unknown;
  try {
    profile = JSON.parse(given);
  } catch (error) {
    throw badParameter(`Decoding seccomp profile failed: ${(error as Error).message}`);
  }
  const { defaultAction, syscalls } = (profile ?? {}) as Partial<SeccompProfile>;
  if (typeof defaultAction !== 'string' || !Array.isArray(syscalls)) {
    throw badParameter('Decoding seccomp profile failed: it needs defaultAction and syscalls');
  }
  return { ...(profile as SeccompProfile), architectures: ['SCMP_ARCH_RISCV64'] };
}
