import { ERRNO } from '../../storage/tree/file-system-error.ts';
import { AgentError } from './agent-error.ts';
import {
  AgentLostError,
  type Frame,
  FrameDecoder,
  INPUT_WINDOW,
  PayloadReader,
  PayloadWriter,
  PROTOCOL_VERSION,
  REPLY,
  REQUEST,
  SPAWN_FOLLOW,
  SPAWN_INPUT,
  SPAWN_STAYS,
  SPAWN_TERMINAL,
} from './agent-protocol.ts';
import type { AgentChannel, AgentProcess, ProcessEvents, SpawnRequest } from './agent-types.ts';

/** Bytes that WRITE_FILE and READ_FILE move at a time. */
const PIECE = 48 * 1024;
const NS_PER_MS = 1e6;
/** Calls are numbered anew from here; by then those of long ago have ended. */
const LAST_CALL = 0x7fff_ffff;

interface Waiting {
  what: string;
  resolve(payload: Uint8Array<ArrayBuffer>): void;
  reject(error: Error): void;
}

/** What is in a directory: Linux's type (DT_DIR is 4, DT_REG 8, DT_LNK 10) and the name. */
export interface ListedFile {
  type: number;
  name: string;
}

/** The calls that the agent of a container host answers. */
export class AgentClient {
  readonly #channel: AgentChannel;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, Waiting>();
  readonly #processes = new Map<number, RunningProcess>();
  readonly #ready: Promise<void>;
  #greet!: { resolve: () => void; reject: (error: Error) => void };
  #lost: AgentLostError | undefined;
  #call = 0;
  #batch = 0;

  constructor(channel: AgentChannel) {
    this.#channel = channel;
    this.#ready = new Promise((resolve, reject) => {
      this.#greet = { resolve, reject };
    });
    this.#ready.catch(() => {});
    channel.onData((bytes) => this.#receive(bytes));
    // It waits in the channel until the agent is there.
    const now = new PayloadWriter().u64(Date.now() * NS_PER_MS);
    this.#send(now.frame(this.#nextCall(), 0, REQUEST.GREET));
  }

  /** Resolves when the agent is there; rejects when the host has gone before. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Requests that belong together: when one fails, the guest does not do the later ones. */
  batch(): AgentBatch {
    this.#batch = (this.#batch % LAST_CALL) + 1;
    return new AgentBatch(this, this.#batch);
  }

  makeDirectory(path: string, mode = 0o755, batch = 0): Promise<void> {
    const payload = new PayloadWriter().string(path).u32(mode);
    return this.#ask(`mkdir ${path}`, REQUEST.MAKE_DIRECTORY, payload, batch).then(() => {});
  }

  /** @param mode 0: the file must be there, and is written as it is (those of cgroups and /proc) */
  async writeFile(path: string, data: Uint8Array | string, mode = 0o644, batch = 0): Promise<void> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const answers: Promise<unknown>[] = [];
    let at = 0;
    do {
      const payload = new PayloadWriter()
        .string(path)
        .u32(mode)
        .u32(at === 0 ? 0 : 1);
      payload.bytes(bytes.subarray(at, at + PIECE));
      answers.push(this.#ask(`write ${path}`, REQUEST.WRITE_FILE, payload, batch));
      at += PIECE;
    } while (at < bytes.length);
    await all(answers);
  }

  /**
   * Reads a regular file.
   * @param root a directory that the path does not lead out of, whatever links there are
   * @throws {AgentError} EFBIG when it has more than `limit` bytes
   */
  async readFile(path: string, { root = '', limit = 1 << 20 } = {}): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    for (let offset = 0; ; ) {
      const payload = new PayloadWriter().string(root).string(path).u64(offset).u32(PIECE);
      const part = await this.#ask(`read ${path}`, REQUEST.READ_FILE, payload, 0);
      parts.push(part);
      offset += part.length;
      if (offset > limit) throw new AgentError('EFBIG', `read ${path}`);
      // Files of /proc and of cgroups come short; what they have is there at once.
      if (part.length < PIECE) return concat(parts);
    }
  }

  async readText(path: string, options: { root?: string; limit?: number } = {}): Promise<string> {
    return new TextDecoder().decode(await this.readFile(path, options));
  }

  /** @param flags of mount(2) */
  mount(source: string, target: string, type: string, flags: number, data: string, batch = 0): Promise<void> {
    const payload = new PayloadWriter().string(source).string(target).string(type).u64(flags).string(data);
    return this.#ask(`mount ${target}`, REQUEST.MOUNT, payload, batch).then(() => {});
  }

  /** @param flags of umount2(2): 2 is MNT_DETACH */
  unmount(target: string, flags = 0, batch = 0): Promise<void> {
    const payload = new PayloadWriter().string(target).u32(flags);
    return this.#ask(`unmount ${target}`, REQUEST.UNMOUNT, payload, batch).then(() => {});
  }

  /** Removes a file, or a directory with all that is below it. Nothing there is fine. */
  remove(path: string): Promise<void> {
    return this.#ask(`remove ${path}`, REQUEST.REMOVE, new PayloadWriter().string(path), 0).then(() => {});
  }

  /** Removes one directory that is empty, or a cgroup without processes. */
  removeDirectory(path: string): Promise<void> {
    const payload = new PayloadWriter().string(path);
    return this.#ask(`rmdir ${path}`, REQUEST.REMOVE_DIRECTORY, payload, 0).then(() => {});
  }

  async list(path: string): Promise<ListedFile[]> {
    const payload = await this.#ask(`list ${path}`, REQUEST.LIST, new PayloadWriter().string(path), 0);
    const reader = new PayloadReader(payload);
    const files: ListedFile[] = [];
    while (reader.left > 0) files.push({ type: reader.u8(), name: reader.string() });
    return files;
  }

  signal(process: number, signal: number): Promise<void> {
    const payload = new PayloadWriter().u32(process).u32(signal);
    return this.#ask(`signal ${process}`, REQUEST.SIGNAL, payload, 0).then(() => {});
  }

  /** Makes a bridge with an address (as a number, the first byte the highest). */
  bridge(name: string, address: number, prefix: number): Promise<void> {
    const payload = new PayloadWriter().string(name).bytes(networkOrder(address)).u32(prefix);
    return this.#ask(`bridge ${name}`, REQUEST.BRIDGE, payload, 0).then(() => {});
  }

  /** Makes a network namespace at a path; without a bridge it has lo alone. */
  network(
    path: string,
    plug?: { bridge: string; interface: string; address: number; prefix: number; gateway: number },
  ): Promise<void> {
    const payload = new PayloadWriter().string(path).string(plug?.bridge ?? '');
    payload.string(plug?.interface ?? '').bytes(networkOrder(plug?.address ?? 0));
    payload.u32(plug?.prefix ?? 0).bytes(networkOrder(plug?.gateway ?? 0));
    return this.#ask(`network ${path}`, REQUEST.NETWORK, payload, 0).then(() => {});
  }

  /**
   * Starts a program. The answer comes with STARTED where the request follows a pid file, else at once; it rejects
   * only when there was nothing to start. A program that ended before it started anything is told by `exited`.
   */
  spawn(request: SpawnRequest, events: ProcessEvents, batch = 0): AgentProcess {
    const { input = false, terminal, follow, stays = false, consoleSocket = '' } = request;
    const { root = '', directory = '/' } = request;
    const flags =
      (input ? SPAWN_INPUT : 0) |
      (terminal === undefined ? 0 : SPAWN_TERMINAL) |
      (follow === undefined ? 0 : stays ? SPAWN_STAYS : SPAWN_FOLLOW);
    const payload = new PayloadWriter().u32(flags);
    payload.u32(terminal?.columns ?? 0).u32(terminal?.rows ?? 0);
    payload
      .string(follow ?? '')
      .string(consoleSocket)
      .string(root)
      .string(directory)
      .string(request.program);
    payload.strings(request.arguments).strings(request.environment ?? []);
    const call = this.#nextCall();
    const process = new RunningProcess(call, events, (frame) => this.#send(frame));
    if (this.#lost !== undefined) {
      const lost = this.#lost;
      queueMicrotask(() => process.lose(lost));
      return process;
    }
    this.#processes.set(call, process);
    this.#send(payload.frame(call, batch, REQUEST.SPAWN));
    return process;
  }

  powerOff(): void {
    if (this.#lost === undefined) this.#send(new PayloadWriter().frame(0, 0, REQUEST.POWER_OFF));
  }

  /** The host has gone: every call and process ends with that. */
  lose(error: AgentLostError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#greet.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    for (const process of [...this.#processes.values()]) process.lose(error);
    this.#processes.clear();
  }

  #nextCall(): number {
    do this.#call = (this.#call % LAST_CALL) + 1;
    while (this.#waiting.has(this.#call) || this.#processes.has(this.#call));
    return this.#call;
  }

  #send(frame: Uint8Array): void {
    if (this.#lost === undefined) this.#channel.write(frame);
  }

  #ask(what: string, kind: number, payload: PayloadWriter, batch: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const call = this.#nextCall();
    const frame = payload.frame(call, batch, kind);
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { what, resolve, reject });
      this.#send(frame);
    });
  }

  #receive(bytes: Uint8Array): void {
    if (this.#lost !== undefined) return;
    try {
      for (const frame of this.#decoder.push(bytes)) this.#handle(frame);
    } catch (error) {
      this.lose(error instanceof AgentLostError ? error : new AgentLostError(String(error)));
      this.#channel.onBroken?.();
    }
  }

  #handle({ call, kind, payload }: Frame): void {
    const reader = new PayloadReader(payload);
    if (kind === REPLY.HELLO) {
      const version = reader.u32();
      if (version === PROTOCOL_VERSION) {
        this.#greet.resolve();
        return;
      }
      throw new AgentLostError(
        `the container host speaks version ${version} of its protocol, not ${PROTOCOL_VERSION}; run hypertab guest prepare container-host`,
      );
    }
    const waiting = this.#waiting.get(call);
    if (waiting !== undefined) {
      // It waits on when this throws: lose() then ends it.
      if (kind === REPLY.ANSWER) waiting.resolve(payload);
      else if (kind === REPLY.ERROR) waiting.reject(agentError(reader.u32(), waiting.what));
      else throw new AgentLostError(`the container host answered a request with kind ${kind}`);
      this.#waiting.delete(call);
      return;
    }
    // One that is not known any more was given up here; the guest cannot know that yet.
    const process = this.#processes.get(call);
    if (process?.handle(kind, reader)) this.#processes.delete(call);
  }
}

/** Requests that the guest stops doing at the first that fails; done() tells which that was. */
export class AgentBatch {
  readonly #client: AgentClient;
  readonly #batch: number;
  readonly #answers: Promise<void>[] = [];

  constructor(client: AgentClient, batch: number) {
    this.#client = client;
    this.#batch = batch;
  }

  makeDirectory(path: string, mode?: number): this {
    return this.#add(this.#client.makeDirectory(path, mode, this.#batch));
  }

  writeFile(path: string, data: Uint8Array | string, mode?: number): this {
    return this.#add(this.#client.writeFile(path, data, mode, this.#batch));
  }

  mount(source: string, target: string, type: string, flags: number, data: string): this {
    return this.#add(this.#client.mount(source, target, type, flags, data, this.#batch));
  }

  unmount(target: string, flags?: number): this {
    return this.#add(this.#client.unmount(target, flags, this.#batch));
  }

  spawn(request: SpawnRequest, events: ProcessEvents): AgentProcess {
    return this.#client.spawn(request, events, this.#batch);
  }

  /** @throws {AgentError} of the first request that failed */
  done(): Promise<void> {
    return all(this.#answers);
  }

  #add(answer: Promise<void>): this {
    answer.catch(() => {});
    this.#answers.push(answer);
    return this;
  }
}

/** One process of the guest's, as it is seen from here. */
class RunningProcess implements AgentProcess {
  readonly #call: number;
  readonly #events: ProcessEvents;
  readonly #send: (frame: Uint8Array) => void;
  #input: Uint8Array[] = [];
  #inputRoom = INPUT_WINDOW;
  #inputEnds = false;
  #endSent = false;
  #over = false;
  #drained: (() => void)[] = [];

  constructor(call: number, events: ProcessEvents, send: (frame: Uint8Array) => void) {
    this.#call = call;
    this.#events = events;
    this.#send = send;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over || this.#inputEnds) return Promise.resolve();
    if (bytes.length > 0) this.#input.push(bytes);
    this.#feed();
    if (this.#input.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  end(): void {
    if (this.#inputEnds) return;
    this.#inputEnds = true;
    this.#feed();
  }

  resize(columns: number, rows: number): void {
    if (this.#over) return;
    this.#send(new PayloadWriter().u32(this.#call).u32(columns).u32(rows).frame(0, 0, REQUEST.RESIZE));
  }

  /** True when this was the last there is of it. */
  handle(kind: number, reader: PayloadReader): boolean {
    switch (kind) {
      case REPLY.OUTPUT: {
        const stream = reader.u8() === 2 ? 'stderr' : 'stdout';
        const bytes = reader.rest();
        const { length } = bytes;
        const taken = this.#events.output(stream, bytes);
        if (taken instanceof Promise) {
          const credit = () => this.#credit(length);
          taken.then(credit, credit);
        } else this.#credit(length);
        return false;
      }
      case REPLY.STARTED:
        this.#events.started?.(reader.u32());
        return false;
      case REPLY.ACCEPTED:
        this.#inputRoom = Math.min(INPUT_WINDOW, this.#inputRoom + reader.u32());
        this.#feed();
        return false;
      case REPLY.EXITED: {
        const started = reader.u8() === 1;
        const status = reader.u32();
        this.#finish();
        this.#events.exited({ started, code: exitCode(status) });
        return true;
      }
      case REPLY.ERROR:
        this.lose(agentError(reader.u32(), 'start a program'));
        return true;
      default:
        throw new AgentLostError(`the container host sent kind ${kind} for a process`);
    }
  }

  lose(error: Error): void {
    this.#finish();
    this.#events.failed(error);
  }

  #finish(): void {
    this.#over = true;
    this.#input = [];
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #credit(bytes: number): void {
    if (this.#over) return;
    this.#send(new PayloadWriter().u32(this.#call).u32(bytes).frame(0, 0, REQUEST.CREDIT));
  }

  /** Sends what there is room for. */
  #feed(): void {
    if (this.#over) return;
    for (let next = this.#input[0]; next !== undefined && this.#inputRoom > 0; next = this.#input[0]) {
      const piece = next.subarray(0, this.#inputRoom);
      this.#send(new PayloadWriter().u32(this.#call).bytes(piece).frame(0, 0, REQUEST.INPUT));
      this.#inputRoom -= piece.length;
      if (piece.length === next.length) this.#input.shift();
      else this.#input[0] = next.subarray(piece.length);
    }
    if (this.#input.length > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
    if (!this.#inputEnds || this.#endSent) return;
    this.#endSent = true;
    this.#send(new PayloadWriter().u32(this.#call).frame(0, 0, REQUEST.END_INPUT));
  }
}

/** What a shell shows for a status of wait4(2). */
function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

function agentError(number: number, what: string): AgentError {
  const code = Object.entries(ERRNO).find(([, value]) => value === number)?.[0];
  return new AgentError(code ?? `errno ${number}`, what);
}

/** Waits for all; throws the first error that is not only the consequence of another. */
async function all(answers: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(answers);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  const first = errors.find((error) => !(error instanceof AgentError && error.code === 'ECANCELED'));
  if (errors.length > 0) throw first ?? errors[0];
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function networkOrder(address: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, address);
  return bytes;
}
