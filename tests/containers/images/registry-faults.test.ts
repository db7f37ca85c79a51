import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import type { ImageStore } from '../../../src/containers/images/image-store.ts';
import { openImageStore } from '../../../src/containers/images/image-store-node.ts';
import type { RegistrySettings } from '../../../src/containers/images/registry/registry-settings.ts';
import { type FakeRegistry, fakeRegistry, listenLocally, sendBytes } from './fake-registry.ts';
import { digestOf, encode, imageOf, tar } from './fixtures.ts';
import { removeFolders, temporaryFolder } from './programs.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close();
});
afterAll(removeFolders);

const contents = randomBytes(300_000);
const image = imageOf([tar({ path: 'a', data: contents })]);
const layer = image.layers[0]!;
const layerDigest = digestOf(layer.bytes);

async function serve(...parameters: Parameters<typeof fakeRegistry>): Promise<FakeRegistry> {
  const registry = await fakeRegistry(...parameters);
  closing.push(registry);
  return registry;
}

const store = async (settings: RegistrySettings = {}) => openImageStore(await temporaryFolder(), settings);

async function leftovers(images: ImageStore): Promise<string[]> {
  const all = [];
  for (const folder of ['blobs/sha256', 'drafts', 'images', 'names', 'leases']) {
    all.push(...(await images.content.files.list(folder)));
  }
  return all;
}

/** Answers requests for the layer in its own way. */
const forLayer =
  (answer: (request: IncomingMessage, response: ServerResponse, count: number) => boolean) =>
  (request: IncomingMessage, response: ServerResponse, url: URL) => {
    if (!url.pathname.endsWith(layerDigest)) return false;
    return answer(request, response, count++);
  };
let count = 0;
afterEach(() => {
  count = 0;
});

function indexOf(...entries: [ReturnType<typeof imageOf>, string][]): {
  bytes: Uint8Array;
  mediaType: string;
} {
  const manifests = entries.map(([parts, architecture]) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(parts.manifest),
    size: parts.manifest.length,
    platform: { os: 'linux', architecture },
  }));
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return { bytes: encode(JSON.stringify({ schemaVersion: 2, mediaType, manifests })), mediaType };
}

it('of a list of platforms the image for linux/riscv64 is pulled, and the list is what the digest names', async () => {
  const list = indexOf([imageOf([], { architecture: 'amd64' }), 'amd64'], [image, 'riscv64']);
  const registry = await serve({ one: image, list });
  const images = await store();
  expect(await images.pull(`${registry.host}/tool:list`)).toBe(digestOf(image.config));
  const { RepoDigests } = await images.inspect(`${registry.host}/tool:list`);
  expect(RepoDigests).toEqual([`${registry.host}/tool@${digestOf(list.bytes)}`]);
  expect(await images.pull(RepoDigests[0]!)).toBe(digestOf(image.config));
});

it.each([
  [
    'a list without linux/riscv64',
    { x: indexOf([image, 'arm64']) },
    'platform',
    'no matching manifest for linux/riscv64 in the manifest list entries',
  ],
  [
    'an image for another processor',
    { x: imageOf([tar({ path: 'a', data: '' })], { architecture: 'amd64' }) },
    'platform',
    /^image with reference .*\/tool:x was found but does not match the specified platform: wanted linux\/riscv64, actual: linux\/amd64$/,
  ],
  [
    'a tag that is not there',
    {},
    'not-found',
    /^manifest for .*\/tool:x not found: manifest unknown: manifest unknown$/,
  ],
  [
    'a manifest of nonsense',
    { x: { bytes: encode('[]'), mediaType: 'x/y' } },
    'invalid',
    'is no JSON object',
  ],
  [
    'a manifest of the first schema',
    { x: { bytes: encode('{"schemaVersion":1}'), mediaType: 'x/y' } },
    'invalid',
    'schema 1 is not supported',
  ],
  [
    'a manifest that never ends',
    { x: { bytes: new Uint8Array(5 << 20), mediaType: 'x/y' } },
    'registry',
    'larger than 4 MiB',
  ],
])('%s is an error in the words of docker, and leaves nothing', async (_, tags, code, message) => {
  const registry = await serve(tags as Parameters<typeof fakeRegistry>[0]);
  const images = await store();
  const failed = images.pull(`${registry.host}/tool:x`);
  await expect(failed).rejects.toMatchObject({ code });
  await expect(failed).rejects.toThrow(message);
  expect(await leftovers(images)).toEqual([]);
});

it('a registry that is down is said to be so', async () => {
  const closed = await listenLocally(() => {});
  await closed.close();
  await expect((await store()).pull(`${closed.host}/tool`)).rejects.toThrow(
    `Get "http://${closed.host}/v2/tool/manifests/latest": connect: connection refused`,
  );
});

it('a transfer that breaks off again and again goes on where it was, and no byte comes twice', async () => {
  let sent = 0;
  const registry = await serve(
    { one: image },
    forLayer((request, response, attempt) => {
      if (attempt >= 4) return false;
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        'Content-Length': layer.bytes.length - start,
        ...(start > 0 && {
          'Content-Range': `bytes ${start}-${layer.bytes.length - 1}/${layer.bytes.length}`,
        }),
      });
      const part = layer.bytes.subarray(start, start + 50_000);
      sent += part.length;
      response.write(part, () => setTimeout(() => response.destroy(), 20));
      return true;
    }),
  );
  const images = await store();
  const seen: number[] = [];
  await images.pull(`${registry.host}/tool:one`, {
    onProgress: ({ status, progressDetail }) =>
      status === 'Downloading' && seen.push(progressDetail?.current ?? 0),
  });
  expect(sent).toBe(200_000);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect((await images.rootfs(`${registry.host}/tool:one`)).layers).toHaveLength(1);
});

it('a registry that knows no ranges is read from the beginning again', async () => {
  const registry = await serve(
    { one: image },
    forLayer((_, response, attempt) => {
      response.writeHead(200, { 'Content-Length': layer.bytes.length });
      if (attempt > 0) response.end(layer.bytes);
      else response.write(layer.bytes.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    }),
  );
  expect(await (await store()).pull(`${registry.host}/tool:one`)).toBe(digestOf(image.config));
});

it('a transfer that brings nothing more is begun again', async () => {
  const registry = await serve(
    { one: image },
    forLayer((_, response, attempt) => {
      if (attempt > 0) return false;
      response.writeHead(200, { 'Content-Length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 1000));
      return true;
    }),
  );
  const images = await store({ stallMs: 500 });
  expect(await images.pull(`${registry.host}/tool:one`)).toBe(digestOf(image.config));
});

it('a pull that is cancelled leaves no image, and the next one goes on where it was', async () => {
  const ranges: (string | undefined)[] = [];
  const registry = await serve(
    { one: image },
    forLayer((request, response, attempt) => {
      ranges.push(request.headers.range);
      if (attempt > 0) return false;
      response.writeHead(200, { 'Content-Length': layer.bytes.length });
      response.write(layer.bytes.subarray(0, 100_000));
      return true;
    }),
  );
  const images = await store();
  const cancel = new AbortController();
  const pulling = images.pull(`${registry.host}/tool:one`, {
    signal: cancel.signal,
    onProgress: ({ progressDetail }) => (progressDetail?.current ?? 0) >= 100_000 && cancel.abort(),
  });
  await expect(pulling).rejects.toMatchObject({ code: 'cancelled', message: 'context canceled' });
  expect(await images.list()).toEqual([]);
  await images.pull(`${registry.host}/tool:one`);
  expect(ranges).toEqual([undefined, 'bytes=100000-']);
  expect(await images.content.files.list('drafts')).toEqual([]);
});

it('what a broken-off pull has left is checked like everything else, and fetched again where it is wrong', async () => {
  const registry = await serve({ one: image });
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'drafts'));
  await writeFile(join(folder, 'drafts', `kept.${layerDigest.slice(7)}`), randomBytes(1000));
  const images = openImageStore(folder);
  expect(await images.pull(`${registry.host}/tool:one`)).toBe(digestOf(image.config));
  expect(await images.content.files.list('drafts')).toEqual([]);
});

it.each([
  ['other bytes', (bytes: Uint8Array) => bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte))],
  ['more bytes', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])],
])('a blob of %s than its digest says is refused, and nothing of it stays', async (_, change) => {
  const wrong = change(layer.bytes);
  const registry = await serve(
    { one: image },
    forLayer((request, response) => {
      sendBytes(request, response, wrong);
      return true;
    }),
  );
  const images = await store();
  await expect(images.pull(`${registry.host}/tool:one`)).rejects.toMatchObject({ code: 'digest' });
  expect(await leftovers(images)).toEqual([]);
});

it('a manifest that is not the one asked for is refused', async () => {
  const other = imageOf([tar({ path: 'other', data: '' })]);
  const registry = await serve({}, (request, response) => {
    sendBytes(request, response, other.manifest);
    return true;
  });
  const images = await store();
  await expect(images.pull(`${registry.host}/tool@${digestOf(image.manifest)}`)).rejects.toMatchObject({
    code: 'digest',
  });
  expect(await leftovers(images)).toEqual([]);
});

it('several layers come at once, but no more than are allowed', async () => {
  const many = imageOf(
    Array.from({ length: 7 }, (_, index) => tar({ path: String(index), data: randomBytes(2000) })),
  );
  let open = 0;
  let most = 0;
  const registry = await serve({ one: many }, (request, response, url) => {
    const found = many.layers.find(({ bytes }) => url.pathname.endsWith(digestOf(bytes)));
    if (found === undefined) return false;
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      sendBytes(request, response, found.bytes);
    }, 50);
    return true;
  });
  await (await store({ parallel: 4 })).pull(`${registry.host}/tool:one`);
  expect(most).toBe(4);
});

it('a name without a registry goes to the default one, in its namespace; without one it says what to do', async () => {
  const registry = await serve({ one: image });
  const images = await store({ defaultRegistry: `${registry.host}/library` });
  await images.pull('tool:one');
  expect(registry.requests[0]).toBe('GET /v2/library/tool/manifests/one');
  await images.pull('team/tool:one');
  expect(registry.requests).toContain('GET /v2/team/tool/manifests/one');
  expect((await images.list()).flatMap(({ RepoTags }) => RepoTags)).toEqual(['team/tool:one', 'tool:one']);
  await expect((await store()).pull('tool')).rejects.toThrow('no registry is set to look for "tool" in');
});

it('a tag that has moved leaves the older image without a name, until it is pruned', async () => {
  const newer = imageOf([tar({ path: 'newer', data: '' })]);
  const first = await serve({ one: image });
  const images = await store({ defaultRegistry: first.host });
  await images.pull('tool:one');
  const second = await serve({ one: newer });
  images.registries = { defaultRegistry: second.host };
  await images.pull('tool:one');
  const tags = (await images.list()).map(({ RepoTags }) => RepoTags);
  expect(tags).toContainEqual(['tool:one']);
  expect(tags).toContainEqual([]);
  const before = await images.content.files.list('blobs/sha256');
  await images.remove(`tool@${digestOf(image.manifest)}`);
  await images.prune();
  expect((await images.list()).map(({ Id }) => Id)).toEqual([digestOf(newer.config)]);
  expect((await images.content.files.list('blobs/sha256')).length).toBeLessThan(before.length);
});
