import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessibilityProblems } from './accessibility.ts';
import {
  command,
  launchBrowser,
  openPage,
  openSite,
  type Site,
  screenshot,
  waitForBadge,
  waitForConsole,
} from './harness.ts';

let browser: Browser;
let site: Site;

beforeAll(async () => {
  browser = await launchBrowser();
  site = await openSite();
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test('the page without a guest weighs less than 1 MB on the wire, its script less than 300 KB', async () => {
  const open = await openPage(browser, site.url);
  const interactive = await open.page.evaluate(() => performance.now());
  // The worker of the next machine, and the core, are fetched ahead.
  await expect.poll(() => [...open.transfers.keys()].some((path) => path.endsWith('.wasm'))).toBe(true);
  const script = [...open.transfers].filter(([path]) => path.endsWith('.js'));
  const scriptBytes = script.reduce((sum, [, size]) => sum + size, 0);
  expect(script.some(([path]) => path.includes('machine-worker'))).toBe(true);
  expect(scriptBytes).toBeLessThan(300_000);
  await open.page.locator('.preferred button').click();
  await waitForBadge(open.page, 'Running');
  await open.page.waitForTimeout(500);
  const page = [...open.transfers].filter(([path]) => !path.startsWith('/guests/'));
  const bytes = page.reduce((sum, [, size]) => sum + size, 0);
  console.log(
    `interactive after ${interactive.toFixed(0)} ms, ${scriptBytes} bytes of script; with a machine ${bytes} bytes in ${page.length} files`,
  );
  expect(page.some(([path]) => path.endsWith('.wasm'))).toBe(true);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(1_000_000);
  await open.context.close();
});

const NARROW = 390;

/** The views of the page, and what brings each of them up. */
const VIEWS: [string, (page: Page) => Promise<unknown>][] = [
  ['guests', async () => {}],
  [
    'machine',
    async (page) => {
      await page.locator('[data-guest=monitor] button').click();
      await waitForConsole(page, />$/);
      await page.locator('.panel:not([hidden]) .more-figures summary').click();
    },
  ],
  [
    'split',
    async (page) => {
      await page.locator('.panel:not([hidden]) .more-figures summary').click();
      await command(page, 'split below');
      await command(page, 'find');
      await page.keyboard.type('h');
    },
  ],
  ['palette', (page) => page.locator('[data-open=palette]').click()],
  ['settings', (page) => page.locator('[data-open=settings]').click()],
  ['new-machine', (page) => command(page, 'new machine')],
  [
    'host-console',
    async (page) => {
      await command(page, 'go to host console');
      await page.locator('.host-console .xterm').waitFor();
    },
  ],
  [
    'compare',
    async (page) => {
      await command(page, 'go to vm beside container');
      await page.locator('.compare').waitFor();
    },
  ],
  [
    'sidebar',
    async (page) => {
      // On a telephone it lies over what is beside it.
      if ((page.viewportSize()?.width ?? 0) <= NARROW) await page.locator('[aria-controls=sidebar]').click();
    },
  ],
];

test.each([
  ['wide', 'light', 1280, 800],
  ['wide', 'dark', 1280, 800],
  ['narrow', 'light', NARROW, 844],
  ['narrow', 'dark', NARROW, 844],
] as const)(
  'in a %s page in %s colours nothing sticks out, and axe finds nothing to mend',
  async (width, colorScheme, x, y) => {
    const viewport = { width: x, height: y };
    const touch = x === NARROW ? { hasTouch: true, isMobile: true } : {};
    const open = await openPage(browser, site.url, { colorScheme, viewport, ...touch });
    for (const [view, show] of VIEWS) {
      await show(open.page);
      await open.page.waitForTimeout(100);
      await screenshot(open.page, `${view}-${width}-${colorScheme}`);
      const sticksOut = await open.page.evaluate(() =>
        [document.documentElement, ...document.querySelectorAll('dialog, .tool, .guests')]
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
          .map(({ className, tagName }) => `${tagName} ${className}`),
      );
      expect(sticksOut, view).toEqual([]);
      expect(await accessibilityProblems(open.page), view).toEqual([]);
      await open.page.keyboard.press('Escape');
    }
    await open.context.close();
  },
);

test('every button and field has a name, and headings come in order', async () => {
  const open = await openPage(browser, site.url);
  await open.page.locator('.preferred button').click();
  await waitForBadge(open.page, 'Running');
  const problems = await open.page.evaluate(() => {
    const nameless = [...document.querySelectorAll('button, input, progress, textarea')]
      .filter((element) => {
        const labels = 'labels' in element ? ((element.labels as NodeList | null)?.length ?? 0) : 0;
        return !element.getAttribute('aria-label') && !element.textContent?.trim() && labels === 0;
      })
      .map((element) => element.outerHTML);
    const ids = [...document.querySelectorAll('[aria-controls], [aria-labelledby]')].flatMap((element) =>
      [element.getAttribute('aria-controls'), element.getAttribute('aria-labelledby')].filter(
        (id) => id !== null,
      ),
    );
    const dangling = ids.filter((id) => !document.getElementById(id));
    const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) =>
      Number(heading.tagName[1]),
    );
    const jumps = levels.filter((level, index) => index > 0 && level > (levels[index - 1] ?? 0) + 1);
    return { nameless, dangling, jumps, h1: levels.filter((level) => level === 1).length };
  });
  expect(problems).toEqual({ nameless: [], dangling: [], jumps: [], h1: 1 });
  await open.context.close();
});
