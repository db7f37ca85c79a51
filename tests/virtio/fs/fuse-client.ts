// A kernel's side of FUSE for tests: requests as Linux lays them out, and what their replies say.
import { ERRNO, type ErrorCode } from '../../../src/storage/tree/file-system-error.ts';
import { IN_HEADER, INIT, OPCODE, OUT_HEADER, ROOT_NODE } from '../../../src/virtio/fs/fuse-protocol.ts';
import type { FuseServer } from '../../../src/virtio/fs/fuse-server.ts';

export type Opcode = keyof typeof OPCODE;

export interface Reply {
  /** 'ok', or an error's name. */
  error: ErrorCode | 'ok';
  payload: Buffer;
  unique: bigint;
}

export interface FuseEntry {
  node: number;
  number: number;
  size: number;
  mode: number;
  links: number;
  uid: number;
  gid: number;
  device: number;
  entryValid: number;
  attributesValid: number;
}

const NAMES = new Map<number, ErrorCode>(
  Object.entries(ERRNO).map(([name, number]) => [number, name as ErrorCode]),
);

/** Little-endian numbers and strings put end to end. */
export function pack(...parts: (number | bigint | string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(`${part}\0`, 'latin1');
      if (typeof part === 'number') {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(part >>> 0);
        return bytes;
      }
      if (typeof part === 'bigint') {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(BigInt.asUintN(64, part));
        return bytes;
      }
      return Buffer.from(part);
    }),
  );
}

let last = 0n;

/** A whole request. */
export function request(
  opcode: number,
  node: number | bigint,
  body: Uint8Array = Buffer.alloc(0),
  unique = ++last,
) {
  const header = pack(IN_HEADER + body.length, opcode, unique, BigInt(node), 1000, 1001, 1, 0);
  return Buffer.concat([header, body]);
}

/** Cuts bytes into pieces, as a driver spreads them over descriptors. */
export function scatter(bytes: Buffer, piece: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
  return pieces;
}

/** Takes a reply apart; throws when it is no reply to that request. */
export function parseReply(bytes: Buffer): Reply {
  if (bytes.length < OUT_HEADER || bytes.readUInt32LE(0) !== bytes.length) throw new Error('no reply');
  const error = bytes.readInt32LE(4);
  const name = NAMES.get(-error);
  if (error !== 0 && name === undefined) throw new Error(`${error} is no error`);
  return { error: name ?? 'ok', payload: bytes.subarray(OUT_HEADER), unique: bytes.readBigUInt64LE(8) };
}

export class FuseClient {
  readonly server: FuseServer;
  /** Bytes of each piece of requests and replies. */
  piece = 4096;

  constructor(server: FuseServer) {
    this.server = server;
  }

  /** Sends any bytes; undefined when no reply comes. */
  async raw(bytes: Buffer, room = 1 << 16): Promise<Buffer | undefined> {
    const output = Buffer.alloc(room, 0xee);
    const answer = this.server.handle(scatter(bytes, this.piece), scatter(output, this.piece));
    if (typeof answer !== 'number') return Buffer.from(await answer);
    return answer === 0 ? undefined : output.subarray(0, answer);
  }

  async call(opcode: Opcode, node: number | bigint, body?: Uint8Array, room?: number): Promise<Reply> {
    const bytes = request(OPCODE[opcode], node, body);
    const reply = await this.raw(bytes, room);
    if (reply === undefined) throw new Error(`${opcode}: no reply`);
    const parsed = parseReply(reply);
    if (parsed.unique !== bytes.readBigUInt64LE(8)) throw new Error(`${opcode}: a reply to another request`);
    return parsed;
  }

  /** The same, expecting that it works. */
  async done(opcode: Opcode, node: number | bigint, body?: Uint8Array, room?: number): Promise<Buffer> {
    const { error, payload } = await this.call(opcode, node, body, room);
    if (error !== 'ok') throw new Error(`${opcode}: ${error}`);
    return payload;
  }

  /** INIT with all features offered; answers the flags agreed on, by bit. */
  async init(minor = 41): Promise<Set<number>> {
    const payload = await this.done(
      'INIT',
      0,
      pack(7, minor, 131_072, 0xffff_ffff, 0xffff_ffff, Buffer.alloc(44)),
    );
    const flags = payload.readUInt32LE(12);
    return new Set(Object.values(INIT).filter((bit) => bit < 32 && (flags >>> bit) & 1));
  }

  async lookup(node: number, name: string): Promise<FuseEntry> {
    return parseEntry(await this.done('LOOKUP', node, pack(name)));
  }

  async create(node: number, name: string, mode = 0o100644): Promise<FuseEntry> {
    return parseEntry(await this.done('MKNOD', node, pack(mode, 0, 0, 0, name)));
  }

  async mkdir(node: number, name: string, mode = 0o755): Promise<FuseEntry> {
    return parseEntry(await this.done('MKDIR', node, pack(mode, 0, name)));
  }

  async write(node: number, offset: number, data: Uint8Array | string): Promise<number> {
    const bytes = Buffer.from(data as string);
    const body = pack(0n, BigInt(offset), bytes.length, 0, 0n, 0, 0, bytes);
    return (await this.done('WRITE', node, body)).readUInt32LE(0);
  }

  async read(node: number, offset: number, size: number): Promise<Buffer> {
    return this.done('READ', node, pack(0n, BigInt(offset), size, 0, 0n, 0, 0), size + OUT_HEADER);
  }

  /** Gives back lookups; no reply comes. */
  async forget(node: number, lookups: number): Promise<void> {
    const reply = await this.raw(request(OPCODE.FORGET, node, pack(BigInt(lookups))));
    if (reply !== undefined) throw new Error('FORGET has a reply');
  }

  /** Names of a directory, in requests of `size` bytes. */
  async list(
    node: number = ROOT_NODE,
    size = 4096,
  ): Promise<{ name: string; number: bigint; type: number }[]> {
    const found: { name: string; number: bigint; type: number }[] = [];
    for (let offset = 0n; ; ) {
      const bytes = await this.done('READDIR', node, pack(0n, offset, size, 0, 0n, 0, 0), size + OUT_HEADER);
      if (bytes.length === 0) return found;
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32LE(at + 16);
        offset = bytes.readBigUInt64LE(at + 8);
        const name = bytes.subarray(at + 24, at + 24 + length).toString('latin1');
        found.push({ name, number: bytes.readBigUInt64LE(at), type: bytes.readUInt32LE(at + 20) });
        at += (24 + length + 7) & ~7;
      }
    }
  }
}

export function parseEntry(bytes: Buffer): FuseEntry {
  return {
    node: Number(bytes.readBigUInt64LE(0)),
    entryValid: Number(bytes.readBigUInt64LE(16)),
    attributesValid: Number(bytes.readBigUInt64LE(24)),
    ...parseAttributes(bytes.subarray(40)),
  };
}

export function parseAttributes(bytes: Buffer) {
  return {
    number: Number(bytes.readBigUInt64LE(0)),
    size: Number(bytes.readBigUInt64LE(8)),
    mode: bytes.readUInt32LE(60),
    links: bytes.readUInt32LE(64),
    uid: bytes.readUInt32LE(68),
    gid: bytes.readUInt32LE(72),
    device: bytes.readUInt32LE(76),
  };
}
