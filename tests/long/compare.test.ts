// Every program of `hypertab compare`, on the command line and in the page, with images of Debian's packages.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Comparison } from '../../src/containers/compare/compare-types.ts';
import { launchBrowser, openSite, type Site, screenshot } from '../browser/harness.ts';
import { hypertab } from '../system/cli.ts';

const PROGRAMS = ['loop', 'compile', 'files', 'server'];

let browser: Browser;
let site: Site;
beforeAll(async () => {
  const { status, stderr } = await hypertab(['image', 'offer', 'busybox', 'lua']);
  if (status !== 0) throw new Error(stderr);
  browser = await launchBrowser();
  site = await openSite();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

it('compares on the command line', async () => {
  const { status, stdout, stderr } = await hypertab(['compare', '--json', '--runs', '1']);
  expect([status, stderr]).toEqual([0, '']);
  const { programs } = JSON.parse(stdout) as Comparison;
  expect(programs.map(({ name }) => name)).toEqual(PROGRAMS);
  for (const { vm, container } of programs) {
    expect(container.startInstructions).toBeLessThan(vm.startInstructions / 5);
    expect(container.fitInGiB).toBeGreaterThan(vm.fitInGiB);
  }
});

it('compares in the page', async () => {
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.locator('.sidebar button', { hasText: 'VM beside container' }).click();
  await page.locator('[data-control=compare]').click();
  const table = page.locator('.comparison table');
  await table.waitFor({ timeout: 600_000 });
  expect(await table.locator('th[scope=rowgroup]').allTextContents()).toEqual(PROGRAMS);
  await screenshot(page, 'compare');
});
