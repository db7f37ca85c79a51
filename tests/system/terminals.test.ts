// Terminals beside the serial console, in Debian's kernel: /dev/hvc0 and so on.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { VmConsole } from '../../src/index.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) throw new Error(`${entry} is missing: run \`npm run build\` first`);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');
const { Hypervisor, OptionError, runCommand } = library;

const hypervisor = new Hypervisor();
afterAll(() => hypervisor.destroyAll());

/** Types a line at a shell's prompt and waits for what it is to show. */
async function type(console: VmConsole, line: string, shown: RegExp): Promise<RegExpExecArray> {
  const from = console.backlog.length;
  console.write(line);
  let match: RegExpExecArray | null = null;
  await expect
    .poll(
      () => {
        match = shown.exec(new TextDecoder().decode(console.backlog.subarray(from)));
        return match !== null;
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBe(true);
  return match!;
}

it('gives each terminal a shell of its own, whose tty is as large as the terminal', async () => {
  const vm = await hypervisor.create({ guest: 'busybox', consoles: 2 });
  const [first, second] = [vm.console(1), vm.console(2)];
  // Before there is anybody to tell.
  first.resize(132, 43);
  await vm.start();
  await runCommand(vm, 'true');
  await type(first, 'tty; stty size\n', /\/dev\/hvc0\s+43 132/);
  await type(second, 'tty\n', /\/dev\/hvc1/);
  second.resize(70, 20);
  await type(second, 'stty size\n', /20 70/);
  // The shell of the serial console goes on by itself.
  expect((await runCommand(vm, 'tty')).output).toBe('/dev/ttyS0\n');

  // A program that is running is told by a signal, and job control works.
  const script = "trap 'stty size' WINCH; echo re''ady; while :; do sleep 0.1; done";
  await type(first, `sh -c "${script}"\n`, /\nready/);
  first.resize(200, 60);
  await type(first, '', /60 200/);
  // The prompt, not the echo of ^C: an interrupt throws away what has not been printed yet, which that may be.
  await type(first, '\x03', /\n\/ # /);
  await type(first, 'echo al""ive\n', /\nalive/);

  // A shell that ends is followed by another, and after a reset the guest has the size again.
  await type(second, 'exit\n', /built-in shell/);
  await vm.reset();
  await runCommand(vm, 'true');
  await type(first, 'stty size\n', /60 200/);
  await vm.destroy();
});

it('carries much output at the pace of whoever reads it', async () => {
  const vm = await hypervisor.create({ guest: 'busybox', consoles: 1 });
  await vm.start();
  await runCommand(vm, 'true');
  let text = '';
  vm.console(1).onData(async (data) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    text += new TextDecoder().decode(data);
  });
  vm.console(1).write('seq 20000; echo e""nd\n');
  await expect.poll(() => text.includes('\nend'), { timeout: 60_000 }).toBe(true);
  const numbers = text.split(/\r\n/).filter((line) => /^\d+$/.test(line));
  expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)));
  await vm.destroy();
});

it('says that there is no such console, or no such size', async () => {
  const vm = await hypervisor.create({ guest: 'busybox', consoles: 1 });
  expect(() => vm.console(2)).toThrow(/no console 2.*1 is the last/);
  expect(() => vm.console(1).resize(0, 24)).toThrow(OptionError);
  await vm.destroy();
  vm.console(1).resize(80, 24);
  for (const consoles of [-1, 9, 1.5]) {
    await expect(hypervisor.create({ guest: 'busybox', consoles })).rejects.toThrow(/consoles/);
  }
});
