import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The built command line. */
export const MAIN = fileURLToPath(new URL('../../build/src/cli/main.js', import.meta.url));

if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run \`npm run build\` first`);

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** What stdin holds; absent: stdin is empty. */
  input?: string;
  /** Milliseconds after which the call counts as hung. */
  hangMs?: number;
  env?: Record<string, string>;
}

const children = new Set<ChildProcessWithoutNullStreams>();

/** Starts `hypertab ARGS` with pipes. */
export function startHypertab(
  args: string[],
  env: Record<string, string> = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
  children.add(child);
  child.on('exit', () => children.delete(child));
  child.stdin.on('error', () => {});
  return child;
}

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Runs `hypertab ARGS` to its end; throws when it hangs. */
export async function hypertab(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startHypertab(args, options.env);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.input ?? '');
  const hangMs = options.hangMs ?? 120_000;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`hypertab ${args.join(' ')} hangs after ${hangMs} ms; so far: ${stdout}${stderr}`));
    }, hangMs);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

/** The JSON object that --stats prints as the last line of stderr. */
export function statsOf(result: CliResult): Record<string, number | string | null> {
  const line = result.stderr.trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line) as Record<string, number | string | null>;
}

/** A folder that is gone when the test file has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-system-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program that a test compares with; fails with the package to install when it is missing. */
export function oracle(program: string, debianPackage: string, args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`${program} is missing: install the Debian package ${debianPackage}`);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
