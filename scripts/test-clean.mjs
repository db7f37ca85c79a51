// npm run test:clean: what a newcomer does, from a fresh clone of the last commit: npm start, open the page,
// boot the guest. Not part of npm test (which runs in that clone as well, and must not call itself).
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { projectRoot, run, runMain, StepError } from './project.mjs';

const START_LIMIT_MS = 20 * 60_000; // the guest's packages may have to come over a slow line
const PROMPT_LIMIT_MS = 3 * 60_000;

/** A port nothing listens on right now. @returns {Promise<number>} */
function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => done(port));
    });
  });
}

/** Waits until the address answers, or the process that should serve it has ended. */
async function waitForSite(
  /** @type {string} */ url,
  /** @type {import('node:child_process').ChildProcess} */ child,
) {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new StepError(`npm start ended with exit status ${child.exitCode}.`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // not up yet
    }
    await delay(500);
  }
  throw new StepError(`npm start did not serve ${url} within ${START_LIMIT_MS / 60_000} minutes.`);
}

/** Clicks the big button and waits for a prompt, with the clone's own packages. */
async function bootGuest(/** @type {string} */ clone, /** @type {string} */ url) {
  const playwright = pathToFileURL(join(clone, 'node_modules/playwright-core/index.mjs')).href;
  const { chromium } = await import(playwright);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator('[data-guest=busybox] button').click({ timeout: 30_000 });
    const console = () => page.evaluate('window.hypertab.consoleText()');
    const deadline = Date.now() + PROMPT_LIMIT_MS;
    const waitFor = async (/** @type {RegExp} */ pattern) => {
      for (;;) {
        const text = await console();
        if (pattern.test(text)) return text;
        if (Date.now() > deadline)
          throw new StepError(`the guest did not show ${pattern}: ${text.slice(-500)}`);
        await delay(100);
      }
    };
    await waitFor(/# $|#$/);
    await page.keyboard.type('uname -sm\n');
    await waitFor(/Linux riscv64/);
  } finally {
    await browser.close();
  }
}

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-clean-'));
  const clone = join(folder, 'hypertab');
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  try {
    const { status } = await run(['git', 'clone', '--quiet', projectRoot, clone]);
    if (status !== 0) throw new StepError('git clone failed; its output is above.');
    const port = await freePort();
    // A process group of its own, so that its end reaches what npm started.
    child = spawn('npm', ['start', '--', '--port', String(port)], {
      cwd: clone,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const url = `http://localhost:${port}/`;
    await waitForSite(url, child);
    await bootGuest(clone, url);
    const { status: lintStatus } = await run([process.execPath, join(clone, 'scripts/lint.mjs')]);
    if (lintStatus !== 0) throw new StepError('npm run lint fails in the clone; its output is above.');
    console.log('A fresh clone starts, serves the page and boots the guest.');
  } finally {
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
