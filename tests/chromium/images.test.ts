// Images in the browser's private files.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRegistries } from '../../scripts/registry-proxy.mjs';
import { createSite, listen } from '../../scripts/serve.mjs';
import { openImageStore } from '../../src/containers/images/image-store-node.ts';
import { launchBrowser } from '../browser/harness.ts';
import type { BrowserImages } from '../containers/images/browser-images.ts';
import { type FakeRegistry, fakeRegistry } from '../containers/images/fake-registry.ts';
import { digestOf, imageOf, ociArchive, tar } from '../containers/images/fixtures.ts';

/** HYPERTAB_KILLS=50 for more. */
const KILLS = Number(process.env.HYPERTAB_KILLS ?? 4);

declare global {
  interface Window {
    images: BrowserImages;
  }
}

const shared = tar({ path: 'shared', data: randomBytes(200_000) }, { path: '.wh.gone', data: '' });
const archives = {
  'one.tar': ociArchive(imageOf([shared, tar({ path: 'a', data: randomBytes(300_000) })]), 'one:latest'),
  'two.tar': ociArchive(imageOf([shared, tar({ path: 'b', data: randomBytes(300_000) })]), 'two:latest'),
  'broken.tar': ociArchive(imageOf([shared], { diffIds: [digestOf(randomBytes(3))] }), 'broken:latest'),
};

let folder: string;
let site: Server;
let url: string;
let registry: FakeRegistry;
let browser: Browser;
let context: BrowserContext;
let page: Page;

const openPage = async () => {
  const opened = await context.newPage();
  await opened.goto(url);
  await opened.waitForFunction(() => window.images !== undefined);
  return opened;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-image-page-'));
  const outDir = join(folder, 'page');
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'without-node',
        enforce: 'pre',
        resolveId: (source) => (source.endsWith('-node.ts') ? '\0none' : undefined),
        load: (id) => (id === '\0none' ? 'export const openImageStore = undefined;' : undefined),
      },
    ],
    build: {
      lib: {
        entry: resolve('tests/containers/images/browser-images.ts'),
        formats: ['es'],
        fileName: () => 'images.js',
      },
      outDir,
      target: 'es2022',
    },
  });
  await mkdir(outDir, { recursive: true });
  await writeFile(
    join(outDir, 'index.html'),
    '<!doctype html><script type="module" src="images.js"></script>',
  );
  for (const [name, bytes] of Object.entries(archives)) await writeFile(join(outDir, name), bytes);
  registry = await fakeRegistry({ one: imageOf([shared]) });
  site = createSite({ page: outDir, registries: parseRegistries([registry.host]) });
  url = await listen(site, 0);
  browser = await launchBrowser();
  context = await browser.newContext();
  page = await openPage();
});

afterAll(async () => {
  await browser?.close();
  await registry?.close();
  site?.close();
  site?.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

test('an archive is loaded, its layers are served, and what is saved is what Node saves', async () => {
  expect(await page.evaluate(() => window.images.load('load', 'one.tar'))).toEqual(['one:latest']);
  expect(await page.evaluate(() => window.images.check('load'))).toEqual({
    names: ['one:latest'],
    wrong: [],
  });
  const hash = await page.evaluate(() => window.images.save('load', 'one'));
  const node = openImageStore(join(folder, 'node'));
  await node.load(archives['one.tar']);
  const expected = createHash('sha256');
  for await (const bytes of node.save(['one']) as unknown as AsyncIterable<Uint8Array>)
    expected.update(bytes);
  expect(hash).toEqual([...expected.digest()]);
  expect(await page.evaluate(() => window.images.pruneAll('load'))).toEqual([]);
});

test('an image is pulled from a registry that lets no pages in', async () => {
  const name = `${registry.host}/tool:one`;
  const id = await page.evaluate((wanted) => window.images.pull('pull', wanted), name);
  expect(id).toBe(digestOf(imageOf([shared]).config));
  expect((await page.evaluate(() => window.images.check('pull'))).wrong).toEqual([]);
});

test('an archive that is not what it says is refused, and nothing of it stays', async () => {
  await expect(page.evaluate(() => window.images.load('broken', 'broken.tar'))).rejects.toThrow(
    'expected digest',
  );
  expect(await page.evaluate(() => window.images.pruneAll('broken'))).toEqual([]);
});

test('a page that is closed while it loads leaves whole images only, and nothing that pruning does not find', async () => {
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await openPage();
    // It never answers: its page is gone before.
    void victim.evaluate(() => window.images.loadForEver('kill', ['one.tar', 'two.tar'])).catch(() => {});
    await new Promise((done) => setTimeout(done, 150 + ((kill * 97) % 200)));
    await victim.close();
    expect((await page.evaluate(() => window.images.check('kill'))).wrong).toEqual([]);
  }
  expect(await page.evaluate(() => window.images.load('kill', 'two.tar'))).toEqual(['two:latest']);
  await expect
    .poll(() => page.evaluate(() => window.images.pruneAll('kill')), { timeout: 20_000 })
    .toEqual([]);
});

test('a full browser is a typed error, and leaves what there was', async () => {
  await page.evaluate(() => window.images.load('full', 'one.tar'));
  const session = await context.newCDPSession(page);
  const { origin } = new URL(url);
  const { usage } = await session.send('Storage.getUsageAndQuota', { origin });
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 100_000 });
  await expect(page.evaluate(() => window.images.load('full', 'two.tar'))).rejects.toThrow(
    'no space left on device',
  );
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await page.evaluate(() => window.images.check('full'))).toEqual({
    names: ['one:latest'],
    wrong: [],
  });
  expect(await page.evaluate(() => window.images.load('full', 'two.tar'))).toEqual(['two:latest']);
});
