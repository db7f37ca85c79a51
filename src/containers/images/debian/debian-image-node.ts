// Images from Debian packages, with the checked chain of mirrors that guests are made with.
import { readDeb } from '../../../guests/deb-node.ts';
import { findDebianMirror } from '../../../guests/debian-mirror-node.ts';
import { DebianRepository, type FetchedPackage } from '../../../guests/debian-repository-node.ts';
import { GuestError } from '../../../guests/guest-error.ts';
import { packageClosure } from '../../../guests/package-closure.ts';
import { cacheFolder } from '../../../guests/paths-node.ts';
import type { ProgressListener } from '../../../guests/progress.ts';
import type { Lease } from '../content-store.ts';
import type { ImageStore } from '../image-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { makeImage } from '../install-image.ts';
import { type Digest, type HistoryEntry, type ImageConfig, PLATFORM } from '../types.ts';
import { busyboxApplets } from './busybox-applets.ts';
import { compilePython } from './compile-python-node.ts';
import { type DebianImage, debianImages, NOT_AT_RUN_TIME } from './debian-images.ts';
import { fullDebianLayer } from './full-debian-node.ts';
import { LayerBuilder } from './layer-builder.ts';
import { isUnwanted } from './trim.ts';

export interface PrepareImageOptions {
  onProgress?: ProgressListener;
  signal?: AbortSignal;
  /** Ask the mirror for newer packages even when the image is there. */
  refresh?: boolean;
  env?: NodeJS.ProcessEnv;
  /** Default: HYPERTAB_DEBIAN_MIRROR, else that of apt's configuration. */
  mirror?: string;
  cacheDir?: string;
}

/** A layer, and what `docker history` tells of it. */
interface MadeLayer {
  archive: Uint8Array;
  made: string;
  packages: readonly FetchedPackage[];
  newest: number;
}

/**
 * Makes one of the images to start with, unless it is there.
 * @returns its id
 * @throws {ImageStoreError} not-found {GuestError} from the mirror
 */
export async function prepareImage(
  store: ImageStore,
  name: string,
  options: PrepareImageOptions = {},
): Promise<Digest> {
  const image = debianImages.find((candidate) => candidate.name === name.replace(/:latest$/, ''));
  if (image === undefined) {
    const names = debianImages.map((candidate) => candidate.name).join(', ');
    throw new ImageStoreError('not-found', `there is no image '${name}' to prepare; there are ${names}`);
  }
  const there = await store.inspect(`${image.name}:latest`).catch(() => undefined);
  if (there !== undefined && !options.refresh) return there.Id;
  const repository = await DebianRepository.open({
    mirror: options.mirror ?? (await findDebianMirror({ env: options.env })),
    cacheDir: options.cacheDir ?? cacheFolder(options.env),
    env: options.env,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  const layers = await layersOf(image, repository, options);
  return store.working((lease) => install(store, lease, image, layers));
}

async function layersOf(
  image: DebianImage,
  repository: DebianRepository,
  options: PrepareImageOptions,
): Promise<MadeLayer[]> {
  const onProgress = options.onProgress ?? (() => {});
  const fetchAll = async (names: readonly string[]) => {
    const found: FetchedPackage[] = [];
    for (const name of names) found.push(await repository.fetch(name));
    return found;
  };
  if (image.base === 'none') {
    const wanted = packageClosure([...repository.essential(), ...image.packages], (name) =>
      repository.find(name),
    );
    const packages = await fetchAll(wanted.map((found) => found.name));
    onProgress({ kind: 'step', text: `unpacking ${packages.length} packages` });
    const builder = await fullDebianLayer(packages, repository);
    return [{ archive: builder.archive(), made: image.name, packages, newest: builder.newest }];
  }
  const find = (name: string) => {
    const found = repository.find(name);
    const depends = found.depends.filter((clause) => !clause.some((other) => NOT_AT_RUN_TIME.has(other)));
    return { ...found, depends };
  };
  const libc = image.base === 'libc' ? packageClosure(['libc6'], find).map((found) => found.name) : [];
  const own = packageClosure([...libc, ...image.packages], find).map((found) => found.name);
  const packages = {
    busybox: await fetchAll(['busybox-static', 'base-passwd']),
    libc: await fetchAll(libc),
    own: await fetchAll(own.filter((name) => !libc.includes(name))),
  };
  onProgress({ kind: 'step', text: `building ${image.name}` });
  const layers: MadeLayer[] = [];
  const add = (made: string, builder: LayerBuilder, of: readonly FetchedPackage[]) =>
    layers.push({ archive: builder.archive(), made, packages: of, newest: builder.newest });
  const { builder: base, files } = await busyboxLayer(packages.busybox);
  add('busybox', base, packages.busybox);
  if (packages.libc.length > 0) add('libc', await packagesLayer(packages.libc), packages.libc);
  if (packages.own.length > 0) {
    const builder = await packagesLayer(packages.own);
    finish(builder, image, files);
    if (image.compilesPython) {
      const lowers = [builder.archive(), ...layers.map((layer) => layer.archive).reverse()];
      for (const [path, data] of await compilePython(lowers, options)) builder.file(path, data);
    }
    add(image.name, builder, packages.own);
  }
  return layers;
}

/** The files of packages, without those that containers do not need. */
async function packagesLayer(packages: readonly FetchedPackage[]): Promise<LayerBuilder> {
  const builder = new LayerBuilder();
  for (const { package: found, path } of packages) {
    for await (const entry of readDeb(path, found.filename)) {
      if (isUnwanted(entry.path)) continue;
      if (entry.type === 'character' || entry.type === 'block') {
        throw new GuestError('format', `${found.filename} has a device, which packages do not have`);
      }
      const { mode, uid, gid, mtime } = entry;
      const type = entry.type === 'hardlink' ? 'link' : entry.type;
      const target = entry.link === '' ? undefined : entry.link;
      const data = entry.type === 'file' ? await entry.read() : undefined;
      builder.add({ path: entry.path, type, mode, uid, gid, mtime, target, data });
    }
  }
  return builder;
}

/** BusyBox under all its names, and what every program expects of a root. */
async function busyboxLayer(
  packages: readonly FetchedPackage[],
): Promise<{ builder: LayerBuilder; files: Map<string, string> }> {
  const builder = new LayerBuilder();
  const files = new Map<string, string>();
  let program: Uint8Array | undefined;
  for (const { package: found, path } of packages) {
    for await (const entry of readDeb(path, found.filename)) {
      if (entry.type !== 'file') continue;
      const master = /^usr\/share\/base-passwd\/(passwd|group)\.master$/.exec(entry.path);
      if (master !== null) files.set(master[1]!, new TextDecoder().decode(await entry.read()));
      if (!/^(?:usr\/)?bin\/busybox$/.test(entry.path)) continue;
      program = await entry.read();
      builder.add({ path: 'usr/bin/busybox', type: 'file', mode: 0o755, mtime: entry.mtime, data: program });
    }
  }
  if (program === undefined) throw new GuestError('package', 'busybox-static has no /bin/busybox');
  for (const name of busyboxApplets(program)) {
    if (name !== 'busybox') builder.link(`usr/bin/${name}`, 'busybox');
  }
  for (const name of ['bin', 'lib', 'sbin']) {
    builder.folder(`usr/${name}`);
    builder.symlinkAtRoot(name, `usr/${name}`);
  }
  // The kernel's name for the loader of dynamic programs is in /lib.
  for (const name of [
    'dev',
    'etc',
    'home',
    'mnt',
    'proc',
    'run',
    'sys',
    'usr/local/bin',
    'var/lib',
    'var/log',
  ]) {
    builder.folder(name);
  }
  builder.folder('root', 0o700);
  builder.folder('tmp', 0o1777);
  builder.folder('var/tmp', 0o1777);
  builder.link('var/run', '/run');
  builder.file('etc/passwd', files.get('passwd') ?? 'root:x:0:0:root:/root:/bin/sh\n');
  builder.file('etc/group', files.get('group') ?? 'root:x:0:\n');
  builder.file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  return { builder, files };
}

/** What the recipe has beside the packages. */
function finish(builder: LayerBuilder, image: DebianImage, files: ReadonlyMap<string, string>): void {
  for (const [path, { mode, uid, gid }] of Object.entries(image.folders ?? {})) {
    builder.folder(path, mode, uid, gid);
  }
  for (const [path, text] of Object.entries(image.files ?? {})) builder.file(path, text);
  for (const [path, target] of Object.entries(image.links ?? {})) {
    if (!builder.has(path)) builder.link(path, target);
  }
  if (image.users === undefined) return;
  const groups = image.users.map((line) => `${line.split(':')[0]}:x:${line.split(':')[3]}:`);
  builder.file('etc/passwd', `${files.get('passwd') ?? ''}${image.users.join('\n')}\n`);
  builder.file('etc/group', `${files.get('group') ?? ''}${groups.join('\n')}\n`);
}

async function install(
  store: ImageStore,
  lease: Lease,
  image: DebianImage,
  layers: readonly MadeLayer[],
): Promise<Digest> {
  const added: { digest: Digest; size: number }[] = [];
  const history: HistoryEntry[] = [];
  // When a package was made, not when this ran: equal packages give an equal image.
  const created = (seconds: number) => new Date(seconds * 1000).toISOString();
  for (const { archive, made, packages, newest } of layers) {
    added.push({ digest: await store.content.put(lease, archive), size: archive.length });
    const versions = packages.map(({ package: found }) => `${found.name}=${found.version}`);
    history.push({
      created: created(newest),
      created_by: `hypertab image prepare ${made}`,
      comment: versions.join(' '),
    });
  }
  const config: ImageConfig = {
    created: created(Math.max(...layers.map(({ newest }) => newest))),
    architecture: PLATFORM.architecture,
    os: PLATFORM.os,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: added.map(({ digest }) => digest) },
    history,
  };
  const record = await makeImage(store.content, lease, config, added);
  await store.content.putName(`${image.name}:latest`, record.manifest);
  return record.config;
}
