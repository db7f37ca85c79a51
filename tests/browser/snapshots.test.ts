// Saved machines on the page: snapshots, clones, files of them, and guests that go on from their first prompt.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  control,
  launchBrowser,
  type OpenPage,
  openPage,
  openSite,
  type Site,
  waitForConsole,
} from './harness.ts';

const MACHINE = '.panel:not([hidden]) .machine';
const file = join(tmpdir(), `hypertab-${process.pid}.htvm`);
let browser: Browser;
let site: Site;
let open: OpenPage;
let count = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  site = await openSite({ isolated: true });
  open = await openPage(browser, site.url, { acceptDownloads: true });
});

afterAll(async () => {
  await open?.context.close();
  await site?.close();
  await browser?.close();
  rmSync(file, { force: true });
});

const page = () => open.page;
const boot = () => page().locator('[data-guest=busybox] button').click();

/** Types a command and answers what the console shows after it. */
async function shell(command: string): Promise<string> {
  const mark = `mark${++count}`;
  await page().locator(`${MACHINE} .xterm-helper-textarea`).focus();
  await page().keyboard.insertText(`echo "begin" ${mark}; ${command}; echo "end" ${mark}`);
  await page().keyboard.press('Enter');
  const text = await waitForConsole(page(), new RegExp(`end ${mark}\\s`));
  return text
    .slice(text.lastIndexOf(`begin ${mark}`) + `begin ${mark}`.length, text.lastIndexOf(`end ${mark}`))
    .trim();
}

/** How many warm starts this browser keeps. */
const warmStarts = () =>
  page().evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    try {
      const folder = await (await root.getDirectoryHandle('hypertab')).getDirectoryHandle('warm');
      let files = 0;
      for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys())
        if (name.endsWith('.htvm')) files++;
      return files;
    } catch {
      return 0;
    }
  });

test('a guest boots once, and goes on from its first prompt from then on, with random numbers of its own', async () => {
  await boot();
  await waitForConsole(page(), /#$/);
  await expect.poll(warmStarts, { timeout: 60_000 }).toBe(1);
  await control(page(), 'close').click();
  const numbers = new Set<string>();
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    await boot();
    await waitForConsole(page(), /#$/);
    const machine = await page().evaluate(() => {
      const { vm, view } = window.hypertab.app.view.value.sessions.at(-1) as unknown as {
        vm: { isRestored: boolean };
        view: { value: { bootMs: number } };
      };
      return { isRestored: vm.isRestored, bootMs: view.value.bootMs };
    });
    expect(machine.isRestored).toBe(true);
    times.push(Math.round(machine.bootMs));
    numbers.add(await shell('head -c 16 /dev/urandom | xxd -p'));
    await control(page(), 'close').click();
  }
  expect(numbers.size).toBe(3);
  console.info(`warm starts, ms from the click to the prompt: ${times.join(', ')}`);
  expect(Math.min(...times)).toBeLessThan(1500);
});

test('a snapshot is listed, and goes on with what was there, as often as it is restored', async () => {
  await boot();
  await waitForConsole(page(), /#$/);
  await shell('echo kept > /tmp/file');
  await control(page(), 'snapshot').click();
  await page().locator(`${MACHINE} .detail`, { hasText: 'It stood still for' }).waitFor();
  console.info(await page().locator(`${MACHINE} .detail`).textContent());
  await shell('echo later > /tmp/file');
  await control(page(), 'close').click();
  for (let round = 0; round < 2; round++) {
    await page().locator('.snapshot button', { hasText: 'Restore' }).click();
    await waitForConsole(page(), /#$/);
    expect(await shell('cat /tmp/file')).toBe('kept');
    await control(page(), 'close').click();
  }
});

test('a machine and its clone go their own ways', async () => {
  await boot();
  await waitForConsole(page(), /#$/);
  await shell('echo first > /tmp/who');
  const figures = await page().evaluate(async () => {
    const { hypervisor, app } = window.hypertab;
    const vm = app.view.value.sessions.at(-1)!.vm!;
    const time = async (make: () => Promise<typeof vm>) => {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) {
        const begin = performance.now();
        const other = await make();
        await other.start();
        times.push(Math.round(performance.now() - begin));
        await other.destroy();
      }
      return times;
    };
    const packed = await vm.snapshot({ store: false });
    const plain = await vm.snapshot({ store: false, compression: 'none' });
    const stored = await vm.snapshot({ name: 'as it is' });
    const { snapshots } = hypervisor;
    const figures = {
      sizes: [stored.bytes, (await snapshots.export(stored.id)).size],
      clone: await time(() => vm.clone()),
      packed: await time(() => hypervisor.restore(packed)),
      plain: await time(() => hypervisor.restore(plain)),
      stored: await time(() => hypervisor.restore(stored)),
    };
    await snapshots.remove(stored.id);
    return figures;
  });
  console.info(`ms until the machine runs: ${JSON.stringify(figures)}`);
  // The store has room for RAM as it is; what leaves it is packed.
  expect(figures.sizes[0]).toBeGreaterThan(2 * figures.sizes[1]!);
  await control(page(), 'clone').click();
  await expect.poll(() => page().locator(`${MACHINE} h2`).textContent()).toBe('busybox 2');
  await waitForConsole(page(), /#$/);
  expect(await shell('cat /tmp/who')).toBe('first');
  await shell('echo second > /tmp/who');
  await page()
    .locator('[role=tab]', { hasText: /^busybox,/ })
    .click();
  expect(await shell('cat /tmp/who')).toBe('first');
  await control(page(), 'close').click();
  await control(page(), 'close').click();
});

test('a snapshot goes out as one file, and comes in by being dropped on the page', async () => {
  const [download] = await Promise.all([
    page().waitForEvent('download'),
    page().locator('.snapshot button', { hasText: 'Export' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^busybox .*\.htvm$/);
  await download.saveAs(file);
  await page().locator('.snapshot button', { hasText: 'Remove' }).click();
  await page().locator('.snapshot').waitFor({ state: 'detached' });

  const bytes = readFileSync(file);
  const drop = (content: Buffer) =>
    page().evaluate((text) => {
      const dataTransfer = new DataTransfer();
      const contents = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      dataTransfer.items.add(new File([contents], 'mine.htvm'));
      for (const type of ['dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }
    }, content.toString('base64'));
  await drop(bytes.subarray(0, bytes.length - 100));
  await page().locator('.saved [role=alert]', { hasText: 'cut off' }).waitFor();
  expect(await page().locator('.snapshot').count()).toBe(0);
  // To Node and back: a file is the same in both.
  const inNode = [
    'run',
    '--restore',
    file,
    '--exec',
    'cat /tmp/file; echo from Node >/tmp/file',
    '--save',
    file,
  ];
  expect(execFileSync(process.execPath, ['build/src/cli/main.js', ...inNode], { encoding: 'utf8' })).toBe(
    'kept\n',
  );
  await drop(readFileSync(file));
  await page().locator('.snapshot button', { hasText: 'Restore' }).click();
  await waitForConsole(page(), /#$/);
  expect(await shell('cat /tmp/file')).toBe('from Node');
});

test('no room in the middle of a save leaves the snapshots as they were, and says so', async () => {
  const { origin } = new URL(page().url());
  const session = await open.context.newCDPSession(page());
  const saved = () =>
    page().evaluate(async () => (await window.hypertab.hypervisor.snapshots.list()).map(({ id }) => id));
  const before = await saved();
  expect(before).toHaveLength(1);
  // Less than what is there: the browser's own count of that lags behind.
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4 * 1024 ** 2 });
  try {
    await control(page(), 'snapshot').click();
    const told = page().locator(
      `${MACHINE} [role=alert]:not([hidden]), ${MACHINE} .detail:has-text("It stood")`,
    );
    await expect.poll(() => told.first().textContent(), { timeout: 20_000 }).toContain('no more room');
    expect(await saved()).toEqual(before);
    expect(await shell('cat /tmp/file')).toBe('from Node');
  } finally {
    await session.send('Storage.overrideQuotaForOrigin', { origin });
  }
  await control(page(), 'close').click();
  await page().locator('.snapshot button', { hasText: 'Restore' }).click();
  await waitForConsole(page(), /#$/);
  expect(await shell('cat /tmp/file')).toBe('from Node');
});

test('a guest whose disk is kept in the browser goes on from its prompt until its disk has been written', async () => {
  const starts = await page().evaluate(async () => {
    const { hypervisor: shown } = window.hypertab;
    const { files, ...manifest } = await (await fetch('guests/monitor/guest.json')).json();
    const image = new Blob([new Uint8Array(1 << 20)]);
    const Another = shown.constructor as new (options: object) => typeof shown;
    const hypervisor = new Another({
      resolveGuest: async () => ({
        ...manifest,
        key: files.bios.sha256,
        bios: new URL('guests/monitor/bios.gz', location.href),
        drives: [{ kind: 'blob', blob: image, overlay: { kind: 'opfs', name: 'changes' } }],
      }),
    });
    const options = { guest: 'monitor' };
    const isWarm = async () => {
      const vm = await hypervisor.createWarm(options);
      await vm?.destroy();
      return vm !== undefined;
    };
    const vm = await hypervisor.create(options);
    await vm.start();
    const starts = [await hypervisor.keepWarm(vm, options)];
    await vm.destroy();
    starts.push(await isWarm(), await isWarm());
    // Whatever is done to the disk behind the warm start's back: here its changes are lost.
    const root = await navigator.storage.getDirectory();
    const disks = await (await root.getDirectoryHandle('hypertab')).getDirectoryHandle('disks');
    await disks.removeEntry('changes');
    starts.push(await isWarm());
    return starts;
  });
  expect(starts).toEqual([true, true, true, false]);
});

test('a browser without files that a page can write keeps snapshots in its database', async () => {
  const other = await openSite({ isolated: false });
  const context = await browser.newContext();
  await context.addInitScript(() => {
    delete (FileSystemFileHandle.prototype as Partial<FileSystemFileHandle>).createWritable;
  });
  const tab = await context.newPage();
  await tab.goto(other.url);
  const shown = await tab.evaluate(async () => {
    const { hypervisor } = window.hypertab;
    const vm = await hypervisor.create({ guest: 'monitor', memory: '16M' });
    const saved = await vm.snapshot({ name: 'kept' });
    await vm.destroy();
    const again = await hypervisor.restore((await hypervisor.snapshots.list())[0]!);
    await again.start();
    const text = () => new TextDecoder().decode(again.console().backlog);
    while (!text().includes('help')) await new Promise((resolve) => setTimeout(resolve, 20));
    await again.destroy();
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    const exported = await hypervisor.snapshots.export('kept');
    await hypervisor.snapshots.remove(saved.id);
    const left = (await hypervisor.snapshots.list()).length;
    await hypervisor.snapshots.import(exported);
    return { databases, left, names: (await hypervisor.snapshots.list()).map(({ name }) => name) };
  });
  expect(shown).toEqual({ databases: ['hypertab snapshots'], left: 0, names: ['kept'] });
  await context.close();
  await other.close();
});
