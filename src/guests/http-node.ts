import * as http from 'node:http';
import * as https from 'node:https';
import * as tls from 'node:tls';
import { GuestError } from './guest-error.ts';

export interface HttpAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Must be read to its end or destroyed. */
  body: http.IncomingMessage;
}

export interface HttpOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Milliseconds without a byte after which the connection is given up. */
  idleMs?: number;
  /** Where proxies are named. Default: process.env. */
  env?: NodeJS.ProcessEnv;
}

const REDIRECTS = 5;
const IDLE_MS = 30_000;

/**
 * Requests a URL, following redirects, through the proxy that http_proxy, https_proxy and no_proxy name.
 * @throws {Error} Node's own when the server cannot be reached; {GuestError} for a URL or proxy that cannot be used
 */
export async function httpGet(address: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  let url = parseUrl(address);
  for (let redirects = 0; ; redirects++) {
    const answer = await request(url, options);
    const location = answer.headers.location;
    if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
    answer.body.destroy();
    if (redirects === REDIRECTS) throw new GuestError('network', `${address} redirects too often`);
    url = parseUrl(new URL(location, url).href);
  }
}

/** Chunks of a body that wait to be taken before the connection is held back. */
const MOST_WAITING = 64;

/**
 * What arrives of a body, in order. Where the connection breaks, everything that came before is given first: a stream's
 * own iterator would drop what it has not handed out yet. Listens from the call on, which must be in the turn of the
 * answer's arrival.
 * @throws {Error} Node's own when the connection breaks, from the iterator
 */
export function arrivals(body: http.IncomingMessage): AsyncGenerator<Buffer, void, void> {
  const waiting: Buffer[] = [];
  let over = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  const end = (error?: Error): void => {
    over = true;
    failure ??= error;
    wake();
  };
  body.on('error', end);
  body.on('end', () => end());
  body.on('close', () => end());
  body.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    if (waiting.length >= MOST_WAITING) body.pause();
    wake();
  });
  return (async function* () {
    for (;;) {
      const chunk = waiting.shift();
      if (chunk !== undefined) {
        if (waiting.length === 0) body.resume();
        yield chunk;
      } else if (failure !== undefined) throw failure;
      else if (over) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  })();
}

function parseUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new GuestError('network', `"${address}" is no http or https address`);
  }
  return url;
}

async function request(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const proxy = proxyFor(url, options.env ?? process.env);
  const { signal } = options;
  const idleMs = options.idleMs ?? IDLE_MS;
  const headers: Record<string, string> = { ...options.headers };
  if (url.username !== '') headers.authorization = basic(url);
  let outgoing: http.ClientRequest;
  if (proxy !== undefined && url.protocol === 'http:') {
    if (proxy.username !== '') headers['proxy-authorization'] = basic(proxy);
    outgoing = http.request({
      host: bare(proxy.hostname),
      port: proxy.port || 80,
      path: `${url.origin}${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host },
      signal,
    });
  } else if (proxy !== undefined) {
    const socket = await tunnel(url, proxy, idleMs, signal);
    outgoing = https.request(url, { headers, signal, agent: false, createConnection: () => socket });
  } else {
    const client = url.protocol === 'https:' ? https : http;
    outgoing = client.request(url, { headers, signal });
  }
  return await new Promise<HttpAnswer>((resolve, reject) => {
    outgoing.setTimeout(idleMs, () => outgoing.destroy(new Error(`no byte for ${idleMs / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.on('response', (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body }));
    outgoing.end();
  });
}

/** A TLS connection to `url` through a proxy's CONNECT (RFC 9110, 9.3.6). */
function tunnel(
  url: URL,
  proxy: URL,
  idleMs: number,
  signal: AbortSignal | undefined,
): Promise<tls.TLSSocket> {
  const authority = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const outgoing = http.request({
      method: 'CONNECT',
      host: bare(proxy.hostname),
      port: proxy.port || 80,
      path: authority,
      headers: {
        host: authority,
        ...(proxy.username === '' ? {} : { 'proxy-authorization': basic(proxy) }),
      },
      signal,
    });
    outgoing.setTimeout(idleMs, () => outgoing.destroy(new Error(`no byte for ${idleMs / 1000} s`)));
    outgoing.on('error', reject);
    outgoing.on('connect', (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        reject(
          new GuestError('network', `the proxy ${proxy.host} refuses ${authority}: ${answer.statusCode}`),
        );
        return;
      }
      resolve(tls.connect({ socket, servername: bare(url.hostname) }));
    });
    outgoing.end();
  });
}

/** Credentials of a URL as RFC 7617 has them. */
const basic = (url: URL) =>
  `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;

/** A host name as sockets want it: an IPv6 address without its brackets. */
const bare = (hostname: string) => hostname.replace(/^\[|\]$/g, '');

/**
 * The proxy that the environment names for a URL; undefined for a direct connection.
 * @throws {GuestError} when it is no http address
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const value = (name: string) => env[name] || env[name.toUpperCase()];
  // Upper-case HTTP_PROXY is not read: in a CGI environment a client's header sets it.
  const proxy = (url.protocol === 'https:' ? value('https_proxy') : env.http_proxy) || value('all_proxy');
  if (!proxy) return undefined;
  const host = url.hostname.toLowerCase();
  for (const entry of (value('no_proxy') ?? '').toLowerCase().split(/[\s,]+/)) {
    const [name, port] = entry.split(/:(?=\d+$)/);
    if (name === '*') return undefined;
    const suffix = (name ?? '').replace(/^\*?\./, '');
    if (
      suffix === '' ||
      (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80')))
    )
      continue;
    if (host === suffix || host.endsWith(`.${suffix}`)) return undefined;
  }
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (!URL.canParse(address) || new URL(address).protocol !== 'http:') {
    throw new GuestError('network', 'http_proxy or https_proxy is no http:// address; correct or unset it');
  }
  return new URL(address);
}
