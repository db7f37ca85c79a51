// `docker …` at a real container host: Debian's kernel and crun.
import { afterAll, describe, expect, it } from 'vitest';
import { testHost } from '../support/docker.ts';

const { docker, engine, hosts, close } = testHost();
afterAll(close);

const run = (...args: string[]) => docker(['run', '--rm', ...args]);
const ok = async (...args: string[]) => {
  const { status, stdout, stderr } = await docker(args);
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${status}: ${stderr}`);
  return stdout.trim();
};

describe('docker run', () => {
  it('gives output and errors apart, byte for byte, and the exit status', async () => {
    expect(await run('busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await ok('ps', '-aq')).toBe('');
  });

  it('passes input on to its end with -i', async () => {
    const input = Array.from({ length: 40_000 }, (_, index) => `${index}\n`).join('');
    const { stdout, status } = await docker(['run', '--rm', '-i', 'busybox', 'cat'], { input });
    expect(status).toBe(0);
    expect(stdout === input).toBe(true);
  });

  it('says 127 for what is not there, 126 for what cannot be run, 125 for what docker refuses', async () => {
    const missing = await run('busybox', 'nothing');
    expect(missing.status).toBe(127);
    expect(missing.stderr).toContain('executable file `nothing` not found in $PATH');
    expect((await run('busybox', '/etc/passwd')).status).toBe(126);
    expect((await run('--cap-add', 'nonsense', 'busybox', 'true')).status).toBe(125);
    const image = await run('missing', 'true');
    expect(image).toMatchObject({ status: 125, stdout: '' });
    expect(await ok('ps', '-aq')).toBe('');
  });

  it('has the environment, the directory, the user and the name that were asked for', async () => {
    const command = 'env | sort; pwd; id; hostname';
    const { stdout } = await run(
      ...['-e', 'A=1', '-e', 'FROM_HOST', '-w', '/tmp', '-u', 'tester', '--hostname', 'box', 'busybox'],
      ...['sh', '-c', command],
    );
    expect(stdout.split('\n')).toEqual([
      ...['A=1', 'FROM_HOST=host value', 'FROM_IMAGE=yes', 'HOME=/home/tester', 'HOSTNAME=box', 'PATH=/bin'],
      ...['PWD=/tmp', 'SHLVL=1', '/tmp'],
      'uid=1000(tester) gid=100(users) groups=100(users),200(extra)',
      ...['box', ''],
    ]);
  });

  it('gives a terminal of its own with -t, as large as the user has', async () => {
    const answer = await docker(['run', '--rm', '-it', 'busybox', 'sh'], {
      terminal: { columns: 101, rows: 33 },
      input: 'busybox stty size; tty; exit 4\n',
    });
    expect(answer.stdout).toContain('33 101\r\n');
    expect(answer.stdout).toContain('/dev/pts/0\r\n');
    expect(answer.status).toBe(4);
  });

  it('leaves a container that goes on at Ctrl-P Ctrl-Q, or the keys that were asked for', async () => {
    const terminal = { columns: 80, rows: 24 };
    const away = ['run', '-it', '--rm', '--name', 'away', 'busybox', 'sh'];
    expect((await docker(away, { terminal, input: '\x10\x11' })).status).toBe(0);
    expect(await ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('away running');
    const again = ['attach', '--detach-keys', 'ctrl-a,d', 'away'];
    expect((await docker(again, { terminal, input: '\x01d' })).status).toBe(0);
    await ok('rm', '-f', 'away');
  });

  it('reads a root that cannot be written to with --read-only, and writes to --tmpfs', async () => {
    const { stdout } = await run(
      ...['--read-only', '--tmpfs', '/tmp:size=64k', 'busybox', 'sh', '-c'],
      'touch /x 2>/dev/null || echo no; echo yes > /tmp/x; cat /tmp/x',
    );
    expect(stdout).toBe('no\nyes\n');
  });

  it('runs --init as the first process, which passes signals on and buries the dead', async () => {
    const id = await ok(
      'run',
      '-d',
      '--init',
      'busybox',
      'sh',
      '-c',
      'trap "exit 9" TERM; while :; do sleep 0.1; done',
    );
    const { stdout } = await docker(['exec', id, 'sh', '-c', 'cat /proc/1/comm']);
    expect(stdout).toBe('docker-init\n');
    await ok('stop', '-t', '20', id);
    expect(await ok('wait', id)).toBe('9');
    await ok('rm', id);
  });
});

describe('a container that runs', () => {
  it('is listed, looked into, stopped and removed', async () => {
    const id = await ok('run', '-d', '--name', 'web', '-l', 'tier=front', 'busybox', 'sleep', '1000');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const table = (await ok('ps')).split('\n');
    expect(table[0]).toMatch(/^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    expect(table[1]).toMatch(new RegExp(`^${id.slice(0, 12)} {3}busybox +"sleep 1000" +.* ago +Up .* +web$`));
    expect(await ok('ps', '-q', '--filter', 'label=tier=front')).toBe(id.slice(0, 12));
    expect(await ok('inspect', '-f', '{{.State.Status}} {{.Config.Hostname}}', 'web')).toBe(
      `running ${id.slice(0, 12)}`,
    );
    expect(await docker(['exec', '-e', 'B=2', 'web', 'sh', '-c', 'echo $B; exit 3'])).toEqual({
      ...{ status: 3, stdout: '2\n', stderr: '' },
    });
    expect((await docker(['exec', 'web', 'nothing'])).status).toBe(127);
    expect((await ok('top', 'web')).split('\n')[1]).toMatch(/sleep 1000$/);
    expect((await ok('stats', '--no-stream', 'web')).split('\n')[1]).toMatch(/ web +0\.\d+% .* 1$/);
    expect(await docker(['rm', 'web'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        'Error response from daemon: cannot remove container "/web": container is running',
      ),
    });
    await ok('rename', 'web', 'front');
    expect(await ok('stop', '-t', '0', 'front')).toBe('front');
    expect(await ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toMatch(
      /^front Exited \(137\) .* ago$/,
    );
    expect(await ok('rm', 'front')).toBe('front');
    expect(await docker(['inspect', 'front'])).toMatchObject({
      status: 1,
      stderr: 'Error: No such object: front\n',
    });
    expect(await docker(['rm', 'front'])).toMatchObject({
      status: 1,
      stderr: 'Error response from daemon: No such container: front\n',
    });
  });

  it('keeps what it wrote for docker logs, and its files for the next start', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'log',
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo line $i; done; echo bad >&2; date > /kept',
    );
    expect(await ok('wait', 'log')).toBe('0');
    expect(await docker(['logs', 'log'])).toEqual({
      status: 0,
      stdout: 'line 1\nline 2\nline 3\n',
      stderr: 'bad\n',
    });
    expect(await ok('logs', '--tail', '2', 'log')).toBe('line 3');
    expect(await ok('logs', '--since', '1h', '-t', 'log')).toMatch(/^\d{4}-.*Z line 1\n/);
    expect((await ok('diff', 'log')).split('\n')).toContain('A /kept');
    await ok('start', 'log');
    expect(await ok('wait', 'log')).toBe('0');
    expect((await ok('logs', 'log')).split('\n')).toHaveLength(6);
    await ok('rm', 'log');
  });

  it('stands still while it is paused', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'still',
      'busybox',
      'sh',
      '-c',
      'while :; do echo tick; sleep 0.05; done',
    );
    await ok('pause', 'still');
    expect(await ok('inspect', '-f', '{{.State.Status}}', 'still')).toBe('paused');
    const ticks = await ok('logs', 'still');
    await docker(['run', '--rm', 'busybox', 'sleep', '0.3']);
    expect(await ok('logs', 'still')).toBe(ticks);
    expect((await docker(['exec', 'still', 'true'])).stderr).toContain(
      'is paused, unpause the container before exec',
    );
    await ok('unpause', 'still');
    await expect
      .poll(async () => (await ok('logs', 'still')).length, { timeout: 10_000 })
      .toBeGreaterThan(ticks.length);
    await ok('rm', '-f', 'still');
  });

  it('starts again as its policy says, and not once it was stopped', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'again',
      '--restart',
      'on-failure:2',
      'busybox',
      'sh',
      '-c',
      'echo run; exit 5',
    );
    await expect
      .poll(() => ok('inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 'again'), { timeout: 20_000 })
      .toBe('2 exited');
    expect(await ok('logs', 'again')).toBe('run\nrun\nrun');
    await ok('rm', 'again');
  });

  it('finds others by name in the bridge, and none with --network none', async () => {
    await ok(
      'run',
      '-d',
      '--name',
      'server',
      'busybox',
      'sh',
      '-c',
      'while :; do echo hello from $HOSTNAME | nc -l -p 80; done',
    );
    const command = 'for i in 1 2 3 4 5; do nc server 80 && break; sleep 0.2; done';
    const { stdout } = await run('busybox', 'sh', '-c', command);
    expect(stdout).toMatch(/^hello from [0-9a-f]{12}\n$/);
    expect((await run('--network', 'none', 'busybox', 'sh', '-c', 'ls /sys/class/net')).stdout).toBe('lo\n');
    const shared = await run('--network', 'container:server', 'busybox', 'sh', '-c', 'nc 127.0.0.1 80');
    expect(shared.stdout).toMatch(/^hello from/);
    await ok('rm', '-f', 'server');
  });

  it('shares volumes, which outlive it, and new ones begin with what the image has there', async () => {
    expect(
      (await run('-v', 'kept:/data', 'busybox', 'sh', '-c', 'cat /data/*; echo more > /data/more')).stdout,
    ).toBe('from the image\n');
    expect(
      (await run('-v', 'kept:/other:ro', 'busybox', 'sh', '-c', 'cat /other/more; touch /other/x || echo no'))
        .stdout,
    ).toBe('more\nno\n');
    expect(await ok('volume', 'ls', '-q')).toBe('kept');
    await ok('volume', 'rm', 'kept');
    expect((await docker(['volume', 'inspect', 'kept'])).status).toBe(1);
  });

  it('gives and takes files as archives, through its links but never out of its root', async () => {
    await ok('create', '--name', 'files', 'busybox');
    const archive: Uint8Array[] = [];
    await engine.getArchive('files', '/etc/passwd', (bytes) => void archive.push(bytes));
    const text = new TextDecoder().decode(await new Blob(archive as BlobPart[]).arrayBuffer());
    expect(text.slice(0, 6)).toBe('passwd');
    expect(text).toContain('tester:x:1000');
    await engine.putArchive(
      'files',
      '/tmp',
      (async function* () {
        yield* archive;
      })(),
    );
    await expect(engine.getArchive('files', '/none', () => {})).rejects.toMatchObject({ status: 404 });
    expect(await ok('diff', 'files')).toContain('A /tmp/passwd');
    await ok('rm', 'files');
  });
});

it('containers start when the crun that is kept ready is killed, and another is', async () => {
  const agent = hosts.at(-1)!.agent;
  const ready = async () => {
    const found: number[] = [];
    for (const { name } of await agent.list('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const command = await agent.readText(`/proc/${name}/cmdline`).catch(() => '');
      if (command.startsWith('crun\0crun\0')) found.push(Number(name));
    }
    return found;
  };
  expect(await ok('ps', '-aq')).toBe('');
  const [template, ...others] = await ready();
  expect(others).toEqual([]);
  await agent.signal(template!, 9);
  expect(await run('busybox', 'echo', 'one')).toEqual({ status: 0, stdout: 'one\n', stderr: '' });
  expect(await run('busybox', 'echo', 'two')).toEqual({ status: 0, stdout: 'two\n', stderr: '' });
  const [next, ...more] = await ready();
  expect(more).toEqual([]);
  expect(next).not.toBe(template);
});

it('a container host that dies takes its containers with it; the next run has a new one', async () => {
  const running = docker(['run', '--name', 'lost', 'busybox', 'sleep', '1000']);
  await expect.poll(() => ok('ps', '-q'), { timeout: 20_000 }).not.toBe('');
  await ok('volume', 'create', 'stays');
  await hosts.at(-1)!.vm.powerOff();
  const { status, stderr } = await running;
  expect(status).toBe(125);
  expect(stderr).toContain('the container host has stopped');
  expect(await ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toBe('lost Dead');
  expect((await docker(['start', 'lost'])).status).toBe(1);
  await ok('rm', 'lost');
  expect(await ok('volume', 'ls', '-q')).toBe('stays');
  expect((await run('-v', 'stays:/v', 'busybox', 'echo', 'anew')).stdout).toBe('anew\n');
  expect(hosts).toHaveLength(2);
});
