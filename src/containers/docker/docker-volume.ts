import type { VolumeSummary } from '../engine/engine-types.ts';
import { DockerExit, daemonError } from './docker-error.ts';
import { fillTemplate } from './docker-image.ts';
import { dockerTable } from './docker-tables.ts';
import type { Command, DockerCall } from './docker-task.ts';

/** `docker volume VERB`. */
export const VOLUME_COMMANDS: Readonly<Record<string, Command>> = {
  create: {
    usage: 'volume create [OPTIONS] [NAME]',
    title: 'Create a volume',
    flags: { 'driver,d': 'value', label: 'list', name: 'value' },
    words: [0, 1],
    run: async ({ engine, flags, io }) => {
      const driver = flags.value('driver') ?? 'local';
      if (driver !== 'local') {
        throw new DockerExit(
          1,
          `Error response from daemon: create: error looking up volume plugin ${driver}`,
        );
      }
      const labels = Object.fromEntries(
        flags.list('label').map((label) => {
          const [key = '', value = ''] = label.split(/=(.*)/s);
          return [key, value];
        }),
      );
      const { Name } = await engine.createVolume(flags.words[0] ?? flags.value('name'), labels);
      await io.stdout(`${Name}\n`);
      return 0;
    },
  },
  inspect: {
    usage: 'volume inspect [OPTIONS] VOLUME [VOLUME...]',
    title: 'Display detailed information on one or more volumes',
    flags: {},
    words: [1, Infinity],
    run: inspectVolumes,
  },
  ls: {
    usage: 'volume ls [OPTIONS]',
    title: 'List volumes',
    flags: { 'quiet,q': 'flag', 'filter,f': 'list', format: 'value' },
    words: [0, 0],
    run: listVolumes,
  },
  prune: {
    usage: 'volume prune [OPTIONS]',
    title: 'Remove unused local volumes',
    flags: { 'all,a': 'flag', 'force,f': 'flag' },
    words: [0, 0],
    run: async ({ engine, flags, io }) => {
      const { VolumesDeleted } = await engine.pruneVolumes({ all: flags.has('all') });
      const list = VolumesDeleted.length > 0 ? `Deleted Volumes:\n${VolumesDeleted.join('\n')}\n\n` : '';
      await io.stdout(`${list}Total reclaimed space: 0B\n`);
      return 0;
    },
  },
  rm: {
    usage: 'volume rm [OPTIONS] VOLUME [VOLUME...]',
    title: 'Remove one or more volumes',
    flags: { 'force,f': 'flag' },
    words: [1, Infinity],
    run: removeVolumes,
  },
};

async function listVolumes({ engine, flags, io }: DockerCall): Promise<number> {
  const wanted = flags.list('filter').map((text) => filterOf(text, new Set(engine.usedVolumes())));
  const volumes = (await engine.listVolumes()).filter((volume) => wanted.every((fits) => fits(volume)));
  const format = flags.value('format');
  if (flags.has('quiet')) for (const { Name } of volumes) await io.stdout(`${Name}\n`);
  else if (format !== undefined && format !== 'table') {
    for (const { Name, Driver, Mountpoint, Scope } of volumes) {
      await io.stdout(`${fillTemplate(format, { Name, Driver, Mountpoint, Scope })}\n`);
    }
  } else {
    const rows = volumes.map(({ Driver, Name }) => [Driver, Name]);
    await io.stdout(dockerTable([['DRIVER', 'VOLUME NAME'], ...rows]));
  }
  return 0;
}

function filterOf(text: string, used: ReadonlySet<string>): (volume: VolumeSummary) => boolean {
  const [name = '', value = ''] = text.split(/=(.*)/s);
  switch (name) {
    case 'name':
      return ({ Name }) => Name.includes(value);
    case 'dangling':
      return ({ Name }) => used.has(Name) !== (value === 'true' || value === '1');
    case 'label': {
      const [key = '', wanted] = value.split(/=(.*)/s);
      return ({ Labels }) => key in Labels && (wanted === undefined || Labels[key] === wanted);
    }
    default:
      throw new DockerExit(1, `Error response from daemon: invalid filter '${name}'`);
  }
}

async function inspectVolumes({ engine, flags, io }: DockerCall): Promise<number> {
  const found = [];
  let status = 0;
  for (const name of flags.words) {
    try {
      found.push(await engine.inspectVolume(name));
    } catch (error) {
      await io.stderr(`${daemonError(error)}\n`);
      status = 1;
    }
  }
  await io.stdout(`${JSON.stringify(found, undefined, 4)}\n`);
  return status;
}

async function removeVolumes({ engine, flags, io }: DockerCall): Promise<number> {
  let status = 0;
  for (const name of flags.words) {
    try {
      await engine.removeVolume(name, { force: flags.has('force') });
      await io.stdout(`${name}\n`);
    } catch (error) {
      await io.stderr(`${daemonError(error)}\n`);
      status = 1;
    }
  }
  return status;
}
