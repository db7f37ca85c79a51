// The images to start with, made of Debian's packages and run as containers. HYPERTAB_IMAGES: where they are kept.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianImages } from '../../src/containers/images/debian/debian-images.ts';
import { openImageStore } from '../../src/containers/images/image-store-node.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');

// Python's library is compiled in a machine: that is the built library's too.
const recipes = new URL('../../build/src/containers/images/debian/debian-image-node.js', import.meta.url);
const { prepareImage } = (await import(
  /* @vite-ignore */ recipes.href
)) as typeof import('../../src/containers/images/debian/debian-image-node.ts');

const images = openImageStore();
const hypervisor = new library.Hypervisor();
let engine: import('../../src/index.ts').ContainerEngine;

beforeAll(() => {
  engine = new library.ContainerEngine({
    images,
    volumes: new library.MemoryVolumes(),
    startHost: () => library.ContainerHost.start({ hypervisor, memory: '512M' }),
  });
});

afterAll(async () => {
  await engine?.close();
  await hypervisor.destroyAll();
});

/** Runs a container to its end; answers its status and what it wrote. */
async function run(image: string, command: string[]): Promise<{ status: number; output: string }> {
  const { Id } = await engine.create({ Image: image, Cmd: command, HostConfig: { NetworkMode: 'none' } });
  let output = '';
  const decoder = new TextDecoder();
  engine.attach(Id).onOutput((_, bytes) => {
    output += decoder.decode(bytes, { stream: true });
  });
  await engine.start(Id);
  const status = await engine.wait(Id);
  await engine.remove(Id, { volumes: true });
  return { status, output };
}

/** Runs a command in a container of an image's own command, until it says what it should. */
async function askServer(image: string, command: string[], answer: RegExp): Promise<void> {
  const { Id } = await engine.create({ Image: image, HostConfig: { NetworkMode: 'none' } });
  await engine.start(Id);
  try {
    await expect
      .poll(
        async () => {
          let output = '';
          const session = await engine.exec(Id, { Cmd: command });
          session.onOutput((_, bytes) => {
            output += new TextDecoder().decode(bytes);
          });
          await session.exit;
          return output;
        },
        { timeout: 120_000, interval: 500 },
      )
      .toMatch(answer);
  } finally {
    await engine.remove(Id, { force: true, volumes: true });
  }
}

it.each([
  ['busybox', ['sh', '-c', 'echo $((6*7)) | tr 4 F'], 'F2\n'],
  ['lua', ['lua', '-e', 'print(6*7)'], '42\n'],
  ['micropython', ['micropython', '-c', 'print(6*7)'], '42\n'],
  ['quickjs', ['qjs', '-e', 'print(6*7)'], '42\n'],
  ['sqlite', ['sqlite3', ':memory:', 'select 6*7'], '42\n'],
  ['python', ['python3', '-c', 'import json, ssl, sqlite3, ctypes; print(json.dumps([6*7]))'], '[42]\n'],
  ['debian', ['bash', '-c', 'dpkg --audit && apt-get check -qq && awk "BEGIN { print 6*7 }"'], '42\n'],
])('%s does what it is for', async (name, command, expected) => {
  await prepareImage(images, name);
  expect(await run(name, command)).toEqual({ status: 0, output: expected });
});

it('nginx serves its page', async () => {
  await prepareImage(images, 'nginx');
  await askServer('nginx', ['wget', '-qO-', 'http://127.0.0.1/'], /Welcome to nginx/);
});

it('valkey keeps what it is told', async () => {
  await prepareImage(images, 'valkey');
  await askServer(
    'valkey',
    ['sh', '-c', 'valkey-cli set key value; valkey-cli get key'],
    /OK\n(?:.*\n)*value/,
  );
});

it('BusyBox has the names that it says it has', async () => {
  const { output } = await run('busybox', [
    'sh',
    '-c',
    'for name in $(busybox --list); do [ -e /usr/bin/$name ] || echo $name; done',
  ]);
  expect(output).toBe('');
});

it('every image of the list is tried', () => {
  expect(debianImages.map(({ name }) => name).sort()).toEqual(
    ['busybox', 'debian', 'lua', 'micropython', 'nginx', 'python', 'quickjs', 'sqlite', 'valkey'].sort(),
  );
});
