// Manifests, indexes and configurations: OCI image-spec 1.1 and docker's schema 2, which differ in media types only.
import { ImageStoreError } from './image-store-error.ts';
import { isDigest } from './reference.ts';
import { type ContainerConfig, type Digest, type ImageConfig, PLATFORM, type Platform } from './types.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** What we take from a registry. */
export const MANIFEST_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/** Image-spec, descriptor.md. */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

export interface Manifest {
  kind: 'manifest';
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
}

export interface ManifestIndex {
  kind: 'index';
  mediaType: string;
  manifests: Descriptor[];
}

const LAYERS_MAX = 128;
const MANIFESTS_MAX = 1000;
/** 64 GiB: more is no layer that fits anywhere here. */
const BLOB_MAX = 2 ** 36;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

function parseJson(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new ImageStoreError('invalid', `${what} is no JSON`, { cause: error });
  }
  if (!isObject(value)) throw new ImageStoreError('invalid', `${what} is no JSON object`);
  return value;
}

/**
 * Reads a manifest or an index.
 * @param declared media type that the registry or the archive gives
 * @throws {ImageStoreError} invalid
 */
export function parseManifest(bytes: Uint8Array, what: string, declared?: string): Manifest | ManifestIndex {
  const json = parseJson(bytes, what);
  const bad = (why: string) => new ImageStoreError('invalid', `${what} is no proper manifest: ${why}`);
  if (json.schemaVersion === 1) {
    throw bad('schema 1 is not supported any more; push the image again with a newer client');
  }
  if (json.schemaVersion !== 2) throw bad('schemaVersion is not 2');
  const given = typeof json.mediaType === 'string' ? json.mediaType : declared;
  if (json.manifests !== undefined && (json.layers !== undefined || json.config !== undefined)) {
    throw bad('it is both a manifest and an index');
  }
  if (Array.isArray(json.manifests)) {
    if (json.manifests.length > MANIFESTS_MAX) throw bad(`it lists more than ${MANIFESTS_MAX}`);
    const manifests = json.manifests.map((entry) => descriptor(entry, bad));
    return { kind: 'index', mediaType: given ?? OCI_INDEX, manifests };
  }
  if (!Array.isArray(json.layers)) throw bad('it has no layers');
  if (json.layers.length > LAYERS_MAX) throw bad(`it has more than ${LAYERS_MAX} layers`);
  const layers = json.layers.map((layer) => descriptor(layer, bad));
  return { kind: 'manifest', mediaType: given ?? OCI_MANIFEST, config: descriptor(json.config, bad), layers };
}

function descriptor(value: unknown, bad: (why: string) => Error): Descriptor {
  if (!isObject(value)) throw bad('a descriptor is missing');
  const { mediaType, digest, size, platform } = value;
  if (!isDigest(digest)) throw bad(`${JSON.stringify(digest)} is no SHA-256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > BLOB_MAX) {
    throw bad(`the size of ${digest} is ${JSON.stringify(size)}`);
  }
  const found: Descriptor = { mediaType: typeof mediaType === 'string' ? mediaType : '', digest, size };
  if (isObject(platform)) {
    const { os, architecture, variant } = platform;
    found.platform = { os: String(os ?? ''), architecture: String(architecture ?? '') };
    if (typeof variant === 'string' && variant !== '') found.platform.variant = variant;
  }
  if (isObject(value.annotations)) {
    found.annotations = Object.fromEntries(
      Object.entries(value.annotations).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      ),
    );
  }
  return found;
}

/**
 * Reads a configuration; what is not of the right type in it counts as not there.
 * @throws {ImageStoreError} invalid
 */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const json = parseJson(bytes, what);
  const { rootfs } = json;
  const diffIds = isObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw new ImageStoreError(
      'invalid',
      `${what} is no configuration of an image: rootfs.diff_ids is missing`,
    );
  }
  const text = (name: string) => (typeof json[name] === 'string' ? (json[name] as string) : undefined);
  const history = Array.isArray(json.history) ? json.history.filter(isObject) : [];
  return {
    ...(text('created') !== undefined && { created: text('created') }),
    ...(text('author') !== undefined && { author: text('author') }),
    architecture: text('architecture') ?? '',
    os: text('os') ?? '',
    ...(text('variant') !== undefined && { variant: text('variant') }),
    config: containerConfig(json.config),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: history.map((entry) => {
      const field = (name: string) =>
        typeof entry[name] === 'string' ? { [name]: entry[name] as string } : undefined;
      return {
        ...field('created'),
        ...field('created_by'),
        ...field('author'),
        ...field('comment'),
        ...(entry.empty_layer === true && { empty_layer: true }),
      };
    }),
  };
}

/** How to run a container, with fields of other types left out. */
export function containerConfig(value: unknown): ContainerConfig {
  if (!isObject(value)) return {};
  const config: ContainerConfig = {};
  for (const name of ['User', 'WorkingDir', 'StopSignal'] as const) {
    const field = value[name];
    if (typeof field === 'string' && field !== '') config[name] = field;
  }
  for (const name of ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild'] as const) {
    const field = value[name];
    if (isTexts(field)) config[name] = field;
  }
  for (const name of ['ExposedPorts', 'Volumes'] as const) {
    const field = value[name];
    if (isObject(field)) config[name] = Object.fromEntries(Object.keys(field).map((key) => [key, {}]));
  }
  if (isObject(value.Labels)) {
    config.Labels = Object.fromEntries(
      Object.entries(value.Labels).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    );
  }
  if (isObject(value.Healthcheck)) {
    const { Test, ...times } = value.Healthcheck;
    const check: NonNullable<ContainerConfig['Healthcheck']> = {};
    if (isTexts(Test)) check.Test = Test;
    for (const name of ['Interval', 'Timeout', 'StartPeriod', 'Retries'] as const) {
      const time = times[name];
      if (typeof time === 'number' && Number.isFinite(time)) check[name] = time;
    }
    config.Healthcheck = check;
  }
  return config;
}

/** Whether a platform is that of our guests. */
export function isOurs(platform: Platform): boolean {
  return platform.os === PLATFORM.os && platform.architecture === PLATFORM.architecture;
}

/**
 * The entry of an index for linux/riscv64.
 * @throws {ImageStoreError} platform, in docker's words
 */
export function choosePlatform(index: ManifestIndex): Descriptor {
  const found = index.manifests.find((entry) => entry.platform !== undefined && isOurs(entry.platform));
  // What names no platform may be anything: its configuration tells.
  const unnamed = index.manifests.filter((entry) => entry.platform === undefined);
  const chosen = found ?? (index.manifests.length === 1 ? unnamed[0] : undefined);
  if (chosen === undefined) {
    throw new ImageStoreError(
      'platform',
      `no matching manifest for ${PLATFORM.os}/${PLATFORM.architecture} in the manifest list entries`,
    );
  }
  return chosen;
}
