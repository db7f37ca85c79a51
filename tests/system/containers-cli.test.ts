// `hypertab docker` and `hypertab serve` as programs, with images in the store.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayer } from '../support/docker.ts';
import { hypertab, startHypertab, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const env = {
  HYPERTAB_IMAGES: join(folder, 'images'),
  HYPERTAB_VOLUMES: join(folder, 'volumes'),
  HYPERTAB_RUNTIME_DIR: join(folder, 'runtime'),
};
const docker = (args: string[], input?: string) => hypertab(['docker', ...args], { env, input });

/** Serves what the image has, as soon as it listens. */
const SERVE = 'exec busybox httpd -f -p 80 -h /data';

beforeAll(async () => {
  const layer = join(folder, 'layer.tar');
  writeFileSync(layer, busyboxLayer());
  const { status, stderr } = await hypertab(['image', 'import', layer, 'busybox'], { env });
  if (status !== 0) throw new Error(stderr);
});

describe('hypertab docker by itself', () => {
  it('runs a container with a directory of the host, and copies files in and out of it', async () => {
    const shared = join(folder, 'shared');
    mkdirSync(shared);
    writeFileSync(join(shared, 'in'), 'from the host\n');
    const script = 'cat /s/in; cat; echo out > /s/out; touch /s2/x 2>/dev/null || echo read-only; exit 3';
    const answer = await docker(
      [
        'run',
        '--rm',
        '-i',
        '-v',
        `${shared}:/s`,
        '-v',
        `${shared}:/s2:ro`,
        '-v',
        'vol:/v',
        'busybox',
        'sh',
        '-c',
        script,
      ],
      'typed\n',
    );
    expect(answer).toEqual({ status: 3, stdout: 'from the host\ntyped\nread-only\n', stderr: '' });
    expect(readFileSync(join(shared, 'out'), 'utf8')).toBe('out\n');
    expect((await docker(['volume', 'ls', '-q'])).stdout).toBe('vol\n');
  });

  it('refuses what it cannot do in docker’s words, with its status', async () => {
    const table: [string[], number, RegExp][] = [
      [['run', '-d', 'busybox', 'true'], 125, /hypertab serve/],
      [['run', '--nope', 'busybox'], 125, /^unknown flag: --nope\n/],
      [['frobnicate'], 1, /^docker: unknown command: docker frobnicate\n/],
      [['rm'], 1, /^docker: 'docker rm' requires at least 1 argument\n/],
      [['stop', 'nobody'], 1, /^Error response from daemon: No such container: nobody\n$/],
      [['run', '--memory', '1k', 'busybox', 'true'], 125, /Minimum memory limit allowed is 6MB/],
    ];
    const answers = await Promise.all(table.map(([args]) => docker(args)));
    for (const [index, [args, status, message]] of table.entries()) {
      expect([args, answers[index]!.status, answers[index]!.stdout]).toEqual([args, status, '']);
      expect(answers[index]!.stderr).toMatch(message);
    }
  });
});

it('hypertab serve keeps containers running from one command to the next', async () => {
  const server = startHypertab(['serve'], env);
  let said = '';
  server.stderr.on('data', (text) => {
    said += text;
  });
  await expect.poll(() => said, { timeout: 30_000 }).toContain('hypertab docker now finds');
  expect((await hypertab(['serve'], { env })).stderr).toContain('running already');

  const { stdout: id } = await docker([
    'run',
    '-d',
    '--name',
    'web',
    'busybox',
    'sh',
    '-c',
    'echo up; exec sleep 1000',
  ]);
  expect(id).toMatch(/^[0-9a-f]{64}\n$/);
  expect((await docker(['ps', '--format', '{{.Names}} {{.State}}'])).stdout).toBe('web running\n');
  expect(await docker(['exec', '-i', 'web', 'sh', '-c', 'cat; exit 5'], 'typed\n')).toEqual({
    ...{ status: 5, stdout: 'typed\n', stderr: '' },
  });
  expect((await docker(['logs', 'web'])).stdout).toBe('up\n');

  const source = join(folder, 'source');
  mkdirSync(join(source, 'deep'), { recursive: true });
  writeFileSync(join(source, 'deep/file'), 'copied\n');
  expect((await docker(['cp', source, 'web:/tmp/copy'])).status).toBe(0);
  expect((await docker(['exec', 'web', 'cat', '/tmp/copy/deep/file'])).stdout).toBe('copied\n');
  await docker(['exec', 'web', 'sh', '-c', `ln -s ${folder} /tmp/copy/link; echo new > /tmp/copy/deep/file`]);
  expect((await docker(['cp', 'web:/tmp/copy', join(folder, 'back')])).status).toBe(0);
  expect(readFileSync(join(folder, 'back/deep/file'), 'utf8')).toBe('new\n');

  // A port of this computer is the container's, and the image that it stands on cannot go.
  const { stdout: served } = await docker([
    'run',
    '-d',
    '--name',
    'page',
    '-p',
    '80',
    'busybox',
    'sh',
    '-c',
    SERVE,
  ]);
  expect(served).toMatch(/^[0-9a-f]{64}\n$/);
  const place = (await docker(['port', 'page', '80'])).stdout.trim();
  expect(place).toMatch(/^127\.0\.0\.1:\d+$/);
  expect((await docker(['ps', '--format', '{{.Ports}}'])).stdout).toContain(`${place}->80/tcp`);
  const read = async () => (await fetch(`http://${place}/from-image`)).text();
  // Until it listens, whoever connects is turned away.
  await expect.poll(() => read().catch(() => ''), { timeout: 30_000 }).toBe('from the image\n');
  const texts = await Promise.all([1, 2, 3, 4].map(read));
  expect(texts).toEqual(Array(4).fill('from the image\n'));
  const twice = await docker(['run', '-d', '-p', `${place}:80`, 'busybox', 'true']);
  expect([twice.status, twice.stderr]).toEqual([125, expect.stringContaining('port is already allocated')]);
  for (const remove of [
    ['docker', 'rmi', 'busybox'],
    ['image', 'rm', 'busybox'],
  ]) {
    const { status, stderr } = await hypertab(remove, { env });
    expect([status, stderr]).toEqual([1, expect.stringContaining('container')]);
  }
  await docker(['rm', '-f', 'page']);
  await expect(fetch(`http://${place}/`)).rejects.toThrow();

  server.kill('SIGINT');
  await new Promise((resolve) => server.once('exit', resolve));
  expect((await docker(['ps', '-aq'])).stdout).toBe('');
});
