// Files of a page in a guest: a set of files, an archive, and a directory of the browser as File System Access gives it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { VirtualMachine, VmShare } from 'hypertab';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage, openSite, type Site } from './harness.ts';

declare global {
  interface Window {
    /** The machine of this test and what it has printed. */
    shared: { vm: VirtualMachine; text: string };
  }
}

let browser: Browser;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  if (!existsSync('build/guests/busybox/guest.json')) {
    throw new Error('The busybox guest is not prepared: run "npx hypertab guest prepare busybox" first.');
  }
  browser = await launchBrowser();
  site = await openSite();
  open = await openPage(browser, site.url);
});

afterAll(async () => {
  await open?.context.close();
  await site?.close();
  await browser?.close();
});

/** Waits for a pattern in what the guest has printed; the error shows what it was instead. */
async function printed(page: Page, pattern: RegExp): Promise<string> {
  let text = '';
  await expect
    .poll(
      async () => {
        text = await page.evaluate(() => window.shared.text);
        return text;
      },
      { timeout: 120_000, interval: 50 },
    )
    .toMatch(pattern);
  return text;
}

let count = 0;

/** Types a command and answers what it printed. */
async function shell(command: string): Promise<string> {
  const mark = `mark${++count}`;
  await open.page.evaluate((line) => {
    window.shared.text = '';
    window.shared.vm.console().write(`${line}\n`);
  }, `${command}; echo "end" ${mark}`);
  const text = await printed(open.page, new RegExp(`end ${mark}\\r\\n`));
  return text.slice(0, text.indexOf(`end ${mark}`)).replaceAll('\r', '');
}

describe('a guest with shares of the page', () => {
  test('boots to its prompt', async () => {
    const archive = execFileSync('tar', ['-C', 'docs', '-cf', '-', 'users.md']).toString('base64');
    await open.page.evaluate(async (packed) => {
      const base = new URL('guests/busybox/', location.href);
      const { append } = (await (await fetch(new URL('guest.json', base))).json()) as { append: string };
      const root = await navigator.storage.getDirectory();
      const handle = await root.getDirectoryHandle('share', { create: true });
      const file = await handle.getFileHandle('from-page', { create: true });
      const stream = await file.createWritable();
      await stream.write('written by the page');
      await stream.close();
      const files = Array.from({ length: 2500 }, (_, index) => ({
        path: `many/file${index}`,
        contents: new TextEncoder().encode(`${index}\n`.repeat(100)),
      }));
      const dropped = new File(['dropped on the page'], 'dropped');
      const shares: VmShare[] = [
        { tag: 'files', kind: 'files', files: [...files, { path: 'dropped', contents: dropped }] },
        { tag: 'picked', kind: 'picked', handle },
        {
          tag: 'archive',
          kind: 'archive',
          archive: new Blob([Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))]),
        },
      ];
      const vm = await window.hypertab.hypervisor.create({
        kernel: new URL('kernel.gz', base),
        initrd: new URL('initrd.gz', base),
        append,
        shares,
      });
      window.shared = { vm, text: '' };
      const decoder = new TextDecoder('latin1');
      vm.console().onData((bytes) => {
        window.shared.text += decoder.decode(bytes);
      });
      await vm.start();
    }, archive);
    await printed(open.page, / # /);
    await shell('stty -echo');
  });

  test('reads files and archives of the page, and writes to its own copy', async () => {
    expect(await shell('cat /mnt/files/dropped')).toContain('dropped on the page');
    expect(await shell('head -1 /mnt/archive/users.md')).toContain('# Using Hypertab');
    expect(await shell('echo more >> /mnt/files/dropped; cat /mnt/files/dropped')).toContain('pagemore');
    expect(await shell('echo x > /mnt/archive/new')).toContain('Read-only file system');
  });

  test('reads a directory of the browser, and the page has what was written to it', async () => {
    expect(await shell('cat /mnt/picked/from-page')).toContain('written by the page');
    await shell(
      'cd /mnt/picked; mkdir -p sub; seq 100000 > /tmp/n; cp /tmp/n sub/numbers; mv from-page renamed; sync; cd /',
    );
    const found = await open.page.evaluate(async () => {
      const handle = await (await navigator.storage.getDirectory()).getDirectoryHandle('share');
      const names: string[] = [];
      for await (const [name] of handle.entries()) names.push(name);
      const sub = await handle.getDirectoryHandle('sub');
      const numbers = await (await (await sub.getFileHandle('numbers')).getFile()).text();
      const renamed = await (await (await handle.getFileHandle('renamed')).getFile()).text();
      return { names: names.sort(), lines: numbers.split('\n').length, renamed };
    });
    expect(found).toEqual({ names: ['renamed', 'sub'], lines: 100_001, renamed: 'written by the page' });
  });

  test('reads 2,500 small files', async () => {
    const begin = performance.now();
    const printedText = await shell('cd /mnt/files/many; cat * | wc -c; cd /');
    const milliseconds = performance.now() - begin;
    if (process.env.HYPERTAB_MEASURE) console.log(`2,500 files: ${milliseconds.toFixed(0)} ms`);
    let bytes = 0;
    for (let index = 0; index < 2500; index++) bytes += `${index}\n`.length * 100;
    expect(printedText).toContain(`${bytes}\n`);
  });

  test('the page had nothing to complain about', () => {
    expect(open.complaints).toEqual([]);
  });
});
