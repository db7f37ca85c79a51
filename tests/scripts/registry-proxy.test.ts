import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseRegistries } from '../../scripts/registry-proxy.mjs';
import { createSite, listen } from '../../scripts/serve.mjs';
import { openImageStore } from '../../src/containers/images/image-store-node.ts';
import {
  type FakeRegistry,
  fakeRegistry,
  listenLocally,
  sendBytes,
} from '../containers/images/fake-registry.ts';
import { blobsOf, imageOf, tar } from '../containers/images/fixtures.ts';
import { removeFolders, temporaryFolder } from '../containers/images/programs.ts';

const image = imageOf([tar({ path: 'a', data: 'contents' })]);
const authorizations: Record<string, string | undefined> = {};
let registry: FakeRegistry;
let storage: { host: string; close(): Promise<void> };
let stranger: { host: string; close(): Promise<void> };
let site: ReturnType<typeof createSite>;
let url: string;

beforeAll(async () => {
  stranger = await listenLocally((_, response) => response.end('no business of ours'));
  storage = await listenLocally((incoming, response) => {
    authorizations.storage = incoming.headers.authorization;
    const digest = incoming.url!.slice(1) as `sha256:${string}`;
    sendBytes(incoming, response, blobsOf(image).get(digest)!);
  });
  // Wants a token that it gives itself, and keeps its blobs elsewhere.
  registry = await fakeRegistry({ one: image }, (incoming, response, { pathname, searchParams }) => {
    if (pathname === '/token') {
      response.end(JSON.stringify({ token: `token-for-${searchParams.get('scope')}` }));
      return true;
    }
    authorizations.registry = incoming.headers.authorization;
    authorizations.cookie = incoming.headers.cookie;
    authorizations.origin = incoming.headers.origin;
    if (incoming.headers.authorization === undefined) {
      response.setHeader('WWW-Authenticate', `Bearer realm="http://${registry.host}/token",service="tests"`);
      response.writeHead(401).end();
      return true;
    }
    if (pathname.includes('/stray/') && pathname.includes('/blobs/')) {
      response.writeHead(307, { Location: `http://${stranger.host}/x` }).end();
      return true;
    }
    if (!pathname.includes('/blobs/')) return false;
    response.writeHead(307, { Location: `http://${storage.host}/${pathname.split('/').at(-1)}` }).end();
    return true;
  });
  site = createSite({ registries: parseRegistries([`${registry.host},${storage.host}`]) });
  url = await listen(site, 0);
});

afterAll(async () => {
  await Promise.all([registry?.close(), storage?.close(), stranger?.close()]);
  await new Promise<void>((resolve) => {
    site.close(() => resolve());
    site.closeAllConnections();
  });
  await removeFolders();
});

const pull = async (name: string) =>
  openImageStore(await temporaryFolder(), { proxy: `${url}registry` }).pull(name);

/** Status and words of an answer; fetch would not let a test lie about Host. */
function get(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: { Host: 'localhost', ...headers } },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

it('an image is pulled through the server, token and redirected blobs included', async () => {
  expect(await pull(`${registry.host}/some/image:one`)).toMatch(/^sha256:/);
  expect(authorizations.registry).toBe('Bearer token-for-repository:some/image:pull');
});

it('what opens the registry is not shown to the host that it sends one to', () => {
  expect(authorizations.storage).toBeUndefined();
});

it('a registry that sends one to a host that is not allowed is refused with that host named', async () => {
  await expect(pull(`${registry.host}/stray/image:one`)).rejects.toThrow(
    `${registry.host} sends on to ${stranger.host}: start the server with --registry for that, too`,
  );
});

it('nothing is passed on to a host that is not on the list', async () => {
  await expect(pull(`${stranger.host}/some/image:one`)).rejects.toThrow(
    `this server passes nothing on to ${stranger.host}: start it with --registry HOST`,
  );
  for (const path of [
    `/registry/${stranger.host}/`,
    '/registry/',
    '/registry/-/',
    `/registry/${registry.host}`,
  ]) {
    expect((await get(path)).status, path).toBe(403);
  }
});

it('a list entry does not open names that only begin or end like it', async () => {
  const [, port] = registry.host.split(':');
  for (const host of [
    `127.0.0.1:${port}0`,
    `x127.0.0.1:${port}`,
    `user@${registry.host}`,
    `${registry.host}%2f`,
  ]) {
    expect((await get(`/registry/${host}/v2/`)).status, host).toBe(403);
  }
});

it('pages of other sites, and names that lead here, are refused', async () => {
  const path = `/registry/${registry.host}/v2/`;
  expect((await get(path, { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(401);
  expect((await get(path, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  expect((await get(path, { 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
  expect((await get(path, { Host: 'rebound.example' })).status).toBe(403);
});

it("cookies and origin of the browser stay with it, and only the protocol's methods pass", async () => {
  const path = `/registry/${registry.host}/v2/`;
  await get(path, { Cookie: 'secret=1', Origin: 'http://localhost', Authorization: 'Bearer x' });
  expect(authorizations).toMatchObject({ registry: 'Bearer x', cookie: undefined, origin: undefined });
  expect((await get(path, {}, 'DELETE')).status).toBe(405);
});

it('a server without a list passes nothing on', async () => {
  const bare = createSite();
  const address = await listen(bare, 0);
  try {
    expect((await fetch(`${address}registry/${registry.host}/v2/`)).status).toBe(403);
  } finally {
    bare.close();
    bare.closeAllConnections();
  }
});

it('a registry that is down is said to be so', async () => {
  const closed = await listenLocally(() => {});
  await closed.close();
  const other = createSite({ registries: parseRegistries([closed.host]) });
  const address = await listen(other, 0);
  try {
    const answer = await fetch(`${address}registry/${closed.host}/v2/`);
    expect(answer.status).toBe(502);
    expect(await answer.text()).toContain('ECONNREFUSED');
  } finally {
    other.close();
    other.closeAllConnections();
  }
});

it('a list of registries is read with its schemes, and nonsense is refused', () => {
  expect([...parseRegistries(['a.example, http://b.example:5000', 'localhost:1'])]).toEqual([
    ['a.example', 'https:'],
    ['b.example:5000', 'http:'],
    ['localhost:1', 'http:'],
  ]);
  for (const text of ['ftp://a', 'a/b', 'a:b', '-a', '*']) {
    expect(() => parseRegistries([text]), text).toThrow('is no registry');
  }
});
