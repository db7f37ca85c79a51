// What the page costs and how fast its machines are, in real Chromium: npm run bench:browser [-- [--engine NAME] [--json] NAME…]
// NAME: loops, boot, disk, fs, memory, idle or transfer; without one, all of them. Engines are those of hypertab run. Figures are medians of 3 runs, with the
// lowest and the highest beside them. The page and the guests must have been built (npm start, npm test).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { DISK_SUBJECTS } from '../../build/src/cli/bench-disk.js';
import { benchFiles, FS_SUBJECTS } from '../../build/src/cli/bench-fs.js';
import { BENCH_PROGRAMS, loadBenchProgram } from '../../build/src/cli/bench-programs.js';
import { createSite, listen } from '../../scripts/serve.mjs';
import { readOptions } from './options.mjs';

const RUNS = 3;
const LOOP_INSTRUCTIONS = 200_000_000;
const BOOT_LIMIT_MS = 120_000;
const SETTLE_MS = 3_000;
/** Until the browser has collected what the download and the unpacking left behind. */
const COLLECT_MS = 30_000;
const IDLE_MS = 10_000;
/** Linux's clock ticks a second, in which /proc counts processor time. */
const USER_HZ = 100;

/** @typedef {{ name: string, unit: string, values: number[], note?: string }} Figure */
/** @type {Figure[]} */
const figures = [];

const browserPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];

const { values: flags, positionals } = readOptions('bench:browser', {
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, engine: { type: 'string', default: 'auto' } },
});

/** Runs `action` with a fresh browser that shows the page, and ends both. */
async function withPage(url, action) {
  const browser = await chromium.launch({ executablePath: browserPath, args });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const bytes = new Map();
    page.on('response', (response) => {
      bytes.set(new URL(response.url()).pathname, Number(response.headers()['content-length'] ?? 0));
    });
    await page.goto(url);
    await page.locator('[data-guest] button').first().waitFor();
    await page.evaluate((engine) => {
      const { hypervisor } = globalThis.hypertab;
      const create = hypervisor.create.bind(hypervisor);
      hypervisor.create = (options) => create({ ...options, engine });
    }, flags.engine);
    return await action({ browser, page, bytes });
  } finally {
    await browser.close();
  }
}

/** Clicks Boot and waits for the guest's prompt; milliseconds from the click. */
async function bootFrom(page, guest) {
  return page.evaluate(
    async ([name, limit]) => {
      const begin = performance.now();
      document.querySelector(`[data-guest=${name}] button`).click();
      for (;;) {
        if (/[ ~]#$/.test(globalThis.hypertab.consoleText())) return performance.now() - begin;
        if (performance.now() - begin > limit) throw new Error(`${name} showed no prompt in time`);
        await new Promise((done) => setTimeout(done, 5));
      }
    },
    [guest, BOOT_LIMIT_MS],
  );
}

/** The process of the page. A spare one without a page may stand by: the page's has worked most. */
async function rendererPid(browser) {
  const renderers = await rendererTimes(browser);
  return [...renderers].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

/** Processor time of each renderer process, by its number. */
async function rendererTimes(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return new Map(
    processInfo.filter(({ type }) => type === 'renderer').map(({ id, cpuTime }) => [id, cpuTime]),
  );
}

/** Proportional set size of a process in MB. */
function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return (Number(/^Pss:\s+(\d+) kB/m.exec(text)[1]) * 1024) / 1e6;
}

/** Processor time of each thread of a process in milliseconds, by thread number. */
function threadTimes(pid) {
  const times = new Map();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // utime and stime are the 14th and 15th field; the second may hold blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
    times.set(thread, { name, ms: ((Number(fields[11]) + Number(fields[12])) * 1000) / USER_HZ });
  }
  return times;
}

/** Percent of a core that the process, and its threads that run workers, used while `action` was under way. */
async function shareOf(pid, action) {
  const before = threadTimes(pid);
  const begin = performance.now();
  await action();
  const elapsed = performance.now() - begin;
  let all = 0;
  let worker = 0;
  for (const [thread, { name, ms }] of threadTimes(pid)) {
    const used = ms - (before.get(thread)?.ms ?? 0);
    all += used;
    if (/Dedicated/.test(name)) worker += used;
  }
  return { all: (100 * all) / elapsed, worker: (100 * worker) / elapsed };
}

/**
 * In the page: seconds that commands take in a guest with a drive in memory, or a share, after one run to warm up.
 * `setup` comes before each run.
 */
async function timeInGuest([options, prepare, setup, command, runs]) {
  const files = options.share?.map(({ path, text }) => ({ path, contents: new TextEncoder().encode(text) }));
  const vm = await globalThis.hypertab.hypervisor.create({
    guest: 'busybox',
    memory: '256M',
    drives: options.drives ?? [],
    shares: files === undefined ? [] : [{ tag: 'bench', kind: 'files', files }],
  });
  let text = '';
  vm.console().onData((data) => {
    text += String.fromCharCode(...data);
  });
  const seen = async (pattern) => {
    while (!pattern.test(text)) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const run = async (line) => {
    text = '';
    const begin = performance.now();
    // The echo of what is typed has the quotes, what is printed has not.
    vm.console().write(`{ ${line}; } 2>/dev/null && echo E''ND\n`);
    await seen(/END\r\n/);
    return (performance.now() - begin) / 1000;
  };
  await vm.start();
  await seen(/ # /);
  await run(prepare);
  const results = [];
  for (let count = 0; count <= runs; count++) {
    await run(setup);
    results.push(await run(command));
  }
  await vm.destroy();
  return results.slice(1);
}

const measures = {
  async loops(url) {
    for (const name of BENCH_PROGRAMS) {
      const program = [...(await loadBenchProgram(name))];
      const values = await withPage(url, ({ page }) =>
        page.evaluate(
          async ([bytes, limit, runs]) => {
            const { hypervisor } = globalThis.hypertab;
            const results = [];
            for (let run = 0; run < runs; run++) {
              const bios = Uint8Array.from(bytes);
              const vm = await hypervisor.create({ bios, memory: '64M', maxInstructions: limit });
              await vm.start();
              await vm.wait();
              const { instructions, busyMs } = await vm.stats();
              results.push(instructions / busyMs / 1000);
              await vm.destroy();
            }
            return results;
          },
          [program, LOOP_INSTRUCTIONS, RUNS],
        ),
      );
      figures.push({ name: `loop ${name}`, unit: 'MIPS', values });
    }
  },

  async boot(url) {
    for (const guest of ['busybox', 'busybox-stock', 'debian']) {
      if (!existsSync(`build/guests/${guest}/guest.json`)) continue;
      const values = [];
      for (let run = 0; run < RUNS; run++) {
        values.push((await withPage(url, ({ page }) => bootFrom(page, guest))) / 1000);
      }
      figures.push({ name: `${guest}: click to prompt`, unit: 's', values });
    }
  },

  async disk(url) {
    const drives = [{ kind: 'memory', bytes: 256 * 2 ** 20 }];
    // A drive that nothing was written to would answer reads without a copy.
    const prepare = 'dd if=/dev/zero of=/dev/vda bs=1M count=256 oflag=direct';
    for (const { name, unit, amount, command } of DISK_SUBJECTS) {
      const seconds = await withPage(url, ({ page }) =>
        page.evaluate(timeInGuest, [{ drives }, prepare, 'true', command, RUNS]),
      );
      figures.push({
        name: `${name} (drive in memory)`,
        unit,
        values: seconds.map((each) => amount / each),
      });
    }
  },

  async fs(url) {
    const decoder = new TextDecoder();
    const share = benchFiles().map(({ path, contents }) => ({ path, text: decoder.decode(contents) }));
    for (const { name, setup, command } of FS_SUBJECTS) {
      const seconds = await withPage(url, ({ page }) =>
        page.evaluate(timeInGuest, [{ share }, 'true', setup, command, RUNS]),
      );
      figures.push({
        name: `${name} (files in memory)`,
        unit: 'ms',
        values: seconds.map((each) => each * 1000),
      });
    }
  },

  async transfer(url) {
    const sizes = await withPage(url, async ({ page, bytes }) => {
      await bootFrom(page, 'busybox');
      return [...bytes].filter(([path]) => !path.startsWith('/guests/')).map(([, size]) => size);
    });
    const total = sizes.reduce((sum, size) => sum + size, 0);
    figures.push({ name: 'page transfer, no guest', unit: 'kB', values: [total / 1000] });
    figures.push({
      name: 'core.wasm',
      unit: 'kB',
      values: [readFileSync('build/core.wasm').length / 1000],
    });
  },

  async memory(url) {
    const before = [];
    const fresh = [];
    const tab = [];
    for (let run = 0; run < RUNS; run++) {
      await withPage(url, async ({ browser, page }) => {
        await delay(SETTLE_MS);
        const early = new Map([...(await rendererTimes(browser)).keys()].map((pid) => [pid, memoryOf(pid)]));
        await bootFrom(page, 'busybox');
        await delay(SETTLE_MS);
        const pid = await rendererPid(browser);
        before.push(early.get(pid));
        fresh.push(memoryOf(pid));
        await delay(COLLECT_MS);
        tab.push(memoryOf(pid));
      });
    }
    figures.push({ name: 'tab before Boot', unit: 'MB', values: before });
    figures.push({ name: 'tab with a 128 MiB guest, just booted', unit: 'MB', values: fresh });
    figures.push({ name: 'tab with a 128 MiB guest, 30 s later', unit: 'MB', values: tab });
  },

  async idle(url) {
    const workers = [];
    const pages = [];
    for (let run = 0; run < RUNS; run++) {
      await withPage(url, async ({ browser, page }) => {
        await bootFrom(page, 'busybox');
        await delay(SETTLE_MS);
        const share = await shareOf(await rendererPid(browser), () => delay(IDLE_MS));
        workers.push(share.worker);
        pages.push(share.all);
      });
    }
    figures.push({ name: 'idle at the prompt, the machine', unit: '% of a core', values: workers });
    figures.push({ name: 'idle at the prompt, the whole tab', unit: '% of a core', values: pages });
  },
};

const unknown = positionals.find((name) => !Object.hasOwn(measures, name));
if (unknown !== undefined || !existsSync(browserPath) || !existsSync('build/page/index.html')) {
  console.error(
    unknown === undefined
      ? `bench:browser needs ${browserPath} (Debian: chromium) and a built page (npm run build)`
      : `there is no measurement '${unknown}'; there are ${Object.keys(measures).join(', ')}`,
  );
  process.exit(2);
}
const server = createSite();
try {
  const url = await listen(server, 0);
  for (const [name, measure] of Object.entries(measures)) {
    if (positionals.length === 0 || positionals.includes(name)) await measure(url);
  }
} finally {
  server.close();
  server.closeAllConnections();
}
const rows = figures.map(({ name, unit, values }) => {
  const sorted = [...values].sort((a, b) => a - b);
  const show = (value) => Number(value.toPrecision(3));
  return {
    name,
    unit,
    median: show(sorted[sorted.length >> 1]),
    lowest: show(sorted[0]),
    highest: show(sorted.at(-1)),
    runs: sorted.length,
  };
});
if (flags.json) {
  console.log(JSON.stringify(rows));
} else {
  for (const { name, unit, median, lowest, highest, runs } of rows) {
    const spread = runs > 1 ? `  (${lowest} to ${highest}, ${runs} runs)` : '';
    console.log(`${name.padEnd(40)}  ${String(median).padStart(7)} ${unit}${spread}`);
  }
}
