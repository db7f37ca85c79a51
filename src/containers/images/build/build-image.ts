// `docker build`: stages in their order, each instruction an image on top of the one before, found again by the next
// build when nothing has changed that it depends on.

import type { FileSystem, Inode } from '../../../storage/tree/file-system.ts';
import { openTree } from '../../../storage/tree/open-tree.ts';
import type { TreeSpec } from '../../../storage/tree/tree-spec.ts';
import type { ImageRecord, Lease } from '../content-store.ts';
import { cancelled } from '../content-store.ts';
import { inputStream } from '../image-archive.ts';
import { configOf } from '../image-catalogue.ts';
import type { ImageStore } from '../image-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { makeImage } from '../install-image.ts';
import { formatReference, parseReference, shortId } from '../reference.ts';
import { concat } from '../tar-writer.ts';
import { type Digest, type ImageConfig, PLATFORM } from '../types.ts';
import { UNPACKED_MAX, unpacked } from '../unpack-layer.ts';
import { addedUrl } from './added-url.ts';
import { dockerfileError } from './build-error.ts';
import type { BuildOptions } from './build-types.ts';
import { CopiedFiles } from './copy-files.ts';
import { type Instruction, parseDockerfile } from './dockerfile.ts';
import { type Ignores, parseDockerignore } from './dockerignore.ts';
import { applySetting, checkFlags, commandOf, missingRunner, withEnv } from './image-settings.ts';
import { ownerOf } from './owner.ts';
import { type StageState, viewOf } from './stage.ts';
import { needed, type StageText, stagesOf } from './stages.ts';
import { cleanPath, TreeView } from './tree-view.ts';
import { expandPlain, expandWord, expandWords } from './words.ts';

/** Arguments that need not be declared. */
const KNOWN_ARGS = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/**
 * Builds an image.
 * @param open opens the context (openTree, or openTreeNode where it is a folder of the host)
 * @returns its id
 * @throws {ImageStoreError} invalid: a line of the Dockerfile cannot be, in docker's words; whatever else goes wrong
 */
export async function buildImage(
  store: ImageStore,
  options: BuildOptions,
  open: (spec: TreeSpec) => Promise<FileSystem<Inode>> = openTree,
): Promise<Digest> {
  const tags = (options.tags ?? []).map((tag) => formatReference(parseReference(tag)));
  const context = new TreeView(
    await open(options.context ?? { kind: 'memory', capacity: 1 << 16, readonly: true }),
  );
  try {
    const text = options.dockerfileText ?? (await dockerfileOf(context, options.dockerfile ?? 'Dockerfile'));
    const ignore = await context.find('.dockerignore');
    const ignores = parseDockerignore(ignore === undefined ? '' : await textOf(context, ignore));
    const { instructions, escapeSign } = parseDockerfile(text);
    return await store.working((lease) =>
      new Build(store, lease, options, context, ignores, instructions, escapeSign).run(tags),
    );
  } finally {
    await context.close();
  }
}

async function dockerfileOf(context: TreeView, path: string): Promise<string> {
  const node = await context.find(path);
  if (node?.kind === 'file') return textOf(context, node);
  throw new ImageStoreError('invalid', `failed to read dockerfile: open ${path}: no such file or directory`);
}

async function textOf(view: TreeView, node: Parameters<TreeView['bytes']>[0]): Promise<string> {
  if (node.attributes.size > 1 << 22) throw new ImageStoreError('invalid', `${node.path} is too large`);
  const parts: Uint8Array[] = [];
  for await (const bytes of view.bytes(node)) parts.push(bytes);
  return new TextDecoder().decode(concat(parts));
}

/** One build. */
class Build {
  private readonly images: ImageStore;
  private readonly lease: Lease;
  private readonly options: BuildOptions;
  private readonly context: TreeView;
  private readonly ignores: Ignores;
  private readonly escapeSign: string;
  private readonly stages: StageText[];
  private readonly globalArgs = new Map<string, string>();
  private readonly made = new Map<number, StageState>();
  private readonly created: string;
  /** Images by the step that made them. */
  private steps = new Map<string, ImageRecord>();
  private step = 0;
  private total = 0;

  constructor(
    images: ImageStore,
    lease: Lease,
    options: BuildOptions,
    context: TreeView,
    ignores: Ignores,
    instructions: readonly Instruction[],
    escapeSign: string,
  ) {
    this.images = images;
    this.lease = lease;
    this.options = options;
    this.context = context;
    this.ignores = ignores;
    this.escapeSign = escapeSign;
    this.created = options.created ?? new Date().toISOString();
    for (const instruction of instructions) checkFlags(instruction);
    const { before, stages } = stagesOf(instructions);
    for (const instruction of before) this.declare(instruction, this.globalArgs, new Map());
    this.stages = stages;
  }

  async run(tags: readonly string[]): Promise<Digest> {
    for (const record of await this.images.content.images()) {
      if (record.build !== undefined && !this.options.noCache) this.steps.set(record.build, record);
    }
    const expand = (text: string) => expandWord(text, this.globalArgs, this.escapeSign);
    const { order, last } = needed(this.stages, this.options.target, expand);
    this.total = order.reduce((sum, index) => sum + 1 + this.stages[index]!.instructions.length, 0);
    for (const index of order) this.made.set(index, await this.stage(this.stages[index]!));
    let state = this.made.get(last)!;
    if (this.options.labels !== undefined && Object.keys(this.options.labels).length > 0) {
      const labels = { ...state.config.config?.Labels, ...this.options.labels };
      const config = { ...state.config, config: { ...state.config.config, Labels: labels } };
      state = await this.next(state, config, `LABEL ${JSON.stringify(this.options.labels)}`);
    }
    if (state.image === undefined)
      throw new ImageStoreError('invalid', 'No image was generated. Is your Dockerfile empty?');
    const record = (await this.images.content.images()).find(({ config }) => config === state.image)!;
    this.tell(`Successfully built ${shortId(state.image)}\n`);
    for (const tag of tags) {
      await this.images.content.putName(tag, record.manifest);
      this.tell(`Successfully tagged ${tag}\n`);
    }
    return state.image;
  }

  private tell(stream: string): void {
    this.options.onProgress?.({ stream });
  }

  private async stage({ from, instructions }: StageText): Promise<StageState> {
    this.announce(from.text);
    let state = await this.base(from);
    if (state.image !== undefined) this.tell(` ---> ${shortId(state.image)}\n`);
    const args = new Map<string, string>();
    const triggers = state.config.config?.OnBuild ?? [];
    const config = { ...state.config.config };
    delete config.OnBuild;
    state = { ...state, config: { ...state.config, config } };
    const queue = [
      ...triggers.flatMap((text) =>
        parseDockerfile(text).instructions.map((found) => ({ ...found, line: from.line })),
      ),
      ...instructions,
    ];
    let cmdIsSet = false;
    for (const [index, instruction] of queue.entries()) {
      if (this.options.signal?.aborted) throw cancelled();
      if (index >= triggers.length) this.announce(instruction.text);
      const variables = this.variables(args, state.config);
      if (instruction.name === 'ARG') {
        this.declare(instruction, args, variables);
        continue;
      }
      const context = { variables, escapeSign: this.escapeSign, cmdIsSet };
      const setting = applySetting(instruction, state.config, context);
      cmdIsSet ||= instruction.name === 'CMD';
      if (setting !== undefined) state = await this.next(state, setting, instruction.text);
      else if (instruction.name === 'WORKDIR') state = await this.workdir(state, instruction, variables);
      else if (instruction.name === 'RUN') state = await this.command(state, instruction, args);
      else state = await this.copy(state, instruction, variables);
      if (state.image !== undefined) this.tell(` ---> ${shortId(state.image)}\n`);
    }
    return state;
  }

  private announce(text: string): void {
    this.tell(`Step ${++this.step}/${this.total} : ${text}\n`);
  }

  /** What a stage begins with: nothing, an earlier stage, or an image, fetched where it is not there. */
  private async base({ rest, line }: Instruction): Promise<StageState> {
    const [name = '', ...more] = expandWords(rest, this.globalArgs, this.escapeSign);
    if (name === '' || !(more.length === 0 || (more.length === 2 && /^as$/i.test(more[0]!)))) {
      throw dockerfileError(line, 'FROM requires either one or three arguments');
    }
    if (name === 'scratch') {
      const { os, architecture } = PLATFORM;
      return {
        image: undefined,
        config: { os, architecture, rootfs: { type: 'layers', diff_ids: [] } },
        layers: [],
      };
    }
    const before = this.stages.findIndex((stage) => stage.name === name.toLowerCase());
    const made = this.made.get(before);
    return made ?? this.image(name);
  }

  private async image(name: string): Promise<StageState> {
    const find = async () => (await this.images.catalogue()).find(name).image;
    const { registry, signal, onProgress, fetchImage } = this.options;
    const found = this.options.pull
      ? undefined
      : await find().catch((error: unknown) => {
          if (error instanceof ImageStoreError && error.code === 'not-found') return undefined;
          throw error;
        });
    if (found === undefined) {
      if (fetchImage !== undefined) await fetchImage(name);
      else await this.images.pull(name, { onProgress, signal, ...registry });
    }
    const image = found ?? (await find());
    const record = image.records[0]!;
    await this.images.content.claim(
      this.lease,
      record.layers.flatMap((layer) => [layer.digest, layer.diffId]),
    );
    return { image: image.id, config: await configOf(this.images.content, image.id), layers: record.layers };
  }

  /** Values of variables: arguments, and above them the environment. */
  private variables(args: ReadonlyMap<string, string>, { config }: ImageConfig): Map<string, string> {
    const all = new Map(args);
    for (const entry of config?.Env ?? []) {
      const equals = entry.indexOf('=');
      if (equals > 0) all.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
    return all;
  }

  /** ARG: what the caller gives, else what the Dockerfile has before its stages, else the default. */
  private declare(
    { rest }: Instruction,
    args: Map<string, string>,
    variables: ReadonlyMap<string, string>,
  ): void {
    const given = this.options.buildArgs ?? {};
    for (const word of expandWords(rest, new Map([...args, ...variables]), this.escapeSign)) {
      const equals = word.indexOf('=');
      const name = equals < 0 ? word : word.slice(0, equals);
      const value = Object.hasOwn(given, name)
        ? given[name]
        : equals < 0
          ? this.globalArgs.get(name)
          : word.slice(equals + 1);
      if (value !== undefined) args.set(name, value);
    }
  }

  private async workdir(
    state: StageState,
    { rest, text }: Instruction,
    variables: ReadonlyMap<string, string>,
  ): Promise<StageState> {
    const wanted = expandWord(rest, variables, this.escapeSign);
    const before = state.config.config?.WorkingDir ?? '/';
    const path = wanted.startsWith('/') ? wanted : `${before}/${wanted}`;
    const WorkingDir = `/${cleanPath(path)}`;
    const config = { ...state.config, config: { ...state.config.config, WorkingDir } };
    const view = await viewOf(this.images.content, state.layers);
    try {
      const files = new CopiedFiles(this.images.content, view);
      await files.folder(WorkingDir);
      return await this.next(state, config, text, files);
    } finally {
      await view.close();
    }
  }

  private async copy(
    state: StageState,
    instruction: Instruction,
    variables: ReadonlyMap<string, string>,
  ): Promise<StageState> {
    const { name, json, rest, line, flags, heredocs, text } = instruction;
    const expand = (word: string) => expandWord(word, variables, this.escapeSign);
    const words = json?.map(expand) ?? expandWords(rest, variables, this.escapeSign);
    const target = words.pop();
    if (target === undefined || words.length === 0) {
      throw dockerfileError(
        line,
        `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
      );
    }
    const inline = heredocs.map((found) => ({
      name: found.name,
      bytes: new TextEncoder().encode(found.quoted ? found.text : expandPlain(found.text, variables)),
    }));
    const sources = words.filter((word) => !/^<</.test(word));
    const urls = name === 'ADD' ? sources.filter((source) => /^https?:\/\//.test(source)) : [];
    for (const url of urls) inline.push(await addedUrl(url, this.options.signal));
    const view = await viewOf(this.images.content, state.layers);
    const fromText = flags.get('from');
    const other = fromText === undefined ? undefined : await this.source(expand(fromText), line);
    try {
      const mode = flags.get('chmod');
      if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) {
        throw dockerfileError(
          line,
          `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
        );
      }
      const chown = flags.get('chown');
      const files = new CopiedFiles(this.images.content, view);
      await files.copy(other ?? this.context, {
        sources: sources.filter((source) => !urls.includes(source)),
        target,
        workingDir: state.config.config?.WorkingDir || '/',
        owner: chown === undefined ? undefined : await ownerOf(view, expand(chown)),
        keepOwners: other !== undefined,
        mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
        ignores: other === undefined ? this.ignores : () => false,
        unpacks: name === 'ADD',
        inline,
      });
      return await this.next(state, state.config, text, files);
    } finally {
      await view.close();
      await other?.close();
    }
  }

  /** What `COPY --from` names: a stage by name or number, or an image. */
  private async source(name: string, line: number): Promise<TreeView> {
    const byName = this.stages.findIndex((stage) => stage.name === name.toLowerCase());
    const index = byName >= 0 ? byName : /^\d+$/.test(name) ? Number(name) : -1;
    const made = this.made.get(index);
    if (made !== undefined) return viewOf(this.images.content, made.layers);
    if (/^\d+$/.test(name))
      throw dockerfileError(line, `invalid from flag value ${name}: no such stage before this one`);
    return viewOf(this.images.content, (await this.image(name)).layers);
  }

  private async command(
    state: StageState,
    instruction: Instruction,
    args: ReadonlyMap<string, string>,
  ): Promise<StageState> {
    const { line, heredocs, rest } = instruction;
    const { runner, signal } = this.options;
    if (state.image === undefined)
      throw dockerfileError(line, 'RUN needs an image with a shell: nothing has been put into this one');
    const config = state.config.config ?? {};
    // A text alone is the script; else the shell reads it as it reads any other.
    const alone = heredocs.length === 1 && /^<<-?["']?\w+["']?$/.test(rest);
    const texts = heredocs.map((found) => `\n${found.text}${found.name}`).join('');
    const script = alone ? heredocs[0]!.text : `${rest}${texts}`;
    const command = commandOf({ json: instruction.json, rest: script }, config);
    const given = Object.entries(this.options.buildArgs ?? {}).filter(([name]) =>
      KNOWN_ARGS.includes(name.toUpperCase()),
    );
    let env = config.Env ?? [];
    for (const [name, value] of args)
      if (!env.some((entry) => entry.startsWith(`${name}=`))) env = withEnv(env, name, value);
    const key = this.keyOf(state, { command, env });
    const known = this.steps.get(key);
    if (known !== undefined) return this.again(known);
    if (runner === undefined) throw missingRunner(line);
    for (const [name, value] of given) env = withEnv(env, name, value);
    const decoder = new TextDecoder();
    const { status, layer } = await runner({
      image: state.image,
      command,
      env,
      config,
      signal,
      onOutput: (bytes) => this.tell(decoder.decode(bytes, { stream: true })),
    });
    if (signal?.aborted) throw cancelled();
    if (status !== 0) {
      throw new ImageStoreError(
        'invalid',
        `The command '${command.join(' ')}' returned a non-zero code: ${status}`,
      );
    }
    const stream = unpacked(this.images.content.files, inputStream(layer), 'the layer of RUN');
    return this.make(state, state.config, `RUN ${command.join(' ')}`, key, stream);
  }

  /** The stage after a step of settings or files. */
  private async next(
    state: StageState,
    config: ImageConfig,
    text: string,
    files?: CopiedFiles,
  ): Promise<StageState> {
    const content = files === undefined || files.isEmpty ? undefined : files;
    const fingerprint = await content?.fingerprint();
    const key = this.keyOf(state, { text, config: config.config, author: config.author, fingerprint });
    const known = this.steps.get(key);
    if (known !== undefined) return this.again(known);
    return this.make(state, config, text, key, content?.archive());
  }

  private keyOf({ image }: StageState, step: object): string {
    return this.images.content.digestOf(new TextEncoder().encode(JSON.stringify([image ?? 'scratch', step])));
  }

  /** A step that an earlier build has made. */
  private async again(record: ImageRecord): Promise<StageState> {
    this.tell(' ---> Using cache\n');
    const { content } = this.images;
    await content.claim(
      this.lease,
      record.layers.flatMap((layer) => [layer.digest, layer.diffId]),
    );
    return { image: record.config, config: await configOf(content, record.config), layers: record.layers };
  }

  private async make(
    state: StageState,
    config: ImageConfig,
    text: string,
    build: string,
    layer: AsyncIterable<Uint8Array> | undefined,
  ): Promise<StageState> {
    const { content } = this.images;
    const { signal } = this.options;
    const added =
      layer === undefined
        ? undefined
        : await content.ingest(layer, { lease: this.lease, what: 'the layer', limit: UNPACKED_MAX, signal });
    const diffIds = [...config.rootfs.diff_ids, ...(added === undefined ? [] : [added.digest])];
    const entry = {
      created: this.created,
      created_by: text,
      ...(added === undefined && { empty_layer: true }),
    };
    const whole: ImageConfig = {
      ...config,
      created: this.created,
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: [...(config.history ?? []), entry],
    };
    const layers = [...state.layers, ...(added === undefined ? [] : [added])];
    const record = await makeImage(content, this.lease, whole, layers, {
      signal,
      parent: state.image,
      build,
    });
    this.steps.set(build, record);
    // As it will be read again: what a step is recognized by must not hang on the order of fields.
    return { image: record.config, config: await configOf(content, record.config), layers: record.layers };
  }
}
