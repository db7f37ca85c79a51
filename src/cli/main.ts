#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { printError, statusOfError } from './exit-status.ts';
import {
  BENCH_HELP,
  COMPARE_HELP,
  CONTROL_HELP,
  DOCKER_HELP,
  GUEST_HELP,
  IMAGE_HELP,
  MAIN_HELP,
  RUN_HELP,
  SERVE_HELP,
  SNAPSHOT_HELP,
  TOP_HELP,
  UPDATE_HELP,
} from './help.ts';
import { nearest } from './options.ts';
import { flushOutput } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Each command is loaded when it is asked for: `--help` needs none of them. */
const COMMANDS: Record<
  string,
  { help: string; load: () => Promise<(args: readonly string[]) => Promise<number>> }
> = {
  run: { help: RUN_HELP, load: async () => (await import('./run.ts')).run },
  docker: { help: DOCKER_HELP, load: async () => (await import('./docker.ts')).docker },
  image: { help: IMAGE_HELP, load: async () => (await import('./image.ts')).image },
  serve: { help: SERVE_HELP, load: async () => (await import('./serve.ts')).serve },
  guest: { help: GUEST_HELP, load: async () => (await import('./guest.ts')).guest },
  snapshot: { help: SNAPSHOT_HELP, load: async () => (await import('./snapshot.ts')).snapshot },
  top: { help: TOP_HELP, load: async () => (await import('./top.ts')).top },
  stop: { help: CONTROL_HELP, load: async () => (await import('./control.ts')).stop },
  pause: { help: CONTROL_HELP, load: async () => (await import('./control.ts')).simply('pause') },
  resume: { help: CONTROL_HELP, load: async () => (await import('./control.ts')).simply('resume') },
  reset: { help: CONTROL_HELP, load: async () => (await import('./control.ts')).simply('reset') },
  kill: { help: CONTROL_HELP, load: async () => (await import('./control.ts')).simply('kill') },
  update: { help: UPDATE_HELP, load: async () => (await import('./control.ts')).update },
  compare: { help: COMPARE_HELP, load: async () => (await import('./compare.ts')).compareCommand },
  bench: { help: BENCH_HELP, load: async () => (await import('./bench.ts')).bench },
};

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError('a command is needed, like run; see hypertab --help');
  if (name === '--version') {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    process.stdout.write(`${(JSON.parse(text) as { version: string }).version}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const topic = name === 'help' && rest[0] !== undefined ? COMMANDS[rest[0]]?.help : undefined;
    process.stdout.write(topic ?? MAIN_HELP);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    const hint =
      near === undefined ? `there are ${Object.keys(COMMANDS).join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`there is no command '${name}'; ${hint}`);
  }
  return (await command.load())(rest);
}

function fail(error: unknown): number {
  const { status, message } = statusOfError(error);
  printError(message, error);
  return status;
}

// What nobody has caught is a fault of ours; the terminal is restored by its 'exit' handler.
process.on('uncaughtException', (error) => process.exit(fail(error)));
process.on('unhandledRejection', (error) => process.exit(fail(error)));

const status = await main(process.argv.slice(2)).catch(fail);
await flushOutput();
// An open stdin would keep the process.
process.exit(status);
