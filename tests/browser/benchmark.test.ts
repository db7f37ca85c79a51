import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityProblems } from './accessibility.ts';
import { GuestFolder } from './guest-fixtures.ts';
import { launchBrowser, type OpenPage, openPage, openSite, type Site, screenshot } from './harness.ts';

const CHOICE = '#benchmark?workloads=sort,mandelbrot&engines=auto&rounds=1';

let browser: Browser;
let guests: GuestFolder;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchBrowser();
  guests = new GuestFolder().toy('monitor');
  site = await openSite({ guests: guests.path });
  open = await openPage(browser, `${site.url}${CHOICE}`);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  guests?.dispose();
});

const button = (name: string) => open.page.locator(`[data-benchmark=${name}]`);
const chosen = () =>
  open.page
    .locator('[data-workload]:checked')
    .evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.workload));

test('an address brings up the benchmark as it was configured, and runs nothing by itself', async () => {
  await button('run').waitFor();
  expect(await chosen()).toEqual(['sort', 'mandelbrot']);
  expect(await open.page.locator('[data-choice=rounds]').inputValue()).toBe('1');
  expect(await open.page.evaluate(() => window.hypertab.hypervisor.list().length)).toBe(0);
});

test('it shows figures beside the browser’s own Wasm, and marks those that were measured elsewhere', async () => {
  await button('run').click();
  await open.page.locator('[data-result=mean]').waitFor();
  await button('cancel').waitFor({ state: 'hidden' });
  for (const workload of ['sort', 'mandelbrot']) {
    const rows = open.page.locator(`[data-result=${workload}] tr`);
    const series = await rows.evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.series));
    expect(series).toEqual(['wasm', 'guest', 'reference', 'reference']);
    const text = await rows.nth(1).textContent();
    expect(text).toMatch(/Hypertab \(The fastest\)\d+\.\d\d.*\d ms$/);
    expect(await rows.nth(2).textContent()).toContain('(reference)');
  }
  const names = 'benchmark';
  await screenshot(open.page, `${names}-wide-light`);
  expect(await accessibilityProblems(open.page)).toEqual([]);
  await open.page.emulateMedia({ colorScheme: 'dark' });
  await open.page.setViewportSize({ width: 390, height: 844 });
  await screenshot(open.page, `${names}-narrow-dark`);
  expect(await accessibilityProblems(open.page)).toEqual([]);
  expect(
    await open.page.evaluate(
      () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    ),
  ).toBe(true);
});

test('it is saved as JSON and as CSV, every sample of it', async () => {
  const saved = async (form: string) => {
    const [download] = await Promise.all([open.page.waitForEvent('download'), button(form).click()]);
    return readFileSync(await download.path(), 'utf8');
  };
  const json = JSON.parse(await saved('json'));
  expect(json.config).toEqual({ workloads: ['sort', 'mandelbrot'], engines: ['auto'], rounds: 1 });
  expect(json.results.map(({ workload }: { workload: string }) => workload)).toEqual(['sort', 'mandelbrot']);
  expect(json.place.isolated).toBe(true);
  const lines = (await saved('csv')).trim().split('\r\n');
  expect(lines).toHaveLength(5);
  expect(lines[1]).toBe(`sort,wasm,1,${json.results[0].wasm[0].toFixed(3)}`);
});

test('it can be cancelled, and another choice has an address of its own', async () => {
  await open.page.locator('[data-workload=sort]').uncheck();
  await open.page.locator('[data-engine=interpreter]').check();
  await button('run').click();
  await button('cancel').click();
  await button('cancel').waitFor({ state: 'hidden' });
  await expect.poll(() => open.page.evaluate(() => window.hypertab.hypervisor.list().length)).toBe(0);
  await button('link').click();
  expect(new URL(open.page.url()).hash).toBe(
    '#benchmark?workloads=mandelbrot&engines=auto,interpreter&rounds=1',
  );
  expect(open.complaints).toEqual([]);
});
