// Locks on files that end with whoever holds them, however that ends: names of sockets. Node has no flock().
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from './storage-error.ts';

/** A lock that is held. */
export interface FileLock {
  release(): Promise<void>;
}

/** How many may read a file at once. */
const READERS = 16;

/**
 * Takes a lock on a file: for writing, alone; for reading, together with other readers.
 * It works among the processes of one user on one machine (on Linux: of all users in one network namespace).
 * @param file tells files apart: device and inode
 * @param path names it in errors
 * @throws {StorageError} locked
 */
export async function lockFile(
  file: { dev: bigint; ino: bigint },
  path: string,
  access: 'read' | 'write',
): Promise<FileLock> {
  const id = createHash('sha256').update(`${file.dev}:${file.ino}`).digest('hex').slice(0, 32);
  const taken = (by: string) =>
    new StorageError(
      'locked',
      `${path} is in use by another machine or process that ${by} it; end that one first`,
    );
  const readers = Array.from({ length: READERS }, (_, index) => socketName(`${id}-r${index}`));
  const writer = socketName(`${id}-w`);
  if (access === 'write') {
    const server = await listenOn(writer);
    if (server === undefined) throw taken('writes');
    const inUse = await Promise.all(readers.map(answers));
    if (inUse.includes(true)) {
      await release(server, writer);
      throw taken('reads');
    }
    return { release: () => release(server, writer) };
  }
  for (const name of readers) {
    const server = await listenOn(name);
    if (server === undefined) continue;
    // A writer looks at the readers after it has its own name, we the other way round: one of us sees the other.
    if (await answers(writer)) {
      await release(server, name);
      throw taken('writes');
    }
    return { release: () => release(server, name) };
  }
  throw new StorageError('locked', `${path} is read by ${READERS} machines already; end one of them first`);
}

/** Linux has names that no file stands for and Windows has pipes; both vanish with their owner. */
function socketName(id: string): string {
  if (process.platform === 'linux') return `\0hypertab-${id}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\hypertab-${id}`;
  return join(tmpdir(), `hypertab-${id}`);
}

const isFile = (name: string) => process.platform !== 'linux' && process.platform !== 'win32' && name !== '';

/** Takes a name; undefined when somebody alive has it. */
async function listenOn(name: string): Promise<Server | undefined> {
  for (let attempt = 0; ; attempt++) {
    const server = createServer((socket) => socket.destroy());
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(name, () => resolve(undefined));
    });
    if (error === undefined) {
      server.unref();
      return server;
    }
    if (error.code !== 'EADDRINUSE') {
      throw new StorageError('io', `cannot take a lock: ${error.message}`, { cause: error });
    }
    // Where names are files, a killed owner leaves its file behind.
    if (!isFile(name) || attempt > 0 || (await answers(name))) return undefined;
    await rm(name, { force: true });
  }
}

/** Is somebody alive behind a name? */
function answers(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(!['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')),
    );
  });
}

function release(server: Server, name: string): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve(isFile(name) ? rm(name, { force: true }) : undefined));
  });
}
