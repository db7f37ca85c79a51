import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuestFolder } from './guest-fixtures.ts';
import { launchBrowser, openPage, openSite, type Site, waitForConsole } from './harness.ts';

let browser: Browser;
let guests: GuestFolder;
let site: Site;

beforeAll(async () => {
  browser = await launchBrowser();
  guests = new GuestFolder().toy('monitor');
  site = await openSite({ guests: guests.path });
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  guests?.dispose();
});

test('without shared memory, private files and everything else that wants a trusted address, guests boot, and the page says what is reduced', async () => {
  const url = new URL(site.url);
  url.hostname = 'plain.test';
  const { page, context, complaints } = await openPage(browser, url.href);
  expect(
    await page.evaluate(() => [window.isSecureContext, 'storage' in navigator, 'subtle' in crypto]),
  ).toEqual([false, false, false]);
  const missing = page.locator('[data-missing]');
  await missing.first().waitFor();
  expect(
    await missing.evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.missing)),
  ).toEqual(['isolation', 'storage']);
  await page.locator('[data-guest=monitor] button').click();
  await waitForConsole(page, />$/);
  await page.keyboard.type('help\n');
  await waitForConsole(page, /peek[\s\S]*>$/);
  await page.locator('.reduced button').click();
  expect(await missing.count()).toBe(0);
  // The browser itself says that such an address has no isolation.
  expect(complaints.filter((text) => !text.includes('Cross-Origin-Opener-Policy'))).toEqual([]);
  await context.close();
});
