// Drives of a guest in the page: kept in the browser's storage, and there again after a reload.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage, openSite, type Site } from './harness.ts';

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

/** Boots the guest with a drive, runs a command and returns what it printed; the machine is ended. */
const run = (drive: object, command: string): Promise<string> =>
  open.page.evaluate(
    async ([options, line]) => {
      const { hypervisor } = window.hypertab;
      const vm = await hypervisor.create({ guest: 'busybox', drives: [options as never] });
      try {
        let text = '';
        const waitFor = async (pattern: RegExp) => {
          for (let waited = 0; !pattern.test(text); waited += 10) {
            if (waited > 120_000) throw new Error(`no ${pattern} in: ${text.slice(-1000)}`);
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        };
        vm.console().onData((data) => {
          text += String.fromCharCode(...data);
        });
        await vm.start();
        await waitFor(/ # /);
        text = '';
        // What is typed is echoed: the quotes tell it from what is printed.
        vm.console().write(`clear; ${line}; echo E''ND\n`);
        await waitFor(/END\r\n/);
        return text;
      } finally {
        await vm.destroy();
      }
    },
    [drive, command] as const,
  );

test('what a guest has synced to a disk of the browser is there after a reload', async () => {
  const disk = { kind: 'browser', name: 'kept' };
  const first = await run(
    { ...disk, create: 16 << 20 },
    "dd if=/bin/busybox of=/dev/vda bs=64k count=16 2>/dev/null; sync; md5sum < /bin/busybox | cut -c1-8; echo D''ONE",
  );
  expect(first).toContain('DONE');
  await open.page.reload();
  await open.page.locator('.catalogue .card').first().waitFor();
  const second = await run(
    disk,
    "head -c 1048576 /bin/busybox > /tmp/a; head -c 1048576 /dev/vda | cmp - /tmp/a && echo S''AME",
  );
  expect(second).toContain('SAME');
});

test('a disk that another machine has is refused, with a word why', async () => {
  const message = await open.page.evaluate(async () => {
    const { hypervisor } = window.hypertab;
    const drives = [{ kind: 'browser' as const, name: 'taken', create: 1 << 20 }];
    const vm = await hypervisor.create({ guest: 'busybox', drives });
    try {
      await hypervisor.create({ guest: 'busybox', drives });
      return 'not refused';
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    } finally {
      await vm.destroy();
    }
  });
  expect(message).toMatch(/^FileError: .*taken.*/);
});
