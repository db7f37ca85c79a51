import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { VirtualMachine } from '../hypervisor/types.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  type MachineStatus,
  parseRequest,
  REQUEST_MAX,
} from './control-protocol.ts';
import { runtimeFolder } from './runtime-folder-node.ts';

/** A machine that answers on its socket. */
export interface ControlServer {
  close(): void;
}

let count = 0;

/**
 * Lets `hypertab top`, `stop`, `update` and the others of this user reach a machine of this process.
 * @throws {FileError} when there is no folder for its socket
 */
export async function serveControl(vm: VirtualMachine): Promise<ControlServer> {
  const path = join(runtimeFolder(), `${process.pid}-${++count}.sock`);
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(vm, socket);
  });
  const remove = () => rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  // It serves the machine: it does not keep the process.
  server.unref();
  process.once('exit', remove);
  const close = () => {
    process.removeListener('exit', remove);
    server.close();
    for (const socket of open) socket.destroy();
    remove();
  };
  vm.on('state', ({ state }) => {
    if (state === 'destroyed') close();
  });
  return { close };
}

function serve(vm: VirtualMachine, socket: Socket): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (piece: string) => {
    text += piece;
    if (text.length > REQUEST_MAX) socket.destroy();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      void answer(vm, line).then((reply) => {
        if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
      });
    }
  });
}

async function answer(vm: VirtualMachine, line: string): Promise<ControlAnswer> {
  try {
    return { ok: await perform(vm, parseRequest(line)) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { error: { name, message } };
  }
}

async function perform(vm: VirtualMachine, request: ControlRequest): Promise<MachineStatus | null> {
  switch (request.command) {
    case 'status':
      return describe(vm);
    case 'pause':
      await vm.pause();
      return null;
    case 'resume':
      await vm.resume();
      return null;
    case 'reset':
      await vm.reset();
      return null;
    case 'kill':
      await vm.powerOff();
      return null;
    case 'snapshot':
      await vm.snapshot();
      return null;
    case 'stop':
      await vm.shutdown({ timeoutMs: request.timeoutMs, force: request.force });
      return null;
    case 'update':
      await vm.update(request.limits);
      return null;
  }
}

async function describe(vm: VirtualMachine): Promise<MachineStatus> {
  const { name, state, limits, leaseRemainingMs } = vm;
  const stats = await vm.stats();
  return { name, pid: process.pid, state, limits, leaseRemainingMs, stats };
}
