// Two guests of one tab in a network of their own, and a terminal beside the serial console, in Chromium.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage, openSite } from './harness.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

test.each([
  ['in shared memory', true],
  ['in messages', false],
])('two guests of a tab ping each other, frames and terminals %s', async (_, isolated) => {
  const site = await openSite({ isolated });
  try {
    const { page, context } = await openPage(browser, site.url);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
    const [ping, size] = await page.evaluate(async () => {
      const { hypervisor } = window.hypertab;
      const network = hypervisor.createNetwork();
      const boot = async (address: string) => {
        const vm = await hypervisor.create({ guest: 'busybox', network, consoles: 1 });
        const seen = ['', ''];
        for (const index of [0, 1]) {
          vm.console(index).onData((data) => {
            seen[index] += String.fromCharCode(...data);
          });
        }
        const waitFor = async (index: number, pattern: RegExp): Promise<string> => {
          for (let waited = 0; !pattern.test(seen[index]!); waited += 10) {
            if (waited > 100_000) throw new Error(`no ${pattern} in: ${seen[index]!.slice(-1000)}`);
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          return seen[index]!;
        };
        await vm.start();
        await waitFor(0, / # /);
        // What is typed is echoed: the quotes tell it from what is printed.
        vm.console().write(`ifconfig eth0 ${address} up; echo U''P\n`);
        await waitFor(0, /UP\r\n/);
        return { vm, waitFor };
      };
      const [first, second] = await Promise.all([boot('10.0.0.1'), boot('10.0.0.2')]);
      try {
        first!.vm.console().write("ping -c 3 10.0.0.2; echo E''ND\n");
        const answer = await first!.waitFor(0, /END\r\n/);
        const terminal = second!.vm.console(1);
        await second!.waitFor(1, / # /);
        terminal.resize(111, 33);
        terminal.write("stty size; echo E''ND\n");
        return [answer, await second!.waitFor(1, /END\r\n/)];
      } finally {
        await Promise.all([first!.vm.destroy(), second!.vm.destroy()]);
      }
    });
    expect(ping).toContain('3 packets received');
    expect(size).toMatch(/33 111\r\n/);
    await context.close();
  } finally {
    await site.close();
  }
});
