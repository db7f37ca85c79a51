// `docker …` in its own words: flags, tables, errors and exit status, on top of the engine.
import { EngineError } from '../engine/engine-error.ts';
import { buildFrom, commitContainer } from './docker-build.ts';
import { copyFiles } from './docker-copy.ts';
import { DockerExit, daemonError } from './docker-error.ts';
import { type Flags, type FlagTable, parseFlags } from './docker-flags.ts';
import { IMAGE_ALIASES, IMAGE_COMMANDS } from './docker-image.ts';
import { showPorts } from './docker-port.ts';
import { attachTo, createContainer, runExec, runRun, startContainers } from './docker-run.ts';
import { CREATE_FLAGS, RUN_FLAGS } from './docker-run-options.ts';
import { listContainers, showDiff, showInspect, showLogs, showStats, showTop } from './docker-show.ts';
import type { Command, DockerCall, DockerTask } from './docker-task.ts';
import { VOLUME_COMMANDS } from './docker-volume.ts';

export type { DockerCall, DockerTask } from './docker-task.ts';

const CONTAINERS = 'CONTAINER [CONTAINER...]';

/** Does one thing for each container named; goes on after an error, and prints the names that went well. */
const forEach =
  (action: (call: DockerCall, name: string) => Promise<unknown>) =>
  async (call: DockerCall): Promise<number> => {
    let status = 0;
    for (const name of call.flags.words) {
      try {
        const answer = await action(call, name);
        await call.io.stdout(`${typeof answer === 'number' ? answer : name}\n`);
      } catch (error) {
        await call.io.stderr(`${daemonError(error)}\n`);
        status = 1;
      }
    }
    return status;
  };

const unless304 = async (action: Promise<void>) => {
  await action.catch((error: unknown) => {
    if (!(error instanceof EngineError && error.status === 304)) throw error;
  });
};

const seconds = (flags: Flags) => {
  const text = flags.value('time') ?? flags.value('timeout');
  if (text === undefined) return {};
  if (!/^-?\d+$/.test(text)) throw new DockerExit(125, `invalid argument "${text}" for "-t, --time" flag`);
  return { timeout: Number(text) };
};

const STOP_FLAGS: FlagTable = { 'time,t': 'value', timeout: 'value', 'signal,s': 'value' };
const LIST_FLAGS: FlagTable = {
  ...{ 'all,a': 'flag', 'quiet,q': 'flag', 'no-trunc': 'flag', 'filter,f': 'list', format: 'value' },
  ...{ 'latest,l': 'flag', 'last,n': 'value', 'size,s': 'flag' },
};

const COMMANDS: Readonly<Record<string, Command>> = {
  run: {
    usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]',
    title: 'Create and run a new container from an image',
    flags: RUN_FLAGS,
    words: [0, Infinity],
    strict: true,
    run: runRun,
  },
  create: {
    usage: 'create [OPTIONS] IMAGE [COMMAND] [ARG...]',
    title: 'Create a new container',
    flags: CREATE_FLAGS,
    words: [0, Infinity],
    strict: true,
    run: async (call) => {
      await call.io.stdout(`${await createContainer(call)}\n`);
      return 0;
    },
  },
  exec: {
    usage: 'exec [OPTIONS] CONTAINER COMMAND [ARG...]',
    title: 'Execute a command in a running container',
    flags: {
      ...{
        'detach,d': 'flag',
        'env,e': 'list',
        'env-file': 'list',
        'interactive,i': 'flag',
        'tty,t': 'flag',
      },
      ...{ 'user,u': 'value', 'workdir,w': 'value', 'detach-keys': 'value' },
    },
    words: [2, Infinity],
    strict: true,
    run: runExec,
  },
  ps: {
    usage: 'ps [OPTIONS]',
    title: 'List containers',
    flags: LIST_FLAGS,
    words: [0, 0],
    run: listContainers,
  },
  start: {
    usage: `start [OPTIONS] ${CONTAINERS}`,
    title: 'Start one or more stopped containers',
    flags: { 'attach,a': 'flag', 'interactive,i': 'flag', 'detach-keys': 'value' },
    words: [1, Infinity],
    run: startContainers,
  },
  stop: {
    usage: `stop [OPTIONS] ${CONTAINERS}`,
    title: 'Stop one or more running containers',
    flags: STOP_FLAGS,
    words: [1, Infinity],
    run: forEach(({ engine, flags }, name) =>
      unless304(engine.stop(name, { ...seconds(flags), signal: flags.value('signal') })),
    ),
  },
  restart: {
    usage: `restart [OPTIONS] ${CONTAINERS}`,
    title: 'Restart one or more containers',
    flags: STOP_FLAGS,
    words: [1, Infinity],
    run: forEach(({ engine, flags }, name) => engine.restart(name, seconds(flags))),
  },
  kill: {
    usage: `kill [OPTIONS] ${CONTAINERS}`,
    title: 'Kill one or more running containers',
    flags: { 'signal,s': 'value' },
    words: [1, Infinity],
    run: forEach(({ engine, flags }, name) => engine.kill(name, flags.value('signal'))),
  },
  rm: {
    usage: `rm [OPTIONS] ${CONTAINERS}`,
    title: 'Remove one or more containers',
    flags: { 'force,f': 'flag', 'volumes,v': 'flag', 'link,l': 'flag' },
    words: [1, Infinity],
    run: forEach(({ engine, flags }, name) =>
      engine.remove(name, { force: flags.has('force'), volumes: flags.has('volumes') }),
    ),
  },
  pause: {
    usage: `pause ${CONTAINERS}`,
    title: 'Pause all processes within one or more containers',
    flags: {},
    words: [1, Infinity],
    run: forEach(({ engine }, name) => engine.pause(name)),
  },
  unpause: {
    usage: `unpause ${CONTAINERS}`,
    title: 'Unpause all processes within one or more containers',
    flags: {},
    words: [1, Infinity],
    run: forEach(({ engine }, name) => engine.unpause(name)),
  },
  wait: {
    usage: `wait ${CONTAINERS}`,
    title: 'Block until one or more containers stop, then print their exit codes',
    flags: {},
    words: [1, Infinity],
    run: forEach(({ engine }, name) => engine.wait(name)),
  },
  rename: {
    usage: 'rename CONTAINER NEW_NAME',
    title: 'Rename a container',
    flags: {},
    words: [2, 2],
    run: async ({ engine, flags }) => {
      engine.rename(flags.words[0]!, flags.words[1]!);
      return 0;
    },
  },
  attach: {
    usage: 'attach [OPTIONS] CONTAINER',
    title: 'Attach local standard input, output, and error streams to a running container',
    flags: { 'no-stdin': 'flag', 'sig-proxy': 'flag', 'detach-keys': 'value' },
    words: [1, 1],
    run: attachTo,
  },
  logs: {
    usage: 'logs [OPTIONS] CONTAINER',
    title: 'Fetch the logs of a container',
    flags: {
      ...{ 'follow,f': 'flag', since: 'value', until: 'value', 'tail,n': 'value', 'timestamps,t': 'flag' },
      details: 'flag',
    },
    words: [1, 1],
    run: showLogs,
  },
  inspect: {
    usage: 'inspect [OPTIONS] NAME|ID [NAME|ID...]',
    title: 'Return low-level information on Docker objects',
    flags: { 'format,f': 'value', type: 'value', 'size,s': 'flag' },
    words: [1, Infinity],
    run: showInspect,
  },
  top: {
    usage: 'top CONTAINER [ps OPTIONS]',
    title: 'Display the running processes of a container',
    flags: {},
    words: [1, Infinity],
    strict: true,
    run: showTop,
  },
  stats: {
    usage: 'stats [OPTIONS] [CONTAINER...]',
    title: 'Display a live stream of container(s) resource usage statistics',
    flags: { 'all,a': 'flag', 'no-stream': 'flag', 'no-trunc': 'flag' },
    words: [0, Infinity],
    run: showStats,
  },
  diff: {
    usage: 'diff CONTAINER',
    title: "Inspect changes to files or directories on a container's filesystem",
    flags: {},
    words: [1, 1],
    run: showDiff,
  },
  port: {
    usage: 'port CONTAINER [PRIVATE_PORT[/PROTO]]',
    title: 'List port mappings or a specific mapping for the container',
    flags: {},
    words: [1, 2],
    run: showPorts,
  },
  cp: {
    usage: 'cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-',
    title: 'Copy files/folders between a container and the local filesystem',
    flags: { 'archive,a': 'flag', 'follow-link,L': 'flag', 'quiet,q': 'flag' },
    words: [2, 2],
    run: copyFiles,
  },
  build: {
    usage: 'build [OPTIONS] PATH | -',
    title: 'Build an image from a Dockerfile',
    flags: {
      ...{ 'tag,t': 'list', 'file,f': 'value', 'build-arg': 'list', label: 'list', target: 'value' },
      ...{ 'no-cache': 'flag', pull: 'flag', 'quiet,q': 'flag' },
    },
    words: [1, 1],
    run: buildFrom,
  },
  commit: {
    usage: 'commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    title: "Create a new image from a container's changes",
    flags: { 'author,a': 'value', 'change,c': 'list', 'message,m': 'value', 'pause,p': 'value' },
    words: [1, 2],
    run: commitContainer,
  },
  prune: {
    usage: 'container prune [OPTIONS]',
    title: 'Remove all stopped containers',
    flags: { 'force,f': 'flag' },
    words: [0, 0],
    run: async ({ engine, io }) => {
      const { ContainersDeleted } = await engine.prune();
      const list =
        ContainersDeleted.length > 0 ? `Deleted Containers:\n${ContainersDeleted.join('\n')}\n\n` : '';
      await io.stdout(`${list}Total reclaimed space: 0B\n`);
      return 0;
    },
  },
  version: {
    usage: 'version',
    title: 'Show the Docker version information',
    flags: {},
    words: [0, 0],
    run: async ({ io }) => {
      await io.stdout('Hypertab\n API version: 1.43\n OS/Arch:     linux/riscv64\n Runtime:     crun\n');
      return 0;
    },
  },
};

/** Words of docker's that stand for another command. */
const CONTAINER_ALIASES: Readonly<Record<string, string>> = { ls: 'ps', list: 'ps', remove: 'rm' };
/** Those of `docker image` and `docker volume`. */
const VERBS: Readonly<Record<string, string>> = { list: 'ls', remove: 'rm' };

/** Every command by its words, like `run`, `image rm` and `rmi`. */
export function dockerCommands(): ReadonlyMap<string, Command> {
  const below = (group: string, table: Readonly<Record<string, Command>>) =>
    Object.entries(table).map(([verb, command]) => [`${group} ${verb}`, command] as const);
  const aliases = Object.entries(IMAGE_ALIASES).map(([word, verb]) => [word, IMAGE_COMMANDS[verb]!] as const);
  const { prune, ...own } = COMMANDS;
  const list = Object.entries(CONTAINER_ALIASES).map(
    ([word, name]) => [`container ${word}`, COMMANDS[name]!] as const,
  );
  return new Map([
    ...[
      ...Object.entries(own),
      ...aliases,
      ...below('image', IMAGE_COMMANDS),
      ...below('volume', VOLUME_COMMANDS),
    ],
    ...[...below('container', { ...own, prune: prune! }), ...list],
  ]);
}

/** Runs `docker ARGS`; answers its exit status. */
export async function runDocker(task: DockerTask, args: readonly string[]): Promise<number> {
  try {
    return await dispatch(task, args);
  } catch (error) {
    if (error instanceof DockerExit) {
      if (error.message !== '') await task.io.stderr(`${error.message}\n`);
      return error.status;
    }
    await task.io.stderr(`${daemonError(error)}\n`);
    return 1;
  }
}

async function dispatch(task: DockerTask, args: readonly string[]): Promise<number> {
  let [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    await task.io.stdout(helpText());
    return 0;
  }
  if (name === '--version' || name === '-v') name = 'version';
  if (name === 'container') {
    [name, ...rest] = rest;
    name = CONTAINER_ALIASES[name ?? ''] ?? name ?? '';
  }
  if (name === 'image') {
    [name, ...rest] = rest;
    name = VERBS[name ?? ''] ?? name;
    if (name !== 'build') return perform(task, IMAGE_COMMANDS, 'image', name, rest);
  }
  if (name === 'volume') {
    const [verb = '--help', ...words] = rest;
    return perform(task, VOLUME_COMMANDS, 'volume', VERBS[verb] ?? verb, words);
  }
  const image = Object.hasOwn(IMAGE_ALIASES, name) ? IMAGE_ALIASES[name] : undefined;
  if (image !== undefined) return perform(task, IMAGE_COMMANDS, 'image', image, rest);
  return perform(task, COMMANDS, undefined, name, rest);
}

/** Runs a command of a table: one of docker's own, or of `docker GROUP`. */
async function perform(
  task: DockerTask,
  table: Readonly<Record<string, Command>>,
  group: string | undefined,
  name: string | undefined,
  args: readonly string[],
): Promise<number> {
  const prefix = group === undefined ? 'docker' : `docker ${group}`;
  if (name === undefined || name === '--help' || name === '-h') {
    const rows = Object.entries(table).map(([verb, { title }]) => `  ${verb.padEnd(10)}  ${title}\n`);
    await task.io.stdout(`Usage:  ${prefix} COMMAND\n\nCommands:\n${rows.join('')}`);
    return 0;
  }
  const command = Object.hasOwn(table, name) ? table[name] : undefined;
  if (command === undefined) {
    throw new DockerExit(
      1,
      `docker: unknown command: ${prefix} ${name}\n\nRun '${prefix} --help' for more information`,
    );
  }
  const flags = parseFlags(name, args, { ...command.flags, help: 'flag' }, !command.strict);
  if (flags.has('help')) {
    await task.io.stdout(commandHelp(command));
    return 0;
  }
  const { length } = flags.words;
  const [least, most] = command.words;
  if (length < least || length > most) {
    const count = least === most ? `${least}` : `at least ${least}`;
    const plural = least === 1 ? 'argument' : 'arguments';
    const accepts = most === 0 ? 'accepts no arguments' : `requires ${count} ${plural}`;
    throw new DockerExit(
      1,
      `docker: '${prefix} ${name}' ${accepts}\n\nUsage:  docker ${command.usage}\n\nSee '${prefix} ${name} --help' for more information`,
    );
  }
  return command.run({ ...task, command: name, flags });
}

function commandHelp({ usage, title, flags }: Command): string {
  const rows = Object.entries(flags).map(([names, kind]) => {
    const [long, short] = names.split(',');
    return `  ${short === undefined ? '    ' : `-${short}, `}--${long}${kind === 'flag' ? '' : ` ${kind}`}\n`;
  });
  const options = rows.length > 0 ? `\nOptions:\n${rows.join('')}` : '';
  return `\nUsage:  docker ${usage}\n\n${title}\n${options}`;
}

function helpText(): string {
  const rows = Object.entries(COMMANDS).map(([name, { title }]) => `  ${name.padEnd(10)}  ${title}\n`);
  const images = `  image       Manage images (and: ${Object.keys(IMAGE_ALIASES).join(', ')})\n`;
  const volumes = '  volume      Manage volumes\n';
  return `Usage:  docker COMMAND\n\nContainers in a virtual machine of Hypertab's, in docker's words\n\nCommands:\n${rows.join('')}${images}${volumes}`;
}
