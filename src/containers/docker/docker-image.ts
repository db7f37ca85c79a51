// `docker image …` and the words that are short for it: images of the store, in docker's words and tables.
import { describeSpan } from '../engine/container-status.ts';
import { formatReference, parseReference, shortId } from '../images/reference.ts';
import type { Digest, ImageDeleteItem, ImageSummary, Images } from '../images/types.ts';
import { DockerExit, daemonError } from './docker-error.ts';
import { silent } from './docker-io.ts';
import { decimalSize, dockerTable, shorten } from './docker-tables.ts';
import type { Command, DockerCall } from './docker-task.ts';
import { errorOutput, imageProgressPrinter } from './image-progress.ts';

const CREATED_BY_WIDTH = 45;
const IMAGES = 'IMAGE [IMAGE...]';
const NONE = '<none>';

/** `docker image VERB`. */
export const IMAGE_COMMANDS: Readonly<Record<string, Command>> = {
  ls: {
    usage: 'images [OPTIONS] [REPOSITORY[:TAG]]',
    title: 'List images',
    flags: {
      ...{ 'all,a': 'flag', 'quiet,q': 'flag', 'no-trunc': 'flag', digests: 'flag' },
      ...{ 'filter,f': 'list', format: 'value' },
    },
    words: [0, 1],
    run: listImages,
  },
  pull: {
    usage: 'pull [OPTIONS] NAME[:TAG|@DIGEST]',
    title: 'Download an image from a registry',
    flags: { 'quiet,q': 'flag', platform: 'value' },
    words: [1, 1],
    run: (call) => transfer('pull', call),
  },
  push: {
    usage: 'push [OPTIONS] NAME[:TAG]',
    title: 'Upload an image to a registry',
    flags: { 'quiet,q': 'flag' },
    words: [1, 1],
    run: (call) => transfer('push', call),
  },
  rm: {
    usage: `rmi [OPTIONS] ${IMAGES}`,
    title: 'Remove one or more images',
    flags: { 'force,f': 'flag', 'no-prune': 'flag' },
    words: [1, Infinity],
    run: removeImages,
  },
  tag: {
    usage: 'tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    title: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    flags: {},
    words: [2, 2],
    run: async (call) => {
      await has(call, 'tag')(call.flags.words[0]!, call.flags.words[1]!);
      return 0;
    },
  },
  load: {
    usage: 'load [OPTIONS]',
    title: 'Load an image from a tar archive or STDIN',
    flags: { 'input,i': 'value', 'quiet,q': 'flag' },
    words: [0, 0],
    run: loadArchive,
  },
  save: {
    usage: `save [OPTIONS] ${IMAGES}`,
    title: 'Save one or more images to a tar archive',
    flags: { 'output,o': 'value' },
    words: [1, Infinity],
    run: saveArchive,
  },
  import: {
    usage: 'import [OPTIONS] file|- [REPOSITORY[:TAG]]',
    title: 'Import the contents from a tarball to create a filesystem image',
    flags: { 'message,m': 'value' },
    words: [1, 2],
    run: importArchive,
  },
  history: {
    usage: 'history [OPTIONS] IMAGE',
    title: 'Show the history of an image',
    flags: { 'quiet,q': 'flag', 'no-trunc': 'flag', 'human,H': 'flag' },
    words: [1, 1],
    run: showHistory,
  },
  inspect: {
    usage: `image inspect [OPTIONS] ${IMAGES}`,
    title: 'Display detailed information on one or more images',
    flags: {},
    words: [1, Infinity],
    run: inspectImages,
  },
  prune: {
    usage: 'image prune [OPTIONS]',
    title: 'Remove unused images',
    flags: { 'all,a': 'flag', 'force,f': 'flag' },
    words: [0, 0],
    run: pruneImages,
  },
};

/** Words of docker's own that are commands of `docker image`. */
export const IMAGE_ALIASES: Readonly<Record<string, string>> = {
  ...{ images: 'ls', rmi: 'rm', pull: 'pull', push: 'push', tag: 'tag' },
  ...{ load: 'load', save: 'save', import: 'import', history: 'history' },
};

/** A method of the store, where the store here has it. */
function has<K extends 'tag' | 'remove' | 'prune' | 'load' | 'save' | 'import' | 'history' | 'push'>(
  { images }: DockerCall,
  name: K,
): Images[K] {
  const method = images[name];
  if (method === undefined) throw new DockerExit(1, `docker: there is no store of images here to ${name}`);
  return method.bind(images) as Images[K];
}

/** Containers of the engine that keep an image. */
const usedBy = ({ engine }: DockerCall) => ({ usedBy: (id: Digest) => engine.imageUser(id) });

async function listImages({ images, flags, io }: DockerCall): Promise<number> {
  const found = await images.list({ all: flags.has('all'), reference: flags.words[0] });
  const wanted = flags.list('filter').map(filterOf);
  const whole = flags.has('no-trunc');
  const shown = found.filter((image) => wanted.every((fits) => fits(image)));
  const id = ({ Id }: ImageSummary) => (whole ? Id : shortId(Id));
  if (flags.has('quiet')) {
    for (const image of shown) await io.stdout(`${id(image)}\n`);
    return 0;
  }
  const rows = shown.flatMap((image) => namesOf(image).map((name) => ({ ...name, image })));
  const created = ({ Created }: ImageSummary) => `${describeSpan(Date.now() - Created * 1000)} ago`;
  const format = flags.value('format');
  if (format !== undefined && format !== 'table') {
    for (const { repository, tag, digest, image } of rows) {
      const fields: Record<string, string> = {
        ...{ ID: id(image), Repository: repository, Tag: tag, Digest: digest },
        ...{ CreatedSince: created(image), Size: decimalSize(image.Size) },
        CreatedAt: new Date(image.Created * 1000).toISOString(),
      };
      await io.stdout(`${fillTemplate(format, fields)}\n`);
    }
    return 0;
  }
  const digests = flags.has('digests');
  const header = ['REPOSITORY', 'TAG', ...(digests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'];
  await io.stdout(
    dockerTable([
      header,
      ...rows.map(({ repository, tag, digest, image }) => [
        ...[repository, tag, ...(digests ? [digest] : []), id(image), created(image)],
        decimalSize(image.Size),
      ]),
    ]),
  );
  return 0;
}

/** A template without the language of Go's: fields, `\t` and `json`. */
export function fillTemplate(format: string, fields: Readonly<Record<string, string>>): string {
  if (format === 'json' || format === '{{json .}}') return JSON.stringify(fields);
  return format.replaceAll('\\t', '\t').replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name: string) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value === undefined) throw new DockerExit(1, `template: :1: can't evaluate field ${name}`);
    return value;
  });
}

function namesOf({ RepoTags, RepoDigests }: ImageSummary) {
  const digestOf = (repository: string) =>
    RepoDigests.find((name) => name.startsWith(`${repository}@`))?.slice(repository.length + 1) ?? NONE;
  if (RepoTags.length === 0) {
    const [repository = NONE, digest = NONE] = RepoDigests[0]?.split('@') ?? [];
    return [{ repository, tag: NONE, digest }];
  }
  return RepoTags.map((name) => {
    const colon = name.lastIndexOf(':');
    const repository = name.slice(0, colon);
    return { repository, tag: name.slice(colon + 1), digest: digestOf(repository) };
  });
}

function filterOf(text: string): (image: ImageSummary) => boolean {
  const [name = '', value] = text.split(/=(.*)/s);
  if (value === undefined) {
    throw new DockerExit(125, `invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`);
  }
  switch (name) {
    case 'dangling':
      return ({ RepoTags }) => (RepoTags.length === 0) === (value === 'true' || value === '1');
    case 'reference':
      return ({ RepoTags }) => RepoTags.some((tag) => tag === value || tag.replace(/:[^:]*$/, '') === value);
    case 'label': {
      const [key = '', wanted] = value.split(/=(.*)/s);
      return ({ Labels }) => key in Labels && (wanted === undefined || Labels[key] === wanted);
    }
    default:
      throw new DockerExit(1, `Error response from daemon: invalid filter '${name}'`);
  }
}

async function transfer(action: 'pull' | 'push', call: DockerCall): Promise<number> {
  const { images, flags, io } = call;
  const [name = ''] = flags.words;
  const quiet = flags.has('quiet');
  const formatted = formatReference(parseReference(name));
  if (!quiet && formatted !== name && !name.includes('@')) await io.stderr('Using default tag: latest\n');
  if (action === 'pull' && call.fetchImage !== undefined) {
    await call.fetchImage(name, quiet ? silent(io) : io);
  } else {
    const progress = imageProgressPrinter(quiet ? undefined : errorOutput(io));
    const credentials = await call.credentials?.(name);
    const options = {
      onProgress: progress.onProgress,
      ...(credentials === undefined ? {} : { credentials }),
    };
    try {
      if (action === 'pull') await images.pull(name, options);
      else await has(call, 'push')(name, options);
    } finally {
      progress.end();
    }
  }
  await io.stdout(`${formatted}\n`);
  return 0;
}

async function removeImages(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const options = { force: flags.has('force'), noprune: flags.has('no-prune'), ...usedBy(call) };
  let status = 0;
  for (const name of flags.words) {
    try {
      for (const item of await has(call, 'remove')(name, options)) await io.stdout(`${itemLine(item)}\n`);
    } catch (error) {
      await io.stderr(`${daemonError(error)}\n`);
      status = 1;
    }
  }
  return status;
}

const itemLine = (item: ImageDeleteItem) =>
  'Untagged' in item ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`;

async function loadArchive(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const input = flags.value('input');
  if (input === undefined && io.stdinIsTerminal && io.readFile === undefined) {
    throw new DockerExit(1, 'requested load from stdin, but stdin is empty');
  }
  const writes: (void | Promise<void>)[] = [];
  // At a terminal nobody types an archive: where files are asked for, this one is.
  const archive =
    input === undefined && !io.stdinIsTerminal ? io.stdin() : readFile(call, input ?? 'an archive of images');
  await has(call, 'load')(archive, {
    onProgress: ({ stream }) => {
      if (stream !== undefined && !flags.has('quiet')) writes.push(io.stdout(stream));
    },
  });
  await Promise.all(writes);
  return 0;
}

function readFile({ io }: DockerCall, path: string): AsyncIterable<Uint8Array> {
  if (io.readFile === undefined) throw new DockerExit(1, `open ${path}: there are no files here`);
  return io.readFile(path);
}

async function saveArchive(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const output = flags.value('output');
  if (output === undefined && io.stdoutIsTerminal) {
    throw new DockerExit(
      1,
      'cowardly refusing to save to a terminal. Use the -o flag or redirect: docker save -o FILE IMAGE',
    );
  }
  const archive = has(call, 'save')(flags.words);
  if (output !== undefined) {
    if (io.writeFile === undefined) throw new DockerExit(1, `open ${output}: there are no files here`);
    await io.writeFile(output, archive);
    return 0;
  }
  const reader = archive.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) await io.stdout(part.value);
  return 0;
}

async function importArchive(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const [path = '', reference] = flags.words;
  const layer = path === '-' ? io.stdin() : readFile(call, path);
  const message = flags.value('message') ?? `Imported from ${path}`;
  const id = await has(call, 'import')(layer, {
    ...(reference === undefined ? {} : { reference }),
    message,
  });
  await io.stdout(`${id}\n`);
  return 0;
}

async function showHistory(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const items = await has(call, 'history')(flags.words[0]!);
  const whole = flags.has('no-trunc');
  const id = (text: string) => (!whole && text.startsWith('sha256:') ? shortId(text as Digest) : text);
  if (flags.has('quiet')) {
    for (const { Id } of items) await io.stdout(`${id(Id)}\n`);
    return 0;
  }
  const rows = items.map(({ Id, Created, CreatedBy, Size, Comment }) => [
    id(Id),
    `${describeSpan(Date.now() - Created * 1000)} ago`,
    whole ? CreatedBy : shorten(CreatedBy, CREATED_BY_WIDTH),
    decimalSize(Size),
    Comment,
  ]);
  await io.stdout(dockerTable([['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], ...rows]));
  return 0;
}

async function inspectImages({ images, flags, io }: DockerCall): Promise<number> {
  const found = [];
  let status = 0;
  for (const name of flags.words) {
    try {
      found.push(await images.inspect(name));
    } catch (error) {
      await io.stderr(`${daemonError(error)}\n`);
      status = 1;
    }
  }
  await io.stdout(`${JSON.stringify(found, undefined, 4)}\n`);
  return status;
}

async function pruneImages(call: DockerCall): Promise<number> {
  const { flags, io } = call;
  const report = await has(call, 'prune')({ all: flags.has('all'), ...usedBy(call) });
  const lines = report.ImagesDeleted.map(itemLine).map((line) => `${line.toLowerCase()}\n`);
  const list = lines.length > 0 ? `Deleted Images:\n${lines.join('')}\n` : '';
  await io.stdout(`${list}Total reclaimed space: ${decimalSize(report.SpaceReclaimed)}\n`);
  return 0;
}
