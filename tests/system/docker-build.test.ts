// docker build and docker commit at a real container host: what commands change becomes layers.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { busyboxLayer } from '../support/docker.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');

const hypervisor = new library.Hypervisor();
let folder: string;
let images: import('../../src/index.ts').ImageStore;
let engine: import('../../src/index.ts').ContainerEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-build-'));
  images = await library.openImages({ folder: join(folder, 'store') });
  await images.import(busyboxLayer(), { reference: 'busybox', config: { Env: ['PATH=/bin'], Cmd: ['sh'] } });
  engine = new library.ContainerEngine({
    images,
    volumes: new library.MemoryVolumes(),
    startHost: () => library.ContainerHost.start({ hypervisor, memory: '256M' }),
  });
});

afterAll(async () => {
  await engine?.close();
  await hypervisor.destroyAll();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Types `docker ARGS`; paths are those of the test's folder. */
async function docker(args: string[], input = '') {
  let stdout = '';
  let stderr = '';
  const decode = (data: Uint8Array | string) =>
    typeof data === 'string' ? data : new TextDecoder().decode(data);
  const status = await library.runDocker(
    {
      engine,
      images,
      lasting: true,
      io: {
        stdout: (data) => {
          stdout += decode(data);
        },
        stderr: (data) => {
          stderr += decode(data);
        },
        stdin: async function* () {
          if (input !== '') yield new TextEncoder().encode(input);
        },
        stdinIsTerminal: false,
        stdoutIsTerminal: false,
        size: () => undefined,
        onResize: () => () => {},
        raw: () => () => {},
        onSignal: () => () => {},
        absolutePath: (path) => join(folder, path),
        readText: (path) => Promise.reject(new Error(`${path} is not for this test`)),
        writeText: (path) => Promise.reject(new Error(`${path} is not for this test`)),
        environment: () => undefined,
      },
    },
    args,
  );
  return { status, stdout, stderr };
}

const sh = async (image: string, command: string) => {
  const { stdout, stderr } = await docker(['run', '--rm', '--network', 'none', image, 'sh', '-c', command]);
  return stdout + stderr;
};

it('files that commands make, change and remove are in the image, and the rest is as it was', async () => {
  await mkdir(join(folder, 'context'));
  await writeFile(join(folder, 'context', 'file'), 'from the context\n');
  await writeFile(
    join(folder, 'context', 'Dockerfile'),
    [
      'FROM busybox AS first',
      'ARG WHO',
      'RUN mkdir -p "/a b/c" && echo "made for $WHO" > "/a b/c/made" && chmod 700 "/a b" && ln -s made "/a b/c/link"',
      // A directory that takes the place of another one hides what that had.
      'RUN rm /etc/group && rm -r /data && mkdir /data && touch /data/new',
      'FROM first',
      'COPY file /data/',
      'USER tester',
      'WORKDIR /tmp',
      'RUN id -u > who && pwd >> who',
      'CMD ["cat", "/data/file"]',
    ].join('\n'),
  );
  const built = await docker(['build', '-t', 'made', '--build-arg', 'WHO=you', 'context']);
  expect(built).toMatchObject({ status: 0, stderr: '' });
  expect(built.stdout).toContain('Successfully tagged made:latest\n');
  expect((await docker(['run', '--rm', '--network', 'none', 'made'])).stdout).toBe('from the context\n');
  expect(await sh('made', 'cat "/a b/c/made" who; ls /data; ls -ld "/a b" | head -c 10')).toContain(
    'Permission denied',
  );
  expect(await sh('first-stage-is-not-named', 'true')).toContain('Unable to find image');
  const asRoot = await docker([
    'run',
    '--rm',
    '--network',
    'none',
    '-u',
    'root',
    'made',
    'sh',
    '-c',
    'cat "/a b/c/link" /tmp/who; ls /data; ls /etc; ls -ld "/a b" | head -c 10',
  ]);
  expect(asRoot.stdout.split('\n')).toEqual([
    ...['made for you', '1000', '/tmp', 'file', 'new'],
    ...['hostname', 'hosts', 'passwd', 'resolv.conf', 'drwx------'],
  ]);
  expect(await sh('busybox', 'ls /data; ls /etc/group')).toBe('from-image\n/etc/group\n');
});

it('the second time nothing is run', async () => {
  const before = (await images.list({ all: true })).length;
  const again = await docker(['build', '-q', '-t', 'again', '--build-arg', 'WHO=you', 'context']);
  expect(again.stdout.trim()).toBe((await images.inspect('made')).Id);
  expect(await images.list({ all: true })).toHaveLength(before);
});

it('a command that fails ends the build in the words of docker, and leaves no container', async () => {
  const failed = await docker(['build', '-t', 'failed', '-'], 'FROM busybox\nRUN echo on the way; exit 3\n');
  expect(failed).toMatchObject({
    status: 1,
    stderr:
      "Error response from daemon: The command '/bin/sh -c echo on the way; exit 3' returned a non-zero code: 3\n",
  });
  expect(failed.stdout).toContain('on the way\n');
  expect(engine.list({ all: true })).toEqual([]);
  await expect(images.inspect('failed')).rejects.toThrow('No such image');
});

it('docker commit makes an image of what a container has changed', async () => {
  await docker([
    'run',
    '--name',
    'box',
    '--network',
    'none',
    '-e',
    'A=b',
    'busybox',
    'sh',
    '-c',
    'echo kept > /kept; rm /data/from-image',
  ]);
  const committed = await docker([
    'commit',
    '-m',
    'a word',
    '-c',
    'CMD ["cat", "/kept"]',
    'box',
    'committed:1',
  ]);
  expect(committed).toMatchObject({ status: 0, stderr: '' });
  expect((await docker(['run', '--rm', '--network', 'none', 'committed:1'])).stdout).toBe('kept\n');
  expect(await sh('committed:1', 'echo $A; ls /data')).toBe('b\n');
  expect((await images.history('committed:1'))[0]).toMatchObject({ Comment: 'a word' });
  await docker(['rm', 'box']);
});

it('a container runs on when its image is removed', async () => {
  await docker(['create', '--name', 'held', '--network', 'none', 'committed:1']);
  await images.remove('committed:1');
  expect((await docker(['start', '-a', 'held'])).stdout).toBe('kept\n');
  await docker(['rm', 'held']);
});
