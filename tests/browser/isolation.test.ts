import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GuestFolder } from './guest-fixtures.ts';
import { endReserve, launchBrowser, type OpenPage, openPage, openSite, type Site } from './harness.ts';

/** HYPERTAB_STRICT=1: the figures that are promised, on a machine with nothing else to do. */
const STRICT = process.env.HYPERTAB_STRICT === '1';
const SECONDS = STRICT ? 6 : 1.5;

/** Bare-metal programs of a few instructions, each bad in its own way. */
const PROGRAMS = {
  // j .
  spins: [0x0000006f],
  // Every load leaves the core: lui t0,0x10000; lbu t1,5(t0); j -4.
  storms: [0x100002b7, 0x0052c303, 0xffdff06f],
  // Writes to its console without end: lui t0,0x10000; li t1,'x'; sb t1,0(t0); j -4.
  floods: [0x100002b7, 0x07800313, 0x00628023, 0xffdff06f],
  // Writes all its memory, and beyond: auipc t0,0; addi t0,t0,64; sd t0,0(t0); addi t0,t0,8; j -8.
  exhausts: [0x00000297, 0x04028293, 0x0052b023, 0x00828293, 0xff9ff06f],
  // An illegal instruction, and no handler.
  crashes: [0],
  // Computes: addi t0,t0,1; xor t1,t1,t0; j -8.
  computes: [0x00128293, 0x00534333, 0xff9ff06f],
};

let browser: Browser;
let guests: GuestFolder;
let site: Site;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchBrowser();
  guests = new GuestFolder().toy('monitor');
  site = await openSite({ isolated: true, guests: guests.path });
  open = await openPage(browser, site.url);
  await endReserve(open.page);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
  guests?.dispose();
});

/** Makes and starts a machine of each of these programs; returns their ids. */
function start(names: (keyof typeof PROGRAMS)[]): Promise<string[]> {
  return open.page.evaluate(
    async (programs) => {
      const ids: string[] = [];
      for (const [name, words] of programs) {
        const bios = new Uint8Array(Uint32Array.from(words).buffer);
        const vm = await window.hypertab.hypervisor.create({ bios, memory: '32M', name });
        await vm.start();
        ids.push(vm.id);
      }
      return ids;
    },
    names.map((name) => [name, PROGRAMS[name]] as const),
  );
}

/** The longest time that the page's event loop was away, in milliseconds. */
function longestGap(seconds: number): Promise<number> {
  return open.page.evaluate(
    (ms) =>
      new Promise<number>((resolve) => {
        const channel = new MessageChannel();
        const end = performance.now() + ms;
        let last = performance.now();
        let longest = 0;
        channel.port1.onmessage = () => {
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          if (now >= end) resolve(longest);
          else setTimeout(() => channel.port2.postMessage(null), 1);
        };
        channel.port2.postMessage(null);
      }),
    seconds * 1000,
  );
}

/** Millions of instructions per second of the time that a machine ran. */
function speed(id: string, seconds: number): Promise<number> {
  return open.page.evaluate(
    async ([id, ms]) => {
      const vm = window.hypertab.hypervisor.get(id);
      const before = await vm.stats();
      await new Promise((resolve) => setTimeout(resolve, ms));
      const after = await vm.stats();
      return (after.instructions - before.instructions) / (after.hostMs - before.hostMs) / 1000;
    },
    [id, seconds * 1000] as const,
  );
}

const states = (ids: string[]) =>
  open.page.evaluate(
    (ids) => ids.map((id) => window.hypertab.hypervisor.list().find((vm) => vm.id === id)?.state),
    ids,
  );

describe('eight machines in a tab', () => {
  test('that misbehave leave the page and each other alone', async () => {
    const [computes] = await start(['computes']);
    // The first second is the translator's.
    await speed(computes!, 1);
    const alone = await speed(computes!, SECONDS);
    const idle = await longestGap(SECONDS);

    const before = open.page.workers().length;
    expect(before).toBe(1);
    const [spins, storms, floods, exhausts, crashes, killed] = await start([
      'spins',
      'storms',
      'floods',
      'exhausts',
      'crashes',
      'spins',
    ]);
    expect(open.page.workers()).toHaveLength(before + 6);
    const lost = open.page.evaluate(
      (id) =>
        new Promise<string>((resolve) =>
          window.hypertab.hypervisor.get(id).on('error', ({ error }) => resolve(error.message)),
        ),
      killed!,
    );
    // Its worker ends without a word, as when the browser takes its memory.
    open.page
      .workers()
      .at(-1)!
      .evaluate(() => self.close())
      .catch(() => {});
    expect(await lost).toMatch(/its worker is lost: it has ended/);

    await open.page.locator('[data-guest=monitor] button').click();
    const [together, gap] = [await speed(computes!, SECONDS), await longestGap(SECONDS)];
    console.log(
      `page away for at most ${gap.toFixed(0)} ms (${idle.toFixed(0)} ms with one machine); ` +
        `${together.toFixed(0)} MIPS beside seven others, ${alone.toFixed(0)} alone`,
    );
    // A host that does other things takes time from the page and the machines alike.
    expect(gap).toBeLessThan(STRICT ? 50 : 500);
    expect(together / alone).toBeGreaterThan(STRICT ? 0.95 : 0.02);

    expect(await states([spins!, storms!, floods!, computes!])).toEqual(Array(4).fill('running'));
    expect(await states([exhausts!, crashes!, killed!])).toEqual(Array(3).fill('stopped'));

    // The one that behaves answers.
    await open.page.waitForFunction(() => window.hypertab.consoleText().endsWith('>'));
    await open.page.keyboard.type('help\n');
    await open.page.waitForFunction(() => /peek[\s\S]*>$/.test(window.hypertab.consoleText()));

    // What it takes is shown, and can be limited.
    await open.page.locator('.panel:not([hidden]) summary').filter({ hasText: 'More figures' }).click();
    const meter = (name: string) =>
      open.page.locator(`.panel:not([hidden]) [data-meter=${name}]`).textContent();
    await expect.poll(() => meter('exits')).toMatch(/^device \d.*, SBI \d.*, waiting \d/);
    expect(await meter('resident')).toMatch(/(KiB|MiB)$/);
    await open.page.locator('.panel:not([hidden]) [data-control=share]').selectOption('10');
    await open.page.waitForFunction(() =>
      window.hypertab.hypervisor.list().some(({ limits }) => limits.cpus === 0.1),
    );
    expect(open.complaints).toEqual([]);
  });

  test('get their shares of the cores by weight', async () => {
    const shares = await open.page.evaluate(
      async ([program, ms]) => {
        await window.hypertab.hypervisor.destroyAll();
        const bios = new Uint8Array(Uint32Array.from(program).buffer);
        const vms = [];
        const { hardwareConcurrency: cores } = navigator;
        // One more than there are cores, and one of them with three times the weight of another.
        for (let index = 0; index <= cores; index++) {
          const weight = index === 0 ? 50 : 150;
          const vm = await window.hypertab.hypervisor.create({ bios, memory: '32M', weight });
          await vm.start();
          vms.push(vm);
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const before = await Promise.all(vms.map((vm) => vm.stats()));
        await new Promise((resolve) => setTimeout(resolve, ms));
        const after = await Promise.all(vms.map((vm) => vm.stats()));
        await Promise.all(vms.map((vm) => vm.destroy()));
        return after.map(({ hostMs }, index) => (hostMs - before[index]!.hostMs) / ms);
      },
      [PROGRAMS.spins, SECONDS * 1000] as const,
    );
    const [light, ...heavy] = shares;
    const ratio = heavy.reduce((sum, share) => sum + share, 0) / heavy.length / light!;
    console.log(`shares ${shares.map((share) => share.toFixed(3)).join(', ')}: ${ratio.toFixed(2)} to 1`);
    expect(ratio).toBeGreaterThan(STRICT ? 2.7 : 1.05);
    expect(ratio).toBeLessThan(STRICT ? 3.3 : 9);
  });
});
