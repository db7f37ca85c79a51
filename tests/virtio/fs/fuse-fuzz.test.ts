// Random and malicious requests. HYPERTAB_FUZZ_FUSE=1000000 makes a long run of it.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileLocks } from '../../../src/storage/tree/file-locks.ts';
import type { FileSystem } from '../../../src/storage/tree/file-system.ts';
import { HostDirectory } from '../../../src/storage/tree/host-directory-node.ts';
import { MemoryTree } from '../../../src/storage/tree/memory-tree.ts';
import { IN_HEADER, OPCODE, OUT_HEADER } from '../../../src/virtio/fs/fuse-protocol.ts';
import { FuseServer } from '../../../src/virtio/fs/fuse-server.ts';
import { pack, parseReply, scatter } from './fuse-client.ts';

const REQUESTS = Number(process.env.HYPERTAB_FUZZ_FUSE ?? 10_000);
const SEED = Number(process.env.HYPERTAB_FUZZ_SEED ?? 1);

/** Mulberry32: small, and the same everywhere. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

const NAMES = [
  'a',
  'b',
  'c',
  'd',
  'link',
  '..',
  '.',
  '',
  'x/y',
  '/etc/passwd',
  '../outside/secret',
  '\xff\xfe',
  'n'.repeat(300),
  '.hypertab-attributes',
  'user.a',
  'security.capability',
  'trusted.overlay.opaque',
  'system.posix_acl_access',
];
const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  100n,
  4096n,
  65_535n,
  1n << 20n,
  1n << 31n,
  1n << 32n,
  1n << 52n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const OPCODES = [...Object.values(OPCODE), 0, 7, 19, 53, 4096, 0xffff_ffff];

/** A request that may be right in parts. */
function makeRequest(random: (below: number) => number, nodes: readonly bigint[]): Buffer {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const number = () => (random(3) === 0 ? pick(NUMBERS) : BigInt(random(200)));
  const name = () => (random(4) ? NAMES[random(3)]! : pick(NAMES));
  const opcode = pick(OPCODES);
  // INIT and DESTROY would end most of what came before.
  const sent =
    (opcode === OPCODE.INIT || opcode === OPCODE.DESTROY) && random(400) > 0 ? OPCODE.GETATTR : opcode;
  const parts: (bigint | number | string | Uint8Array)[] = [];
  for (let count = random(12); count > 0; count--)
    parts.push(random(2) ? number() : Number(number() & 0xffff_ffffn));
  // Arguments that lead to a name often enough: 0, 8 or 16 bytes, then names.
  if (random(2)) {
    parts.length = 0;
    const mode = () =>
      pick([0o100644, 0o040755, 0o020666, 0o120777, 0o010600, 0, 0xffff_ffff, random(65_536)]);
    const lead = pick([0, 2, 4]);
    for (let count = 0; count < lead; count++) parts.push(random(2) ? mode() : Number(pick(nodes)));
    parts.push(name());
    if (random(2)) parts.push(name());
  }
  const names = [OPCODE.RENAME, OPCODE.RENAME2, OPCODE.LINK] as readonly number[];
  if (random(2) && names.includes(sent)) {
    parts.length = 0;
    parts.push(
      random(2) ? 1n : pick(nodes),
      ...(sent === OPCODE.RENAME2 ? [random(8), 0] : []),
      name(),
      name(),
    );
  } else if (random(2) && (sent === OPCODE.WRITE || sent === OPCODE.SETXATTR)) {
    parts.length = 0;
    const data = Buffer.alloc(random(5000), random(256));
    const size = random(4) ? data.length : random(10_000);
    if (sent === OPCODE.WRITE) parts.push(0n, number(), size, random(8), 0n, 0, 0, data);
    else parts.push(size, random(4), pick(NAMES), data);
  } else if (random(3) === 0) parts.push(Buffer.alloc(random(5000), random(256)));
  const body = pack(...parts);
  const node = random(8) === 0 ? number() : random(2) ? 1n : pick(nodes);
  const length = random(40) === 0 ? Number(number() & 0xffff_ffffn) : IN_HEADER + body.length;
  const whole = Buffer.concat([pack(length, sent, 77n, node, random(3), random(3), 1, 0), body]);
  if (random(30) === 0)
    for (let count = random(8); count > 0; count--) whole[random(whole.length)] = random(256);
  return random(40) === 0 ? whole.subarray(0, random(whole.length)) : whole;
}

/** Sends requests; every reply must be well formed and keep to its place. */
async function attack(server: FuseServer, seed: number, count: number): Promise<Map<string, number>> {
  const random = randomNumbers(seed);
  const init = Buffer.concat([
    pack(80, OPCODE.INIT, 1n, 0n, 0, 0, 1, 0),
    pack(7, 41, 0, 0xffff_ffff),
    Buffer.alloc(24),
  ]);
  const seen = new Map<string, number>();
  const output = Buffer.alloc(1 << 14);
  let nodes = [1n];
  for (let index = 0; index < count; index++) {
    const bytes = index % 1000 === 0 ? init : makeRequest(random, nodes);
    if (bytes === init) nodes = [1n];
    const room = random(4) === 0 ? random(200) : output.length;
    output.fill(0xee, 0, room);
    const piece = random(4) === 0 ? 1 + random(100) : 4096;
    const sent = Buffer.from(bytes);
    const answer = server.handle(scatter(sent, piece), scatter(output.subarray(0, room), piece));
    // A lock that is waited for may never be answered.
    if (typeof answer !== 'number') continue;
    if (answer === 0) continue;
    expect(answer).toBeGreaterThanOrEqual(OUT_HEADER);
    expect(answer).toBeLessThanOrEqual(room);
    const reply = parseReply(output.subarray(0, answer));
    if (bytes.length >= 16) expect(reply.unique).toBe(bytes.readBigUInt64LE(8));
    if (bytes.length >= 8 && reply.error !== 'ok') expect(reply.payload).toHaveLength(0);
    // What lies behind the reply is not the server's, but for the file data that a failed read had begun with.
    if (answer < room && output[answer] !== 0xee) expect(reply.error).not.toBe('ok');
    const opcode = bytes.length >= 8 ? bytes.readUInt32LE(4) : -1;
    // Nodes that the server has told of, now and then.
    if (reply.payload.length >= 128) nodes.push(reply.payload.readBigUInt64LE(0));
    if (nodes.length > 20) nodes.splice(1 + random(nodes.length - 1), 1);
    const key = `${opcode} ${reply.error}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return seen;
}

const folder = mkdtempSync(join(tmpdir(), 'hypertab-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What makes it worth something: most kinds of requests have succeeded at times. */
function expectSuccesses(seen: Map<string, number>): void {
  const { LOOKUP, GETATTR, SETATTR, MKNOD, MKDIR, READ, WRITE, RENAME, UNLINK, READDIR, SETXATTR, LINK } =
    OPCODE;
  for (const opcode of [
    LOOKUP,
    GETATTR,
    SETATTR,
    MKNOD,
    MKDIR,
    READ,
    WRITE,
    RENAME,
    UNLINK,
    READDIR,
    LINK,
    SETXATTR,
  ]) {
    expect(seen.get(`${opcode} ok`) ?? 0, `opcode ${opcode} never succeeded`).toBeGreaterThan(0);
  }
}

describe('hostile requests are answered and do no harm', () => {
  it('to a memory tree', async () => {
    const tree = new MemoryTree({ capacity: 1 << 22 });
    const seen = await attack(new FuseServer(tree), SEED, REQUESTS);
    expectSuccesses(seen);
    expect(tree.statistics().blocksFree).toBeGreaterThanOrEqual(0);
  });

  it('to a tree with shared locks', async () => {
    const locks = {
      posix: new FileLocks<object & { number: number }>(),
      flock: new FileLocks<object & { number: number }>(),
    };
    const tree: FileSystem = new MemoryTree({ capacity: 1 << 22, sharing: 'shared' });
    await attack(new FuseServer(tree, { locks }), SEED + 1, REQUESTS);
  });

  it('to a host directory, and nothing outside it changes', async () => {
    const outside = join(folder, 'outside');
    const share = join(folder, 'share');
    mkdirSync(outside);
    mkdirSync(share);
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync('../outside', join(share, 'link'));
    symlinkSync('../outside/secret', join(share, 'd'));
    const tree = new HostDirectory(share);
    // Sparse files of terabytes are the guest's right, but not to be left lying about.
    const seen = await attack(new FuseServer(tree), SEED + 2, REQUESTS);
    expectSuccesses(seen);
    tree.close();
    expect(readdirSync(folder).sort()).toEqual(['outside', 'share']);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });
});
