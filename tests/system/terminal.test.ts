// On a real terminal: raw mode, the Ctrl-A keys, and a terminal left as it was found.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();

/** Runs busybox in a pseudo-terminal; `act` is called with what a person can do once the prompt is there. */
async function onTerminal(
  name: string,
  act: (person: {
    type(text: string): void;
    pid: () => number;
    until(text: string): Promise<void>;
  }) => Promise<void>,
): Promise<{ before: string; after: string; status: string; screen: string }> {
  const path = (part: string) => join(folder, `${name}-${part}`);
  const script = [
    `stty -g > ${path('before')}`,
    // The shell's pid is node's after exec.
    `sh -c 'echo $$ > ${path('pid')}; exec ${process.execPath} ${MAIN} run busybox'`,
    `echo $? > ${path('status')}`,
    `stty -g > ${path('after')}`,
  ].join('; ');
  const child = spawn('script', ['-qec', script, '/dev/null']);
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', () => reject(new Error('script is missing: install the Debian package bsdutils')));
    child.on('close', () => resolve());
  });
  const until = async (text: string) => {
    const end = performance.now() + 60_000;
    while (!screen.includes(text)) {
      if (performance.now() > end) throw new Error(`no '${text}' on the screen: ${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    await until('# ');
    await act({
      type: (text) => void child.stdin.write(text),
      pid: () => Number(readFileSync(path('pid'), 'utf8')),
      until,
    });
    await ended;
  } finally {
    child.kill('SIGKILL');
  }
  const read = (part: string) => readFileSync(path(part), 'utf8').trim();
  return { before: read('before'), after: read('after'), status: read('status'), screen };
}

describe('a terminal', () => {
  it('has the guest echo what is typed, Ctrl-C goes to the guest, and Ctrl-A X quits', async () => {
    const { before, after, status, screen } = await onTerminal('quit', async ({ type, until }) => {
      type('echo on""e; sleep 100\r');
      await until('\none');
      type('\x03');
      type('echo tw""o\r');
      await until('\ntwo');
      type('\x01h');
      await until('end the machine');
      type('\x01x');
    });
    expect(status).toBe('0');
    expect(after).toBe(before);
    expect(screen).toContain('echo on""e');
  });

  it('is left as it was found when a signal ends the run', async () => {
    const { before, after, status } = await onTerminal('term', async ({ pid }) => {
      process.kill(pid(), 'SIGTERM');
    });
    expect(status).toBe('143');
    expect(after).toBe(before);
  });

  it('is left as it was found when the guest powers off', async () => {
    const { before, after, status } = await onTerminal('off', async ({ type }) => {
      type('poweroff -f\r');
    });
    expect(status).toBe('0');
    expect(after).toBe(before);
  });
});
