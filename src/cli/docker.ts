import type { Socket } from 'node:net';
import { runDocker } from '../containers/docker/docker-command.ts';
import { openImageStore } from '../containers/images/image-store-node.ts';
import { nodeEngine, nodeTask } from './docker-engine.ts';
import { nodeIo } from './docker-io-node.ts';
import { type DockerBegin, encodeFrame, readFrames, TO_CLIENT, TO_SERVER } from './docker-wire.ts';
import { STATUS_INTERNAL } from './exit-status.ts';
import { connectToServer } from './serve.ts';

/**
 * `hypertab docker`: in docker's words; in the engine of a running `hypertab serve`, or in a container host of its own.
 * Returns the exit status.
 */
export async function docker(args: readonly string[]): Promise<number> {
  const server = await connectToServer();
  if (server !== undefined) return remote(server, args);
  const images = openImageStore();
  const engine = nodeEngine(images);
  try {
    return await runDocker({ ...nodeTask(images, engine), lasting: false, io: nodeIo() }, args);
  } finally {
    await engine.close();
  }
}

/** Types a command at the engine of another process. */
async function remote(server: Socket, args: readonly string[]): Promise<number> {
  const io = nodeIo();
  const begin: DockerBegin = {
    args: [...args],
    directory: process.cwd(),
    environment: Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
    stdinIsTerminal: io.stdinIsTerminal,
    stdoutIsTerminal: io.stdoutIsTerminal,
    ...(io.size() === undefined ? {} : { size: io.size() }),
  };
  const send = (kind: number, payload?: Uint8Array | string) => {
    if (!server.writable || server.write(encodeFrame(kind, payload))) return undefined;
    return new Promise<void>((done) => server.once('drain', () => done()));
  };
  server.on('error', () => server.destroy());
  send(TO_SERVER.begin, JSON.stringify(begin));
  const off = io.onResize(() => void send(TO_SERVER.resize, JSON.stringify(io.size())));
  let cooked = () => {};
  let quiet = () => {};
  try {
    for await (const { kind, payload } of readFrames(server)) {
      switch (kind) {
        case TO_CLIENT.stdout:
          await io.stdout(Buffer.from(payload));
          break;
        case TO_CLIENT.stderr:
          await io.stderr(Buffer.from(payload));
          break;
        case TO_CLIENT.wantInput:
          void (async () => {
            for await (const bytes of io.stdin()) await send(TO_SERVER.input, bytes);
          })()
            .catch(() => {})
            .finally(() => send(TO_SERVER.inputEnd));
          break;
        case TO_CLIENT.raw:
          cooked();
          cooked = payload.toString() === '1' && io.stdinIsTerminal ? io.raw() : () => {};
          break;
        case TO_CLIENT.signals:
          quiet();
          quiet =
            payload.toString() === '1' ? io.onSignal((name) => void send(TO_SERVER.signal, name)) : () => {};
          break;
        case TO_CLIENT.exit:
          return Number(payload.toString());
      }
    }
    await io.stderr('hypertab: hypertab serve has ended, and its containers with it\n');
    return STATUS_INTERNAL;
  } finally {
    off();
    cooked();
    quiet();
    server.destroy();
  }
}
