// The host console as a user has it: docker typed in the page, the engine in the tab, volumes that outlive both.
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityProblems } from '../browser/accessibility.ts';
import { launchBrowser, openSite, type Site, screenshot } from '../browser/harness.ts';
import { imageOf, ociArchive } from '../containers/images/fixtures.ts';
import { busyboxLayer } from '../support/docker.ts';

declare global {
  interface Window {
    /** What the page offers of its host console, once that is open. */
    hypertabHost?: { console: { readonly running: boolean }; text(): string };
  }
}

let browser: Browser;
let site: Site;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  site = await openSite();
  context = await browser.newContext();
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] };
  const archive = gzipSync(ociArchive(imageOf([busyboxLayer()], { config }), 'busybox:latest'));
  // What the server would have after `hypertab image offer busybox`.
  await context.route('**/guests/images/busybox.tar.gz', (route) => route.fulfill({ body: archive }));
  // A user who picks a folder: nobody can do so for a test, but one of the private file system is as good.
  await context.addInitScript(() => {
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true }),
    });
  });
  page = await context.newPage();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const text = () => page.evaluate(() => window.hypertabHost?.text() ?? '');

async function shows(pattern: RegExp): Promise<string> {
  await expect.poll(text, { timeout: 60_000 }).toMatch(pattern);
  return text();
}

/** Opens the page and its host console. */
async function open(): Promise<void> {
  await page.goto(site.url);
  await page.locator('.sidebar button', { hasText: 'Host console' }).click();
  await shows(/\n\$$/);
}

/** Types a line, and answers what is shown between it and the next prompt. */
async function type(line: string): Promise<string> {
  const before = (await text()).length;
  await page.keyboard.type(`${line}\n`);
  let answer = '';
  const ended = async () => {
    const shown = (await text()).slice(before);
    const running = await page.evaluate(() => window.hypertabHost?.console.running);
    answer = shown.slice(shown.indexOf(line) + line.length);
    return !running && shown.includes(line) && /\n(?:\[\d+\] )?\$$/.test(answer);
  };
  await expect.poll(ended, { timeout: 60_000 }).toBe(true);
  return answer.replace(/(?:\[\d+\] )?\$$/, '').trim();
}

test('docker is typed in the page, and volumes outlive the container host and the page', async () => {
  await open();
  expect(await type('docker run --rm -v data:/d busybox sh -c "echo kept > /d/file; exit 3"')).toContain(
    "Unable to find image 'busybox:latest' locally",
  );
  await shows(/\[3\] \$/);
  expect(await type('docker images')).toMatch(/REPOSITORY .*\nbusybox +latest/);
  expect(await type('docker run -p 80:80 busybox')).toContain('nothing can listen in a browser tab');

  expect(await type('docker run --rm -v ./my:/my busybox sh -c "echo out > /my/file; sync"')).toBe('');
  const written = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked');
    return (await (await folder.getFileHandle('file')).getFile()).text();
  });
  expect(written).toBe('out\n');

  // A shell at a terminal of its own, with words completed.
  await page.keyboard.type('docker run -it --rm --name she');
  await page.keyboard.type('ll bu\t');
  await shows(/--name shell busybox$/);
  await page.keyboard.type('\n');
  await shows(/\/ #$/);
  await page.keyboard.type('stty size; tty\n');
  expect(await shows(/\/dev\/pts\/\d+\n\/ #$/)).toMatch(/\n\d+ \d+\n\/dev\/pts/);
  await screenshot(page, 'host-console');
  expect(await accessibilityProblems(page)).toEqual([]);
  // It goes on without its user, until it is stopped.
  await page.keyboard.press('Control+p');
  await page.keyboard.press('Control+q');
  await shows(/\n\$$/);
  expect(await type('docker ps --format "{{.Names}}"')).toBe('shell');
  // The page's sidebar shows it, and leads into it.
  await page.locator('.sidebar [data-container]', { hasText: 'shell' }).click();
  await shows(/docker exec -it shell sh\n[\s\S]*\/ #$/);
  await page.keyboard.type('exit\n');
  await shows(/\n\$$/);

  // The container host dies: its containers are lost, and what volumes have is not.
  await type('hypertab kill container-host');
  expect(await type('docker ps -a --format "{{.Names}} {{.State}}"')).toBe('shell dead');
  expect(await type('docker run --rm -v data:/d busybox cat /d/file')).toMatch(/kept$/);

  page.once('dialog', (dialog) => void dialog.accept());
  await open();
  expect(await type('docker volume ls -q')).toBe('data');
  expect(await type('docker run --rm -v data:/d busybox cat /d/file')).toMatch(/kept$/);
  expect(await type('docker volume rm data; ')).toContain('“;” is a shell’s');
  expect(await type('docker volume rm data')).toBe('data');
  expect(await type('docker volume ls -q')).toBe('');
});
