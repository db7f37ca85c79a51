// The Debian guest in the page: booted from ranges of its image, and what it wrote is there after a reload.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  launchBrowser,
  openPage,
  openSite,
  type Site,
  waitForBadge,
  waitForConsole,
} from '../browser/harness.ts';
import { hypertab } from '../system/cli.ts';

const PROMPT = /root@debian:~#$/;
let browser: Browser;
let site: Site;
let context: BrowserContext;
let page: Page;
let received = 0;

beforeAll(async () => {
  const { status, stderr } = await hypertab(['guest', 'prepare', 'debian'], { hangMs: 590_000 });
  if (status !== 0) throw new Error(`the guest debian could not be prepared: ${stderr.slice(-500)}`);
  browser = await launchBrowser();
  site = await openSite({ guests: process.env.HYPERTAB_GUESTS });
  const open = await openPage(browser, site.url);
  ({ context, page } = open);
  context.on('response', async (response) => {
    if (!response.url().endsWith('.img')) return;
    received += Number((await response.headerValue('content-length').catch(() => null)) ?? 0);
  });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function boot(where: Page): Promise<void> {
  // A page that was reloaded shows the machine that it had.
  await where.locator('#tab-guests').click();
  await where.locator('.card[data-guest=debian] button').click();
  await waitForConsole(where, PROMPT, 60_000);
}

test('files survive a reload of the page and the end of the worker, and the image is never read whole', async () => {
  await boot(page);
  await page.keyboard.type('python3 -c "print(6*7)" > answer; sync; echo writ""ten\n');
  await waitForConsole(page, /\nwritten\n/);
  expect(received).toBeGreaterThan(1 << 20);
  expect(received).toBeLessThan(120 << 20);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await boot(page);
  await page.keyboard.type('cat answer; echo two >> answer; sync; echo writ""ten\n');
  await waitForConsole(page, /\n42\nwritten\n/);
  // Gone in the middle, without a word to the guest.
  // The machine from before the reload is still shown, without a VM.
  await page.evaluate(() => window.hypertab.app.view.value.sessions.find(({ vm }) => vm)!.vm!.destroy());
  await page.reload();
  await boot(page);
  await page.keyboard.type('cat answer | tr "\\n" + ; echo\n');
  await waitForConsole(page, /\n42\+two\+\n/);
});

test('a second tab with the same disk is told why it cannot have it', async () => {
  const second = await context.newPage();
  await second.goto(site.url);
  await second.locator('.card[data-guest=debian] button').click();
  await waitForBadge(second, 'Failed');
  await expect
    .poll(() => second.locator('.panel:not([hidden])').textContent())
    .toMatch(/in use by another tab or machine/);
  await second.close();
});

test('where workers have no synchronous files, what is written is in a database and there after a reload', async () => {
  const open = await openPage(browser, site.url);
  let workers = 0;
  // Workers of browsers that lack them: what comes first in each script takes them away.
  await open.context.route(/worker[^/]*\.js/, async (route) => {
    const response = await route.fetch();
    const without = 'delete FileSystemFileHandle.prototype.createSyncAccessHandle;\n';
    workers++;
    await route.fulfill({ response, body: without + (await response.text()) });
  });
  await open.page.reload();
  await boot(open.page);
  await open.page.keyboard.type('seq 1 100000 > kept; md5sum kept > sum; sync; echo writ""ten\n');
  await waitForConsole(open.page, /\nwritten\n/);
  expect(await open.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual(
    [expect.stringMatching(/^hypertab disk guest-debian-/)],
  );
  open.page.on('dialog', (dialog) => void dialog.accept());
  await open.page.reload();
  await boot(open.page);
  await open.page.keyboard.type('md5sum -c sum; wc -l < kept\n');
  await waitForConsole(open.page, /\nkept: OK\n100000\n/);
  // One of each page at least; another may have been in reserve.
  expect(workers).toBeGreaterThanOrEqual(2);
  await open.context.close();
});
