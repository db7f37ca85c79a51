import { readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { HypertabError, StateError } from '../hypervisor/errors.ts';
import type { ControlAnswer, ControlRequest, MachineStatus } from './control-protocol.ts';
import { runtimeFolder } from './runtime-folder-node.ts';
import { UsageError } from './usage-error.ts';

/** A machine that does not say how it is within this time is left out of a list. */
const STATUS_MS = 5000;

/** A running machine and where it is reached. */
export interface FoundMachine {
  path: string;
  status: MachineStatus;
}

/** The running machines of this user, by name. Sockets that nobody answers at any more are removed. */
export async function findMachines(): Promise<FoundMachine[]> {
  const folder = runtimeFolder();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sock'));
  const found = await Promise.all(
    names.map(async (name): Promise<FoundMachine[]> => {
      const path = join(folder, name);
      try {
        const status = await ask(path, { command: 'status' }, STATUS_MS);
        return status === null ? [] : [{ path, status }];
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') await rm(path, { force: true });
        return [];
      }
    }),
  );
  return found
    .flat()
    .sort((a, b) => a.status.name.localeCompare(b.status.name) || a.status.pid - b.status.pid);
}

/**
 * The one running machine of that name, or of the process with that number.
 * @throws {UsageError} when there is none, or more than one
 */
export async function findMachine(name: string): Promise<FoundMachine> {
  const all = await findMachines();
  const found = all.filter(({ status }) => status.name === name || String(status.pid) === name);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const pids = found.map(({ status }) => status.pid).join(', ');
    throw new UsageError(
      `there are ${found.length} machines named '${name}': give the process instead: ${pids}`,
    );
  }
  const others = all.map(({ status }) => status.name);
  throw new UsageError(
    `no machine named '${name}' runs here; ${others.length === 0 ? 'none does' : `there are ${others.join(', ')}`}`,
  );
}

/**
 * Sends a request and waits for the answer.
 * @throws {HypertabError} what the machine answered instead; {Error} when it cannot be reached
 */
export function ask(
  path: string,
  request: ControlRequest,
  timeoutMs?: number,
): Promise<MachineStatus | null> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let text = '';
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => socket.destroy(new Error('it does not answer')), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (piece: string) => {
      text += piece;
      if (!text.includes('\n')) return;
      socket.destroy();
      const answer = JSON.parse(text) as ControlAnswer;
      if ('ok' in answer) resolve(answer.ok);
      else reject(Object.assign(new HypertabError(answer.error.message), { name: answer.error.name }));
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      // The process of a machine that has stopped may end before it has answered.
      if (request.command === 'stop' || request.command === 'kill') resolve(null);
      else reject(new StateError('the machine has ended'));
    });
  });
}
