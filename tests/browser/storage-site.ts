// A page with nothing but workers that open drives, in a browser whose profile is on disk.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { createSite, listen } from '../../scripts/serve.mjs';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

declare global {
  interface Window {
    workers: Worker[];
    rounds: number[];
  }
}

export interface StorageSite {
  context: BrowserContext;
  url: string;
  close(): Promise<void>;
}

/** What the site serves as image.bin. */
export const imageContents = Uint8Array.from({ length: 3_000_001 }, (_, index) => (index * 7919) >>> 8);

/** Bundles the worker, serves it, and starts a browser with a profile of its own: nothing is kept in memory only. */
export async function openStorageSite(): Promise<StorageSite> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `${executablePath} is missing: install the Debian package chromium, or set CHROMIUM_PATH.`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'hypertab-drives-'));
  const page = join(folder, 'page');
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      lib: {
        entry: resolve('tests/storage/browser-worker.ts'),
        formats: ['es'],
        fileName: () => 'worker.js',
      },
      outDir: page,
      target: 'es2022',
    },
  });
  await mkdir(page, { recursive: true });
  await writeFile(join(page, 'index.html'), '<!doctype html><title>drives</title>');
  await writeFile(join(page, 'image.bin'), imageContents);
  const server = createSite({ page });
  const url = await listen(server, 0);
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  return {
    context,
    url,
    close: async () => {
      await context.close();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Opens a tab with no worker in it. */
export async function openTab(site: StorageSite, url = site.url): Promise<Page> {
  const page = await site.context.newPage();
  await page.goto(url);
  await page.evaluate(() => {
    window.workers = [];
    window.rounds = [];
  });
  return page;
}

/** Starts a worker; gives its number in the tab. */
export function startWorker(page: Page): Promise<number> {
  return page.evaluate(() => window.workers.push(new Worker('worker.js', { type: 'module' })) - 1);
}

/** What a worker answers: a result, or an error's kind and message. */
export interface Outcome {
  result?: unknown;
  error?: { kind: string; message: string };
}

/** Has a worker do something and waits for its answer. */
export function call(page: Page, worker: number, message: object): Promise<Outcome> {
  return page.evaluate(
    ([index, request]) =>
      new Promise<Outcome>((done) => {
        const target = window.workers[index]!;
        target.onmessage = (event) => done(event.data);
        target.onerror = (event) => done({ error: { kind: 'broken', message: event.message } });
        target.postMessage(request);
      }),
    [worker, message] as const,
  );
}

/** Does something in a worker of its own, which is ended afterwards. */
export async function callOnce(page: Page, message: object): Promise<Outcome> {
  const worker = await startWorker(page);
  const outcome = await call(page, worker, message);
  await page.evaluate((index) => window.workers[index]!.terminate(), worker);
  return outcome;
}

/**
 * Has a new worker write rounds and terminates it some time after the first one.
 * @returns the last round it told of, or what it failed with
 */
export function loadAndTerminate(page: Page, message: object, delayMs: number): Promise<number | string> {
  return page.evaluate(
    ([request, delay]) =>
      new Promise<number | string>((done) => {
        const worker = new Worker('worker.js', { type: 'module' });
        let last = 0;
        worker.onmessage = (event) => {
          if (event.data.error !== undefined) done(JSON.stringify(event.data.error));
          if (last === 0) {
            setTimeout(() => {
              worker.terminate();
              // Messages that were on their way still arrive.
              setTimeout(() => done(last), 5);
            }, delay);
          }
          last = event.data.round;
        };
        worker.onerror = (event) => done(event.message);
        worker.postMessage(request);
      }),
    [message, delayMs] as const,
  );
}
