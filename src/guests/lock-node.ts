import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onDisk } from './disk-node.ts';
import { GuestError } from './guest-error.ts';

export interface LockOptions {
  signal?: AbortSignal;
  /** Called once when another process has the lock. */
  onWait?: (owner: string) => void;
}

/** How often an owner shows that it lives, and after how long without a sign it is taken for dead, in ms. */
const SIGN_MS = 5_000;
const DEAD_MS = 60_000;
const POLL_MS = 200;

/**
 * Runs `action` while no other process runs one on the same folder. What a killed owner left does not block.
 * @throws {GuestError} aborted or disk
 */
export async function withLock<T>(
  folder: string,
  options: LockOptions,
  action: () => Promise<T>,
): Promise<T> {
  const path = join(folder, '.lock');
  const token = `${process.pid} ${hostname()} ${Math.random()}`;
  await onDisk(folder, () => mkdir(folder, { recursive: true }));
  for (let told = false; !(await tryLock(path, token)); told = true) {
    if (!told) options.onWait?.((await readFile(path, 'utf8').catch(() => '')).split(' ')[0] ?? '');
    await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => {
      throw new GuestError('aborted', 'the preparation was cancelled');
    });
  }
  const sign = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, SIGN_MS);
  sign.unref();
  try {
    return await action();
  } finally {
    clearInterval(sign);
    if ((await readFile(path, 'utf8').catch(() => '')) === token) await rm(path, { force: true });
  }
}

async function tryLock(path: string, token: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(token);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      return onDisk(path, () => Promise.reject(error));
    }
  }
  if (await isDead(path)) {
    // Renamed first: of several processes that find it dead, one moves it away.
    const aside = `${path}.${process.pid}`;
    await rename(path, aside).then(
      () => rm(aside, { force: true }),
      () => {},
    );
  }
  return false;
}

async function isDead(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return false;
  const age = Date.now() - info.mtimeMs;
  if (age > DEAD_MS) return true;
  const [pid, host] = (await readFile(path, 'utf8').catch(() => '')).split(' ');
  // Between its creation and its first write a lock is empty.
  if (!pid) return age > SIGN_MS;
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
