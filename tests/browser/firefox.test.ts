import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FirefoxPage } from './firefox.ts';
import { openSite, type Site } from './harness.ts';

let firefox: FirefoxPage;
let site: Site;

beforeAll(async () => {
  [firefox, site] = await Promise.all([FirefoxPage.launch(), openSite()]);
});

afterAll(async () => {
  await firefox?.close();
  await site?.close();
});

const text = () => firefox.evaluate<string>('window.hypertab.consoleText()');

test('Firefox boots Linux to its prompt, says nothing of what it lacks, and takes what is typed', async () => {
  await firefox.goto(site.url);
  await expect
    .poll(() => firefox.evaluate('document.querySelectorAll(".preferred button").length'), {
      timeout: 60_000,
    })
    .toBe(1);
  expect(await firefox.evaluate('[navigator.userAgent.includes("Firefox"), crossOriginIsolated]')).toEqual([
    true,
    true,
  ]);
  await firefox.evaluate('document.querySelector(".preferred button").click()');
  await expect.poll(text, { timeout: 120_000 }).toMatch(/\/ #$/);
  await firefox.type('echo $((6 * 7))\n');
  await expect.poll(text, { timeout: 60_000 }).toMatch(/\n42\n\/ #$/);
  await mkdir('build/screenshots', { recursive: true });
  await writeFile('build/screenshots/machine-firefox.png', await firefox.screenshot());
  const missing = await firefox.evaluate<string[]>(
    '[...document.querySelectorAll("[data-missing]")].map((each) => each.dataset.missing)',
  );
  expect(missing).toEqual([]);
});
