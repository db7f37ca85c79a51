import { ImageStoreError } from '../image-store-error.ts';
import { type Reference, repositoryOf } from '../reference.ts';

/** How registries are reached. */
export interface RegistrySettings {
  /**
   * Registry of names without one: `HOST[:PORT][/NAMESPACE]`. The namespace is put before names of one part. There
   * is no default: without it such names cannot be pulled or pushed.
   */
  defaultRegistry?: string;
  /** Registries (`HOST[:PORT]`) that are spoken to over http; those of this machine always are. */
  insecure?: readonly string[];
  /**
   * Address of a server that passes requests on (`npm start` has one at /registry/), for pages, which most registries
   * do not let in: HOST/PATH is put behind it.
   */
  proxy?: string;
  /** Blobs fetched or sent at once; default 3. */
  parallel?: number;
  /** A transfer that brings nothing for so long has broken off, in ms; default 60,000. */
  stallMs?: number;
  /** Bytes that are sent in one request; larger blobs go in several. Default 8 MiB. */
  chunkBytes?: number;
  /** Default: the platform's. */
  fetch?: typeof fetch;
}

/** A repository at a registry. */
export interface Repository {
  /** `HOST[:PORT]` */
  host: string;
  path: string;
  /** How users call it. */
  name: string;
}

/**
 * Where a name leads.
 * @throws {ImageStoreError} network, when it names no registry and there is no default
 */
export function repositoryFor(reference: Reference, settings: RegistrySettings): Repository {
  const name = repositoryOf(reference);
  if (reference.domain !== '') return { host: reference.domain, path: reference.path, name };
  const registry = settings.defaultRegistry?.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (registry === undefined || registry === '') {
    throw new ImageStoreError(
      'network',
      `no registry is set to look for "${name}" in: name one (REGISTRY/${name}), or set a default (HYPERTAB_REGISTRY, or defaultRegistry)`,
    );
  }
  const slash = registry.indexOf('/');
  const host = slash < 0 ? registry : registry.slice(0, slash);
  const namespace = slash < 0 || name.includes('/') ? '' : `${registry.slice(slash + 1)}/`;
  return { host, path: `${namespace}${name}`, name };
}

/** Address of a registry's root, without a slash at its end. */
export function addressOf(host: string, settings: RegistrySettings): string {
  if (settings.proxy !== undefined) return `${settings.proxy.replace(/\/+$/, '')}/${host}`;
  const isPlain = isLoopback(host) || settings.insecure?.includes(host);
  return `${isPlain ? 'http' : 'https'}://${host}`;
}

/** Whether a host is this machine: docker speaks http to it unasked. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
