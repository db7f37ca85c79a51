import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../../src/containers/docker/docker-flags.ts';
import type { DockerIo } from '../../../src/containers/docker/docker-io.ts';
import { createOptions, parseBytes, RUN_FLAGS } from '../../../src/containers/docker/docker-run-options.ts';
import { parseTime } from '../../../src/containers/docker/docker-show.ts';
import { binarySize, decimalSize, dockerTable } from '../../../src/containers/docker/docker-tables.ts';

const io = {
  absolutePath: (path: string) => `/here/${path.replace(/^\.\/?/, '')}`,
  readText: async (path: string) =>
    path === 'vars' ? '# comment\nA=1\n\nFROM\n' : '{"defaultAction":"x","syscalls":[]}',
  environment: (name: string) => (name === 'FROM' ? 'host' : undefined),
} as unknown as DockerIo;

const run = (...args: string[]) => createOptions('run', parseFlags('run', args, RUN_FLAGS, false), io);

describe('flags', () => {
  it('are taken long and short, joined and apart, until the image', () => {
    const flags = parseFlags(
      'run',
      ['-it', '--name=a', '-eX=1', '-e', 'Y=2', '-m=64m', '--rm', 'img', '-x', '--name', 'b'],
      RUN_FLAGS,
      false,
    );
    expect(['interactive', 'tty', 'rm', 'detach'].map(flags.has)).toEqual([true, true, true, false]);
    expect([flags.value('name'), flags.value('memory'), flags.list('env')]).toEqual([
      'a',
      '64m',
      ['X=1', 'Y=2'],
    ]);
    expect(flags.words).toEqual(['img', '-x', '--name', 'b']);
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['-Z'], "unknown shorthand flag: 'Z' in -Z"],
    [['--name'], 'flag needs an argument: --name'],
    [['-e'], "flag needs an argument: 'e' in -e"],
    [['--rm=maybe'], 'invalid argument "maybe" for "--rm" flag'],
  ])('%j are refused in docker’s words', (args, message) => {
    expect(() => parseFlags('run', args, RUN_FLAGS, false)).toThrow(
      expect.objectContaining({ status: 125, message: expect.stringContaining(message) }),
    );
  });

  it('publish ports in every form of docker’s', async () => {
    const { ExposedPorts, HostConfig } = await run(
      ...[
        '-p',
        '80',
        '-p',
        '8080:81/TCP',
        '-p',
        '0.0.0.0:90-91:90-91',
        '-p',
        '[::1]::80',
        '-p',
        '1.2.3.4::82',
      ],
      ...['--expose', '7-8/udp', 'img'],
    );
    expect(HostConfig?.PortBindings).toEqual({
      '80/tcp': [
        { HostIp: '', HostPort: '' },
        { HostIp: '::1', HostPort: '' },
      ],
      '81/tcp': [{ HostIp: '', HostPort: '8080' }],
      '82/tcp': [{ HostIp: '1.2.3.4', HostPort: '' }],
      '90/tcp': [{ HostIp: '0.0.0.0', HostPort: '90' }],
      '91/tcp': [{ HostIp: '0.0.0.0', HostPort: '91' }],
    });
    expect(Object.keys(ExposedPorts ?? {}).slice(0, 2)).toEqual(['7/udp', '8/udp']);
  });

  it('become a container of the Engine API', async () => {
    expect(
      await run(
        ...[
          '-d',
          '--cpus',
          '0.5',
          '-m',
          '1g',
          '--pids-limit',
          '7',
          '-v',
          './src:/src:ro',
          '-v',
          'vol:/v',
          '--tmpfs',
          '/t:size=1k',
        ],
        ...[
          '--restart',
          'on-failure:3',
          '--env-file',
          'vars',
          '-e',
          'B=2',
          '-l',
          'k=v=w',
          '--entrypoint',
          'sh',
          '--ulimit',
          'nofile=10:20',
        ],
        ...['--add-host', 'db=1.2.3.4', '-u', 'me', 'img', '-c', 'true'],
      ),
    ).toMatchObject({
      Image: 'img',
      Cmd: ['-c', 'true'],
      Entrypoint: ['sh'],
      Env: ['A=1', 'FROM=host', 'B=2'],
      Labels: { k: 'v=w' },
      User: 'me',
      HostConfig: {
        ...{ NanoCpus: 5e8, Memory: 2 ** 30, PidsLimit: 7, Binds: ['/here/src:/src:ro', 'vol:/v'] },
        ...{ Tmpfs: { '/t': 'size=1k' }, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
        ...{ Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }], ExtraHosts: ['db:1.2.3.4'] },
      },
    });
    const mounts = [
      'type=bind,src=/a,dst=/b,readonly',
      'source=v,target=/v',
      'type=tmpfs,target=/t,tmpfs-size=64k',
    ];
    expect((await run(...mounts.flatMap((mount) => ['--mount', mount]), 'img')).HostConfig).toMatchObject({
      ...{ Binds: ['/here//a:/b:ro', 'v:/v'], Tmpfs: { '/t': 'size=64k' } },
    });
    const { HostConfig } = await run('--security-opt', 'seccomp=profile.json', 'img');
    expect(HostConfig?.SecurityOpt).toEqual(['seccomp={"defaultAction":"x","syscalls":[]}']);
  });

  it.each([
    ['-p', '80:x'],
    ['-p', '70000'],
    ['-p', '1-2:3'],
    ['--expose', '0'],
    ['--mount', 'type=bind,target=/x'],
    ['--mount', 'type=odd,source=a,target=/x'],
    ['--mount', 'source=a'],
    ['-m', 'lots'],
    ['--cpus', 'two'],
    ['--pids-limit', 'x'],
    ['--ulimit', 'x'],
    ['--restart', 'on-failure:x'],
  ])('%s %s is refused with 125', async (...flags) => {
    await expect(run(...flags, 'img')).rejects.toMatchObject({ status: 125 });
  });
});

describe('what is printed', () => {
  it('tables have docker’s columns', () => {
    expect(
      dockerTable([
        ['NAMES', 'A'],
        ['a-very-long-name', 'x'],
      ]),
    ).toBe('NAMES              A\na-very-long-name   x\n');
    expect(
      dockerTable([
        ['ID', 'B'],
        ['1', '2'],
      ]),
    ).toBe('ID        B\n1         2\n');
  });

  it('sizes have docker’s units', () => {
    expect([0, 512, 1536, 458_752, 2 ** 30].map(binarySize)).toEqual([
      '0B',
      '512B',
      '1.5KiB',
      '448KiB',
      '1GiB',
    ]);
    expect([0, 999, 1500, 1_234_567].map(decimalSize)).toEqual(['0B', '999B', '1.5kB', '1.23MB']);
    expect(['64m', '1.5k', '10', '2GB'].map((text) => parseBytes('memory', text))).toEqual([
      2 ** 26,
      1536,
      10,
      2 ** 31,
    ]);
  });

  it('times are ago, since 1970, or dates', () => {
    const now = 10_000_000;
    expect([parseTime('1h2m3s', now), parseTime('5', now), parseTime('1970-01-01T00:00:01Z', now)]).toEqual([
      now - 3_723_000,
      5000,
      1000,
    ]);
    expect(() => parseTime('soon')).toThrow('failed to parse');
  });
});
