import { EngineError } from '../engine/engine-error.ts';
import { DockerExit } from './docker-error.ts';
import type { DockerCall } from './docker-task.ts';
import { pipe } from './pipe.ts';

/** A side of `docker cp`: a path in a container, a path here, or `-` for an archive. */
interface Side {
  container?: string;
  path: string;
}

function sideOf(text: string): Side {
  if (text === '-') return { path: '-' };
  const colon = text.indexOf(':');
  // A path with a colon in it is written with a slash or a dot before.
  if (colon < 0 || /^[./]/.test(text)) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) || '/' };
}

const baseOf = (path: string) => path.replace(/\/+$/, '').replace(/^.*\//, '');
const parentOf = (path: string) => path.replace(/\/+$/, '').replace(/\/?[^/]*$/, '') || '/';

/** `docker cp`: whether a name is kept or replaced is decided as cp(1) does. */
export async function copyFiles(call: DockerCall): Promise<number> {
  const [from, to] = call.flags.words.map(sideOf) as [Side, Side];
  if ((from.container === undefined) === (to.container === undefined)) {
    throw new DockerExit(
      1,
      from.container === undefined
        ? 'must specify at least one container source'
        : 'copying between containers is not supported',
    );
  }
  if (from.container !== undefined) await copyOut(call, from as Required<Side>, to.path);
  else await copyIn(call, from.path, to as Required<Side>);
  return 0;
}

async function copyOut({ engine, io }: DockerCall, from: Required<Side>, to: string): Promise<void> {
  if (to === '-') return engine.getArchive(from.container, from.path, (bytes) => io.stdout(bytes));
  const files = io.files ?? refuse();
  const path = io.absolutePath(to);
  const kind = await files.kind(path);
  const contents = /\/\.$/.test(from.path);
  const stream = pipe((write) => engine.getArchive(from.container, from.path, write));
  if (kind === 'directory') {
    await files.unpack(path, stream, contents ? '.' : undefined);
    return;
  }
  if (to.endsWith('/')) throw new DockerExit(1, `destination directory "${to}" does not exist`);
  if ((await files.kind(parentOf(path))) !== 'directory') {
    throw new DockerExit(1, `invalid output path: directory "${parentOf(path)}" does not exist`);
  }
  await files.unpack(parentOf(path), stream, baseOf(path));
}

async function copyIn({ engine, io }: DockerCall, from: string, to: Required<Side>): Promise<void> {
  if (from === '-') return engine.putArchive(to.container, to.path, io.stdin());
  const files = io.files ?? refuse();
  const path = io.absolutePath(from);
  const kind = await files.kind(path);
  if (kind === undefined) throw new DockerExit(1, `lstat ${path}: no such file or directory`);
  const contents = /(^|\/)\.$/.test(from) && kind === 'directory';
  try {
    await engine.putArchive(to.container, to.path, files.pack(path, contents ? '.' : baseOf(path)));
  } catch (error) {
    // What is not a directory there is the name that the copy gets.
    const missing =
      error instanceof EngineError && error.status === 404 && error.message.startsWith('Could not find');
    if (!missing || to.path.endsWith('/')) throw error;
    await engine.putArchive(to.container, parentOf(to.path), files.pack(path, baseOf(to.path)));
  }
}

function refuse(): never {
  throw new DockerExit(1, 'there are no files here to copy from or to: use - for an archive');
}
