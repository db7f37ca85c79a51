import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { type DockerTask, runDocker } from '../containers/docker/docker-command.ts';
import type { DockerIo } from '../containers/docker/docker-io.ts';
import { openImageStore } from '../containers/images/image-store-node.ts';
import { nodeEngine, nodeTask } from './docker-engine.ts';
import { nodeIo } from './docker-io-node.ts';
import { type DockerBegin, encodeFrame, readFrames, TO_CLIENT, TO_SERVER } from './docker-wire.ts';
import { SERVE_HELP } from './help.ts';
import { parseOptions } from './options.ts';
import { runtimeFolder } from './runtime-folder-node.ts';
import { UsageError } from './usage-error.ts';

/** Where a running `hypertab serve` of this user listens. Not .sock: those are machines'. */
export const engineSocket = () => join(runtimeFolder(), 'containers.engine');

/** A connection to the running `hypertab serve`, or undefined when there is none. */
export function connectToServer(): Promise<Socket | undefined> {
  return new Promise((done) => {
    const socket = connect(engineSocket());
    socket.once('connect', () => done(socket));
    socket.once('error', () => done(undefined));
  });
}

/** `hypertab serve`: one container engine for every `hypertab docker` of this user, until Ctrl-C. */
export async function serve(args: readonly string[]): Promise<number> {
  const { flags, words } = parseOptions(args, { help: 'flag' });
  if (flags.has('help')) {
    process.stdout.write(SERVE_HELP);
    return 0;
  }
  if (words.length > 0) throw new UsageError(`serve takes no words; what is '${words[0]}'?`);
  const other = await connectToServer();
  if (other !== undefined) {
    other.destroy();
    throw new UsageError('hypertab serve is running already');
  }
  const path = engineSocket();
  await rm(path, { force: true });
  const images = openImageStore();
  const engine = nodeEngine(images);
  const task = { ...nodeTask(images, engine), lasting: true };
  const server = createServer((socket) => {
    // A command that was killed: what it started goes on.
    socket.on('error', () => socket.destroy());
    void answer(socket, task).catch(() => socket.destroy());
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(path, done);
  });
  process.stderr.write('hypertab serve: hypertab docker now finds its containers here; Ctrl-C ends them\n');
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done());
  });
  server.close();
  await engine.close();
  await rm(path, { force: true });
  return 0;
}

/** Runs one command for the process at the other end. */
async function answer(socket: Socket, task: Omit<DockerTask, 'io'>): Promise<void> {
  const frames = readFrames(socket);
  const first = await frames.next();
  if (first.done || first.value.kind !== TO_SERVER.begin) return void socket.destroy();
  const begin = JSON.parse(first.value.payload.toString()) as DockerBegin;
  const remote = new RemoteIo(socket, begin);
  void (async () => {
    for await (const { kind, payload } of frames) remote.hear(kind, payload);
  })()
    .catch(() => {})
    .finally(() => remote.hear(TO_SERVER.inputEnd, Buffer.alloc(0)));
  const status = await runDocker({ ...task, io: remote.io }, begin.args);
  if (socket.writable) socket.end(encodeFrame(TO_CLIENT.exit, String(status)));
}

/** The streams and terminal of a command that runs in another process. */
class RemoteIo {
  readonly io: DockerIo;
  readonly #socket: Socket;
  #size: DockerBegin['size'];
  #input: Buffer[] = [];
  #inputEnded = false;
  #wake = () => {};
  readonly #resized = new Set<() => void>();
  readonly #signalled = new Set<(signal: string) => void>();

  constructor(socket: Socket, begin: DockerBegin) {
    this.#socket = socket;
    this.#size = begin.size;
    const at = (path: string) => resolve(begin.directory, path);
    const own = nodeIo({ streams: false });
    this.io = {
      ...own,
      stdout: (data) => this.#send(TO_CLIENT.stdout, data),
      stderr: (data) => this.#send(TO_CLIENT.stderr, data),
      stdin: () => this.#read(),
      stdinIsTerminal: begin.stdinIsTerminal,
      stdoutIsTerminal: begin.stdoutIsTerminal,
      size: () => this.#size,
      onResize: (listener) => listen(this.#resized, listener),
      raw: () => {
        this.#send(TO_CLIENT.raw, '1');
        return () => void this.#send(TO_CLIENT.raw, '0');
      },
      onSignal: (listener) => {
        this.#send(TO_CLIENT.signals, '1');
        const off = listen(this.#signalled, listener);
        return () => {
          off();
          if (this.#signalled.size === 0) this.#send(TO_CLIENT.signals, '0');
        };
      },
      absolutePath: at,
      readText: (path) => own.readText(at(path)),
      writeText: (path, text) => own.writeText(at(path), text),
      readFile: (path) => own.readFile!(at(path)),
      writeFile: (path, bytes) => own.writeFile!(at(path), bytes),
      environment: (name) => begin.environment[name],
    };
  }

  hear(kind: number, payload: Buffer): void {
    switch (kind) {
      case TO_SERVER.input:
        this.#input.push(Buffer.from(payload));
        break;
      case TO_SERVER.inputEnd:
        this.#inputEnded = true;
        break;
      case TO_SERVER.resize:
        this.#size = JSON.parse(payload.toString()) as DockerBegin['size'];
        for (const listener of this.#resized) listener();
        return;
      case TO_SERVER.signal:
        for (const listener of this.#signalled) listener(payload.toString());
        return;
    }
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    this.#send(TO_CLIENT.wantInput, '');
    for (;;) {
      const next = this.#input.shift();
      if (next !== undefined) yield next;
      else if (this.#inputEnded) return;
      else {
        await new Promise<void>((done) => {
          this.#wake = done;
        });
      }
    }
  }

  #send(kind: number, data: Uint8Array | string): void | Promise<void> {
    if (!this.#socket.writable || this.#socket.write(encodeFrame(kind, data))) return;
    return new Promise((done) => {
      const go = () => {
        this.#socket.off('drain', go);
        this.#socket.off('close', go);
        done();
      };
      this.#socket.once('drain', go);
      this.#socket.once('close', go);
    });
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
