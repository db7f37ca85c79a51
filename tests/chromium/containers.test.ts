// Containers in Chromium: the engine as a page would use it, from the image to what a container says, and what it takes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { build, mergeConfig } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import viteConfig from '../../vite.config.ts';
import { launchBrowser, openSite } from '../browser/harness.ts';
import { busyboxLayer } from '../support/docker.ts';

declare global {
  interface Window {
    library: typeof import('../../src/index.ts');
  }
}

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypertab-containers-'));
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>containers</title><script type="module" src="./main.js"></script>',
  );
  await writeFile(
    join(folder, 'main.js'),
    "import * as library from 'hypertab';\nwindow.library = library;\n",
  );
  const page = join(folder, 'page');
  await build(
    mergeConfig(viteConfig, { configFile: false, logLevel: 'error', root: folder, build: { outDir: page } }),
  );
  await writeFile(join(page, 'layer.tar'), busyboxLayer());
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('a container runs in a tab, with its limits, and others find it by name', async () => {
  const site = await openSite({ isolated: true, page: resolve(folder, 'page') });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => window.library !== undefined);
    const seen = await page.evaluate(async () => {
      const { ContainerEngine, ContainerHost, Hypervisor, MemoryVolumes, resolveGuestHttp, runDocker } =
        window.library;
      const hypervisor = new Hypervisor({
        resolveGuest: resolveGuestHttp(new URL('guests/', document.baseURI).href),
      });
      const archive = await (await fetch('layer.tar')).blob();
      const id = `sha256:${'b'.repeat(64)}` as const;
      const config = {
        architecture: 'riscv64',
        os: 'linux',
        config: { Env: ['PATH=/bin'] },
        rootfs: { type: 'layers' as const, diff_ids: [id] },
      };
      const rootfs = async () => ({
        id,
        config,
        layers: [{ kind: 'archive' as const, archive, whiteouts: true }],
        diffIds: [id],
      });
      const nothing = () => Promise.reject(new Error('not here'));
      const images = { rootfs, inspect: nothing, pull: nothing, list: async () => [] };
      const engine = new ContainerEngine({
        images,
        volumes: new MemoryVolumes(),
        startHost: () => ContainerHost.start({ hypervisor }),
      });
      const docker = async (...args: string[]) => {
        let text = '';
        const write = (data: Uint8Array | string) => {
          text += typeof data === 'string' ? data : new TextDecoder().decode(data);
        };
        const io = {
          ...{
            stdout: write,
            stderr: write,
            stdin: async function* () {},
            stdinIsTerminal: false,
            stdoutIsTerminal: false,
          },
          ...{
            size: () => undefined,
            onResize: () => () => {},
            raw: () => () => {},
            onSignal: () => () => {},
          },
          ...{
            absolutePath: (path: string) => path,
            readText: nothing,
            writeText: nothing,
            environment: () => undefined,
          },
        };
        return {
          status: await runDocker({ engine, images: images as never, lasting: true, io }, args),
          text,
        };
      };
      const timed = async (action: () => Promise<unknown>) => {
        const start = performance.now();
        await action();
        return performance.now() - start;
      };
      try {
        const first = await timed(() => docker('run', '--rm', 'busybox', 'true'));
        const hello = await docker(
          'run',
          '--rm',
          '--memory',
          '32m',
          'busybox',
          'sh',
          '-c',
          'echo hello from $(hostname); exit 3',
        );
        await docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000');
        const ping = await docker('run', '--rm', 'busybox', 'ping', '-c', '1', 'web');
        const runs: number[] = [];
        const execs: number[] = [];
        for (let round = 0; round < 8; round++) {
          runs.push(await timed(() => docker('run', '--rm', 'busybox', 'true')));
          execs.push(await timed(() => docker('exec', 'web', 'true')));
        }
        return { hello, ping, first, runs: runs.sort((a, b) => a - b), execs: execs.sort((a, b) => a - b) };
      } finally {
        await engine.close();
      }
    });
    expect(seen.hello).toEqual({ status: 3, text: expect.stringMatching(/^hello from [0-9a-f]{12}\n$/) });
    expect(seen.ping.text).toContain('1 packets received');
    if (process.env.HYPERTAB_MEASURE) {
      const middle = (all: number[]) => all[all.length >> 1]!.toFixed(0);
      console.log(
        `first ${seen.first.toFixed(0)} ms, run ${middle(seen.runs)} ms, exec ${middle(seen.execs)} ms`,
      );
    }
  } finally {
    await context.close();
    await site.close();
  }
});
