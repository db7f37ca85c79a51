// The HTTP API of registries (OCI distribution-spec 1.1), for one repository.
import { cancelled, DOCUMENT_MAX } from '../content-store.ts';
import { ImageStoreError } from '../image-store-error.ts';
import { MANIFEST_TYPES } from '../oci-manifest.ts';
import { concat } from '../tar-writer.ts';
import type { Digest, RegistryCredentials } from '../types.ts';
import { basicAuthorization, parseChallenge, readToken, tokenAddress } from './registry-auth.ts';
import { answerError, networkError } from './registry-errors.ts';
import { addressOf, isLoopback, type RegistrySettings, type Repository } from './registry-settings.ts';

const STALL_MS = 60_000;
/** Statuses that another attempt may not meet, and the pauses before those, in ms. */
const PASSING = new Set([429, 502, 503, 504]);
const PAUSES = [200, 800];

export interface FetchedManifest {
  bytes: Uint8Array<ArrayBuffer>;
  mediaType: string | undefined;
  /** What the registry says it is. */
  digest: string | undefined;
}

interface RequestOptions {
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Statuses that are answers. */
  expect: readonly number[];
  what?: string;
}

/** Speaks to one repository for one operation. */
export class RegistryClient {
  readonly repository: Repository;
  private readonly settings: RegistrySettings;
  private readonly credentials: RegistryCredentials | undefined;
  private readonly action: 'pull' | 'push';
  private readonly signal: AbortSignal | undefined;
  private readonly base: string;
  private authorization: string | undefined;
  /** Repository that blobs may be mounted from. */
  private source: string | undefined;

  constructor(
    repository: Repository,
    settings: RegistrySettings,
    options: { action: 'pull' | 'push'; credentials?: RegistryCredentials; signal?: AbortSignal },
  ) {
    this.repository = repository;
    this.settings = settings;
    this.credentials = options.credentials;
    this.action = options.action;
    this.signal = options.signal;
    // Absolute in a page too, where the server that passes on may be given by its path.
    const page = typeof location === 'undefined' ? undefined : location.href;
    this.base = new URL(addressOf(repository.host, settings), page).href.replace(/\/+$/, '');
  }

  /**
   * Fetches a manifest or an index.
   * @param what names it in errors
   * @throws {ImageStoreError} not-found, unauthorized, denied, network, registry
   */
  async manifest(tagOrDigest: string, what: string): Promise<FetchedManifest> {
    const response = await this.request('GET', `manifests/${tagOrDigest}`, {
      headers: { Accept: MANIFEST_TYPES.join(', ') },
      expect: [200],
      what,
    });
    return {
      bytes: await this.whole(response, `manifest ${what}`),
      mediaType: response.headers.get('Content-Type')?.split(';')[0]?.trim() || undefined,
      digest: response.headers.get('Docker-Content-Digest') ?? undefined,
    };
  }

  /** Whether a blob is in the repository. */
  async hasBlob(digest: Digest): Promise<boolean> {
    const response = await this.request('HEAD', `blobs/${digest}`, { expect: [200, 404] });
    return response.status === 200;
  }

  /** Digest of the manifest that a tag has; undefined when there is none. */
  async hasManifest(tagOrDigest: string): Promise<boolean> {
    const headers = { Accept: MANIFEST_TYPES.join(', ') };
    const response = await this.request('HEAD', `manifests/${tagOrDigest}`, { headers, expect: [200, 404] });
    return response.status === 200;
  }

  /**
   * Yields a blob's bytes from an offset on.
   * @throws {ImageStoreError} network, when it breaks off: ask again from where it did
   */
  async *blob(digest: Digest, offset: number): AsyncGenerator<Uint8Array> {
    const headers: Record<string, string> = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    const response = await this.request('GET', `blobs/${digest}`, {
      headers,
      expect: offset > 0 ? [200, 206] : [200],
      what: `blob ${digest}`,
    });
    // A server may send all of it, whatever it was asked for.
    let skip = offset;
    if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers.get('Content-Range') ?? '')?.[1];
      if (Number(start) !== offset) {
        throw new ImageStoreError('registry', `blob ${digest}: asked for byte ${offset} on, got ${start}`);
      }
      skip = 0;
    }
    for await (const bytes of this.bodyOf(response)) {
      const part = skip > 0 ? bytes.subarray(skip) : bytes;
      skip = Math.max(0, skip - bytes.length);
      if (part.length > 0) yield part;
    }
  }

  /**
   * Begins an upload, or takes the blob over from another repository of the registry.
   * @returns where to send it; undefined when it is there now
   */
  async startUpload(mount?: { digest: Digest; from: string }): Promise<string | undefined> {
    let query = '';
    if (mount !== undefined) {
      query = `?mount=${encodeURIComponent(mount.digest)}&from=${encodeURIComponent(mount.from)}`;
      if (this.source !== mount.from) this.authorization = undefined;
      this.source = mount.from;
    }
    const response = await this.request('POST', `blobs/uploads/${query}`, { expect: [201, 202] });
    return response.status === 201 ? undefined : this.locationOf(response);
  }

  /**
   * Sends part of a blob.
   * @returns where the next part goes
   */
  async sendChunk(location: string, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const response = await this.request('PATCH', location, {
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Range': `${offset}-${offset + bytes.length - 1}`,
      },
      body: bytes,
      expect: [202],
    });
    return this.locationOf(response, location);
  }

  /** Bytes that the registry has of an upload, and where the next part goes. */
  async uploadStatus(location: string): Promise<{ done: number; location: string }> {
    const response = await this.request('GET', location, { expect: [204] });
    const end = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get('Range') ?? '')?.[1];
    // `0-0` is said of nothing as of one byte; nothing is what we never send one of.
    const done = end === undefined || end === '0' ? 0 : Number(end) + 1;
    return { done, location: this.locationOf(response, location) };
  }

  /** Ends an upload, with the rest of the blob. */
  async finishUpload(location: string, digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const separator = location.includes('?') ? '&' : '?';
    await this.request('PUT', `${location}${separator}digest=${encodeURIComponent(digest)}`, {
      headers: { 'Content-Type': 'application/octet-stream' },
      body: bytes,
      expect: [201],
    });
  }

  async putManifest(tagOrDigest: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.request('PUT', `manifests/${tagOrDigest}`, {
      headers: { 'Content-Type': mediaType },
      body: bytes,
      expect: [201],
      what: `${this.repository.name}:${tagOrDigest}`,
    });
  }

  /** Follows one request through challenges and passing troubles. */
  private async request(method: string, path: string, options: RequestOptions): Promise<Response> {
    const url = /^https?:\/\//.test(path) ? path : `${this.base}/v2/${this.repository.path}/${path}`;
    let asked = false;
    for (let attempt = 0; ; ) {
      const response = await this.send(method, url, options);
      if (options.expect.includes(response.status)) return response;
      if (response.status === 401 && !asked) {
        asked = true;
        await response.body?.cancel();
        if (await this.authorize(response.headers.get('WWW-Authenticate'))) continue;
      }
      const pause = PAUSES[attempt++];
      if (PASSING.has(response.status) && pause !== undefined) {
        await response.body?.cancel();
        await this.pause(pause);
        continue;
      }
      const body = method === 'HEAD' ? '' : await this.errorText(response);
      throw answerError(response, body, this.repository, this.action, options.what);
    }
  }

  private async send(method: string, url: string, { headers, body }: RequestOptions): Promise<Response> {
    const all: Record<string, string> = { ...headers };
    // Uploads may be sent elsewhere; what opens the registry is not for that.
    const isOurs = url.startsWith(`${this.base}/`);
    if (this.authorization !== undefined && isOurs) all.Authorization = this.authorization;
    return this.fetch(method, url, all, body);
  }

  private async fetch(
    method: string,
    url: string,
    headers: Record<string, string>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Response> {
    if (this.signal?.aborted) throw cancelled();
    try {
      // Credentials of the page (cookies) are no business of a registry.
      return await (this.settings.fetch ?? fetch)(url, {
        method,
        headers,
        body,
        signal: this.signal,
        credentials: 'omit',
        cache: 'no-store',
      });
    } catch (error) {
      if (this.signal?.aborted) throw cancelled();
      throw networkError(method, url, error);
    }
  }

  /** Does what a challenge asks for; false when that cannot be done. */
  private async authorize(header: string | null): Promise<boolean> {
    const challenge = parseChallenge(header);
    if (challenge === undefined) return false;
    if (challenge.scheme === 'basic') {
      if (this.credentials === undefined) return false;
      this.authorization = basicAuthorization(this.credentials);
      return true;
    }
    const rights = this.action === 'pull' ? 'pull' : 'pull,push';
    const scopes = [`repository:${this.repository.path}:${rights}`];
    if (this.source !== undefined) scopes.push(`repository:${this.source}:pull`);
    const url = tokenAddress(challenge, scopes[0], this.registryOrigin(), this.credentials?.username);
    for (const scope of scopes.slice(1)) url.searchParams.append('scope', scope);
    const headers: Record<string, string> =
      this.credentials === undefined ? {} : { Authorization: basicAuthorization(this.credentials) };
    const response = await this.fetch('GET', this.reachable(url), headers);
    if (response.status !== 200) {
      const body = await this.errorText(response);
      throw answerError(response, body, this.repository, this.action, undefined);
    }
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(await this.whole(response, 'the token')));
    } catch (error) {
      if (error instanceof ImageStoreError) throw error;
    }
    this.authorization = `Bearer ${readToken(json)}`;
    return true;
  }

  /** The registry's own address, whoever passes requests on. */
  private registryOrigin(): string {
    return addressOf(this.repository.host, { ...this.settings, proxy: undefined });
  }

  /** The address under which a server that the registry names can be reached from here. */
  private reachable(url: URL): string {
    if (this.settings.proxy === undefined) return url.href;
    const page = typeof location === 'undefined' ? undefined : location.href;
    return new URL(`${addressOf(url.host, this.settings)}${url.pathname}${url.search}`, page).href;
  }

  private locationOf(response: Response, before?: string): string {
    const header = response.headers.get('Location');
    if (header === null) {
      if (before !== undefined) return before;
      throw new ImageStoreError('registry', `${this.repository.host} does not say where to upload to`);
    }
    const url = new URL(header, response.url || this.base);
    const isPlain = url.protocol === 'http:' && !isLoopback(url.host) && this.base.startsWith('https:');
    if ((url.protocol !== 'https:' && url.protocol !== 'http:') || isPlain) {
      throw new ImageStoreError('registry', `${this.repository.host} sends uploads to ${url.href}`);
    }
    return url.href;
  }

  /** The whole of a small answer. */
  private async whole(response: Response, what: string): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of this.bodyOf(response)) {
      size += bytes.length;
      if (size > DOCUMENT_MAX) throw new ImageStoreError('registry', `${what} is larger than 4 MiB`);
      parts.push(bytes);
    }
    return concat(parts);
  }

  private async errorText(response: Response): Promise<string> {
    const bytes = await this.whole(response, 'the answer').catch(() => new Uint8Array());
    return new TextDecoder().decode(bytes);
  }

  /** The bytes of an answer; one that brings nothing for too long has broken off. */
  private async *bodyOf(response: Response): AsyncGenerator<Uint8Array> {
    if (response.body === null) return;
    const reader = response.body.getReader();
    const stallMs = this.settings.stallMs ?? STALL_MS;
    let ended = false;
    try {
      for (;;) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        const stalled = new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('i/o timeout')), stallMs);
        });
        const { done, value } = await Promise.race([reader.read(), stalled]).finally(() =>
          clearTimeout(timer),
        );
        if (done) {
          ended = true;
          return;
        }
        yield value;
      }
    } catch (error) {
      if (this.signal?.aborted) throw cancelled();
      throw networkError('GET', response.url, error);
    } finally {
      if (!ended) await reader.cancel().catch(() => {});
    }
  }

  private async pause(milliseconds: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    if (this.signal?.aborted) throw cancelled();
  }
}
