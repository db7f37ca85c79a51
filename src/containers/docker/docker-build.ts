// `docker build` and `docker commit`: images made by containers.
import type { ContainerEngine } from '../engine/engine.ts';
import type { BuildOptions, BuildRunner } from '../images/build/build-types.ts';
import { parseDockerfile } from '../images/build/dockerfile.ts';
import { applySetting } from '../images/build/image-settings.ts';
import type { ImageConfig, Images } from '../images/types.ts';
import { DockerExit } from './docker-error.ts';
import type { DockerCall } from './docker-task.ts';
import { pipe } from './pipe.ts';

/** Images that can be made, of those that commands work with. */
type Makers = Pick<Images, 'build' | 'commit' | 'inspect'>;

function makersOf({ images }: DockerCall): Makers {
  if (images.build === undefined || images.commit === undefined) {
    throw new DockerExit(1, 'images cannot be made here: there is no store of them');
  }
  return images as Makers;
}

/** Runs the commands of RUN in containers of an engine. */
export function engineRunner(engine: ContainerEngine): BuildRunner {
  return async ({ image, command, env, config, onOutput, signal }) => {
    const { Id } = await engine.create({
      Image: image,
      Entrypoint: command.slice(0, 1),
      Cmd: command.slice(1),
      Env: env,
      User: config.User,
      WorkingDir: config.WorkingDir,
    });
    const remove = () => engine.remove(Id, { force: true, volumes: true });
    const stop = () => void remove().catch(() => {});
    signal?.addEventListener('abort', stop, { once: true });
    try {
      engine.attach(Id).onOutput((_, bytes) => onOutput(bytes));
      await engine.start(Id);
      const status = await engine.wait(Id);
      // The layer is read before the container goes.
      const pieces: Uint8Array[] = [];
      if (status === 0) await engine.layer(Id, (bytes) => void pieces.push(bytes.slice()));
      return {
        status,
        layer: (async function* () {
          yield* pieces;
        })(),
      };
    } finally {
      signal?.removeEventListener('abort', stop);
      if (!signal?.aborted) await remove();
    }
  };
}

/** `docker build`. */
export async function buildFrom(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const makers = makersOf(call);
  const [place = ''] = flags.words;
  const pairs = (name: string) =>
    Object.fromEntries(
      flags.list(name).map((text) => {
        const equals = text.indexOf('=');
        // Without a value it is that of the environment.
        return equals < 0
          ? [text, io.environment(text) ?? '']
          : [text.slice(0, equals), text.slice(equals + 1)];
      }),
    );
  const file = flags.value('file');
  const options: BuildOptions = {
    tags: flags.list('tag'),
    buildArgs: pairs('build-arg'),
    labels: pairs('label'),
    target: flags.value('target'),
    noCache: flags.has('no-cache'),
    pull: flags.has('pull'),
    runner: engineRunner(engine),
    ...(call.fetchImage === undefined ? {} : { fetchImage: (name) => call.fetchImage!(name, io) }),
  };
  if (place === '-') {
    const parts: Uint8Array[] = [];
    for await (const bytes of io.stdin()) parts.push(bytes);
    const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const isArchive =
      new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar' || bytes[0] === 0x1f;
    if (isArchive) options.context = { kind: 'archive', archive: bytes, name: 'the build context' };
    else options.dockerfileText = new TextDecoder().decode(bytes);
    if (isArchive) options.dockerfile = file;
  } else if (io.openFolder !== undefined) {
    options.context = { ...(await io.openFolder(place)), readonly: true };
    if (file !== undefined) options.dockerfile = file;
  } else {
    options.context = { kind: 'directory', path: io.absolutePath(place), readonly: true };
    if (file !== undefined) options.dockerfileText = await io.readText(io.absolutePath(file));
  }
  const quiet = flags.has('quiet');
  const writes: (void | Promise<void>)[] = [];
  const id = await makers.build({
    ...options,
    onProgress: ({ stream, status, id: layer }) => {
      if (quiet) return;
      const text =
        stream ?? (status === undefined ? '' : `${layer === undefined ? '' : `${layer}: `}${status}\n`);
      writes.push(io.stdout(text));
    },
  });
  await Promise.all(writes);
  if (quiet) await io.stdout(`${id}\n`);
  return 0;
}

/** `docker commit`. */
export async function commitContainer(call: DockerCall): Promise<number> {
  const { engine, flags, io } = call;
  const makers = makersOf(call);
  const [name = '', reference] = flags.words;
  const { State, Config, Image } = engine.inspect(name);
  const pause = flags.value('pause') !== 'false' && State.Running && !State.Paused;
  const image = await makers.inspect(Image);
  let config: ImageConfig = {
    architecture: image.Architecture,
    os: image.Os,
    rootfs: { type: 'layers', diff_ids: image.RootFS.Layers },
    config: {
      ...image.Config,
      User: Config.User,
      Env: Config.Env,
      Entrypoint: Config.Entrypoint,
      Cmd: Config.Cmd,
      WorkingDir: Config.WorkingDir,
      Labels: Config.Labels,
    },
  };
  for (const change of flags.list('change')) {
    for (const instruction of parseDockerfile(change).instructions) {
      const variables = new Map<string, string>();
      const changed = applySetting(instruction, config, { variables, escapeSign: '\\', cmdIsSet: true });
      if (changed === undefined) throw new DockerExit(1, `${instruction.name} is not a valid change command`);
      config = { ...config, config: { ...config.config, ...changed.config } };
    }
  }
  if (pause) await engine.pause(name);
  try {
    const id = await makers.commit(
      Image,
      pipe((write) => engine.layer(name, write)),
      {
        reference,
        config: config.config,
        author: flags.value('author'),
        comment: flags.value('message'),
        createdBy: [...Config.Entrypoint, ...Config.Cmd].join(' '),
      },
    );
    await io.stdout(`${id}\n`);
    return 0;
  } finally {
    if (pause) await engine.unpause(name);
  }
}
