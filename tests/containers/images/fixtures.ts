// Layers and archives of images, made here.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  concat,
  type TarHeaderFields,
  tarEnd,
  tarHeader,
  tarPad,
} from '../../../src/containers/images/tar-writer.ts';
import type { Digest } from '../../../src/containers/images/types.ts';

export type Member = Partial<TarHeaderFields> & { path: string; data?: string | Uint8Array };

const encoder = new TextEncoder();
export const encode = (text: string) => encoder.encode(text);

export const digestOf = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A tar archive; what has data is a file, everything else says what it is. */
export function tar(...members: Member[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const { data, ...member } of members) {
    const bytes = typeof data === 'string' ? encode(data) : (data ?? new Uint8Array());
    parts.push(
      tarHeader({ type: 'file', mode: 0o644, size: bytes.length, ...member }),
      bytes,
      tarPad(bytes.length),
    );
  }
  return concat([...parts, tarEnd()]);
}

export interface ImageParts {
  config: Uint8Array;
  manifest: Uint8Array;
  layers: { bytes: Uint8Array; mediaType: string; diffId: Digest }[];
}

/** An image of layers, each packed with gzip unless `pack` says otherwise. */
export function imageOf(
  layers: readonly Uint8Array[],
  options: {
    architecture?: string;
    pack?: (layer: Uint8Array) => { bytes: Uint8Array; mediaType: string };
    config?: object;
    diffIds?: Digest[];
  } = {},
): ImageParts {
  const pack =
    options.pack ??
    ((layer) => ({ bytes: gzipSync(layer), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }));
  const packed = layers.map((layer) => ({ ...pack(layer), diffId: digestOf(layer) }));
  const config = encode(
    JSON.stringify({
      created: '2024-05-06T07:08:09Z',
      architecture: options.architecture ?? 'riscv64',
      os: 'linux',
      config: { Cmd: ['sh'], ...options.config },
      rootfs: { type: 'layers', diff_ids: options.diffIds ?? packed.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({ created: '2024-05-06T07:08:09Z', created_by: `step ${index}` })),
    }),
  );
  const manifest = encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: packed.map(({ bytes, mediaType }) => ({
        mediaType,
        digest: digestOf(bytes),
        size: bytes.length,
      })),
    }),
  );
  return { config, manifest, layers: packed };
}

/** All blobs of an image by their digests. */
export function blobsOf({ config, manifest, layers }: ImageParts): Map<Digest, Uint8Array> {
  return new Map(
    [config, manifest, ...layers.map(({ bytes }) => bytes)].map((bytes) => [digestOf(bytes), bytes]),
  );
}

/** A tar archive that is an OCI image layout. */
export function ociArchive(
  image: ImageParts,
  name?: string,
  change?: (blobs: Map<Digest, Uint8Array>) => void,
): Uint8Array {
  const blobs = blobsOf(image);
  change?.(blobs);
  const descriptor = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(image.manifest),
    size: image.manifest.length,
    ...(name !== undefined && { annotations: { 'org.opencontainers.image.ref.name': name } }),
  };
  return tar(
    { path: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { path: 'index.json', data: JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }) },
    ...[...blobs].map(([digest, data]): Member => ({ path: `blobs/sha256/${digest.slice(7)}`, data })),
  );
}

/** An archive as `docker save` wrote it before it knew OCI. */
export function dockerArchive(layers: readonly Uint8Array[], tags: string[]): Uint8Array {
  const { config } = imageOf(layers);
  const name = digestOf(config).slice(7);
  return tar(
    { path: `${name}.json`, data: config },
    ...layers.map((data, index): Member => ({ path: `layer${index}/layer.tar`, data })),
    {
      path: 'manifest.json',
      data: JSON.stringify([
        {
          Config: `${name}.json`,
          RepoTags: tags,
          Layers: layers.map((_, index) => `layer${index}/layer.tar`),
        },
      ]),
    },
  );
}
