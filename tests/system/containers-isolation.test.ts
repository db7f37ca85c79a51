// What containers cannot do to each other and to their host, and the limits that hold them: the kernel's own, in
// Debian's kernel.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../src/containers/engine/capabilities.ts';
import { defaultSeccomp } from '../../src/containers/engine/seccomp-profile.ts';
import { runFilter } from '../support/classic-bpf.ts';
import { testHost } from '../support/docker.ts';

const { docker, engine, hosts, close } = testHost();
afterAll(close);

const run = (...args: string[]) => docker(['run', '--rm', ...args]);
const sh = async (script: string, ...flags: string[]) => {
  const { stdout } = await run(...flags, 'busybox', 'sh', '-c', script);
  return stdout.split('\n').slice(0, -1);
};
const ok = async (...args: string[]) => {
  const { status, stdout, stderr } = await docker(args);
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${status}: ${stderr}`);
  return stdout.trim();
};
/** Runs each command; tells of each whether it was refused. */
const refusals = (commands: readonly string[]) =>
  commands
    .map(
      (command) =>
        `if ${command} >/dev/null 2>&1; then echo 'DONE: ${command.replaceAll("'", '"')}'; else echo refused; fi`,
    )
    .join('\n');
const allRefused = (commands: readonly string[]) => commands.map(() => 'refused');

describe('one container and another', () => {
  beforeAll(async () => {
    await ok('run', '-d', '--name', 'other', 'busybox', 'sh', '-c', 'echo secret > /secret; exec sleep 4242');
  });

  it('sees only its own processes, and cannot signal others', async () => {
    const lines = await sh(
      'ps; kill -9 2 3 4 5 6 7 8 9 10 2>/dev/null; for p in /proc/[0-9]*; do cat $p/cmdline; done | tr "\\0" " "',
    );
    expect(lines.join('\n')).not.toContain('4242');
    expect(lines.length).toBeGreaterThan(1);
    expect(await ok('inspect', '-f', '{{.State.Running}}', 'other')).toBe('true');
  });

  it('sees only its own files, also through .. and links', async () => {
    const script = refusals([
      'cat /secret',
      'cat /../../secret',
      'cat /proc/1/root/../secret',
      'ls /run/c',
      'cat /proc/1/root/run/c/*/r/secret',
      'ln -s /../../../run/c /tmp/x && ls /tmp/x/',
      'ls /l/1',
      'ls /v',
    ]);
    expect(await sh(script)).toEqual(allRefused(Array(8).fill('')));
  });

  it('has a network, host name, cgroup and IPC of its own', async () => {
    const link = `for n in net uts ipc pid mnt cgroup; do busybox readlink /proc/self/ns/$n; done`;
    const here = await sh(link);
    const there = (await ok('exec', 'other', 'sh', '-c', link)).split('\n');
    expect(here).toHaveLength(6);
    for (const [index, name] of here.entries()) expect(name).not.toBe(there[index]);
    expect(await sh('cat /proc/self/cgroup')).toEqual(['0::/']);
  });
});

describe('a container and its host', () => {
  it('cannot mount, load modules, write to the kernel, or make namespaces, though it is root', async () => {
    const commands = [
      'mount -t tmpfs none /tmp',
      'mount -t proc proc /tmp',
      'mount -o remount,rw /proc/sys',
      'mount -o remount,rw /sys',
      'umount /proc/sys',
      'umount /etc/hosts',
      'unshare -m true',
      'unshare -U true',
      'busybox insmod /bin/busybox',
      'echo 1 > /proc/sys/kernel/panic',
      'echo b > /proc/sysrq-trigger',
      'echo 1 > /sys/kernel/mm/transparent_hugepage/enabled',
      'mkdir /sys/fs/cgroup/x',
      'echo max > /sys/fs/cgroup/memory.max',
      'busybox reboot -f',
      'busybox chroot /proc/1/root/.. ls /run/c',
      'date -s 2001-01-01 | grep -q x || date | grep 2001',
      'busybox hostname other',
      'ip link add name evil type dummy',
      'busybox dmesg -c',
      'cat /proc/kcore | busybox head -c 1 | grep -q .',
      'busybox swapon /bin/busybox',
      'busybox nsenter -t 1 -m ls /run/c',
      'echo core > /proc/sys/kernel/core_pattern',
    ];
    expect(await sh(refusals(commands))).toEqual(allRefused(commands));
  });

  it("cannot open the host's devices, even by nodes that it makes", async () => {
    // /dev/mem, /dev/kmsg, the channel to the host (a port of virtio), loop and disk devices.
    const nodes = [
      'c 1 1',
      'c 1 11',
      'c 10 229',
      'c 4 64',
      'b 7 0',
      'b 254 0',
      'c 250 0',
      'c 251 0',
      'c 229 0',
    ];
    const script = nodes.map((node, index) => `mknod /tmp/n${index} ${node.replace(' ', ' ')}`).join('; ');
    const opened = nodes.map((_, index) => `busybox head -c 1 /tmp/n${index}`);
    expect(await sh(`${script}\n${refusals(opened)}`)).toEqual(allRefused(opened));
    expect(await sh('ls /dev | busybox sort | busybox tr "\\n" " "; echo')).toEqual([
      'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ',
    ]);
    expect(await sh('echo x > /dev/null && busybox head -c 4 /dev/zero | wc -c')).toEqual(['4']);
  });

  it('has the capabilities and the system call filter of a container of docker', async () => {
    const status =
      "busybox grep -E '^(CapEff|CapBnd|CapAmb|Seccomp|NoNewPrivs):' /proc/self/status | busybox tr -d '\\t'";
    const ours = [
      'CapEff:00000000a80425fb',
      'CapBnd:00000000a80425fb',
      'CapAmb:0000000000000000',
      'NoNewPrivs:0',
      'Seccomp:2',
    ];
    expect(await sh(status)).toEqual(ours);
    const user = await sh(status, '-u', '1000', '--security-opt', 'no-new-privileges', '--cap-drop', 'ALL');
    expect(user).toEqual([
      'CapEff:0000000000000000',
      'CapBnd:0000000000000000',
      'CapAmb:0000000000000000',
      'NoNewPrivs:1',
      'Seccomp:2',
    ]);
    expect((await sh(status, '--security-opt', 'seccomp=unconfined')).at(-1)).toBe('Seccomp:0');
    // With the capability, the system calls that need it are let through.
    expect(await sh('mount -t tmpfs none /tmp && echo mounted', '--cap-add', 'SYS_ADMIN')).toEqual([
      'mounted',
    ]);
  });

  it('is filtered as libseccomp would have it by the same profile, also in an exec', async () => {
    const profile = JSON.stringify(defaultSeccomp(capabilitiesOf()));
    const create = (SecurityOpt: string[]) =>
      engine.create({ Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { SecurityOpt } });
    const created = await Promise.all([create([]), create([`seccomp=${profile}`])]);
    const programs = await Promise.all(
      created.map(async ({ Id }) => {
        await engine.start(Id);
        return hosts[0]!.agent.readFile(`/run/crun/${Id.slice(0, 12)}/seccomp.bpf`);
      }),
    );
    const values = [
      0n,
      1n,
      8n,
      17n,
      40n,
      0x1000_0011n,
      0x7e02_0000n,
      0xffff_ffffn,
      1n << 32n,
      (1n << 32n) + 40n,
    ];
    const differences: unknown[] = [];
    for (let number = -2; number < 600; number++) {
      for (const value of values) {
        const call = { number, arguments: [value] };
        const [own, others] = programs.map((program) => runFilter(program, call));
        if (own !== others) differences.push([number, value, own, others]);
      }
    }
    expect(differences).toEqual([]);
    const strange = { number: 63, architecture: 0xc000_003e };
    expect(runFilter(programs[0]!, strange)).toBe(runFilter(programs[1]!, strange));
    const { stdout } = await docker(['exec', created[0]!.Id, 'grep', '-E', 'Seccomp', '/proc/self/status']);
    expect(stdout).toMatch(/^Seccomp:\t2\nSeccomp_filters:\t1\n$/);
    await Promise.all(created.map(({ Id }) => engine.remove(Id, { force: true })));
  });

  it('cannot lead docker cp and volumes out of itself by links', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'tricky',
      '-v',
      'vol:/vol',
      'busybox',
      'sh',
      '-c',
      'ln -s /../../../run/c /escape; ln -s / /vol/root; ln -s ../../../../../etc /vol/up; mkdir /ready; exec sleep 1000',
    );
    await expect
      .poll(async () => (await docker(['exec', 'tricky', 'ls', '-d', '/ready'])).status, { timeout: 20_000 })
      .toBe(0);
    await expect(engine.getArchive('tricky', '/escape/', () => {})).rejects.toMatchObject({ status: 404 });
    await expect(engine.getArchive('tricky', '/../../../run/c', () => {})).rejects.toMatchObject({
      status: 404,
    });
    // The volume's links lead within whoever follows them.
    expect(
      await sh('cat /vol/root/etc/hostname /vol/up/hostname > /dev/null && ls /vol/root/', '-v', 'vol:/vol'),
    ).toContain('data');
    let shown = '';
    await engine.getArchive('tricky', '/vol/up/passwd', (bytes) => {
      shown += new TextDecoder().decode(bytes);
    });
    expect(shown).toContain('tester:x:1000');
    await ok('rm', '-f', 'tricky');
  });
});

describe('limits', () => {
  it('--memory kills the hog, and nobody else', async () => {
    await ok('run', '-d', '--name', 'innocent', '--memory', '16m', 'busybox', 'sleep', '1000');
    await ok(
      'run',
      '-d',
      '--name',
      'hog',
      '--memory',
      '16m',
      'busybox',
      'sh',
      '-c',
      'x=12345678; while :; do x=$x$x; done',
    );
    expect(await ok('wait', 'hog')).toBe('137');
    expect(await ok('inspect', '-f', '{{.State.OOMKilled}}', 'hog')).toBe('true');
    expect(await ok('inspect', '-f', '{{.State.Running}}', 'innocent')).toBe('true');
    expect(await ok('exec', 'innocent', 'echo', 'well')).toBe('well');
    await ok('rm', '-f', 'hog', 'innocent');
  });

  it('--pids-limit stops a fork bomb, and the host goes on', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'bomb',
      '--pids-limit',
      '20',
      'busybox',
      'sh',
      '-c',
      'while :; do (while :; do sleep 0.2 & done) 2>/dev/null & sleep 0.1; done',
    );
    await expect.poll(async () => (await engine.stats('bomb')).pids, { timeout: 20_000 }).toBeGreaterThan(15);
    expect((await engine.stats('bomb')).pids).toBeLessThanOrEqual(20);
    expect(await sh('echo still here')).toEqual(['still here']);
    await ok('rm', '-f', 'bomb');
  });

  it('--cpus 0.25 leaves a quarter of the processor, within 3 %', async () => {
    await ok('run', '-d', '--name', 'busy', '--cpus', '0.25', 'busybox', 'sh', '-c', 'while :; do :; done');
    const { agent } = hosts.at(-1)!;
    const sample = async () => {
      const figures = await engine.stats('busy');
      const uptime = Number((await agent.readText('/proc/uptime')).split(' ')[0]);
      return { used: figures.cpuUsage / 1e9, uptime };
    };
    const first = await sample();
    // Whole periods of 100 ms, by the guest's own clock.
    let last = first;
    while (last.uptime - first.uptime < 4) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await sample();
    }
    const share = (last.used - first.used) / (last.uptime - first.uptime);
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
    await ok('rm', '-f', 'busy');
  });

  it('a container that has filled all the room there is does not stop others from starting', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'full',
      'busybox',
      'sh',
      '-c',
      'cat /dev/zero > /x 2>/dev/null; touch /tmp/done; exec sleep 1000',
    );
    await expect.poll(async () => (await docker(['logs', 'full'])).status, { timeout: 20_000 }).toBe(0);
    await expect
      .poll(async () => (await docker(['exec', 'full', 'ls', '/tmp/done'])).status, { timeout: 60_000 })
      .toBe(0);
    expect(await sh('echo still here')).toEqual(['still here']);
    await ok('rm', '-f', 'full');
    expect(await sh('echo room > /y && cat /y')).toEqual(['room']);
  });
});
