import { DockerExit, daemonError } from './docker-error.ts';
import { dockerTable } from './docker-tables.ts';
import type { DockerCall } from './docker-task.ts';

/** `docker volume ls|create|inspect|rm|prune`. */
export async function volumeCommand({ engine, flags, io }: DockerCall): Promise<number> {
  const [verb, ...names] = flags.words;
  switch (verb) {
    case 'ls':
    case 'list': {
      const volumes = await engine.listVolumes();
      if (flags.has('quiet')) for (const { Name } of volumes) await io.stdout(`${Name}\n`);
      else {
        await io.stdout(
          dockerTable([['DRIVER', 'VOLUME NAME'], ...volumes.map(({ Driver, Name }) => [Driver, Name])]),
        );
      }
      return 0;
    }
    case 'create': {
      const labels = Object.fromEntries(
        flags.list('label').map((label) => label.split(/=(.*)/s).slice(0, 2)),
      );
      const { Name } = await engine.createVolume(names[0] ?? flags.value('name'), labels);
      await io.stdout(`${Name}\n`);
      return 0;
    }
    case 'inspect': {
      const found = [];
      for (const name of demand(verb, names)) found.push(await engine.inspectVolume(name));
      await io.stdout(`${JSON.stringify(found, undefined, 4)}\n`);
      return 0;
    }
    case 'rm':
    case 'remove': {
      let status = 0;
      for (const name of demand(verb, names)) {
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
    case 'prune': {
      const { VolumesDeleted } = await engine.pruneVolumes({ all: flags.has('all') });
      const list = VolumesDeleted.length > 0 ? `Deleted Volumes:\n${VolumesDeleted.join('\n')}\n\n` : '';
      await io.stdout(`${list}Total reclaimed space: 0B\n`);
      return 0;
    }
    default:
      throw new DockerExit(
        1,
        `docker: unknown command: docker volume ${verb}\n\nRun 'docker volume --help' for more information`,
      );
  }
}

function demand(verb: string, names: readonly string[]): readonly string[] {
  if (names.length > 0) return names;
  throw new DockerExit(1, `docker: 'docker volume ${verb}' requires at least 1 argument`);
}
