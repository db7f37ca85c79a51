import { EngineError } from '../engine/engine-error.ts';
import type { AttachedStreams } from '../engine/engine-types.ts';
import { ImageStoreError } from '../images/image-store-error.ts';
import { formatReference, parseReference } from '../images/reference.ts';
import { DetachWatch, parseDetachKeys } from './detach-keys.ts';
import { DockerExit, daemonError } from './docker-error.ts';
import { silent } from './docker-io.ts';
import { createOptions, environment } from './docker-run-options.ts';
import type { DockerCall } from './docker-task.ts';

const STATUS_DAEMON = 125;
const STATUS_NOT_EXECUTABLE = 126;
const STATUS_NOT_FOUND = 127;

/** Makes the container that the flags ask for; fetches its image where it is not there. */
export async function createContainer(call: DockerCall): Promise<string> {
  const { engine, flags, io, command } = call;
  const options = await createOptions(command, flags, io);
  const name = flags.value('name');
  try {
    const make = () => engine.create(options, name === undefined ? {} : { name });
    let made: Awaited<ReturnType<typeof make>>;
    if (flags.value('pull') === 'always') await fetchImage(call, options.Image, { isThere: true });
    try {
      made = await make();
    } catch (error) {
      if (!isMissingImage(error) || flags.value('pull') === 'never') throw error;
      await fetchImage(call, options.Image);
      made = await make();
    }
    for (const warning of made.Warnings) await io.stderr(`WARNING: ${warning}\n`);
    const file = flags.value('cidfile');
    if (file !== undefined) await io.writeText(file, made.Id);
    return made.Id;
  } catch (error) {
    throw refused(call, error);
  }
}

const isMissingImage = (error: unknown) => error instanceof ImageStoreError && error.code === 'not-found';

async function fetchImage(call: DockerCall, image: string, { isThere = false } = {}): Promise<void> {
  const { images, fetchImage } = call;
  const io = call.flags.has('quiet') ? silent(call.io) : call.io;
  const reference = formatReference(parseReference(image));
  if (!isThere) await io.stderr(`Unable to find image '${reference}' locally\n`);
  if (fetchImage !== undefined) return fetchImage(image, io);
  await images.pull(image, {
    onProgress: ({ id, status, progressDetail }) => {
      if (status !== undefined && progressDetail === undefined) {
        void io.stderr(`${id === undefined ? '' : `${id}: `}${status}\n`);
      }
    },
  });
}

/** What `docker run` and `docker create` say of an error, with the status that goes with it. */
function refused({ command }: DockerCall, error: unknown): DockerExit {
  if (error instanceof DockerExit) return error;
  const message = error instanceof Error ? error.message : String(error);
  const runtime = message.includes('OCI runtime');
  const status =
    command !== 'run'
      ? 1
      : runtime && /not found|no such file/i.test(message)
        ? STATUS_NOT_FOUND
        : runtime && /permission denied|not executable|is a directory/i.test(message)
          ? STATUS_NOT_EXECUTABLE
          : STATUS_DAEMON;
  const text = `docker: ${daemonError(error)}`;
  return new DockerExit(
    status,
    command === 'run' ? `${text}\n\nRun 'docker run --help' for more information` : daemonError(error),
  );
}

/** `docker run`. */
export async function runRun(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const detach = flags.has('detach');
  const [tty, interactive] = [flags.has('tty'), flags.has('interactive')];
  if (detach && !call.lasting) {
    throw new DockerExit(
      STATUS_DAEMON,
      'docker: a container cannot go on after this command, whose container host ends with it: run `hypertab serve` in another terminal first, and then this again',
    );
  }
  if (tty && interactive && !detach && !io.stdinIsTerminal)
    throw new DockerExit(1, 'the input device is not a TTY');
  const id = await createContainer(call);
  if (detach) {
    try {
      await engine.start(id);
    } catch (error) {
      throw refused(call, error);
    }
    await io.stdout(`${id}\n`);
    return 0;
  }
  const removed = flags.has('rm') ? engine.wait(id, 'removed') : undefined;
  const exit = engine.wait(id, 'next-exit');
  const session = connect(call, engine.attach(id), {
    tty,
    interactive,
    resize: (c, r) => engine.resize(id, c, r),
  });
  const proxy = tty ? () => {} : io.onSignal((signal) => void engine.kill(id, signal).catch(() => {}));
  try {
    await engine.start(id).catch(async (error: unknown) => {
      if (flags.has('rm')) await engine.remove(id, { volumes: true }).catch(() => {});
      throw refused(call, error);
    });
    session.begin();
    const status = await Promise.race([exit, session.detached]);
    await session.flushed();
    if (status === DETACHED) return 0;
    if (engine.list({ all: true }).some(({ Id, State }) => Id === id && State === 'dead')) {
      throw new DockerExit(
        STATUS_DAEMON,
        `docker: ${daemonError(new Error(engine.inspect(id).State.Error))}`,
      );
    }
    await removed;
    return status;
  } finally {
    proxy();
    session.end();
  }
}

/** `docker exec`. */
export async function runExec(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const [name, ...Cmd] = flags.words;
  const [tty, interactive] = [flags.has('tty'), flags.has('interactive')];
  if (tty && interactive && !io.stdinIsTerminal) throw new DockerExit(1, 'the input device is not a TTY');
  const session = await engine.exec(name!, {
    Cmd,
    Env: await environment(flags, io),
    Tty: tty,
    AttachStdin: interactive,
    Detach: flags.has('detach'),
    ...(flags.value('user') === undefined ? {} : { User: flags.value('user') }),
    ...(flags.value('workdir') === undefined ? {} : { WorkingDir: flags.value('workdir') }),
  });
  const attached = flags.has('detach')
    ? undefined
    : connect(call, session, { tty, interactive, resize: (c, r) => session.resize(c, r) });
  attached?.begin();
  try {
    if (flags.has('detach')) {
      // One that cannot be started is told of; one that runs is left alone.
      await Promise.race([session.exit, new Promise((resolve) => setTimeout(resolve, 200))]);
      return 0;
    }
    const status = await Promise.race([session.exit, attached!.detached]);
    await attached!.flushed();
    return status === DETACHED ? 0 : status;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const status = /not found|no such file/i.test(message)
      ? STATUS_NOT_FOUND
      : error instanceof EngineError && error.status === 400
        ? STATUS_NOT_EXECUTABLE
        : 1;
    throw new DockerExit(status, status === 1 ? daemonError(error) : message);
  } finally {
    attached?.end();
  }
}

/** `docker start`. */
export async function startContainers(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const { words } = flags;
  if (flags.has('attach') || flags.has('interactive')) {
    if (words.length > 1) throw new DockerExit(1, 'you cannot start and attach multiple containers at once');
    const { Id, Config } = engine.inspect(words[0]!);
    const exit = engine.wait(Id, 'next-exit');
    const session = connect(call, engine.attach(Id), {
      tty: Config.Tty ?? false,
      interactive: flags.has('interactive') && (Config.OpenStdin ?? false),
      resize: (c, r) => engine.resize(Id, c, r),
    });
    try {
      await engine.start(Id);
      session.begin();
      const status = await Promise.race([exit, session.detached]);
      await session.flushed();
      return status === DETACHED ? 0 : status;
    } finally {
      session.end();
    }
  }
  let status = 0;
  for (const name of words) {
    try {
      await engine.start(name).catch((error: unknown) => {
        if (!(error instanceof EngineError && error.status === 304)) throw error;
      });
      await io.stdout(`${name}\n`);
    } catch (error) {
      await io.stderr(`${daemonError(error)}\n`);
      status = 1;
    }
  }
  if (status !== 0) await io.stderr(`Error: failed to start containers: ${words.join(', ')}\n`);
  return status;
}

/** `docker attach`. */
export async function attachTo(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const { Id, State, Config } = engine.inspect(flags.words[0]!);
  if (State.Paused) throw new DockerExit(1, 'You cannot attach to a paused container, unpause it first');
  if (!State.Running) throw new DockerExit(1, 'You cannot attach to a stopped container, start it first');
  const tty = Config.Tty ?? false;
  const session = connect(call, engine.attach(Id), {
    tty,
    interactive: (Config.OpenStdin ?? false) && !flags.has('no-stdin'),
    resize: (c, r) => engine.resize(Id, c, r),
  });
  const proxy = tty ? () => {} : io.onSignal((signal) => void engine.kill(Id, signal).catch(() => {}));
  session.begin();
  try {
    const status = await Promise.race([engine.wait(Id, 'not-running'), session.detached]);
    await session.flushed();
    return status === DETACHED ? 0 : status;
  } finally {
    proxy();
    session.end();
  }
}

/** The user has gone away from a process that goes on. */
const DETACHED = Symbol('detached');

/** Joins a process's streams with the user's, until end(). */
function connect(
  { io, flags, lasting }: DockerCall,
  streams: AttachedStreams,
  how: { tty: boolean; interactive: boolean; resize(columns: number, rows: number): void },
) {
  let over = false;
  let last: Promise<unknown> = Promise.resolve();
  let detach: (what: typeof DETACHED) => void;
  const detached = new Promise<typeof DETACHED>((resolve) => {
    detach = resolve;
  });
  const asTerminal = how.tty && how.interactive && io.stdinIsTerminal;
  // Where all ends with the command, there is nothing to go away from.
  const keys =
    asTerminal && lasting ? new DetachWatch(parseDetachKeys(flags.value('detach-keys'))) : undefined;
  const cleanUps = [
    streams.onOutput((stream, bytes) => {
      const written = stream === 'stderr' ? io.stderr(bytes) : io.stdout(bytes);
      if (written instanceof Promise) last = written;
      return written;
    }),
  ];
  const resize = () => {
    const size = io.size();
    if (size !== undefined && size.columns > 0 && size.rows > 0) how.resize(size.columns, size.rows);
  };
  if (how.tty) {
    resize();
    cleanUps.push(io.onResize(resize));
  }
  return {
    /** The process runs: what is typed goes to it. */
    begin: () => {
      if (!how.interactive) return;
      if (asTerminal) cleanUps.push(io.raw());
      void (async () => {
        for await (const bytes of io.stdin()) {
          if (over) return;
          const typed = keys?.feed(bytes) ?? { data: bytes, detach: false };
          if (typed.data.length > 0) await streams.write(typed.data);
          if (typed.detach) return detach(DETACHED);
        }
        if (!over) streams.end();
      })().catch(() => streams.end());
    },
    detached,
    flushed: () => last,
    end: () => {
      over = true;
      for (const cleanUp of cleanUps) cleanUp();
    },
  };
}
