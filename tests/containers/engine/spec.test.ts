import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AddressPool,
  BRIDGE,
  formatAddress,
  hostsFile,
} from '../../../src/containers/engine/bridge-network.ts';
import { capabilitiesOf } from '../../../src/containers/engine/capabilities.ts';
import { ContainerLogs } from '../../../src/containers/engine/container-logs.ts';
import { checkContainerName, newName } from '../../../src/containers/engine/container-names.ts';
import { settingsOf } from '../../../src/containers/engine/container-settings.ts';
import { describeSpan } from '../../../src/containers/engine/container-status.ts';
import { findUser } from '../../../src/containers/engine/container-users.ts';
import type { HostConfig } from '../../../src/containers/engine/engine-types.ts';
import { runtimeSpec } from '../../../src/containers/engine/runtime-spec.ts';
import { defaultSeccomp, seccompOf } from '../../../src/containers/engine/seccomp-profile.ts';
import { signalNumber } from '../../../src/containers/engine/signals.ts';
import { normalize, parseBind } from '../../../src/containers/engine/volume-store.ts';

const ID = 'a'.repeat(64);
const settings = (host: HostConfig = {}, more = {}) =>
  settingsOf({ Image: 'x', Cmd: ['true'], HostConfig: host, ...more }, {}, ID);
const spec = (host: HostConfig = {}, more = {}, uid = 0) =>
  runtimeSpec({
    settings: settings(host, more),
    user: { uid, gid: 0, additionalGids: [0], home: '/' },
    rootfs: '/r',
    cgroupsPath: '/docker/x',
    network: '/net',
    binds: [],
  });

describe('the runtime specification', () => {
  it('puts a container into namespaces of its own, with kernel files hidden', () => {
    const { linux, mounts, process } = spec();
    expect(linux.namespaces.map(({ type }) => type).sort()).toEqual([
      ...['cgroup', 'ipc', 'mount', 'network', 'pid', 'uts'],
    ]);
    expect(linux.readonlyPaths).toContain('/proc/sys');
    expect(linux.maskedPaths).toContain('/proc/kcore');
    // Those of all containers are restricted above their cgroups: a list of one's own would be checked anew each time.
    expect(linux.resources.devices).toBeUndefined();
    for (const path of ['/sys', '/sys/fs/cgroup']) {
      expect(mounts.find(({ destination }) => destination === path)?.options).toContain('ro');
    }
    expect(process.capabilities.effective).toEqual(process.capabilities.bounding);
  });

  it('gives capabilities to root alone', () => {
    expect(spec({}, {}, 1000).process.capabilities).toMatchObject({ effective: [], permitted: [] });
  });

  it('turns limits into those of cgroups', () => {
    const { resources } = spec({ Memory: 32 << 20, NanoCpus: 250_000_000, PidsLimit: 9 }).linux;
    expect(resources).toMatchObject({
      memory: { limit: 32 << 20, swap: 32 << 20 },
      cpu: { quota: 25_000, period: 100_000 },
      pids: { limit: 9 },
    });
    expect(spec({ PidsLimit: -1 }).linux.resources).not.toHaveProperty('pids');
  });

  it.each<[string, HostConfig, object]>([
    ['less memory than anything runs in', { Memory: 1 << 20 }, {}],
    ['more processors than there are', { NanoCpus: 2e9 }, {}],
    ['a processor that there is not', { CpusetCpus: '1' }, {}],
    ['an unknown capability', { CapAdd: ['FLY'] }, {}],
    ['an unknown security option', { SecurityOpt: ['apparmor=none'] }, {}],
    ['a profile that is none', { SecurityOpt: ['seccomp={"x":1}'] }, {}],
    ['options that tmpfs has not', { Tmpfs: { '/x': 'size=1k,evil' } }, {}],
    ['a network that there is not', { NetworkMode: 'mynet' }, {}],
    ['a policy that there is not', { RestartPolicy: { Name: 'maybe' as 'no' } }, {}],
    ['a policy for what is removed', { AutoRemove: true, RestartPolicy: { Name: 'always' } }, {}],
    ['a directory that is not absolute', {}, { WorkingDir: 'tmp' }],
    ['a host name with a slash', {}, { Hostname: 'a/b' }],
    ['a signal that there is not', {}, { StopSignal: 'SIGFOO' }],
    ['no command at all', {}, { Cmd: [] }],
  ])('is refused for %s', (_, host, more) => {
    expect(() => settings(host, more)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('takes from the image what is not asked for; an entry point of one’s own drops its command', () => {
    const image = {
      Entrypoint: ['/entry'],
      Cmd: ['a', 'b'],
      Env: ['A=1', 'B=2'],
      WorkingDir: '/w',
      User: 'u',
    };
    expect(settingsOf({ Image: 'x' }, image, ID)).toMatchObject({
      ...{ Entrypoint: ['/entry'], Cmd: ['a', 'b'], WorkingDir: '/w', User: 'u', Hostname: 'a'.repeat(12) },
    });
    expect(settingsOf({ Image: 'x', Entrypoint: ['sh'], Env: ['B=3'] }, image, ID)).toMatchObject({
      ...{ Entrypoint: ['sh'], Cmd: [], Env: ['A=1', 'B=3'] },
    });
    expect(settingsOf({ Image: 'x', Cmd: ['c'] }, image, ID)).toMatchObject({
      Entrypoint: ['/entry'],
      Cmd: ['c'],
    });
  });
});

describe('capabilities and system calls', () => {
  it('are those of docker, more and less as asked', () => {
    expect(capabilitiesOf()).toHaveLength(14);
    expect(capabilitiesOf(['net_admin'], ['CAP_CHOWN'])).toContain('CAP_NET_ADMIN');
    expect(capabilitiesOf([], ['CHOWN'])).not.toContain('CAP_CHOWN');
    expect(capabilitiesOf(['CHOWN'], ['ALL'])).toEqual(['CAP_CHOWN']);
    expect(capabilitiesOf(['ALL'], ['SYS_ADMIN'])).toHaveLength(40);
  });

  it('refuse what leads out of a container, unless a capability is for it', () => {
    const allowed = (capabilities: readonly string[]) =>
      new Set(
        defaultSeccomp(capabilities)
          .syscalls.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args)
          .flatMap(({ names }) => names),
      );
    const own = allowed(capabilitiesOf());
    const forbidden =
      'mount umount2 unshare setns init_module finit_module kexec_load bpf perf_event_open keyctl add_key reboot swapon pivot_root clock_settime userfaultfd io_uring_setup open_by_handle_at quotactl acct syslog clone3 personality socket';
    for (const name of forbidden.split(' ')) expect([name, own.has(name)]).toEqual([name, false]);
    for (const name of ['openat', 'execve', 'futex', 'mmap', 'chroot', 'ptrace'])
      expect(own.has(name)).toBe(true);
    expect(allowed(capabilitiesOf(['SYS_ADMIN'])).has('mount')).toBe(true);
    expect(allowed([]).has('chroot')).toBe(false);
    expect(seccompOf('unconfined')).toBeUndefined();
  });
});

describe('users of an image', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nme:x:1000:100::/home/me:\nbad line\n';
  const group = 'root:x:0:\nusers:x:100:\nextra:x:200:me,you\n';

  it.each([
    ['', 0, 0, [0], '/root'],
    ['me', 1000, 100, [100, 200], '/home/me'],
    ['1000', 1000, 100, [100, 200], '/home/me'],
    ['me:extra', 1000, 200, [200], '/home/me'],
    ['4242', 4242, 0, [0], '/'],
    ['4242:4343', 4242, 4343, [4343], '/'],
  ])('%s', (given, uid, gid, additionalGids, home) => {
    expect(findUser(given, passwd, group)).toEqual({ uid, gid, additionalGids, home });
  });

  it('that are not there, and numbers that cannot be, are refused', () => {
    for (const given of ['nobody', 'me:nogroup', '4294967296', '99999999999']) {
      expect(() => findUser(given, passwd, group)).toThrow(expect.objectContaining({ status: 400 }));
    }
    expect(() => findUser('evil', 'evil:x:-1:0::/:\n', '')).toThrow('must be in range');
  });
});

describe('what a container wrote', () => {
  it('is kept line by line, whatever the pieces it came in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('stdout', 'stderr'), fc.stringMatching(/^[a-z\n]{0,8}$/))),
        (pieces) => {
          const logs = new ContainerLogs();
          const followed: string[] = [];
          logs.follow(({ bytes }) => followed.push(new TextDecoder().decode(bytes)));
          for (const [stream, text] of pieces) logs.write(stream as 'stdout', new TextEncoder().encode(text));
          logs.flush();
          for (const stream of ['stdout', 'stderr'] as const) {
            const lines = logs.read({ stdout: stream === 'stdout', stderr: stream === 'stderr' });
            const all = pieces
              .filter(([name]) => name === stream)
              .map(([, text]) => text)
              .join('');
            const texts = lines.map(({ bytes }) => new TextDecoder().decode(bytes));
            expect(texts.join('')).toBe(all);
            for (const text of texts.slice(0, -1)) expect(text.indexOf('\n')).toBe(text.length - 1);
          }
          expect(followed).toHaveLength(logs.read().length);
          expect(logs.read({ tail: 2 })).toEqual(logs.read().slice(-2));
        },
      ),
    );
  });

  it('is forgotten from the beginning when it is too much', () => {
    const logs = new ContainerLogs();
    for (let line = 0; line < 12_000; line++)
      logs.write('stdout', new TextEncoder().encode(`${String(line).padEnd(1023)}\n`));
    const kept = logs.read();
    expect(kept.length).toBeLessThan(9_000);
    expect(new TextDecoder().decode(kept.at(-1)!.bytes).trim()).toBe('11999');
  });

  it('has times, by which it can be asked for', () => {
    let now = 0;
    const logs = new ContainerLogs(() => now);
    for (now = 1; now <= 5; now++) logs.write('stdout', new TextEncoder().encode('x\n'));
    expect(logs.read({ since: 3 }).map(({ time }) => time)).toEqual([3, 4, 5]);
    expect(logs.read({ until: 3 }).map(({ time }) => time)).toEqual([1, 2]);
  });
});

describe('names and addresses', () => {
  it('are never given twice at a time', () => {
    const pool = new AddressPool();
    const taken = Array.from({ length: 300 }, () => pool.take());
    expect(new Set(taken).size).toBe(300);
    expect(taken).not.toContain(BRIDGE.gateway);
    expect(formatAddress(taken[0]!)).toBe('172.17.0.2');
    pool.give(taken[0]!);
    expect(pool.take()).not.toBe(taken[0]);
    const names = new Set<string>();
    for (let count = 0; count < 100; count++) names.add(newName((name) => names.has(name)));
    expect(names.size).toBe(100);
    for (const name of names) expect(() => checkContainerName(name)).not.toThrow();
    for (const name of ['', 'a', '-a', 'a/b', 'a b', '../x'])
      expect(() => checkContainerName(name)).toThrow();
  });

  it('are in the hosts file once each', () => {
    const text = hostsFile(
      { address: 0xac110002, names: ['box', 'box'] },
      [{ address: 0xac110003, names: ['b', 'c'] }],
      ['db:10.0.0.1'],
    );
    expect(text).toContain('172.17.0.2\tbox\n172.17.0.3\tb c\n');
    expect(text).toContain('10.0.0.1\tdb\n');
  });

  it('signals have names and numbers', () => {
    expect(['SIGTERM', 'term', '15', 'RTMIN+3'].map(signalNumber)).toEqual([15, 15, 15, 37]);
    for (const bad of ['', '0', '65', 'NOPE', '-1', '9.5']) expect(() => signalNumber(bad)).toThrow();
  });

  it('paths of volumes are absolute, and never the root', () => {
    expect(parseBind('name:/a/../b/:ro')).toEqual({ source: 'name', target: '/b', readonly: true });
    expect(parseBind('/only')).toEqual({ source: '', target: '/only', readonly: false });
    for (const bad of ['a:b', 'a:/', ':/x', 'a:/b:c', 'a:/b:ro:x', 'a:/..', ''])
      expect(() => parseBind(bad)).toThrow();
    fc.assert(
      fc.property(fc.stringMatching(/^[a./]{0,12}$/), (path) => {
        expect(normalize(path)).toMatch(/^\/(?!.*\/\/)/);
        expect(normalize(path).split('/')).not.toContain('..');
      }),
    );
  });

  it('spans of time read as docker has them', () => {
    const spans = [
      500,
      1000,
      59_000,
      60_000,
      125_000,
      3_600_000,
      3 * 3_600_000,
      3 * 86_400_000,
      21 * 86_400_000,
    ];
    expect(spans.map(describeSpan)).toEqual([
      ...['Less than a second', '1 second', '59 seconds', 'About a minute', '2 minutes', 'About an hour'],
      ...['3 hours', '3 days', '3 weeks'],
    ]);
  });
});
