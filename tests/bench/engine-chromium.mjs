// Our guest and the Wasm twins in the same Chromium, through the built page's `window.hypertab`.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { parsePasses } from '../../build/src/guests/workloads.js';
import { createSite, listen } from '../../scripts/serve.mjs';
import { benchArchive } from './engine-hypertab.mjs';
import { programBytes } from './workloads.mjs';

/** @typedef {import('./engine-native.mjs').BenchEngine} BenchEngine */

const PROMPT_TIMEOUT_MS = 300_000;
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** @type {{ users: number, browser: import('playwright-core').Browser, server: import('node:http').Server, url: string } | undefined} */
let site;

/** A new page of the one browser; `close` ends the browser with its last page. */
async function openPage() {
  if (site === undefined) {
    if (!existsSync(executablePath))
      throw new Error(`${executablePath} is missing: install Debian's chromium, or set CHROMIUM_PATH`);
    const server = createSite({});
    const url = await listen(server, 0);
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
    });
    site = { users: 0, browser, server, url };
  }
  const here = site;
  here.users++;
  const context = await here.browser.newContext();
  const page = await context.newPage();
  await page.goto(here.url);
  await page.waitForFunction(() => 'hypertab' in window);
  const close = async () => {
    await context.close();
    if (--here.users > 0) return;
    site = undefined;
    await here.browser.close();
    here.server.close();
    here.server.closeAllConnections();
  };
  return { page, close };
}

const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64');

/** The Wasm twins in a page: what Chromium's figures are divided by. */
export function chromiumWasm() {
  /** @type {Awaited<ReturnType<typeof openPage>>} */
  let opened;
  return {
    async start() {
      opened = await openPage();
    },
    async suspend() {},
    async resume() {},
    async stop() {
      await opened?.close();
    },
    /** @type {BenchEngine['run']} */
    async run({ name, n }, passes) {
      return opened.page.evaluate(
        async ({ name, code, n, passes }) => {
          const bytes = Uint8Array.from(atob(code), (character) => character.charCodeAt(0));
          window.twins ??= {};
          window.twins[name] ??= (await WebAssembly.instantiate(bytes)).instance;
          const results = [];
          for (let pass = 0; pass < passes; pass++) {
            const start = performance.now();
            const checksum = window.twins[name].exports.run(BigInt(n));
            const ms = performance.now() - start;
            results.push({ checksum: BigInt.asUintN(64, checksum).toString(16).padStart(16, '0'), ms });
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          return results;
        },
        { name, code: base64(programBytes(name, 'wasm')), n, passes },
      );
    },
  };
}

/**
 * Our Linux guest in a page.
 * @param {'auto' | 'interpreter' | 'translator'} engine
 * @returns {BenchEngine}
 */
export function chromiumGuest(engine) {
  /** @type {Awaited<ReturnType<typeof openPage>>} */
  let opened;
  /** Boots in the page; with `archive`, the VM is kept as window.bench. Returns milliseconds from start to prompt. */
  const boot = (/** @type {string | undefined} */ archive) =>
    opened.page.evaluate(
      async ({ archive, engine, timeoutMs }) => {
        const options = { guest: 'busybox', engine };
        if (archive !== undefined) {
          const packed = await fetch('guests/busybox/initrd.gz');
          const plain = packed.body.pipeThrough(new DecompressionStream('gzip'));
          const initrd = new Uint8Array(await new Response(plain).arrayBuffer());
          const own = Uint8Array.from(atob(archive), (character) => character.charCodeAt(0));
          const start = (initrd.length + 3) & ~3;
          options.initrd = new Uint8Array(start + own.length);
          options.initrd.set(initrd);
          options.initrd.set(own, start);
        }
        const vm = await window.hypertab.hypervisor.create(options);
        const decoder = new TextDecoder();
        let text = '';
        const start = performance.now();
        const prompt = new Promise((resolve, reject) => {
          setTimeout(() => reject(new Error(`no prompt: ${text.slice(-300)}`)), timeoutMs);
          vm.console().onData((bytes) => {
            text = (text + decoder.decode(bytes, { stream: true })).slice(-2000);
            // The shell's line editor asks for the cursor behind its prompt.
            if (text.replaceAll('\u001b[6n', '').endsWith('# ')) resolve(performance.now() - start);
          });
        });
        await vm.start();
        const ms = await prompt;
        if (archive === undefined) await vm.destroy();
        else window.bench = vm;
        return ms;
      },
      { archive, engine, timeoutMs: PROMPT_TIMEOUT_MS },
    );
  const command = (/** @type {string} */ line) =>
    opened.page.evaluate(async (line) => {
      const decoder = new TextDecoder();
      let text = '';
      let off = () => {};
      const start = performance.now();
      const done = new Promise((resolve) => {
        off = window.bench.console().onData((bytes) => {
          text += decoder.decode(bytes, { stream: true });
          const match = /end (\d+)\r?\n(?:.|\n)*# $/.exec(text.replaceAll('\u001b[6n', ''));
          if (match) resolve({ status: Number(match[1]), output: match.input.slice(0, match.index) });
        });
      });
      // The echo of what is typed does not match; what is printed does.
      window.bench.console().write(`${line}; echo en''d $?\n`);
      const result = await done;
      off();
      return { ...result, ms: performance.now() - start };
    }, line);
  return {
    async start() {
      opened = await openPage();
      await boot(base64(benchArchive('riscv64')));
      await this.suspend();
    },
    async suspend() {
      await opened.page.evaluate(() => window.bench.pause());
    },
    async resume() {
      await opened.page.evaluate(() => window.bench.resume());
    },
    async stop() {
      await opened?.close();
    },
    async run({ name, n }, passes) {
      return parsePasses((await command(`/bench/${name} ${n} ${passes}`)).output, passes);
    },
    async command(line) {
      const { status, output, ms } = await command(line);
      if (status !== 0) throw new Error(`${line} ended with ${status}: ${output.slice(0, 200)}`);
      return ms;
    },
    boot: () => boot(undefined),
  };
}
