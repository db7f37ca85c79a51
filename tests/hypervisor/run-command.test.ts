import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { GuestStoppedError, OptionError, TimeoutError } from '../../src/hypervisor/errors.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { endsWithPrompt, waitForPrompt } from '../../src/hypervisor/prompt.ts';
import { runCommand, shellLines } from '../../src/hypervisor/run-command.ts';
import type { VirtualMachine } from '../../src/hypervisor/types.ts';
import type { FakeMachine } from '../worker/fake-machine.ts';
import { fakeHypervisor } from './harness.ts';

const children: ChildProcess[] = [];
const hypervisors: Hypervisor[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(hypervisors.splice(0).map((hypervisor) => hypervisor.destroyAll()));
});

/** A VM whose console is this host's own shell behind a terminal's manners: echo, and CR before each LF. */
async function shellVm(): Promise<{ vm: VirtualMachine; machine: FakeMachine }> {
  const { hypervisor, workers } = fakeHypervisor();
  hypervisors.push(hypervisor);
  const vm = await hypervisor.create({ kernel: new Uint8Array(1) });
  const { machine } = workers[0]!;
  const shell = spawn('sh', ['-c', 'exec sh -i 2>&1'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, PS1: '~ # ', PS2: '> ' },
  });
  children.push(shell);
  const terminal = (bytes: Uint8Array) => {
    for (const byte of bytes) machine.onConsoleOutput(new Uint8Array(byte === 10 ? [13, 10] : [byte]));
  };
  shell.stdout!.on('data', terminal);
  machine.consoleInput = (bytes) => {
    terminal(bytes);
    shell.stdin!.write(bytes);
  };
  await vm.start();
  return { vm, machine };
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

describe('runCommand', () => {
  it('returns what the command wrote and its exit status, and nothing of prompt or echo', async () => {
    const { vm } = await shellVm();
    expect(await runCommand(vm, 'echo hello')).toEqual({ output: 'hello\n', status: 0 });
    expect(await runCommand(vm, 'printf no-line-end; false')).toEqual({ output: 'no-line-end', status: 1 });
    expect(await runCommand(vm, 'true')).toEqual({ output: '', status: 0 });
  });

  it.each([
    ['exit 7', '', 7],
    ['echo one # a remark', 'one\n', 0],
    ['for i in 1 2 3\ndo\n\techo "line $i"\ndone', 'line 1\nline 2\nline 3\n', 0],
    ["echo 'it''s' \"$((6 * 7))\" \\\\ %s", 'its 42 \\ %s\n', 0],
    ['cat <<END\nhere\nEND', 'here\n', 0],
    ['echo err >&2; exit 255', 'err\n', 255],
    ['printf "grüße\\n"', 'grüße\n', 0],
    ["printf 'a\\r\\nb'", 'a\r\nb', 0],
  ])('%j gives %j and status %i', async (command, output, status) => {
    const { vm } = await shellVm();
    expect(await runCommand(vm, command)).toEqual({ output, status });
  });

  it('survives a command with a syntax error and runs the next one', async () => {
    const { vm } = await shellVm();
    const broken = await runCommand(vm, 'echo "never closed');
    expect(broken.status).not.toBe(0);
    expect((await runCommand(vm, 'echo next')).output).toBe('next\n');
  });

  it('takes commands of up to 4,095 bytes and refuses longer ones by name', async () => {
    const { vm } = await shellVm();
    const text = 'x'.repeat(4095 - 'echo '.length);
    expect((await runCommand(vm, `echo ${text}`)).output).toBe(`${text}\n`);
    await expect(runCommand(vm, `echo ${text}y`)).rejects.toThrow(OptionError);
    await expect(runCommand(vm, `echo ${text}y`)).rejects.toThrow('4096 bytes');
    await expect(runCommand(vm, 'a\0b')).rejects.toThrow('zero byte');
  });

  it('hands the output on as it comes', async () => {
    const { vm } = await shellVm();
    const seen: string[] = [];
    const { output } = await runCommand(vm, `echo ${'a'.repeat(200)}; sleep 0.2; echo end`, {
      onOutput: (bytes) => void seen.push(new TextDecoder().decode(bytes)),
    });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.join('')).toBe(output);
  });

  it('gives up after its time', async () => {
    const { vm } = await shellVm();
    await expect(runCommand(vm, 'sleep 5', { timeoutMs: 300 })).rejects.toThrow(TimeoutError);
  });

  it('says so when the guest stops first', async () => {
    const { vm } = await shellVm();
    const result = runCommand(vm, 'sleep 5');
    setTimeout(() => void vm.powerOff(), 200);
    await expect(result).rejects.toThrow(GuestStoppedError);
  });

  it('types nothing that is a key to a line editor, and no line a small editor would cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (command) => {
        fc.pre(!command.includes('\0'));
        for (const line of shellLines(command, 'ht0123456789')) {
          expect(line).toMatch(/^[ -~]*$/);
          expect(line.length).toBeLessThan(900);
          expect(line).not.toContain('ht0123456789');
        }
      }),
    );
  });

  it('gives real shells the command unharmed, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...'abc \'"\\$%`!#~*;&|<>()\n\r\té€😀{}'), { maxLength: 900 }),
        fc.constantFrom('sh', 'bash'),
        (characters, shell) => {
          const text = characters.join('');
          const lines = shellLines(`printf %s ${quote(text)}`, 'ht0123456789');
          const { stdout } = spawnSync(shell, ['-s'], { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
          expect(stdout).toBe(`ht0123456789<\n${text}ht0123456789>0.\n`);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('waitForPrompt', () => {
  it('resolves when the guest stands at its prompt, with the time it got there', async () => {
    const { vm } = await shellVm();
    const at = await waitForPrompt(vm, { prompt: '~ # ', timeoutMs: 5000 });
    expect(performance.now() - at).toBeGreaterThanOrEqual(29);
  });

  it('is not taken in by a prompt in the midst of output', async () => {
    const { hypervisor, workers } = fakeHypervisor();
    hypervisors.push(hypervisor);
    const vm = await hypervisor.create({ kernel: new Uint8Array(1) });
    await vm.start();
    workers[0]!.machine.print('booting # ');
    const waiting = waitForPrompt(vm, { timeoutMs: 200 });
    workers[0]!.machine.print('still booting\n');
    await expect(waiting).rejects.toThrow(TimeoutError);
  });

  it('names the reason when the guest stops first', async () => {
    const { hypervisor } = fakeHypervisor(() => ({
      state: 'stopped',
      reason: { kind: 'panic', message: 'kernel panic: no init' },
    }));
    hypervisors.push(hypervisor);
    const vm = await hypervisor.create({ kernel: new Uint8Array(1), name: 'toy' });
    const waiting = expect(waitForPrompt(vm)).rejects.toThrow(
      'toy: no prompt appeared: kernel panic: no init',
    );
    await vm.start();
    await waiting;
  });

  it.each([
    ['/ # ', undefined, true],
    ['user@host:~$ ', undefined, true],
    ['\x1b[1;32mroot\x1b[0m# \x1b[6n', undefined, true],
    ['\x1b]0;title\x07~ # ', '~ # ', true],
    ['~ #', '~ # ', false],
    ['50 # done\n', undefined, false],
  ])('%j with prompt %j: %s', (tail, prompt, expected) => {
    expect(endsWithPrompt(tail, prompt)).toBe(expected);
  });
});
