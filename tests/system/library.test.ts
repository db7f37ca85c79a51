// The built package as a program uses it: `import { Hypervisor } from 'hypertab'`, with real worker threads.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const entry = new URL('../../build/src/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) throw new Error(`${entry} is missing: run \`npm run build\` first`);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');
const { Hypervisor, ImageError, runCommand, waitForPrompt } = library;

const hypervisor = new Hypervisor();
afterAll(() => hypervisor.destroyAll());

it('runs two guests side by side, each with its own memory and console', async () => {
  const [first, second] = await Promise.all([
    hypervisor.create({ guest: 'busybox' }),
    hypervisor.create({ guest: 'busybox', memory: '256M' }),
  ]);
  await Promise.all([first.start(), second.start()]);
  await Promise.all([
    runCommand(first, 'echo first > /tmp/name'),
    runCommand(second, 'echo second > /tmp/name'),
  ]);
  const [a, b] = await Promise.all([runCommand(first, 'cat /tmp/name'), runCommand(second, 'cat /tmp/name')]);
  expect([a, b]).toEqual([
    { output: 'first\n', status: 0 },
    { output: 'second\n', status: 0 },
  ]);
  await second.destroy();
  expect((await runCommand(first, 'cat /tmp/name')).output).toBe('first\n');
  expect(hypervisor.list()).toEqual([first]);
  await first.destroy();
});

it('pauses, resumes, resets and powers off a guest', async () => {
  const vm = await hypervisor.create({ guest: 'busybox' });
  await vm.start();
  const begin = performance.now();
  await waitForPrompt(vm);
  const bootMs = performance.now() - begin;
  await runCommand(vm, 'touch /tmp/mark');

  await vm.pause();
  const { instructions } = await vm.stats();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await vm.stats()).instructions).toBe(instructions);
  await vm.resume();
  expect(await runCommand(vm, 'test -e /tmp/mark')).toMatchObject({ status: 0 });

  await vm.reset();
  await new Promise((resolve) => setTimeout(resolve, Math.min(200, bootMs / 4)));
  expect(await runCommand(vm, 'test -e /tmp/mark')).toMatchObject({ status: 1 });

  const stats = await vm.stats();
  expect(stats).toMatchObject({ state: 'running', engine: 'translator' });
  expect(stats.busyMs).toBeGreaterThan(0);
  await vm.powerOff();
  expect(vm.state).toBe('stopped');
  expect(vm.reason).toEqual({ kind: 'poweroff' });
  await vm.destroy();
});

it('holds the clock of a paused guest', async () => {
  const vm = await hypervisor.create({ guest: 'busybox' });
  await vm.start();
  const uptime = async () => Number((await runCommand(vm, 'cut -d" " -f1 /proc/uptime')).output);
  const before = await uptime();
  await vm.pause();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await vm.resume();
  expect((await uptime()) - before).toBeLessThan(2);
  await vm.destroy();
});

it('keeps no machine that was refused', async () => {
  const before = hypervisor.list();
  const error = await hypervisor.create({ kernel: new Uint8Array(5000) }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ImageError);
  expect(hypervisor.list()).toEqual(before);
});
