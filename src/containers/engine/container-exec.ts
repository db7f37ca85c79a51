import type { AgentProcess } from './agent-types.ts';
import type { Container } from './container.ts';
import { newId } from './container-names.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { startError } from './container-runtime.ts';
import { EngineError } from './engine-error.ts';
import type { ExecCreate, ExecSession } from './engine-types.ts';
import { environmentOf, processOf } from './runtime-spec.ts';

type Listener = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void | Promise<void>;

/** Runs another process in a container that runs. */
export async function execIn(
  container: Container,
  runtime: ContainerRuntime,
  config: ExecCreate,
): Promise<ExecSession> {
  const { settings, id } = container;
  const { Tty = false, AttachStdin = false } = config;
  const user = await runtime.findUser(id, config.User ?? settings.User, settings.HostConfig.GroupAdd);
  const process = processOf(settings, user, {
    args: config.Cmd,
    env: environmentOf({ ...settings, Tty, Env: [...settings.Env, ...(config.Env ?? [])] }, user),
    cwd: config.WorkingDir ?? settings.WorkingDir,
    terminal: Tty,
  });
  const listeners = new Set<Listener>();
  // What came before anybody listened.
  let early: [stream: 'stdout' | 'stderr', bytes: Uint8Array][] | undefined = [];
  let running: AgentProcess;
  let begun = () => {};
  void runtime.quiet.during(() => {
    return new Promise<void>((resolve) => {
      begun = resolve;
    });
  });
  const exit = new Promise<number>((resolve, reject) => {
    running = runtime.exec(id, process, AttachStdin, {
      output: (stream, bytes) => {
        if (config.Detach) return undefined;
        if (early !== undefined) {
          early.push([stream, bytes]);
          return undefined;
        }
        const pending = [...listeners].flatMap((listener) => listener(stream, bytes) ?? []);
        return pending.length === 0 ? undefined : Promise.allSettled(pending).then(() => {});
      },
      started: () => begun(),
      exited: ({ started, code, why }) => {
        begun();
        if (started) resolve(code);
        else why().then((reason) => reject(execError(reason)), reject);
      },
      failed: (error) => {
        begun();
        reject(new EngineError(500, error.message, { cause: error }));
      },
    });
  });
  exit.catch(() => {});
  return {
    id: newId(),
    exit,
    onOutput: (listener) => {
      listeners.add(listener);
      for (const [stream, bytes] of early ?? []) void listener(stream, bytes);
      early = undefined;
      return () => void listeners.delete(listener);
    },
    write: (bytes) => running.write(bytes),
    end: () => running.end(),
    resize: (columns, rows) => running.resize(columns, rows),
  };
}

function execError(reason: string): EngineError {
  const { code } = startError(reason);
  return new EngineError(
    code === 128 ? 500 : 400,
    `OCI runtime exec failed: exec failed: crun: ${reason}: unknown`,
  );
}
