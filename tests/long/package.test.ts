// The package as others have it: the page on a host of theirs, the library in a project of theirs.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen } from '../../scripts/serve.mjs';
import { launchBrowser } from '../browser/harness.ts';

const run = promisify(execFile);
const GREETING = 'Hello from a RISC-V machine.';
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

let browser: Browser;
let folder: string;
const ends: (() => void)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'hypertab-package-'));
});

afterAll(async () => {
  await browser?.close();
  for (const end of ends) end();
  rmSync(folder, { recursive: true, force: true });
});

/** A static host that knows nothing of us: no headers but the type, and not even all of those. */
async function staticHost(root: string): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(root, normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    try {
      const contents = readFileSync(path);
      response
        .writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' })
        .end(contents);
    } catch {
      response.writeHead(404).end();
    }
  });
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return listen(server, 0);
}

test('the folder that the build makes boots a guest on any static host, below any path', async () => {
  const root = join(folder, 'host');
  cpSync('build/page', join(root, 'some/where'), { recursive: true });
  for (const name of ['index.json', 'busybox']) {
    cpSync(join('build/guests', name), join(root, 'some/where/guests', name), { recursive: true });
  }
  const page = await browser.newPage();
  await page.goto(`${await staticHost(root)}some/where/`);
  await page.locator('.preferred button').click();
  await page.waitForFunction(() => window.hypertab.consoleText().endsWith('/ #'), undefined, {
    timeout: 120_000,
  });
  expect(await page.evaluate(() => window.crossOriginIsolated)).toBe(false);
});

test('the packed package boots a guest in a fresh project, in Node and through Vite', async () => {
  const project = join(folder, 'project');
  mkdirSync(join(project, 'public'), { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'fresh', type: 'module', private: true }),
  );
  const cwd = { cwd: project };
  const packages = [join(folder, filename), `vite@${devDependencies.vite}`];
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], cwd);

  await run('npx', ['hypertab', 'guest', 'prepare', 'hello'], cwd);
  writeFileSync(
    join(project, 'in-node.js'),
    `import { Hypervisor } from 'hypertab';
    import { readFile } from 'node:fs/promises';
    const bios = await readFile('node_modules/hypertab/build/guests/hello/bios.gz');
    const vm = await new Hypervisor().create({ bios });
    vm.console().onData((bytes) => void process.stdout.write(bytes));
    await vm.start();
    console.log((await vm.wait()).kind);
    await vm.destroy();`,
  );
  expect((await run('npx', ['hypertab', 'run', 'hello'], cwd)).stdout).toContain(GREETING);
  expect((await run('node', ['in-node.js'], cwd)).stdout).toMatch(new RegExp(`${GREETING}\\s+poweroff`));

  cpSync(join(project, 'node_modules/hypertab/build/guests'), join(project, 'public/guests'), {
    recursive: true,
  });
  writeFileSync(
    join(project, 'index.html'),
    '<!doctype html><script type="module" src="./main.js"></script>',
  );
  writeFileSync(
    join(project, 'main.js'),
    `import { Hypervisor, resolveGuestHttp } from 'hypertab';
    const resolveGuest = resolveGuestHttp(new URL('guests/', document.baseURI).href);
    const vm = await new Hypervisor({ resolveGuest }).create({ guest: 'hello' });
    vm.console().onData((bytes) => document.body.append(new TextDecoder().decode(bytes)));
    await vm.start();
    document.title = (await vm.wait()).kind;`,
  );
  writeFileSync(join(project, 'vite.config.js'), `export default { base: './', worker: { format: 'es' } };`);
  await run('npx', ['vite', 'build'], cwd);
  const page = await browser.newPage();
  await page.goto(await staticHost(join(project, 'dist')));
  await page.waitForFunction(() => document.title === 'poweroff', undefined, { timeout: 60_000 });
  expect(await page.locator('body').textContent()).toContain(GREETING);
});
