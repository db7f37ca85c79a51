import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { imageProgressPrinter } from '../containers/docker/image-progress.ts';
import { prepareImage } from '../containers/images/debian/debian-image-node.ts';
import { debianImages } from '../containers/images/debian/debian-images.ts';
import type { ImageStore } from '../containers/images/image-store.ts';
import { ImageStoreError } from '../containers/images/image-store-error.ts';
import { loadPath, openImageStore } from '../containers/images/image-store-node.ts';
import { parseReference, shortId } from '../containers/images/reference.ts';
import { repositoryFor } from '../containers/images/registry/registry-settings.ts';
import { storedCredentials } from '../containers/images/registry/stored-credentials-node.ts';
import type { RegistryTaskOptions } from '../containers/images/types.ts';
import { guestsFolder } from '../guests/paths-node.ts';
import { formatBytes, progressPrinter } from '../guests/progress-node.ts';
import { docker } from './docker.ts';
import { prepareHost } from './docker-engine.ts';
import { formatTable } from './guest.ts';
import { IMAGE_HELP } from './help.ts';
import { nearest, parseOptions } from './options.ts';
import { connectToServer } from './serve.ts';
import { UsageError } from './usage-error.ts';

const OPTIONS = {
  help: 'flag',
  json: 'flag',
  all: 'flag',
  quiet: 'flag',
  refresh: 'flag',
  force: 'flag',
  input: 'value',
  output: 'value',
} as const;

type Parsed = ReturnType<typeof parseOptions<typeof OPTIONS>>;
type Task = { names: readonly string[]; parsed: Parsed; store: ImageStore; signal: AbortSignal };

/** Each with the options that go with it, and how many names it takes. */
const VERBS: Record<
  string,
  {
    options: readonly string[];
    least: number;
    most: number;
    run(task: Task): Promise<void>;
    /** What may not change under a running engine: the command of docker's that asks it. */
    atServer?(task: Task): string[];
  }
> = {
  ls: { options: ['json', 'all', 'quiet'], least: 0, most: 1, run: list },
  prepare: { options: ['refresh'], least: 0, most: 100, run: prepare },
  offer: { options: [], least: 1, most: 100, run: offer },
  pull: { options: ['quiet'], least: 1, most: 100, run: (task) => transfer('pull', task) },
  push: { options: ['quiet'], least: 1, most: 100, run: (task) => transfer('push', task) },
  load: { options: ['input'], least: 0, most: 100, run: load },
  save: { options: ['output'], least: 1, most: 100, run: save },
  import: { options: [], least: 1, most: 2, run: importLayer },
  rm: {
    ...{ options: ['force'], least: 1, most: 100, run: remove },
    atServer: ({ parsed, names }) => ['rm', ...(parsed.flags.has('force') ? ['--force'] : []), ...names],
  },
  tag: { options: [], least: 2, most: 2, run: ({ store, names }) => store.tag(names[0]!, names[1]!) },
  history: { options: ['json'], least: 1, most: 1, run: history },
  inspect: { options: [], least: 1, most: 100, run: inspect },
  prune: {
    ...{ options: ['all'], least: 0, most: 0, run: prune },
    atServer: ({ parsed }) => ['prune', '--force', ...(parsed.flags.has('all') ? ['--all'] : [])],
  },
};

/** `hypertab image`: images of containers; returns the exit status. */
export async function image(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args, OPTIONS);
  if (parsed.flags.has('help')) {
    process.stdout.write(IMAGE_HELP);
    return 0;
  }
  const [verb, ...names] = parsed.words;
  const known = Object.keys(VERBS);
  if (verb === undefined) throw new UsageError(`image needs a command: ${known.join(', ')}`);
  const found = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (found === undefined) {
    const near = nearest(verb, known);
    throw new UsageError(
      `there is no 'image ${verb}'; ${near ? `did you mean ${near}?` : `there are ${known.join(', ')}`}`,
    );
  }
  for (const option of [...parsed.flags, ...Object.keys(parsed.values)]) {
    if (!found.options.includes(option)) throw new UsageError(`--${option} does not go with image ${verb}`);
  }
  if (names.length < found.least)
    throw new UsageError(`image ${verb} needs a name; see hypertab image --help`);
  if (names.length > found.most) {
    throw new UsageError(
      `image ${verb} takes no more than ${found.most} name(s): what is '${names.at(-1)}'?`,
    );
  }
  const cancel = new AbortController();
  const interrupted = () => cancel.abort();
  process.once('SIGINT', interrupted);
  try {
    const task = { names, parsed, store: openImageStore(), signal: cancel.signal };
    const status = found.atServer === undefined ? undefined : await ofServer(found.atServer(task));
    if (status === undefined) await found.run(task);
    return status ?? 0;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

/**
 * Lets the engine of a running `hypertab serve` do what containers may stand against; undefined where there is none.
 * Its store may be another one than HYPERTAB_IMAGES names here.
 */
async function ofServer(args: readonly string[]): Promise<number | undefined> {
  const server = await connectToServer();
  server?.destroy();
  return server === undefined ? undefined : docker(['image', ...args]);
}

const print = (text: string) => process.stdout.write(`${text}\n`);

async function list({ names, parsed, store }: Task): Promise<void> {
  const images = await store.list({ all: parsed.flags.has('all'), reference: names[0] });
  if (parsed.flags.has('json')) return void print(JSON.stringify(images));
  if (parsed.flags.has('quiet')) return images.forEach((found) => void print(shortId(found.Id)));
  const rows = [['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE']];
  for (const found of images) {
    const tags = found.RepoTags.length > 0 ? found.RepoTags : ['<none>:<none>'];
    for (const tag of tags) {
      const colon = tag.lastIndexOf(':');
      const created = new Date(found.Created * 1000).toISOString().slice(0, 10);
      rows.push([
        tag.slice(0, colon),
        tag.slice(colon + 1),
        shortId(found.Id),
        created,
        formatBytes(found.Size),
      ]);
    }
  }
  process.stdout.write(formatTable(rows));
}

async function prepare({ names, parsed, store, signal }: Task): Promise<void> {
  if (names.length === 0) {
    const rows = debianImages.map(({ name, title }) => [name, title]);
    process.stdout.write(formatTable([['NAME', 'WHAT IT IS'], ...rows]));
    return;
  }
  for (const name of names) {
    const progress = progressPrinter();
    try {
      const refresh = parsed.flags.has('refresh');
      await prepareImage(store, name, { onProgress: progress.onProgress, signal, refresh });
    } finally {
      progress.end();
    }
    process.stderr.write(`${name}: ready\n`);
  }
}

/** Puts images where the page that `npm start` serves finds them: saved and gzipped, beside the guests. */
async function offer(task: Task): Promise<void> {
  const { names, store, signal } = task;
  await prepareHost();
  const folder = join(guestsFolder(), 'images');
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    const { domain, path, tag = 'latest' } = parseReference(name);
    if (domain !== '' || path.includes('/') || tag !== 'latest') {
      throw new UsageError(`image offer takes names of one word, for the page asks for no others: '${name}'`);
    }
    const isHere = await store.inspect(path).then(
      () => true,
      () => false,
    );
    if (!isHere && debianImages.some((known) => known.name === path)) {
      await prepare({ ...task, names: [path] });
    }
    const file = join(folder, `${path}.tar.gz`);
    const draft = `${file}.${process.pid}`;
    const archive = Readable.fromWeb(
      store.save([path], { signal }) as Parameters<typeof Readable.fromWeb>[0],
    );
    try {
      await pipeline(archive, createGzip(), createWriteStream(draft), { signal });
      await rename(draft, file);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    process.stderr.write(`${path}: the page can load it (${formatBytes((await stat(file)).size)})\n`);
  }
}

async function transfer(action: 'pull' | 'push', { names, parsed, store, signal }: Task): Promise<void> {
  for (const name of names) {
    const progress = imageProgressPrinter(parsed.flags.has('quiet') ? undefined : process.stderr);
    const { host } = repositoryOf(name, store);
    const credentials = await storedCredentials(host);
    const options: RegistryTaskOptions = { onProgress: progress.onProgress, signal, credentials };
    try {
      print(await store[action](name, options));
    } finally {
      progress.end();
    }
  }
}

/** Where a name leads; one of ours that leads nowhere can be made. */
function repositoryOf(name: string, { registries }: ImageStore) {
  try {
    return repositoryFor(parseReference(name), registries);
  } catch (error) {
    const isOurs = debianImages.some((known) => known.name === name.replace(/:latest$/, ''));
    if (!isOurs || !(error instanceof ImageStoreError)) throw error;
    const message = `${error.message}; or make it of Debian's packages: hypertab image prepare ${name}`;
    throw new ImageStoreError(error.code, message, { cause: error });
  }
}

async function load({ names, parsed, store, signal }: Task): Promise<void> {
  const { input } = parsed.values;
  const paths = input === undefined ? names : [input, ...names];
  const onProgress = ({ stream }: { stream?: string }) => stream && process.stdout.write(stream);
  for (const path of paths) await loadPath(store, path, { onProgress, signal });
  if (paths.length > 0) return;
  if (process.stdin.isTTY) throw new UsageError('image load needs a file, or an archive on stdin');
  await store.load(process.stdin, { onProgress, signal });
}

async function save({ names, parsed, store, signal }: Task): Promise<void> {
  const { output } = parsed.values;
  if (output === undefined && process.stdout.isTTY) {
    throw new UsageError('cowardly refusing to save to a terminal: use --output FILE or redirect');
  }
  const archive = Readable.fromWeb(store.save(names, { signal }) as Parameters<typeof Readable.fromWeb>[0]);
  if (output === undefined) {
    for await (const bytes of archive) {
      if (!process.stdout.write(bytes)) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
    return;
  }
  try {
    await pipeline(archive, createWriteStream(output));
  } catch (error) {
    await rm(output, { force: true });
    if (error instanceof ImageStoreError) throw error;
    throw new ImageStoreError('storage', `cannot write ${output}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function importLayer({ names, store, signal }: Task): Promise<void> {
  const [path, reference] = names;
  const layer = path === '-' ? process.stdin : createReadStream(path!);
  print(await store.import(layer, { reference, signal, message: `Imported from ${path}` }));
}

async function remove({ names, parsed, store }: Task): Promise<void> {
  for (const name of names) {
    for (const item of await store.remove(name, { force: parsed.flags.has('force') })) {
      print('Untagged' in item ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`);
    }
  }
}

async function history({ names, parsed, store }: Task): Promise<void> {
  const items = await store.history(names[0]!);
  if (parsed.flags.has('json')) return void print(JSON.stringify(items));
  const rows = items.map(({ Id, Created, CreatedBy, Size, Comment }) => [
    Id.startsWith('sha256:') ? Id.slice(7, 19) : Id,
    new Date(Created * 1000).toISOString().slice(0, 10),
    CreatedBy.length > 45 ? `${CreatedBy.slice(0, 44)}…` : CreatedBy,
    formatBytes(Size),
    Comment.length > 60 ? `${Comment.slice(0, 59)}…` : Comment,
  ]);
  process.stdout.write(formatTable([['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], ...rows]));
}

async function inspect({ names, store }: Task): Promise<void> {
  const found = [];
  for (const name of names) found.push(await store.inspect(name));
  print(JSON.stringify(found, undefined, 4));
}

async function prune({ parsed, store }: Task): Promise<void> {
  const report = await store.prune({ all: parsed.flags.has('all') });
  for (const item of report.ImagesDeleted) {
    print('Untagged' in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`);
  }
  print(`Total reclaimed space: ${formatBytes(report.SpaceReclaimed)}`);
}
