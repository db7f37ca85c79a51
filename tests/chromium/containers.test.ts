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
    const seen = await page.evaluate(useContainers, false);
    expect(seen.hello).toEqual({ status: 3, text: expect.stringMatching(/^hello from [0-9a-f]{12}\n$/) });
    expect(seen.ping?.text).toContain('1 packets received');
    await page.close();
    // Another tab, to which the first one has left its container host.
    const fresh = await context.newPage();
    await fresh.goto(site.url);
    await fresh.waitForFunction(() => window.library !== undefined);
    const again = await fresh.evaluate(useContainers, true);
    expect(again.first.status).toBe(0);
    expect(again.warm).toBe(true);
    if (process.env.HYPERTAB_MEASURE) {
      const spread = (all: number[]) => {
        const sorted = all.toSorted((a, b) => a - b).map((ms) => ms.toFixed(0));
        return `${sorted[sorted.length >> 1]} (${sorted[0]}–${sorted.at(-1)}) ms`;
      };
      console.log(
        `first of all ${seen.first.ms.toFixed(0)} ms, first of a fresh tab ${again.first.ms.toFixed(0)} ms, run ${spread(seen.runs)}, exec ${spread(seen.execs)}`,
      );
    }
  } finally {
    await context.close();
    await site.close();
  }
});

/** In a page: one container and, unless `only`, others. */
async function useContainers(only: boolean) {
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
  let consoleText = '';
  const engine = new ContainerEngine({
    images,
    volumes: new MemoryVolumes(),
    startHost: () =>
      ContainerHost.start({
        hypervisor,
        onConsole: (bytes) => {
          consoleText += new TextDecoder().decode(bytes);
        },
      }),
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
    const start = performance.now();
    const { status } = await docker('run', '--rm', 'busybox', 'true');
    const first = { status, ms: performance.now() - start };
    // One that goes on from a saved one has been told of no boot.
    const warm = !consoleText.includes('container-host #');
    const runs: number[] = [];
    const execs: number[] = [];
    if (only) return { first, warm, runs, execs };
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
    for (let round = 0; round < 8; round++) {
      // As a person types.
      await new Promise((resolve) => setTimeout(resolve, 200));
      runs.push(await timed(() => docker('run', '--rm', 'busybox', 'true')));
      execs.push(await timed(() => docker('exec', 'web', 'true')));
    }
    return { hello, ping, first, warm, runs, execs };
  } finally {
    await engine.close();
  }
}
