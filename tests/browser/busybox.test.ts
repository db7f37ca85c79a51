import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  consoleText,
  control,
  launchBrowser,
  type OpenPage,
  openPage,
  openSite,
  type Site,
  screenshot,
  waitForBadge,
  waitForConsole,
} from './harness.ts';

let browser: Browser;

beforeAll(async () => {
  if (!existsSync('build/guests/busybox/guest.json')) {
    throw new Error('The busybox guest is not prepared: run "npx hypertab guest prepare busybox" first.');
  }
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
});

/** How often the shell has greeted: once a boot. */
const greetings = (text: string) => text.split('built-in shell').length - 1;

describe.each([
  ['cross-origin isolated', true],
  ['not isolated', false],
])('a Debian kernel with BusyBox on a page that is %s', (_, isolated) => {
  let site: Site;
  let open: OpenPage;

  beforeAll(async () => {
    site = await openSite({ isolated });
    open = await openPage(browser, site.url);
  });

  afterAll(async () => {
    await open?.context.close();
    await site?.close();
  });

  /** Types a line at the prompt and returns what the guest printed before the next prompt. */
  async function shell(line: string): Promise<string> {
    const before = await consoleText(open.page);
    await open.page.keyboard.type(`${line}\n`);
    let after = before;
    await expect
      .poll(
        async () => {
          after = await consoleText(open.page);
          return after.length > before.length + line.length && after.endsWith('/ #');
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    return after
      .slice(before.length + line.length + 1)
      .replace(/\n?\/ #$/, '')
      .trim();
  }

  test('is isolated or says that it is not', async () => {
    expect(await open.page.evaluate(() => window.crossOriginIsolated)).toBe(isolated);
    expect(await open.page.locator('[data-missing=isolation]').count()).toBe(isolated ? 0 : 1);
  });

  test('boots to a prompt after one click, with the keyboard in the console', async () => {
    await open.page.locator('.preferred button', { hasText: 'Boot' }).click();
    await waitForConsole(open.page, /\/ #$/, 120_000);
    await waitForBadge(open.page, 'Running');
    expect(await open.page.evaluate(() => document.activeElement?.className)).toContain(
      'xterm-helper-textarea',
    );
  });

  test('runs uname -a, ls / and a shell loop', async () => {
    expect(await shell('uname -a')).toMatch(/Linux .*riscv64/);
    expect((await shell('ls /')).split(/\s+/)).toEqual(expect.arrayContaining(['bin', 'dev', 'proc', 'sys']));
    expect(await shell('for i in 1 2 3; do echo $((i*i)); done')).toBe('1\n4\n9');
  });

  test('shows its figures', async () => {
    const meter = (name: string) => open.page.locator(`.panel:not([hidden]) [data-meter=${name}]`);
    await expect.poll(() => meter('boot').textContent()).toMatch(/^\d+\.\d\d s$/);
    await expect.poll(() => meter('instructions').textContent()).toMatch(/^[\d.]+ [MG]$/);
    await expect.poll(() => meter('memory').textContent()).toBe('128 MiB');
    await expect.poll(() => meter('uptime').textContent()).toMatch(/^\d+:\d\d$/);
    await expect.poll(() => meter('mips').textContent()).toMatch(/^[\d.]+$/);
    await expect.poll(() => meter('cpu').textContent()).toMatch(/^\d+ %$/);
    if (isolated) await screenshot(open.page, 'busybox');
  });

  test('gives a full-screen editor the whole console', async () => {
    const rows = () => open.page.evaluate(() => window.hypertab.consoleText().split('\n').slice(-200));
    const size = (await shell('resize; stty size')).split(' ').map(Number);
    expect(size[0]).toBeGreaterThan(20);
    expect(size[1]).toBeGreaterThan(80);
    await open.page.keyboard.type('vi /tmp/poem\n');
    await expect.poll(async () => (await rows()).filter((row) => row === '~').length).toBe(size[0]! - 2);
    await open.page.keyboard.type('iroses are red', { delay: 20 });
    await open.page.keyboard.press('Escape');
    await open.page.waitForTimeout(300); // to vi, Escape and a key at once are another key
    await open.page.keyboard.type(':wq\n', { delay: 20 });
    await waitForConsole(open.page, /\/ #$/);
    expect(await shell('cat /tmp/poem')).toBe('roses are red');
  });

  test('stands still while paused and goes on when resumed', async () => {
    await open.page.locator('.screen').last().click();
    await shell('echo before');
    await control(open.page, 'pause').click();
    await waitForBadge(open.page, 'Paused');
    expect(await control(open.page, 'pause').isVisible()).toBe(false);
    const instructions = () =>
      open.page.evaluate(
        async () => (await window.hypertab.app.view.value.sessions.at(-1)?.vm?.stats())?.instructions,
      );
    const before = await instructions();
    await open.page.waitForTimeout(600);
    expect(await instructions()).toBe(before);
    await control(open.page, 'resume').click();
    await waitForBadge(open.page, 'Running');
    await open.page.locator('.screen').last().click();
    expect(await shell('echo after')).toBe('after');
  });

  test('boots again after a reset', async () => {
    const before = greetings(await consoleText(open.page));
    await control(open.page, 'reset').click();
    await expect
      .poll(async () => greetings(await consoleText(open.page)), { timeout: 120_000, interval: 200 })
      .toBeGreaterThan(before);
    await waitForConsole(open.page, /\/ #$/);
    await open.page.locator('.screen').last().click();
    expect(await shell('cat /proc/uptime')).toMatch(/^\d{1,2}\.\d\d /);
  });

  test('stops with its reason when the guest powers off', async () => {
    // By itself, or because somebody has pressed its power button.
    if (isolated) await control(open.page, 'shutDown').click();
    else await open.page.keyboard.type('poweroff\n');
    await waitForBadge(open.page, 'Stopped');
    expect(await open.page.locator('.panel:not([hidden]) .detail').textContent()).toBe(
      'The guest powered itself off.',
    );
    expect(await control(open.page, 'powerOff').isDisabled()).toBe(true);
    expect(await control(open.page, 'start').isEnabled()).toBe(true);
  });

  test('starts once more from stopped, and stops at once when switched off', async () => {
    await control(open.page, 'start').click();
    await waitForBadge(open.page, 'Running');
    await control(open.page, 'powerOff').click();
    await waitForBadge(open.page, 'Stopped');
    expect(await open.page.locator('.panel:not([hidden]) .detail').textContent()).toBe(
      'Switched off by you.',
    );
    await control(open.page, 'close').click();
    await open.page.locator('.preferred button').waitFor();
    expect(await open.page.evaluate(() => window.hypertab.hypervisor.list().length)).toBe(0);
  });

  test('leaves nothing in the browser’s error console', () => {
    expect(open.complaints).toEqual([]);
  });
});
