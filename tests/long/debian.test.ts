// The Debian guest on the command line: Debian's programs, and a disk that keeps what was written to it.
import { existsSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { Hypervisor, runCommand, waitForPrompt } from '../../build/src/index.js';
import { resolveGuestNode } from '../../src/guests/prepare-node.ts';
import { type CliResult, hypertab, startHypertab } from '../system/cli.ts';

beforeAll(async () => {
  const { status, stderr } = await hypertab(['guest', 'prepare', 'debian'], { hangMs: 590_000 });
  if (status !== 0) throw new Error(`the guest debian could not be prepared: ${stderr.slice(-500)}`);
});

const exec = (command: string, ...options: string[]): Promise<CliResult> =>
  hypertab(['run', 'debian', '--timeout', '110', ...options, '--exec', command]);

test('runs Python and apt, and every package is configured', async () => {
  const { status, stdout, stderr } = await exec(
    'python3 -c "print(6*7)"; apt --version; dpkg --audit; dpkg -l | grep -c ^ii; echo $0',
    '--snapshot',
  );
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^42\napt \d+\.\d+\.\d+ \(riscv64\)\n\d{2,3}\n-?bash\n$/);
  expect(status).toBe(0);
});

test('keeps files from one run to the next, and nothing of a run with --snapshot', async () => {
  const name = `kept-${process.pid}`;
  expect(await exec(`test ! -e ${name} && echo first > ${name}`)).toMatchObject({ status: 0, stderr: '' });
  expect(await exec(`rm -f ${name}; test ! -e ${name}`, '--snapshot')).toMatchObject({ status: 0 });
  expect(await exec(`cat ${name}; rm ${name}`)).toMatchObject({ status: 0, stdout: 'first\n' });
});

test('keeps what was written two seconds before the process is killed', async () => {
  const name = `killed-${process.pid}`;
  const child = startHypertab(['run', 'debian']);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.write(`echo written > ${name}; sleep 5; echo no''w\n`);
  await expect.poll(() => output, { timeout: 60_000 }).toMatch(/now\r\n/);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  expect(await exec(`cat ${name}; rm ${name}`)).toMatchObject({ status: 0, stdout: 'written\n' });
});

test('a second process with the same disk is told why it cannot have it', async () => {
  const child = startHypertab(['run', 'debian']);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await expect.poll(() => output, { timeout: 60_000 }).toMatch(/root@debian:~# $/);
  const second = await exec('true');
  expect(second.status).toBe(2);
  expect(second.stderr).toMatch(/\.overlay.*in use/);
  child.stdin.write('poweroff\n');
  await new Promise((resolve) => child.once('close', resolve));
  expect(output).toContain('Power down');
});

test('the file of changes stands beside the guest', async () => {
  const [drive] = (await resolveGuestNode('debian')).drives!;
  expect(existsSync((drive!.overlay as { path: string }).path)).toBe(true);
});

test('a copy of a running guest gets a machine id of its own', { timeout: 180_000 }, async () => {
  const hypervisor = new Hypervisor({
    resolveGuest: async (name) => {
      const { drives = [], ...guest } = await resolveGuestNode(name);
      return { ...guest, drives: drives.map(({ overlay: _, ...drive }) => ({ ...drive, snapshot: true })) };
    },
  });
  try {
    const vm = await hypervisor.create({ guest: 'debian' });
    await vm.start();
    await waitForPrompt(vm, { timeoutMs: 110_000 });
    await runCommand(vm, 'echo 0123 >/etc/machine-id');
    const copy = await vm.clone();
    await copy.start();
    const wait = 'for n in $(seq 300); do [ $(wc -c </etc/machine-id) = 33 ] && break; sleep 0.1; done; ';
    const { output } = await runCommand(copy, `${wait}cat /etc/machine-id`);
    expect(output).toMatch(/^[0-9a-f]{32}\n$/);
    expect((await runCommand(vm, 'cat /etc/machine-id')).output).toBe('0123\n');
  } finally {
    await hypervisor.destroyAll();
  }
});
