import { describeSpan } from '../engine/container-status.ts';
import { EngineError } from '../engine/engine-error.ts';
import type { ContainerStatsSample, ContainerSummary } from '../engine/engine-types.ts';
import { ImageStoreError } from '../images/image-store-error.ts';
import { DockerExit } from './docker-error.ts';
import { fillTemplate } from './docker-image.ts';
import { portsText } from './docker-port.ts';
import { binarySize, decimalSize, dockerTable, shorten } from './docker-tables.ts';
import type { DockerCall } from './docker-task.ts';

const COMMAND_WIDTH = 20;
const STATS_MS = 1000;

/** `docker ps`. */
export async function listContainers({ engine, flags, io }: DockerCall): Promise<number> {
  const last = flags.value('last');
  const whole = flags.has('no-trunc');
  const filters = flags.list('filter').map((text) => {
    const equals = text.indexOf('=');
    if (equals < 0)
      throw new DockerExit(
        125,
        `invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`,
      );
    return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  const all =
    flags.has('all') ||
    flags.has('latest') ||
    last !== undefined ||
    filters.some(({ name }) => name === 'status' || name === 'exited');
  let shown = engine.list({ all }).filter((found) => filters.every((filter) => matches(found, filter)));
  if (flags.has('latest')) shown = shown.slice(0, 1);
  if (last !== undefined && /^\d+$/.test(last)) shown = shown.slice(0, Number(last));
  const id = (found: ContainerSummary) => (whole ? found.Id : found.Id.slice(0, 12));
  if (flags.has('quiet')) {
    for (const found of shown) await io.stdout(`${id(found)}\n`);
    return 0;
  }
  const format = flags.value('format');
  if (format !== undefined && format !== 'table') {
    for (const found of shown) await io.stdout(`${formatSummary(format, found, id(found))}\n`);
    return 0;
  }
  const rows = [['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES']];
  for (const found of shown) {
    const command = whole ? found.Command : shorten(found.Command, COMMAND_WIDTH);
    const created = `${describeSpan(Date.now() - found.Created * 1000)} ago`;
    rows.push([
      id(found),
      found.Image,
      `"${command}"`,
      created,
      found.Status,
      portsText(found.Ports),
      namesOf(found),
    ]);
  }
  await io.stdout(dockerTable(rows));
  return 0;
}

const namesOf = ({ Names }: ContainerSummary) => Names.map((name) => name.slice(1)).join(',');

function matches(found: ContainerSummary, { name, value }: { name: string; value: string }): boolean {
  switch (name) {
    case 'name':
      return namesOf(found).includes(value.replace(/^\^?\/?|\$$/g, ''));
    case 'id':
      return found.Id.startsWith(value);
    case 'status':
      return found.State === value;
    case 'ancestor':
      return (
        found.Image === value ||
        found.Image.replace(/:latest$/, '') === value ||
        found.ImageID.includes(value)
      );
    case 'label': {
      const [key = '', wanted] = value.split(/=(.*)/s);
      return key in found.Labels && (wanted === undefined || found.Labels[key] === wanted);
    }
    case 'exited':
      return found.Status.startsWith(`Exited (${value})`);
    default:
      throw new EngineError(400, `invalid filter '${name}'`);
  }
}

/** `--format '{{.ID}} {{.Names}}'` and `json`: the fields of docker's, without its template language. */
function formatSummary(format: string, found: ContainerSummary, id: string): string {
  const fields: Record<string, string> = {
    ID: id,
    Names: namesOf(found),
    Image: found.Image,
    Command: `"${shorten(found.Command, COMMAND_WIDTH)}"`,
    CreatedAt: new Date(found.Created * 1000).toISOString(),
    State: found.State,
    Status: found.Status,
    Ports: portsText(found.Ports),
    Labels: Object.entries(found.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
  return fillTemplate(format, fields);
}

/** `docker logs`. */
export async function showLogs({ engine, flags, io }: DockerCall): Promise<number> {
  const tail = flags.value('tail');
  const time = (name: string) => {
    const text = flags.value(name);
    return text === undefined ? {} : { [name]: parseTime(text) };
  };
  const cancel = new AbortController();
  const off = flags.has('follow') ? io.onSignal(() => cancel.abort()) : () => {};
  const options = {
    ...time('since'),
    ...time('until'),
    ...(tail === undefined || tail === 'all' || !/^\d+$/.test(tail) ? {} : { tail: Number(tail) }),
    follow: flags.has('follow'),
    signal: cancel.signal,
  };
  try {
    await engine.logs(flags.words[0]!, options, (line) => {
      const stamp = flags.has('timestamps') ? `${new Date(line.time).toISOString()} ` : '';
      const write = (data: Uint8Array | string) => {
        void (line.stream === 'stderr' ? io.stderr(data) : io.stdout(data));
      };
      if (stamp !== '') write(stamp);
      write(line.bytes);
    });
  } finally {
    off();
  }
  return 0;
}

/** A time as docker takes it: `10m` ago, seconds since 1970, or RFC 3339. */
export function parseTime(text: string, now = Date.now()): number {
  const span = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
  if (text !== '' && span !== null) {
    return now - ((Number(span[1] ?? 0) * 60 + Number(span[2] ?? 0)) * 60 + Number(span[3] ?? 0)) * 1000;
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new DockerExit(
    1,
    `Error response from daemon: invalid value for "since": failed to parse value as time or duration: "${text}"`,
  );
}

/** `docker inspect`: of containers, images and volumes. */
export async function showInspect({ engine, images, flags, io }: DockerCall): Promise<number> {
  const found: unknown[] = [];
  let status = 0;
  const type = flags.value('type');
  for (const name of flags.words) {
    try {
      found.push(await inspectOne(name));
    } catch (error) {
      if (!(error instanceof EngineError && error.status === 404)) throw error;
      await io.stderr(`Error: No such ${type ?? 'object'}: ${name}\n`);
      status = 1;
    }
  }
  const format = flags.value('format');
  if (format === undefined) await io.stdout(`${JSON.stringify(found, undefined, 4)}\n`);
  else for (const one of found) await io.stdout(`${formatFields(format, one)}\n`);
  return status;

  async function inspectOne(name: string): Promise<unknown> {
    const ways = {
      container: async () => engine.inspect(name),
      image: async () => {
        return images.inspect(name).catch((error: unknown) => {
          const missing =
            error instanceof ImageStoreError && (error.code === 'not-found' || error.code === 'invalid');
          throw missing ? new EngineError(404, error.message) : error;
        });
      },
      volume: () => engine.inspectVolume(name),
    };
    let last: unknown = new EngineError(404, name);
    for (const [kind, way] of Object.entries(ways)) {
      if (type !== undefined && kind !== type) continue;
      try {
        return await way();
      } catch (error) {
        if (!(error instanceof EngineError && error.status === 404)) throw error;
        last = error;
      }
    }
    throw last;
  }
}

/** `--format '{{.State.Status}}'` and `{{json .Mounts}}`: fields by their paths, without docker's template language. */
function formatFields(format: string, from: unknown): string {
  return format.replace(
    /\{\{\s*(json\s+)?\.([\w.]*)\s*\}\}/g,
    (_, json: string | undefined, path: string) => {
      let value = from;
      for (const name of path.split('.').filter((part) => part !== '')) {
        if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
          throw new DockerExit(1, `template parsing error: template: :1: map has no entry for key "${name}"`);
        }
        value = (value as Record<string, unknown>)[name];
      }
      if (json !== undefined) return JSON.stringify(value);
      if (Array.isArray(value)) return `[${value.join(' ')}]`;
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
    },
  );
}

/** `docker top`. */
export async function showTop({ engine, flags, io }: DockerCall): Promise<number> {
  const { Titles, Processes } = await engine.top(flags.words[0]!);
  await io.stdout(dockerTable([Titles, ...Processes]));
  return 0;
}

/** `docker diff`. */
export async function showDiff({ engine, flags, io }: DockerCall): Promise<number> {
  for (const { Kind, Path } of await engine.changes(flags.words[0]!)) {
    await io.stdout(`${['C', 'A', 'D'][Kind]} ${Path}\n`);
  }
  return 0;
}

/** `docker stats`: figures of a second, once with --no-stream, else until Ctrl-C. */
export async function showStats({ engine, flags, io }: DockerCall): Promise<number> {
  let over = false;
  let wake = () => {};
  const off = io.onSignal(() => {
    over = true;
    wake();
  });
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, STATS_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const last = new Map<string, ContainerStatsSample>();
  const sample = async () => {
    const names = flags.words.length > 0 ? flags.words : engine.list().map(({ Id }) => Id);
    return Promise.all(
      names.map(async (name) => {
        const { Id } = engine.inspect(name);
        const figures = await engine.stats(Id, last.get(Id));
        last.set(Id, figures);
        return figures;
      }),
    );
  };
  try {
    await sample();
    do {
      await pause();
      if (over) break;
      const rows = (await sample()).map((figures) => statsRow(figures, flags.has('no-trunc')));
      // On a terminal the table stays in its place.
      if (io.stdoutIsTerminal && !flags.has('no-stream')) await io.stdout('\x1b[H\x1b[J');
      await io.stdout(dockerTable([STATS_TITLES, ...rows]));
    } while (!over && !flags.has('no-stream'));
  } finally {
    off();
  }
  return 0;
}

const STATS_TITLES = [
  'CONTAINER ID',
  'NAME',
  'CPU %',
  'MEM USAGE / LIMIT',
  'MEM %',
  'NET I/O',
  'BLOCK I/O',
  'PIDS',
];

function statsRow(figures: ContainerStatsSample, whole: boolean): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(2)}%`;
  return [
    whole ? figures.id : figures.id.slice(0, 12),
    figures.name,
    percent(figures.cpu),
    `${binarySize(figures.memoryUsage)} / ${binarySize(figures.memoryLimit)}`,
    percent(figures.memoryUsage / figures.memoryLimit),
    `${decimalSize(figures.networkReceived)} / ${decimalSize(figures.networkSent)}`,
    `${decimalSize(figures.blockRead)} / ${decimalSize(figures.blockWritten)}`,
    String(figures.pids),
  ];
}
