import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentClient } from '../../../src/containers/engine/agent-client.ts';
import {
  AgentLostError,
  FRAME_MAX,
  FrameDecoder,
  HEADER_BYTES,
  INPUT_WINDOW,
  PayloadReader,
  PayloadWriter,
  PROTOCOL_VERSION,
  REPLY,
  REQUEST,
  SPAWN_FOLLOW,
  SPAWN_STAYS,
  WINDOW,
} from '../../../src/containers/engine/agent-protocol.ts';

/** An agent played by the test: what it was asked, and what it says. */
function setUp() {
  const decoder = new FrameDecoder();
  const asked: { call: number; kind: number; reader: PayloadReader }[] = [];
  let listener: (bytes: Uint8Array) => void = () => {};
  let broken = false;
  const client = new AgentClient({
    write: (bytes) => {
      for (const { call, kind, payload } of decoder.push(bytes)) {
        asked.push({ call, kind, reader: new PayloadReader(payload) });
      }
    },
    onData: (hear) => {
      listener = hear;
    },
    onBroken: () => {
      broken = true;
    },
  });
  const say = (call: number, kind: number, payload = new PayloadWriter()) =>
    listener(payload.frame(call, 0, kind));
  const hear = (bytes: Uint8Array) => listener(bytes);
  const next = (kind: number) => {
    const found = asked.shift();
    expect(found?.kind).toBe(kind);
    return found!;
  };
  // What it says first is the time.
  const { reader } = next(REQUEST.GREET);
  const nanoseconds = reader.u32() + reader.u32() * 2 ** 32;
  expect(Math.abs(nanoseconds / 1e6 - Date.now())).toBeLessThan(60_000);
  return { client, asked, say, hear, next, isBroken: () => broken };
}

const spawned = { program: '/bin/x', arguments: ['x'] };
const silent = { output: () => {}, exited: () => {}, failed: () => {} };

describe('the protocol of the container host', () => {
  it('has the same numbers on both sides', () => {
    const header = readFileSync(
      new URL('../../../guests/container-host/agent/wire.h', import.meta.url),
      'utf8',
    );
    const defined = (name: string) => {
      const text = new RegExp(`^#define ${name} (.+?)\\s*(//.*)?$`, 'm').exec(header)?.[1];
      return text === undefined
        ? undefined
        : text
            .replace(/[()]/g, '')
            .split('*')
            .reduce((product, part) => product * Number(part), 1);
    };
    for (const [name, value] of Object.entries({ ...REQUEST, ...REPLY }))
      expect([name, defined(name)]).toEqual([name, value]);
    const others = {
      PROTOCOL_VERSION,
      HEADER_BYTES,
      FRAME_MAX,
      WINDOW,
      INPUT_WINDOW,
      SPAWN_FOLLOW,
      SPAWN_STAYS,
    };
    for (const [name, value] of Object.entries(others)) expect([name, defined(name)]).toEqual([name, value]);
  });

  it('finds the frames in a stream, however it is cut', () => {
    const frames = fc.array(
      fc.record({
        call: fc.nat(),
        kind: fc.integer({ min: 0, max: 255 }),
        bytes: fc.uint8Array({ maxLength: 40 }),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 })), (sent, cuts) => {
        const all = sent.flatMap(({ call, kind, bytes }) => [
          ...new PayloadWriter().bytes(bytes).frame(call, 0, kind),
        ]);
        const decoder = new FrameDecoder();
        const found = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          found.push(...decoder.push(Uint8Array.from(all.slice(at, at + cut))));
          at += cut;
        }
        expect(found.map(({ call, kind, payload }) => ({ call, kind, bytes: [...payload] }))).toEqual(
          sent.map(({ call, kind, bytes }) => ({ call, kind, bytes: [...bytes] })),
        );
      }),
    );
  });

  it('refuses strings that no system call takes, and requests that are too long', () => {
    expect(() => new PayloadWriter().string('a\0b')).toThrow(TypeError);
    expect(() => new PayloadWriter().bytes(new Uint8Array(FRAME_MAX)).frame(1, 0, 1)).toThrow(RangeError);
  });
});

describe('calls to the agent', () => {
  it('are answered each by its own answer, in whatever order', async () => {
    const { client, say, next } = setUp();
    const first = client.makeDirectory('/a');
    const second = client.list('/b');
    const [one, two] = [next(REQUEST.MAKE_DIRECTORY), next(REQUEST.LIST)];
    expect(one.reader.string()).toBe('/a');
    say(two.call, REPLY.ANSWER, new PayloadWriter().bytes(Uint8Array.of(4)).string('name'));
    say(one.call, REPLY.ERROR, new PayloadWriter().u32(2));
    expect(await second).toEqual([{ type: 4, name: 'name' }]);
    await expect(first).rejects.toMatchObject({ code: 'ENOENT', message: 'mkdir /a: ENOENT' });
  });

  it('of a batch tell the error that came first, not that the others were left out', async () => {
    const { client, say, next } = setUp();
    const done = client.batch().makeDirectory('/a').makeDirectory('/b').done();
    const [one, two] = [next(REQUEST.MAKE_DIRECTORY), next(REQUEST.MAKE_DIRECTORY)];
    say(one.call, REPLY.ERROR, new PayloadWriter().u32(28));
    say(two.call, REPLY.ERROR, new PayloadWriter().u32(125));
    await expect(done).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('read files in pieces, and no more than was asked for', async () => {
    const { client, say, next } = setUp();
    const read = client.readFile('/big', { limit: 100_000 });
    for (let piece = 0; piece < 3; piece++) {
      await expect.poll(() => true).toBe(true);
      say(next(REQUEST.READ_FILE).call, REPLY.ANSWER, new PayloadWriter().bytes(new Uint8Array(48 * 1024)));
      await Promise.resolve();
    }
    await expect(read).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it('end with the host, and so do later ones', async () => {
    const { client } = setUp();
    const call = client.list('/');
    const ended: unknown[] = [];
    client.spawn(spawned, { ...silent, failed: (error) => ended.push(error) });
    const gone = new AgentLostError('gone');
    client.lose(gone);
    client.spawn(spawned, { ...silent, failed: (error) => ended.push(error) });
    await expect(call).rejects.toBe(gone);
    await expect(client.list('/')).rejects.toBe(gone);
    await expect(client.ready).rejects.toBe(gone);
    expect(ended).toEqual([gone, gone]);
  });

  it('of an agent that speaks nonsense end in a host that is given up, never in more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 60 }),
            fc
              .tuple(
                fc.integer({ min: 0, max: 4 }),
                fc.constantFrom(...Object.values(REPLY), 0, 77),
                fc.uint8Array({ maxLength: 20 }),
              )
              .map(([call, kind, bytes]) => new PayloadWriter().bytes(bytes).frame(call, 0, kind)),
          ),
          { maxLength: 20 },
        ),
        async (said) => {
          const { client, hear, isBroken } = setUp();
          const calls = [client.list('/'), client.makeDirectory('/a'), client.readFile('/x')];
          client.spawn(spawned, silent);
          for (const bytes of said) hear(bytes);
          client.lose(new AgentLostError('the end'));
          for (const result of await Promise.allSettled(calls)) {
            if (result.status === 'rejected')
              expect(['AgentError', 'AgentLostError']).toContain(result.reason.name);
          }
          expect(typeof isBroken()).toBe('boolean');
        },
      ),
    );
  });

  it('know an agent of another version by its greeting', async () => {
    const { client, say, isBroken } = setUp();
    say(0, REPLY.HELLO, new PayloadWriter().u32(PROTOCOL_VERSION + 1));
    await expect(client.ready).rejects.toThrow('hypertab guest prepare container-host');
    expect(isBroken()).toBe(true);
  });
});

describe('a process in the container host', () => {
  it('is told of with its output, its start and its end', () => {
    const { client, say, next } = setUp();
    const told: unknown[] = [];
    client.spawn(
      { ...spawned, follow: '/pid' },
      {
        output: (stream, bytes) => void told.push([stream, ...bytes]),
        started: (process) => told.push(process),
        exited: (exit) => told.push(exit),
        failed: (error) => told.push(error),
      },
    );
    const { call } = next(REQUEST.SPAWN);
    say(call, REPLY.STARTED, new PayloadWriter().u32(42));
    say(call, REPLY.OUTPUT, new PayloadWriter().bytes(Uint8Array.of(2, 7, 8)));
    say(call, REPLY.EXITED, new PayloadWriter().bytes(Uint8Array.of(1)).u32(9));
    say(call, REPLY.OUTPUT, new PayloadWriter().bytes(Uint8Array.of(1, 1)));
    expect(told).toEqual([42, ['stderr', 7, 8], { started: true, code: 137 }]);
  });

  it('gets no more input than it has room for, and its end after all of it', async () => {
    const { client, asked, say, next } = setUp();
    const process = client.spawn({ ...spawned, input: true }, silent);
    const { call } = next(REQUEST.SPAWN);
    const sent = Uint8Array.from({ length: 3 * INPUT_WINDOW }, (_, index) => index);
    let written = false;
    const done = process.write(sent).then(() => {
      written = true;
    });
    process.end();
    const got: number[] = [];
    while (got.length < sent.length) {
      let room = 0;
      while (asked[0]?.kind === REQUEST.INPUT) {
        const { reader } = next(REQUEST.INPUT);
        expect(reader.u32()).toBe(call);
        const bytes = reader.rest();
        room += bytes.length;
        got.push(...bytes);
      }
      expect(room).toBeGreaterThan(0);
      expect(room).toBeLessThanOrEqual(INPUT_WINDOW);
      if (got.length < sent.length) expect(written).toBe(false);
      say(call, REPLY.ACCEPTED, new PayloadWriter().u32(room));
    }
    await done;
    expect(Uint8Array.from(got)).toEqual(sent);
    next(REQUEST.END_INPUT);
    expect(asked).toEqual([]);
  });

  it('has its output held back until it was taken', async () => {
    const { client, asked, say, next } = setUp();
    let take = () => {};
    const output = () =>
      new Promise<void>((resolve) => {
        take = resolve;
      });
    client.spawn(spawned, { ...silent, output });
    const { call } = next(REQUEST.SPAWN);
    say(call, REPLY.OUTPUT, new PayloadWriter().bytes(Uint8Array.of(1, 5, 5, 5)));
    await Promise.resolve();
    expect(asked).toEqual([]);
    take();
    await expect.poll(() => asked.length).toBe(1);
    const { reader } = next(REQUEST.CREDIT);
    expect([reader.u32(), reader.u32()]).toEqual([call, 3]);
  });
});
