import { badParameter } from './engine-error.ts';

/** Every capability of Linux 6.12, in the order of their numbers (linux/capability.h). */
const ALL = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT ' +
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP ' +
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** What a container has unless it is told otherwise: the same as with Docker. */
const DEFAULT =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  );

/**
 * The capabilities of a container, as `CAP_…`; names are taken with and without `CAP_`, in either case, and ALL.
 * @throws {EngineError} 400 for a name that is none
 */
export function capabilitiesOf(add: readonly string[] = [], drop: readonly string[] = []): string[] {
  const names = (list: readonly string[]) => {
    return list.map((given) => {
      const name = given.toUpperCase().replace(/^CAP_/, '');
      if (name === 'ALL' || ALL.includes(name)) return name;
      throw badParameter(`invalid capability: unknown capability: "${given}"`);
    });
  };
  const [added, dropped] = [names(add), names(drop)];
  const base = added.includes('ALL') ? ALL : dropped.includes('ALL') ? [] : DEFAULT;
  return ALL.filter((name) => {
    if (dropped.includes(name)) return false;
    return base.includes(name) || added.includes(name);
  }).map((name) => `CAP_${name}`);
}
