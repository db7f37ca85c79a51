import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openImageStore } from '../../../src/containers/images/image-store-node.ts';
import { parseChallenge, tokenAddress } from '../../../src/containers/images/registry/registry-auth.ts';
import { storedCredentials } from '../../../src/containers/images/registry/stored-credentials-node.ts';
import { type FakeRegistry, fakeRegistry, listenLocally, sendError } from './fake-registry.ts';
import { digestOf, imageOf, ociArchive, tar } from './fixtures.ts';
import { removeFolders, skopeo, temporaryFolder } from './programs.ts';
import { type RegistryProcess, startRegistry } from './registry-process.ts';

afterAll(removeFolders);

const image = imageOf([tar({ path: 'a', data: 'contents' })]);
const store = async () => openImageStore(await temporaryFolder());

describe('with docker-registry and a file of passwords', () => {
  let registry: RegistryProcess;
  const credentials = { username: 'tester', password: 'U*U' };

  beforeAll(async () => {
    const passwords = join(await temporaryFolder(), 'htpasswd');
    // The password U*U in the test vectors of bcrypt.
    await writeFile(passwords, 'tester:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n');
    registry = await startRegistry(`auth: {htpasswd: {realm: tests, path: ${passwords}}}\n`);
  });
  afterAll(() => registry?.stop());

  it('what is pushed with a password is pulled with one, by skopeo too', async () => {
    const images = await store();
    const name = `${registry.host}/closed/tool:1`;
    await images.load(ociArchive(image, name));
    const digest = await images.push(name, { credentials });
    expect(digest).toBe(digestOf(image.manifest));
    expect(await (await store()).pull(name, { credentials })).toBe(digestOf(image.config));
    const seen = await skopeo('inspect', '--tls-verify=false', '--creds', 'tester:U*U', `docker://${name}`);
    expect(JSON.parse(seen).Digest).toBe(digest);
  });

  it('without a password, or with a wrong one, the words are those of docker', async () => {
    const images = await store();
    const name = `${registry.host}/closed/tool:1`;
    const denied = `pull access denied for ${registry.host}/closed/tool, repository does not exist or may require 'docker login': unauthorized: authentication required`;
    await expect(images.pull(name)).rejects.toThrow(denied);
    const wrong = { username: 'tester', password: 'wrong' };
    await expect(images.pull(name, { credentials: wrong })).rejects.toThrow(denied);
    await images.load(ociArchive(image, name));
    await expect(images.push(name)).rejects.toThrow(/^unauthorized: authentication required/);
  });
});

describe('with tokens', () => {
  let registry: FakeRegistry;
  let server: { host: string; close(): Promise<void> };
  const asked: { scope: string[]; authorization: string | undefined; service: string | null }[] = [];
  const shown: (string | undefined)[] = [];

  beforeAll(async () => {
    server = await listenLocally((request, response) => {
      const { searchParams } = new URL(request.url!, 'http://localhost');
      const { authorization } = request.headers;
      asked.push({
        scope: searchParams.getAll('scope'),
        authorization,
        service: searchParams.get('service'),
      });
      if (authorization !== undefined && authorization !== `Basic ${btoa('me:secret')}`) {
        sendError(response, 401, 'UNAUTHORIZED', 'incorrect username or password');
        return;
      }
      response.end(JSON.stringify({ access_token: authorization === undefined ? 'anonymous' : 'named' }));
    });
    registry = await fakeRegistry({ one: image }, (request, response, { pathname }) => {
      shown.push(request.headers.authorization);
      const isPrivate = pathname.startsWith('/v2/private/');
      const wanted = isPrivate ? ['Bearer named'] : ['Bearer named', 'Bearer anonymous'];
      if (wanted.includes(request.headers.authorization ?? '')) return false;
      if (request.headers.authorization !== undefined) {
        sendError(response, 403, 'DENIED', 'requested access to the resource is denied');
        return true;
      }
      response.setHeader(
        'WWW-Authenticate',
        `Bearer realm="http://${server.host}/token",service="the, service",scope="x"`,
      );
      sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
      return true;
    });
  });
  afterAll(async () => {
    await registry?.close();
    await server?.close();
  });

  it('a token is asked for once, with the right to pull, and shown from then on', async () => {
    asked.length = 0;
    shown.length = 0;
    expect(await (await store()).pull(`${registry.host}/public/tool:one`)).toBe(digestOf(image.config));
    expect(asked).toEqual([
      { scope: ['repository:public/tool:pull'], authorization: undefined, service: 'the, service' },
    ]);
    expect(shown).toEqual([undefined, ...shown.slice(1).map(() => 'Bearer anonymous')]);
  });

  it('a name and a password go to the token server, not to the registry', async () => {
    shown.length = 0;
    const credentials = { username: 'me', password: 'secret' };
    await (await store()).pull(`${registry.host}/private/tool:one`, { credentials });
    expect(new Set(shown)).toEqual(new Set([undefined, 'Bearer named']));
  });

  it('what is not allowed is denied in the words of docker', async () => {
    const name = `${registry.host}/private/tool`;
    await expect((await store()).pull(`${name}:one`)).rejects.toMatchObject({
      code: 'denied',
      message: `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    });
    const credentials = { username: 'me', password: 'wrong' };
    await expect((await store()).pull(`${name}:one`, { credentials })).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('unauthorized: incorrect username or password'),
    });
  });
});

it('a registry that sends an upload to another host does not make us show it the token', async () => {
  const seen: (string | undefined)[] = [];
  const other = await listenLocally((request, response) => {
    seen.push(request.headers.authorization);
    request.resume();
    request.on('end', () => response.writeHead(201).end());
  });
  const registry = await fakeRegistry({}, (request, response, { pathname }) => {
    if (request.headers.authorization === undefined) {
      response.setHeader('WWW-Authenticate', 'Basic realm="tests"');
      response.writeHead(401).end();
    } else if (request.method === 'POST') {
      response.writeHead(202, { Location: `http://${other.host}/upload?state=1` }).end();
    } else if (request.method === 'PUT' && pathname.includes('/manifests/')) {
      request.resume();
      request.on('end', () => response.writeHead(201).end());
    } else {
      response.writeHead(404).end();
    }
    return true;
  });
  try {
    const images = await store();
    const name = `${registry.host}/tool:1`;
    await images.load(ociArchive(image, name));
    await images.push(name, { credentials: { username: 'me', password: 'secret' } });
    expect(seen).toEqual([undefined, undefined]);
  } finally {
    await registry.close();
    await other.close();
  }
});

it.each([
  [
    'Bearer realm="https://a/t",service="s, t",scope="r:x:pull,push"',
    'bearer',
    { realm: 'https://a/t', service: 's, t', scope: 'r:x:pull,push' },
  ],
  ['Basic realm="say \\"hi\\""', 'basic', { realm: 'say "hi"' }],
  ['Negotiate, Basic realm=x', 'basic', { realm: 'x' }],
  ['bearer REALM=https://a', 'bearer', { realm: 'https://a' }],
])('the challenge %s is understood', (header, scheme, parameters) => {
  expect(parseChallenge(header)).toEqual({ scheme, parameters });
});

it('what asks for nothing we know is no challenge', () => {
  for (const header of [null, '', 'Negotiate', 'Digest realm="x"'])
    expect(parseChallenge(header)).toBeUndefined();
});

it('a registry behind TLS cannot have a password sent in the clear', () => {
  const challenge = { scheme: 'bearer', parameters: { realm: 'http://a.example/token' } };
  expect(() => tokenAddress(challenge, undefined, 'https://b.example', 'me')).toThrow(
    'is no address for that',
  );
  expect(tokenAddress(challenge, 'r', 'http://b.example', 'me').href).toBe(
    'http://a.example/token?scope=r&account=me',
  );
  for (const realm of ['', 'token', 'file:///etc/passwd', 'javascript:1']) {
    expect(() =>
      tokenAddress({ scheme: 'bearer', parameters: { realm } }, undefined, 'https://b', undefined),
    ).toThrow();
  }
});

it('what docker login has stored is found by host, and the environment comes first', async () => {
  const folder = await temporaryFolder();
  const auths = {
    'a.example': { auth: Buffer.from('me:se:cret').toString('base64') },
    'https://b.example/v1/': { auth: Buffer.from('you:x').toString('base64') },
    'c.example': {},
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
  const env = { DOCKER_CONFIG: folder };
  expect(await storedCredentials('a.example', env)).toEqual({ username: 'me', password: 'se:cret' });
  expect(await storedCredentials('b.example', env)).toEqual({ username: 'you', password: 'x' });
  expect(await storedCredentials('c.example', env)).toBeUndefined();
  expect(await storedCredentials('d.example', env)).toBeUndefined();
  const named = { ...env, HYPERTAB_REGISTRY_USER: 'u', HYPERTAB_REGISTRY_PASSWORD: 'p' };
  expect(await storedCredentials('a.example', named)).toEqual({ username: 'u', password: 'p' });
});
