// Files that go into containers and come out of them: always below the container's root, by a tar of ours.
import type { Container } from './container.ts';
import { type ContainerRuntime, placesOf } from './container-runtime.ts';
import { EngineError } from './engine-error.ts';
import type { FilesystemChange } from './engine-types.ts';
import { normalize } from './volume-store.ts';

const ERROR_BYTES = 4096;

interface Run {
  command: string[];
  input?: AsyncIterable<Uint8Array>;
  onData?: (bytes: Uint8Array) => void | Promise<void>;
}

/** Runs a program of BusyBox's below a container's root; answers its status and what it had to say. */
function run(container: Container, runtime: ContainerRuntime, { command, input, onData }: Run) {
  return new Promise<{ code: number; errors: string }>((resolve, reject) => {
    let errors = '';
    const decoder = new TextDecoder();
    const { Pid } = container.state;
    const process = runtime.runBelow(container.id, Pid, command, input !== undefined, {
      output: (stream, bytes) => {
        if (stream === 'stdout') return onData?.(bytes);
        if (errors.length < ERROR_BYTES) errors += decoder.decode(bytes, { stream: true });
      },
      exited: ({ code }) => resolve({ code, errors: errors.trim() }),
      failed: (error) => reject(new EngineError(500, error.message, { cause: error })),
    });
    if (input === undefined) return;
    (async () => {
      for await (const bytes of input) await process.write(bytes);
      process.end();
    })().catch((error) => {
      process.end();
      reject(error);
    });
  });
}

/** A path in two: the directory it is in, and its name there. */
function split(path: string): { directory: string; name: string } {
  const whole = normalize(path);
  const slash = whole.lastIndexOf('/');
  return { directory: whole.slice(0, slash) || '/', name: whole.slice(slash + 1) || '.' };
}

/** @throws {EngineError} 404 when there is no such file */
export async function copyOut(
  container: Container,
  runtime: ContainerRuntime,
  path: string,
  onData: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { directory, name } = split(path);
  const gone = () => new EngineError(404, `Could not find the file ${path} in container ${container.name}`);
  const there = await run(container, runtime, { command: ['ls', '-d', normalize(path)] });
  if (there.code !== 0) throw gone();
  const command = ['tar', '-cf', '-', '-C', directory, '--', name];
  const { code, errors } = await run(container, runtime, { command, onData });
  if (code !== 0) throw new EngineError(500, `cannot read ${path}: ${errors}`);
}

/** @throws {EngineError} 404 when there is no such directory, 400 for an archive that cannot be unpacked */
export async function copyIn(
  container: Container,
  runtime: ContainerRuntime,
  path: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  const directory = normalize(path);
  const there = await run(container, runtime, { command: ['ls', '-d', `${directory}/.`] });
  if (there.code !== 0) {
    throw new EngineError(404, `Could not find the file ${path} in container ${container.name}`);
  }
  const { code, errors } = await run(container, runtime, {
    command: ['tar', '-xpf', '-', '-C', directory],
    input: archive,
  });
  if (code !== 0) throw new EngineError(400, `cannot write to ${path}: ${errors}`);
}

/** A path a line: what is in the upper directory, whether it hides something, whether it is below too. */
const CHANGES = `cd "$1" || exit; shift
find . -mindepth 1 | while IFS= read -r path; do
  below=A
  for layer; do
    if [ -e "$layer/$path" ] || [ -L "$layer/$path" ]; then below=C; break; fi
  done
  if [ -c "$path" ] && [ $below = C ]; then below=D; fi
  echo "$below $path"
done`;

/** What a container has written on top of its image. */
export async function listChanges(
  { id, image }: Container,
  runtime: ContainerRuntime,
): Promise<FilesystemChange[]> {
  const layers = await runtime.layerPlaces(image.diffIds);
  const text = await new Promise<string>((resolve, reject) => {
    let all = '';
    const decoder = new TextDecoder();
    runtime.host.agent.spawn(
      {
        program: '/usr/bin/busybox',
        arguments: ['sh', '-c', CHANGES, 'sh', placesOf(id).upper, ...layers],
        environment: ['PATH=/usr/bin'],
      },
      {
        output: (stream, bytes) => {
          if (stream === 'stdout') all += decoder.decode(bytes, { stream: true });
        },
        exited: () => resolve(all),
        failed: (error) => reject(new EngineError(500, error.message, { cause: error })),
      },
    );
  });
  return text
    .split('\n')
    .flatMap((line): FilesystemChange[] => {
      const match = /^([ACD]) \.(\/.+)$/.exec(line);
      if (match === null) return [];
      return [{ Kind: match[1] === 'A' ? 1 : match[1] === 'D' ? 2 : 0, Path: match[2]! }];
    })
    .sort((a, b) => (a.Path < b.Path ? -1 : 1));
}
