// Guests that never let go, on the page: it reacts, and pauses and resets them at once.
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage, openSite, type Site } from '../browser/harness.ts';
import type { measureReaction } from '../fuzz/reaction.mjs';
import { STORMS } from '../fuzz/storms.ts';

const LIMIT_MS = 50;
const MEASURE = readFileSync(new URL('../fuzz/reaction.mjs', import.meta.url), 'utf8').replace(
  /^export /gm,
  '',
);
let browser: Browser;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchBrowser();
  site = await openSite({ isolated: true });
  open = await openPage(browser, site.url);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test.each(STORMS)('$name leaves the page and its buttons quick', async ({ kind, elf }) => {
  const bytes = Buffer.from(elf).toString('base64');
  const measure = (): ReturnType<typeof measureReaction> =>
    // A string: the page knows nothing of the test runner's modules.
    open.page.evaluate(`(async () => {
      ${MEASURE}
      const bytes = Uint8Array.from(atob('${bytes}'), (letter) => letter.charCodeAt(0));
      const { hypervisor } = window.hypertab;
      return measureReaction(await hypervisor.create({ ${kind}: bytes, memory: '32M' }));
    })()`);
  let best = { pause: Infinity, reset: Infinity, turn: Infinity, mips: 0 };
  const slow = (): boolean => Math.max(best.pause, best.reset, best.turn) >= LIMIT_MS;
  for (let round = 0; round < 5 && slow(); round++) best = await measure();
  if (process.env.HYPERTAB_LONG === '1') console.log(JSON.stringify(best));
  expect(best.pause).toBeLessThan(LIMIT_MS);
  expect(best.reset).toBeLessThan(LIMIT_MS);
  expect(best.turn).toBeLessThan(LIMIT_MS);
});
