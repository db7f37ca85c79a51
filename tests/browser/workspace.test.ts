import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GuestFolder } from './guest-fixtures.ts';
import {
  command,
  consoleText,
  launchBrowser,
  type OpenPage,
  openPage,
  openSite,
  type Site,
  waitForConsole,
} from './harness.ts';

let browser: Browser;
let guests: GuestFolder;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchBrowser();
  guests = new GuestFolder().toy('monitor');
  site = await openSite({ guests: guests.path });
  open = await openPage(browser, site.url);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  guests?.dispose();
});

const tab = (name: string | RegExp) => open.page.locator('[role=tab]', { hasText: name });
const groups = () => open.page.locator('.group');
/** Names of the tabs in each group, the one in front marked. */
const layout = () =>
  groups().evaluateAll((all) =>
    all.map((group) =>
      [...group.querySelectorAll('[role=tab]')]
        .map(
          (each) =>
            `${each.getAttribute('aria-selected') === 'true' ? '*' : ''}${each.id.slice('tab-'.length)}`,
        )
        .join(' '),
    ),
  );
const textOf = (id: string) => open.page.evaluate((id) => window.hypertab.consoleText(id), id);

describe('the workspace, by keyboard alone', () => {
  test('boots a machine from the palette, and types into it', async () => {
    await command(open.page, 'boot monitor');
    await waitForConsole(open.page, />$/);
    await open.page.keyboard.type('help\n');
    await waitForConsole(open.page, /peek[\s\S]*>$/);
  });

  test('splits, so that two consoles are seen, and each gets what is typed into it', async () => {
    await command(open.page, 'boot monitor');
    await waitForConsole(open.page, />$/);
    expect(await layout()).toEqual(['guests m1 *m2']);
    await command(open.page, 'split right');
    expect(await layout()).toEqual(['guests *m1', '*m2']);
    expect(await open.page.locator('.panel:not([hidden]) .xterm').count()).toBe(2);
    const before = await textOf('m1');
    await open.page.keyboard.type('nonsense\n');
    await expect.poll(() => textOf('m2')).toContain('nonsense');
    expect(await textOf('m1')).toBe(before);
    await command(open.page, 'go to monitor');
    await open.page.keyboard.type('gibberish\n');
    await expect.poll(() => textOf('m1')).toContain('gibberish');
  });

  test('moves the border between them, and joins them again', async () => {
    const width = async () => (await groups().first().boundingBox())?.width ?? 0;
    const before = await width();
    await open.page.getByRole('separator').focus();
    await open.page.keyboard.press('ArrowRight');
    expect(await width()).toBeGreaterThan(before + 10);
    await tab('monitor 2').focus();
    await open.page.keyboard.press('Enter');
    await command(open.page, 'move this tab');
    expect(await layout()).toEqual(['guests m1 *m2']);
    expect(await open.page.getByRole('separator').count()).toBe(0);
  });

  test('renames a machine, in its tab and at the side', async () => {
    await command(open.page, 'rename');
    await open.page.keyboard.type('second\n');
    await tab('second').waitFor();
    expect(await open.page.locator('[data-row=m2] .entry-name').textContent()).toBe('second');
    await open.page.keyboard.type('help\n');
    await expect.poll(() => textOf('m2')).toMatch(/peek[\s\S]*>$/);
  });

  test('closes a tab and leaves its machine running, which the sidebar shows again', async () => {
    await open.page.keyboard.press('Control+Shift+E');
    await tab('second').focus();
    await open.page.keyboard.press('Delete');
    expect(await layout()).toEqual(['guests *m1']);
    await open.page.locator('[data-opens=m2]').focus();
    expect(await open.page.locator('[data-row=m2] .entry-state').textContent()).toBe('Running');
    await open.page.keyboard.press('Enter');
    expect(await layout()).toEqual(['guests m1 *m2']);
    await open.page.keyboard.type('again\n');
    await expect.poll(() => textOf('m2')).toContain('again');
  });
});

test('a tab that is dragged to a side of a group has a group of its own there, and back', async () => {
  const body = open.page.locator('.group-body').first();
  const box = await body.boundingBox();
  if (!box) throw new Error('the group is not shown');
  const target = { x: box.width / 2, y: box.height - 20 };
  await open.page.dragAndDrop('#tab-m1', '.group-body', { targetPosition: target });
  expect(await layout()).toEqual(['guests *m2', '*m1']);
  expect(await open.page.locator('.split').first().getAttribute('class')).toContain('column');
  await open.page.dragAndDrop('#tab-m1', '#tab-guests');
  expect(await layout()).toEqual(['*m1 guests m2']);
});

test('another language is there at once, machines and their consoles go on, and it is kept', async () => {
  const before = await consoleText(open.page);
  await command(open.page, '简体中文');
  await open.page.locator('[data-control=pause]:visible', { hasText: '暂停' }).waitFor();
  expect(await open.page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
  expect(await consoleText(open.page)).toBe(before);
  expect(await layout()).toEqual(['*m1 guests m2']);
  await open.page.locator('#panel-m1 .xterm').click();
  await open.page.keyboard.type('words\n');
  await expect.poll(() => consoleText(open.page)).toContain('words');
});

test('a reload brings back the tabs, what the consoles showed, and machines to start', async () => {
  await command(open.page, '拆分 右侧');
  const before = await textOf('m2');
  expect(before).toContain('again');
  open.page.once('dialog', (dialog) => void dialog.accept());
  await open.page.reload();
  await open.page.locator('.catalogue .card').first().waitFor();
  await expect.poll(layout).toEqual(['*guests m2', '*m1']);
  await open.page.locator('#tab-m2').click();
  // In the language that was chosen.
  await open.page.locator('#panel-m2 .badge', { hasText: '已停止' }).waitFor();
  await expect.poll(() => textOf('m2')).toBe(before);
  expect(await open.page.locator('#panel-m2 .detail').textContent()).toContain('页面重新加载');
  await command(open.page, 'Language English');
  await open.page.locator('#panel-m2 [data-control=start]').click();
  await expect.poll(() => textOf('m2')).toMatch(/again[\s\S]*>$/);
  await open.page.locator('#panel-m2 .badge', { hasText: 'Running' }).waitFor();
  await open.page.locator('#panel-m2 .xterm').click();
  await open.page.keyboard.type('alive\n');
  await expect.poll(() => textOf('m2')).toMatch(/alive[\s\S]*>$/);
});

test('the settings change how consoles look, and bring keys for touch screens', async () => {
  await open.page.locator('[data-open=settings]').click();
  await open.page.locator('[data-setting=fontSize]').selectOption({ label: '24 px' });
  await open.page.locator('[data-setting=theme]').selectOption({ label: 'dark' });
  await open.page.locator('[data-setting=consoleTheme]').selectOption({ label: 'as the page' });
  await open.page.locator('[data-setting=touchKeys]').selectOption({ label: 'always' });
  await open.page.locator('[data-setting=screenReader]').check();
  await open.page.keyboard.press('Escape');
  expect(await open.page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe('dark');
  // xterm.js has a list of rows for screen readers when it is asked to.
  await expect.poll(() => open.page.locator('#panel-m2 .xterm-accessibility').count()).toBe(1);
  const keys = open.page.locator('#panel-m2 .touch-keys');
  await keys.getByRole('button', { name: 'Vertical bar' }).click();
  await keys.getByRole('button', { name: 'Slash' }).click();
  await expect.poll(() => textOf('m2')).toMatch(/\|\/$/);
  await keys.getByRole('button', { name: 'Ctrl, for the next key' }).click();
  await open.page.keyboard.type('j');
  // Ctrl+J is the end of a line.
  await expect.poll(() => textOf('m2')).toMatch(/\|\/[\s\S]*\n[\s\S]*>$/);
  await command(open.page, 'screen reader off');
  await expect.poll(() => open.page.locator('#panel-m2 .xterm-accessibility').count()).toBe(0);
});

test('nothing of this is an error to the browser', () => {
  expect(open.complaints).toEqual([]);
});
