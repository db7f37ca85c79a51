import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  command,
  launchBrowser,
  type OpenPage,
  openPage,
  openSite,
  type Site,
  waitForConsole,
} from './harness.ts';

let browser: Browser;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchBrowser();
  site = await openSite();
  open = await openPage(browser, site.url);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

const terminalText = () => open.page.evaluate(() => window.hypertab.consoleText('m1', 1));

/** Rows and columns of the guest's tty, as it says. */
async function size(): Promise<number[]> {
  await open.page.keyboard.type('clear; stty size\n');
  await expect.poll(terminalText, { timeout: 60_000 }).toMatch(/^\d+ \d+\n\/ #$/);
  return (await terminalText()).split('\n')[0]!.split(' ').map(Number);
}

test('a machine made with every option has its name, its memory and a terminal that follows its size', async () => {
  await command(open.page, 'new machine');
  const choice = (name: string) => open.page.locator(`dialog [data-choice=${name}]`);
  await choice('guest').selectOption('busybox');
  await choice('name').fill('mine');
  await choice('memory').selectOption('192M');
  await choice('consoles').selectOption('1');
  await choice('engine').selectOption('interpreter');
  await open.page.keyboard.press('Enter');
  await waitForConsole(open.page, /\/ #$/, 120_000);
  expect(await open.page.evaluate(() => window.hypertab.hypervisor.list().map(({ name }) => name))).toEqual([
    'mine',
  ]);
  const stats = await open.page.evaluate(() => window.hypertab.hypervisor.list()[0]!.stats());
  expect(stats).toMatchObject({ memory: 192 * 2 ** 20, engine: 'interpreter' });

  await command(open.page, 'go to mine: terminal 1');
  await expect.poll(terminalText, { timeout: 60_000 }).toMatch(/\/ #$/);
  const [rows, columns] = await size();
  await command(open.page, 'split right');
  const [rowsAfter, columnsAfter] = await size();
  expect(rowsAfter).toBe(rows);
  expect(columnsAfter!).toBeLessThan(columns! * 0.6);
  expect(open.complaints).toEqual([]);
});
