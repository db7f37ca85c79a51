import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GuestFolder } from './guest-fixtures.ts';
import {
  consoleText,
  control,
  endReserve,
  launchBrowser,
  type OpenPage,
  openPage,
  openSite,
  type Site,
  waitForBadge,
  waitForConsole,
} from './harness.ts';

let browser: Browser;
let guests: GuestFolder;

beforeAll(async () => {
  browser = await launchBrowser();
  guests = new GuestFolder()
    .toy('monitor')
    .toy('hello')
    // An illegal instruction with no handler: the hart can never go on.
    .program('crash', new Uint8Array(64));
});

afterAll(async () => {
  await browser?.close();
  guests?.dispose();
});

const bootButton = (open: OpenPage, guest: string) => open.page.locator(`[data-guest=${guest}] button`);
const guestsTab = (open: OpenPage) => open.page.locator('#tab-guests');
const detail = (open: OpenPage) => open.page.locator('.panel:not([hidden]) .detail').textContent();

describe.each([
  ['cross-origin isolated', true],
  ['not isolated', false],
])('machines on a page that is %s', (_, isolated) => {
  let site: Site;
  let open: OpenPage;

  beforeAll(async () => {
    site = await openSite({ isolated, guests: guests.path });
    open = await openPage(browser, site.url);
    await endReserve(open.page);
  });

  afterAll(async () => {
    await open?.context.close();
    await site?.close();
  });

  test('without a Debian guest the toy guests are offered, with the reason', async () => {
    expect(await open.page.locator('.catalogue .message').textContent()).toContain(
      'No Debian guest is prepared',
    );
    expect(await open.page.locator('.preferred').getAttribute('data-guest')).toBe('monitor');
  });

  test('the toy monitor answers at its prompt', async () => {
    await bootButton(open, 'monitor').click();
    await waitForConsole(open.page, />$/);
    await open.page.keyboard.type('help\n');
    expect(await waitForConsole(open.page, /help[\s\S]*peek[\s\S]*>$/)).toContain('poke');
  });

  test('a guest that faults says so and leaves the other machine running', async () => {
    await guestsTab(open).click();
    await bootButton(open, 'crash').click();
    await waitForBadge(open.page, 'Stopped');
    expect(await detail(open)).toMatch(/^The guest crashed: .+/);
    await open.page.locator('[role=tab]', { hasText: 'monitor' }).click();
    await waitForBadge(open.page, 'Running');
    const before = (await consoleText(open.page)).length;
    await open.page.keyboard.type('help\n');
    await expect.poll(async () => (await consoleText(open.page)).length).toBeGreaterThan(before + 20);
  });

  test('a guest that ends at once shows its words and its reason', async () => {
    await guestsTab(open).click();
    await bootButton(open, 'hello').click();
    await waitForBadge(open.page, 'Stopped');
    expect((await consoleText(open.page)).length).toBeGreaterThan(5);
    expect(await detail(open)).toBe('The guest powered itself off.');
  });

  test('a second machine of a guest has a name of its own, and closing one leaves the other', async () => {
    await guestsTab(open).click();
    await bootButton(open, 'monitor').click();
    await waitForConsole(open.page, />$/);
    expect(await open.page.locator('[role=tab][aria-selected=true]').textContent()).toContain('monitor 2');
    await control(open.page, 'close').click();
    await open.page.locator('[role=tab]', { hasText: 'monitor 2' }).waitFor({ state: 'detached' });
    await open.page.locator('[role=tab]', { hasText: /^monitor/ }).click();
    await waitForBadge(open.page, 'Running');
  });

  test('the find bar finds what the console shows, and Escape returns to the console', async () => {
    await open.page.keyboard.press('Control+Shift+F');
    await open.page.keyboard.type('peek');
    const bar = open.page.locator('.panel:not([hidden]) .find-bar');
    await expect.poll(() => bar.locator('.find-count').textContent()).toMatch(/^\d+ of \d+$/);
    await open.page.keyboard.type('no such words');
    await expect.poll(() => bar.locator('.find-count').textContent()).toBe('nothing found');
    await open.page.keyboard.press('Escape');
    expect(await bar.isVisible()).toBe(false);
    expect(await open.page.evaluate(() => document.activeElement?.className)).toContain(
      'xterm-helper-textarea',
    );
  });

  test('the keyboard can leave the console, and walk the tabs', async () => {
    await open.page.keyboard.press('Control+Shift+E');
    expect(await open.page.evaluate(() => document.activeElement?.getAttribute('data-control'))).toBe(
      'pause',
    );
    await guestsTab(open).focus();
    await open.page.keyboard.press('ArrowRight');
    expect(await open.page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tab');
    await open.page.keyboard.press('Enter');
    await waitForBadge(open.page, 'Running');
  });

  test('nothing of this is an error to the browser', () => {
    expect(open.complaints).toEqual([]);
  });

  test('a machine whose worker breaks says so, can be tried again, and takes no other with it', async () => {
    await guestsTab(open).click();
    await bootButton(open, 'monitor').click();
    await waitForConsole(open.page, />$/);
    const worker = open.page.workers().at(-1);
    await worker?.evaluate(() => {
      setTimeout(() => {
        throw new Error('broken for a test');
      });
    });
    await waitForBadge(open.page, 'Failed');
    const message = open.page.locator('.panel:not([hidden]) .message.bad');
    expect(await message.textContent()).toContain('This machine is lost');
    await control(open.page, 'retry').click();
    await waitForBadge(open.page, 'Running');
    expect(await message.isVisible()).toBe(false);
    await open.page.locator('[role=tab]', { hasText: /^monitor,/ }).click();
    await waitForBadge(open.page, 'Running');
  });
});

describe('a Linux guest that gives up', () => {
  test('shows it on its console, stops with the reason and leaves the page alive', async () => {
    const folder = new GuestFolder().toy('monitor').busybox('broken', 'rdinit=/nonexistent');
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    await bootButton(open, 'broken').click();
    await waitForBadge(open.page, 'Stopped', 120_000);
    expect(await consoleText(open.page)).toMatch(/Kernel panic - not syncing: VFS: Unable to mount root fs/);
    expect(await detail(open)).toContain('Kernel panic');
    await guestsTab(open).click();
    await bootButton(open, 'monitor').click();
    await waitForConsole(open.page, />$/);
    expect(open.complaints).toEqual([]);
    await open.context.close();
    await site.close();
    folder.dispose();
  });
});

describe('when something is missing on the server', () => {
  test('a guest file that is gone is named, with what to do, and another try succeeds', async () => {
    const folder = new GuestFolder().toy('hello').program('gone', new Uint8Array(64));
    folder.remove('gone/bios.gz');
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    await bootButton(open, 'gone').click();
    await waitForBadge(open.page, 'Failed');
    const message = await open.page.locator('.panel:not([hidden]) .message.bad').textContent();
    expect(message).toContain('/guests/gone/bios.gz');
    expect(message).toContain('npx hypertab guest prepare gone');
    const restored = new GuestFolder().program('gone', new Uint8Array(64));
    folder.remove('gone');
    folder.program('gone', new Uint8Array(64));
    restored.dispose();
    await control(open.page, 'retry').click();
    await waitForBadge(open.page, 'Stopped');
    await open.context.close();
    await site.close();
    folder.dispose();
  });

  test('a guest that was never prepared explains how', async () => {
    const folder = new GuestFolder().toy('hello').entry({ name: 'busybox', kind: 'debian', prepared: false });
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    const card = open.page.locator('[data-guest=busybox]');
    expect(await card.locator('code').textContent()).toBe('npx hypertab guest prepare busybox');
    expect(await card.locator('button').count()).toBe(0);
    await open.context.close();
    await site.close();
    folder.dispose();
  });

  test('no list of guests at all is one clear message', async () => {
    const folder = new GuestFolder();
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    expect(await open.page.locator('.catalogue .message').textContent()).toContain('npm start');
    folder.toy('hello');
    await open.page.locator('.catalogue button', { hasText: 'Look again' }).click();
    await bootButton(open, 'hello').waitFor();
    await open.context.close();
    await site.close();
    folder.dispose();
  });

  test('a server that goes away while files are fetched is said to be gone', async () => {
    const folder = new GuestFolder().toy('hello');
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    await open.page.route(/\/guests\/hello\/.*\.gz/, (route) => route.abort());
    await bootButton(open, 'hello').click();
    await waitForBadge(open.page, 'Failed');
    const message = await open.page.locator('.panel:not([hidden]) .message.bad').textContent();
    expect(message).toContain('the server does not answer');
    await open.context.close();
    await site.close();
    folder.dispose();
  });

  test('a download that does not end can be left, and leaves nothing behind', async () => {
    const folder = new GuestFolder().toy('hello');
    const site = await openSite({ guests: folder.path });
    const open = await openPage(browser, site.url);
    await open.page.route(/\/guests\/hello\/.*\.gz/, () => {});
    await bootButton(open, 'hello').click();
    await waitForBadge(open.page, 'Downloading');
    await open.page.locator('.download progress').waitFor();
    await control(open.page, 'cancel').click();
    await open.page.locator('[role=tab]', { hasText: 'hello' }).waitFor({ state: 'detached' });
    expect(await open.page.evaluate(() => window.hypertab.app.view.value.sessions.length)).toBe(0);
    expect(open.complaints).toEqual([]);
    await open.context.close();
    await site.close();
    folder.dispose();
  });

  test('a file that breaks off is said to be cut, with how much came', async () => {
    const folder = new GuestFolder().toy('hello');
    const site = await openSite({ guests: folder.path, cut: /hello\/.*\.gz/ });
    const open = await openPage(browser, site.url);
    await bootButton(open, 'hello').click();
    await waitForBadge(open.page, 'Failed');
    const message = await open.page.locator('.panel:not([hidden]) .message.bad').textContent();
    expect(message).toContain('broke off after 500 bytes of 1000 bytes');
    await open.context.close();
    await site.close();
    folder.dispose();
  });
});
