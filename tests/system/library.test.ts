// The built package as a program uses it: `import { Hypervisor } from 'hypertab'`, with real worker threads.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const entry = new URL('../../build/src/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) throw new Error(`${entry} is missing: run \`npm run build\` first`);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');
const { Hypervisor, ImageError, runCommand } = library;

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
  await runCommand(vm, 'touch /tmp/mark');

  await vm.pause();
  const { instructions } = await vm.stats();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await vm.stats()).instructions).toBe(instructions);
  await vm.resume();
  expect(await runCommand(vm, 'test -e /tmp/mark')).toMatchObject({ status: 0 });

  // The prompt that follows the last command may still be on its way: it must not pass for the next boot's.
  await vm.reset();
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

it('takes memory from a guest with the balloon, learns what it says of it, and gives it back', async () => {
  const vm = await hypervisor.create({ guest: 'busybox', memory: '256M' });
  await vm.start();
  const free = async () => {
    const { output } = await runCommand(vm, "awk '/MemAvailable/ {print $2}' /proc/meminfo");
    return Number(output) / 1024;
  };
  await runCommand(vm, 'modprobe virtio_balloon');
  const before = await free();
  await vm.setBalloon('100M');
  await expect.poll(async () => (await vm.memory())?.balloonActual, { timeout: 20_000 }).toBe(100 << 20);
  expect(await free()).toBeLessThan(before - 90);
  const memory = await vm.memory();
  expect(memory?.guest?.total).toBeGreaterThan(180 << 20);
  await vm.setBalloon(0);
  await expect.poll(async () => (await vm.memory())?.balloonActual, { timeout: 20_000 }).toBe(0);
  expect(await free()).toBeGreaterThan(before - 20);
  // The guest reports what is free once it has been so for two seconds.
  await expect.poll(async () => (await vm.memory())?.reportedFree, { timeout: 20_000 }).toBeGreaterThan(0);
  await expect(vm.setBalloon('1G')).rejects.toThrow(/no part of 256 MiB/);
  await vm.destroy();
});

it('gives a guest drives in memory, and says of one that cannot be opened why', async () => {
  const contents = new TextEncoder().encode('from the host'.padEnd(512));
  const vm = await hypervisor.create({
    guest: 'busybox',
    drives: [
      { kind: 'memory', contents, serial: 'first-drive' },
      { kind: 'memory', bytes: 1 << 20 },
    ],
  });
  await vm.start();
  const { output } = await runCommand(
    vm,
    'head -c 13 /dev/vda; echo; cat /sys/block/vda/serial; echo; echo hi > /dev/vdb; head -c 2 /dev/vdb',
  );
  expect(output).toBe('from the host\nfirst-drive\nhi');
  await vm.destroy();
  await expect(
    hypervisor.create({ guest: 'busybox', drives: [{ kind: 'file', path: '/nowhere/drive.img' }] }),
  ).rejects.toThrow(/\/nowhere\/drive\.img/);
  await expect(
    hypervisor.create({ guest: 'busybox', drives: [{ kind: 'memory', bytes: 512, serial: 'with space' }] }),
  ).rejects.toThrow(/no serial number/);
});
