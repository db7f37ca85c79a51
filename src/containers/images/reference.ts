// Names of images: [HOST[:PORT]/]PATH[:TAG][@DIGEST], by the grammar of docker (distribution/reference).
import { ImageStoreError } from './image-store-error.ts';
import type { Digest } from './types.ts';

/** A name taken apart. */
export interface Reference {
  /** Host and port of the registry; empty: the default registry. */
  domain: string;
  path: string;
  tag?: string;
  digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_MAX = 255;

/** Whether a text is a digest as we know them. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** The hex digits of a digest. */
export const hexOf = (digest: Digest) => digest.slice('sha256:'.length);

/** What docker shows of an id. */
export const shortId = (digest: Digest) => hexOf(digest).slice(0, 12);

/**
 * Takes a name apart; a name without tag and digest means the tag `latest`.
 * @throws {ImageStoreError} invalid, in docker's words
 */
export function parseReference(text: string): Reference {
  const bad = (why = '') => new ImageStoreError('invalid', `invalid reference format${why}`);
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const found = rest.slice(at + 1);
    if (!isDigest(found)) throw bad();
    digest = found;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw bad();
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  const isDomain = /[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = isDomain ? first : '';
  const path = isDomain ? rest.slice(slash + 1) : rest;
  if (path !== path.toLowerCase()) throw bad(`: repository name (${path}) must be lowercase`);
  if (!PATH.test(path) || (isDomain && !DOMAIN.test(domain))) throw bad();
  if (domain === '' && /^[0-9a-f]{64}$/.test(path)) {
    throw new ImageStoreError(
      'invalid',
      `invalid repository name (${path}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  if (rest.length > NAME_MAX) {
    throw new ImageStoreError('invalid', `repository name must not be more than ${NAME_MAX} characters`);
  }
  if (tag === undefined && digest === undefined) tag = 'latest';
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** Registry and path, without tag and digest. */
export function repositoryOf({ domain, path }: Reference): string {
  return domain === '' ? path : `${domain}/${path}`;
}

/** `repository:tag`, or `repository@digest` where there is a digest. */
export function formatReference(reference: Reference): string {
  const { tag, digest } = reference;
  return digest === undefined
    ? `${repositoryOf(reference)}:${tag ?? 'latest'}`
    : `${repositoryOf(reference)}@${digest}`;
}
