// Serves the built page and the prepared guests on this machine: the headers that shared memory needs, ranges,
// and nothing outside the two folders.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { parseArgs } from 'node:util';
import { isMain, projectRoot, runMain, StepError } from './project.mjs';
import { parseRegistries, passOn, REGISTRY_PATH } from './registry-proxy.mjs';

/**
 * `registries`: those that requests under /registry/ are passed on to.
 * @typedef {{
 *   page: string,
 *   guests: string,
 *   isolated: boolean,
 *   registries: ReadonlyMap<string, 'http:' | 'https:'>,
 * }} SiteOptions
 */

/** @type {Record<string, string>} */
const contentTypes = {
  '.css': 'text/css; charset=utf-8',
  '.gz': 'application/gzip',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'", // xterm writes its cell sizes into a style element
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The file a URL path means, or undefined when it means nothing here. Symbolic links may not lead out. */
async function locate(/** @type {string} */ pathname, /** @type {SiteOptions} */ site) {
  let decoded;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return undefined;
  const segments = decoded.split('/').slice(1);
  // Dot names are never part of the site: `..`, but also stamps and partial downloads.
  if (segments.some((segment) => segment.startsWith('.'))) return undefined;
  const inGuests = segments[0] === 'guests';
  const base = inGuests ? site.guests : site.page;
  const wanted = (inGuests ? segments.slice(1) : segments).join('/');
  try {
    const root = await realpath(base);
    const file = await realpath(resolve(root, wanted === '' && !inGuests ? 'index.html' : wanted));
    if (!file.startsWith(root + sep)) return undefined;
    const info = await stat(file);
    return info.isFile() ? { file, info, inGuests } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a Range header with one range (RFC 9110, 14.1.2).
 * @returns {{ start: number, end: number } | 'unsatisfiable' | undefined} inclusive bounds; undefined: send it all
 */
export function parseRange(/** @type {string | undefined} */ header, /** @type {number} */ size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
}

/**
 * Answers one request.
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {SiteOptions} site
 */
async function answer(request, response, site) {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  if (site.isolated) {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  }
  if (request.url?.startsWith(REGISTRY_PATH)) {
    passOn(request, response, site.registries);
    return;
  }
  const refuse = (/** @type {number} */ status, /** @type {string} */ text) => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    refuse(405, 'Only GET and HEAD are answered here.');
    return;
  }
  // Not through URL: it would resolve `..` before we could refuse it.
  const pathname = /** @type {string} */ ((request.url ?? '/').split(/[?#]/, 1)[0]);
  const found = await locate(pathname, site);
  if (!found) {
    refuse(404, 'Not found.');
    return;
  }
  let { file, info } = found;
  const range = parseRange(request.headers.range, info.size);
  response.setHeader('Content-Type', contentTypes[extname(file)] ?? 'application/octet-stream');
  // Hashed names never change their contents; everything else is asked for again.
  const immutable = !found.inGuests && /^\/assets\/.+-[\w-]{8}\.\w+$/.test(pathname);
  response.setHeader('Cache-Control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (!found.inGuests) {
    response.setHeader('Vary', 'Accept-Encoding');
    const gzipInfo = await stat(`${file}.gz`).catch(() => undefined);
    const accepts = /(^|[\s,])gzip(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(
      String(request.headers['accept-encoding'] ?? ''),
    );
    if (gzipInfo?.isFile() && accepts && request.headers.range === undefined) {
      file = `${file}.gz`;
      info = gzipInfo;
      response.setHeader('Content-Encoding', 'gzip');
    }
  }
  const etag = `"${info.size.toString(36)}-${Math.trunc(info.mtimeMs).toString(36)}${file === found.file ? '' : '-gz'}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const ifRange = request.headers['if-range'];
  const partial = ifRange === undefined || ifRange === etag ? range : undefined;
  if (partial === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${info.size}`);
    refuse(416, 'The range lies beyond the end of the file.');
    return;
  }
  const start = partial?.start ?? 0;
  const end = partial?.end ?? info.size - 1;
  if (partial) response.setHeader('Content-Range', `bytes ${start}-${end}/${info.size}`);
  response.setHeader('Content-Length', info.size === 0 ? 0 : end - start + 1);
  response.writeHead(partial ? 206 : 200);
  if (request.method === 'HEAD' || info.size === 0) response.end();
  else pipeline(createReadStream(file, { start, end }), response, () => undefined);
}

/** An HTTP server for the built page and build/guests (under /guests/); not listening yet. */
export function createSite(/** @type {Partial<SiteOptions>} */ options = {}) {
  const site = {
    page: options.page ?? resolve(projectRoot, 'build/page'),
    guests: options.guests ?? resolve(projectRoot, 'build/guests'),
    isolated: options.isolated ?? true,
    registries: options.registries ?? new Map(),
  };
  return createServer((request, response) => {
    answer(request, response, site).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'Content-Type': 'text/plain' }).end('The file could not be read.\n');
    });
  });
}

/**
 * Listens on 127.0.0.1.
 * @param {import('node:http').Server} server
 * @param {number} port 0 for any
 * @param {number} [attempts] how many ports to try, upwards, while they are taken
 * @returns {Promise<string>} the site's address
 */
export async function listen(server, port, attempts = 1) {
  for (let candidate = port; ; candidate++) {
    try {
      await new Promise((done, fail) => {
        server.once('error', fail);
        server.listen(candidate, '127.0.0.1', () => {
          server.off('error', fail);
          done(undefined);
        });
      });
      const address = /** @type {import('node:net').AddressInfo} */ (server.address());
      return `http://localhost:${address.port}/`;
    } catch (error) {
      const code = /** @type {NodeJS.ErrnoException} */ (error).code;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      if (candidate + 1 < port + attempts && candidate < 65535) continue;
      const what = code === 'EACCES' ? 'may not be used by you' : 'is taken';
      throw new StepError(`Port ${candidate} ${what}: choose another with --port N.`);
    }
  }
}

/** Reads --port, PORT, --no-isolation, --registry and HYPERTAB_REGISTRIES. */
export function readServeOptions(argv = process.argv.slice(2), env = process.env) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        port: { type: 'string' },
        'no-isolation': { type: 'boolean', default: false },
        registry: { type: 'string', multiple: true, default: [] },
      },
    }));
  } catch (error) {
    throw new StepError(
      `${/** @type {Error} */ (error).message.split('. ')[0]}. Known: --port N, --no-isolation, --registry HOST.`,
    );
  }
  const text = values.port ?? (env.PORT || '8080');
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65535) throw new StepError(`"${text}" is no port: give a number from 0 to 65535.`);
  const registries = parseRegistries([...values.registry, env.HYPERTAB_REGISTRIES ?? '']);
  return { port, explicit: values.port !== undefined, isolated: !values['no-isolation'], registries };
}

/** Serves until interrupted; prints the address. A port that was not asked for by --port may move up. */
export async function serve(options = readServeOptions()) {
  const server = createSite({ isolated: options.isolated, registries: options.registries });
  const url = await listen(server, options.port, options.explicit ? 1 : 50);
  console.log(`\nHypertab is at ${url}   (Ctrl-C ends it)`);
}

if (isMain(import.meta.url)) await runMain(async () => serve());
