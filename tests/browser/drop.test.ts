// Files dropped on a console, and files that a guest hands out.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GuestFolder } from './guest-fixtures.ts';
import { launchBrowser, type OpenPage, openPage, openSite, type Site, waitForConsole } from './harness.ts';

let browser: Browser;
let folder: string;

beforeAll(async () => {
  if (!existsSync('build/guests/busybox/guest.json')) {
    throw new Error('The busybox guest is not prepared: run "npx hypertab guest prepare busybox" first.');
  }
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'hypertab-drop-'));
  mkdirSync(join(folder, 'tree', 'deep', 'er'), { recursive: true });
  writeFileSync(join(folder, 'tree', 'top'), 'at the top');
  writeFileSync(join(folder, 'tree', 'deep', 'er', 'größe'), 'far below');
  writeFileSync(join(folder, 'single'), 'from a disk');
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const MACHINE = '.panel:not([hidden]) .machine';

describe.each([
  ['cross-origin isolated', true],
  ['not isolated', false],
])('a console on a page that is %s', (_, isolated) => {
  let site: Site;
  let open: OpenPage;
  const page = () => open.page;
  const status = () => page().locator(`${MACHINE} .files-status`);
  const offer = (path: string) => page().locator(`${MACHINE} [data-file="${path}"]`);
  let count = 0;

  beforeAll(async () => {
    site = await openSite({ isolated });
    open = await openPage(browser, site.url, { acceptDownloads: true });
    await page().locator('[data-guest=busybox] button').click();
  });

  afterAll(async () => {
    await open?.context.close();
    await site?.close();
  });

  /** Types a command and answers what the console shows after it. */
  async function shell(command: string): Promise<string> {
    const mark = `mark${++count}`;
    await page().locator(`${MACHINE} .xterm-helper-textarea`).focus();
    await page().keyboard.insertText(`echo "begin" ${mark}; ${command}; echo "end" ${mark}`);
    await page().keyboard.press('Enter');
    const text = await waitForConsole(page(), new RegExp(`end ${mark}\\s`));
    return text.slice(text.lastIndexOf(`begin ${mark}`), text.lastIndexOf(`end ${mark}`));
  }

  /** Drops files as a program can: with the events of the real thing. */
  function drop(files: { name: string; text: string }[]): Promise<void> {
    return page().evaluate(
      ([selector, list]) => {
        const dataTransfer = new DataTransfer();
        for (const { name, text } of list) dataTransfer.items.add(new File([text], name));
        const target = document.querySelector(selector)!;
        for (const type of ['dragenter', 'dragover', 'drop']) {
          target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
        }
      },
      [`${MACHINE} .console`, files] as const,
    );
  }

  async function saved(path: string): Promise<{ name: string; text: string }> {
    const [download] = await Promise.all([page().waitForEvent('download'), offer(path).click()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
  }

  test('shows the guest what was dropped before it ran', async () => {
    await page().locator(`${MACHINE} .console`).waitFor();
    await drop([{ name: 'early', text: 'dropped early' }]);
    await waitForConsole(page(), / #$/);
    expect(await shell('cat /mnt/drop/early')).toContain('dropped early');
  });

  test('shows a running guest what is dropped at once, also where it has just seen nothing', async () => {
    expect(await shell('ls /mnt/drop/late')).toContain('No such file');
    await drop([
      { name: 'late', text: 'dropped late' },
      { name: 'mit Leerzeichen.txt', text: 'zwei' },
    ]);
    await expect.poll(() => status().textContent()).toBe('2 files (16 bytes) added to /mnt/drop');
    const text = await shell("ls /mnt/drop; cat /mnt/drop/late '/mnt/drop/mit Leerzeichen.txt'");
    expect(text).toContain('dropped latezwei');
    expect(text).toContain('early');
  });

  test('shows the newer of two of one name, and the guest may write to it', async () => {
    await drop([{ name: 'late', text: 'newer' }]);
    await expect.poll(() => status().textContent()).toBe('1 file (5 bytes) added to /mnt/drop');
    // What the guest knows of a file is looked at again after a second.
    await page().waitForTimeout(1100);
    expect(await shell('cat /mnt/drop/late; echo own >> /mnt/drop/late; cat /mnt/drop/late')).toContain(
      'newernewerown',
    );
  });

  test('takes files and directories that are dragged from a desktop', async () => {
    const box = (await page().locator(`${MACHINE} .console`).boundingBox())!;
    const session = await open.context.newCDPSession(page());
    const data = {
      items: [],
      files: [join(folder, 'tree'), join(folder, 'single')],
      dragOperationsMask: 1,
    };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: box.x + 50, y: box.y + 50, data });
    }
    await expect.poll(() => status().textContent()).toBe('3 files (30 bytes) added to /mnt/drop');
    const text = await shell('cat /mnt/drop/tree/top /mnt/drop/tree/deep/er/gr* /mnt/drop/single');
    expect(text).toContain('at the topfar belowfrom a disk');
  });

  test('takes files from its picker, which a keyboard reaches', async () => {
    const button = page().locator(`${MACHINE} .files button`, { hasText: 'Add files' });
    await button.focus();
    const choosing = page().waitForEvent('filechooser');
    // A key comes at once, and the browser has to hear first that we want to be asked.
    await page().waitForTimeout(200);
    await page().keyboard.press('Enter');
    const chooser = await choosing;
    expect(chooser.isMultiple()).toBe(true);
    await chooser.setFiles([{ name: 'picked', mimeType: '', buffer: Buffer.from('picked one') }]);
    await expect.poll(() => status().textContent()).toContain('1 file (10 bytes) added');
    expect(await shell('cat /mnt/drop/picked')).toContain('picked one');
  });

  test('takes a directory from its picker', async () => {
    const button = page().locator(`${MACHINE} .files button`, { hasText: 'Add a folder' });
    const [chooser] = await Promise.all([page().waitForEvent('filechooser'), button.click()]);
    await chooser.setFiles(join(folder, 'tree'));
    await expect.poll(() => status().textContent()).toContain('2 files (19 bytes) added');
    expect(await shell('cat /mnt/drop/tree/top')).toContain('at the top');
  });

  test('offers what the guest writes to out, and a click saves it', async () => {
    await shell(
      'cd /mnt/drop/out; mkdir -p sub; echo result > sub/answer; seq 100000 > /tmp/n; cp /tmp/n numbers; cd /',
    );
    await offer('sub/answer').waitFor();
    expect(await saved('sub/answer')).toEqual({ name: 'answer', text: 'result\n' });
    const numbers = await saved('numbers');
    expect(numbers.text.length).toBe(588_895);
    expect(numbers.text.endsWith('\n100000\n')).toBe(true);
    await expect.poll(() => offer('numbers').textContent()).toBe('numbers 575 KiB');
    await shell('rm -r /mnt/drop/out/sub');
    await offer('sub/answer').waitFor({ state: 'detached' });
  });

  test('shows names as text, whatever the guest calls its files', async () => {
    await shell("echo x > '/mnt/drop/out/<img src=x onerror=alert(1)>'");
    await offer('<img src=x onerror=alert(1)>').waitFor();
    expect(await page().locator(`${MACHINE} .offers img`).count()).toBe(0);
    await shell('rm /mnt/drop/out/*');
    await offer('numbers').waitFor({ state: 'detached' });
    expect(await page().locator(`${MACHINE} .offers`).isVisible()).toBe(false);
  });

  test('says what could not be added', async () => {
    await drop([{ name: 'out', text: 'a directory has that name' }]);
    const alert = page().locator(`${MACHINE} .files [role=alert]`);
    await alert.waitFor();
    expect(await alert.textContent()).toContain('out in share drop');
    await drop([{ name: 'fine', text: 'x' }]);
    await alert.waitFor({ state: 'hidden' });
  });

  test('leaves the page where it is when files are dropped beside it', async () => {
    const refused = await page().evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'stray'));
      const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('header')!.dispatchEvent(event);
      return event.defaultPrevented;
    });
    expect(refused).toBe(true);
    expect(await shell('ls /mnt/drop')).not.toContain('stray');
  });

  test('keeps the files over a power cycle', async () => {
    await page().locator(`${MACHINE} [data-control=reset]`).click();
    await waitForConsole(page(), /built-in shell[\s\S]*built-in shell[\s\S]* #$/);
    expect(await shell('cat /mnt/drop/early')).toContain('dropped early');
  });

  test('had nothing to complain about', () => {
    expect(open.complaints).toEqual([]);
  });
});

test('a guest that cannot mount a share has no place for files', async () => {
  const guests = new GuestFolder().toy('monitor');
  const site = await openSite({ guests: guests.path });
  const { page, context } = await openPage(browser, site.url);
  try {
    await page.locator('[data-guest=monitor] button').click();
    await waitForConsole(page, />$/);
    expect(await page.locator('.files').count()).toBe(0);
  } finally {
    await context.close();
    await site.close();
    guests.dispose();
  }
});
