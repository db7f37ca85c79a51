// Passes requests of the page on to registries, most of which do not let pages in (no CORS). Only to those that whoever
// started the server has named, only for pages of this server, and with nothing of the browser's own (cookies, origin).
//   /registry/HOST[:PORT]/PATH      with Authorization
//   /registry/-/HOST[:PORT]/PATH    without: where a registry has sent the page on to another host
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream';
import { StepError } from './project.mjs';

export const REGISTRY_PATH = '/registry/';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH'];
const SENT = ['accept', 'content-length', 'content-range', 'content-type', 'range'];
const ANSWERED = [
  'accept-ranges',
  'content-length',
  'content-range',
  'content-type',
  'docker-content-digest',
  'docker-upload-uuid',
  'etag',
  'range',
  'retry-after',
  'www-authenticate',
];
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const IDLE_MS = 60_000;

const isLoopback = (/** @type {string} */ host) =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);

/**
 * Reads a list of registries: `[http://]HOST[:PORT]`, with commas or blanks between them. http is for those that are
 * written so and for this machine.
 * @returns {Map<string, 'http:' | 'https:'>}
 */
export function parseRegistries(/** @type {readonly string[]} */ texts) {
  /** @type {Map<string, 'http:' | 'https:'>} */
  const registries = new Map();
  for (const text of texts.flatMap((list) => list.split(/[\s,]+/)).filter((name) => name !== '')) {
    const [, scheme, host] = /^(https?:\/\/)?(.*?)\/?$/.exec(text.toLowerCase()) ?? [];
    if (host === undefined || !HOST.test(host)) {
      throw new StepError(
        `"${text}" is no registry: give HOST or HOST:PORT, with http:// before it if it has no TLS.`,
      );
    }
    registries.set(
      host,
      scheme === 'http://' || (scheme === undefined && isLoopback(host)) ? 'http:' : 'https:',
    );
  }
  return registries;
}

/**
 * Answers a request whose path begins with REGISTRY_PATH.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {ReadonlyMap<string, 'http:' | 'https:'>} registries
 */
export function passOn(request, response, registries) {
  const refuse = (
    /** @type {number} */ status,
    /** @type {string} */ code,
    /** @type {string} */ message,
  ) => {
    request.resume();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify({ errors: [{ code, message }] }));
  };
  if (!METHODS.includes(request.method ?? ''))
    return refuse(405, 'UNSUPPORTED', `only ${METHODS.join(', ')}`);
  // Another site's page could send requests here, or give its own name this address.
  const site = request.headers['sec-fetch-site'];
  if ((site !== undefined && site !== 'same-origin') || !isLoopback(request.headers.host ?? '')) {
    return refuse(403, 'DENIED', 'registries are reached from the page of this server only');
  }
  const match = /^\/registry\/(-\/)?([^/?#]+)(\/[^#]*)$/.exec(request.url ?? '');
  const host = match?.[2]?.toLowerCase() ?? '';
  const scheme = registries.get(host);
  if (match === null || scheme === undefined) {
    return refuse(
      403,
      'DENIED',
      `this server passes nothing on to ${host || 'that'}: start it with --registry HOST`,
    );
  }
  /** @type {Record<string, string>} */
  const headers = { 'accept-encoding': 'identity' };
  for (const name of SENT) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  if (match[1] === undefined && request.headers.authorization)
    headers.authorization = request.headers.authorization;
  const target = `${scheme}//${host}${match[3]}`;
  const outgoing = (scheme === 'http:' ? requestHttp : requestHttps)(
    target,
    { method: request.method, headers },
    (answer) => {
      response.setHeader('Cache-Control', 'no-store');
      for (const name of ANSWERED) {
        const value = answer.headers[name];
        if (value !== undefined) response.setHeader(name, value);
      }
      if (answer.headers.location !== undefined) {
        const location = placeOf(answer.headers.location, target, host, registries);
        if (location === undefined) {
          answer.resume();
          for (const name of ANSWERED) response.removeHeader(name);
          refuse(
            403,
            'DENIED',
            `${host} sends on to ${hostOf(answer.headers.location, target)}: start the server with --registry for that, too`,
          );
          return;
        }
        response.setHeader('Location', location);
      }
      response.writeHead(answer.statusCode ?? 502);
      pipeline(answer, response, () => undefined);
    },
  );
  outgoing.setTimeout(IDLE_MS, () => outgoing.destroy(new Error('i/o timeout')));
  outgoing.on('error', (error) => refuse(502, 'UNAVAILABLE', `${host}: ${error.message}`));
  response.on('close', () => outgoing.destroy());
  pipeline(request, outgoing, () => undefined);
}

/** Where a page finds what a registry has sent it to; undefined: nowhere. */
function placeOf(
  /** @type {string} */ location,
  /** @type {string} */ base,
  /** @type {string} */ from,
  /** @type {ReadonlyMap<string, string>} */ registries,
) {
  if (!URL.canParse(location, base)) return undefined;
  const { protocol, host, pathname, search } = new URL(location, base);
  if (registries.get(host) !== protocol) return undefined;
  return `${REGISTRY_PATH}${host === from ? '' : '-/'}${host}${pathname}${search}`;
}

const hostOf = (/** @type {string} */ location, /** @type {string} */ base) =>
  URL.canParse(location, base) ? new URL(location, base).host : 'nowhere';
