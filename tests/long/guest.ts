// A guest of Debian packages in RAM that works through a list of commands and says how each ended.

import { type CpioEntry, writeCpio } from '../../src/storage/cpio.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { converse } from './converse.ts';
import { rootFileSystem } from './packages.ts';

export interface Work {
  readonly name: string;
  /** A line of shell. */
  readonly command: string;
  /** What its output must match, besides an exit status of 0. */
  readonly expect?: RegExp;
}

export interface Done {
  readonly output: string;
  readonly status: number;
}

export interface GuestOptions {
  readonly packages: readonly string[];
  readonly memory: number;
  readonly work: readonly Work[];
  readonly files?: Readonly<Record<string, string>>;
  readonly keep?: (path: string) => boolean;
  readonly most?: number;
}

const PREPARE = `#!/usr/bin/dash
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mkdir -p /dev/shm
busybox mount -t tmpfs tmpfs /dev/shm
busybox mount -t tmpfs tmpfs /tmp
export PATH=/usr/bin:/usr/sbin:/bin:/sbin HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp
busybox ifconfig lo up
cd /tmp
exec </dev/null >/dev/console 2>&1
`;

/** Ends one command's output in the console's text; nothing else prints such a line. */
const mark = (index: number): string => `#done-${index}-of-work:`;

/** Boots, runs all commands, switches off; the output and status of each by its name. */
export async function runWork(options: GuestOptions): Promise<{
  done: Map<string, Done>;
  instructions: number;
  seconds: number;
  text: string;
}> {
  const encoder = new TextEncoder();
  const entries = await rootFileSystem(
    'trixie',
    ['busybox-static', 'dash', 'coreutils', 'findutils', ...options.packages],
    options.keep,
  );
  const add = (path: string, text: string, mode: number): void => {
    const entry: CpioEntry = { type: 'file', path, mode, data: encoder.encode(text) };
    entries.push(entry);
  };
  const script = options.work.flatMap(({ command }, index) => [`( ${command} )`, `echo "${mark(index)}$?"`]);
  for (const [path, text] of Object.entries(options.files ?? {})) add(path, text, 0o755);
  add('init', `${PREPARE}${script.join('\n')}\nbusybox poweroff -f\n`, 0o755);
  const { kernel, append } = linuxGuest();
  const { text, reason, instructions, seconds } = await converse(
    { kernel, append, initrd: writeCpio(entries), memory: options.memory, engine: 'auto' },
    options.most === undefined ? {} : { most: options.most },
  );
  if (reason.kind !== 'poweroff')
    throw new Error(`the guest ended with ${JSON.stringify(reason)}; it said:\n${text.slice(-4000)}`);
  const done = new Map<string, Done>();
  let at = 0;
  for (const [index, { name }] of options.work.entries()) {
    const end = text.indexOf(mark(index), at);
    if (end < 0) throw new Error(`${name} never ended; the guest said:\n${text.slice(-4000)}`);
    const status = Number.parseInt(text.slice(end + mark(index).length), 10);
    done.set(name, { output: text.slice(at, end).replaceAll('\r', ''), status });
    at = text.indexOf('\n', end) + 1;
  }
  return { done, instructions, seconds, text };
}
