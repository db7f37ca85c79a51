// A registry that keeps to the protocol, or does not, as a test wants.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { blobsOf, digestOf, type ImageParts } from './fixtures.ts';

type Answerer = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;

/** Starts a server on loopback; answers its host and how to end it. */
export async function listenLocally(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ host: string; close(): Promise<void> }> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends bytes, or the range of them that is asked for. */
export function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const from = Number(start ?? 0);
  if (start !== undefined) {
    response.setHeader('Content-Range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
  }
  response.writeHead(start === undefined ? 200 : 206, { 'Content-Length': bytes.length - from });
  response.end(bytes.subarray(from));
}

export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

export interface FakeRegistry {
  host: string;
  /** Requests so far: `METHOD path`. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Serves manifests by tag and blobs by digest, for any repository.
 * @param first asked about each request before anything else; true: it has answered
 */
export async function fakeRegistry(
  images: Record<string, ImageParts | { bytes: Uint8Array; mediaType: string }>,
  first: Answerer = () => false,
): Promise<FakeRegistry> {
  const requests: string[] = [];
  const manifests = new Map<string, { bytes: Uint8Array; mediaType: string }>();
  const blobs = new Map<string, Uint8Array>();
  for (const [tag, image] of Object.entries(images)) {
    const found =
      'layers' in image
        ? { bytes: image.manifest, mediaType: 'application/vnd.oci.image.manifest.v1+json' }
        : image;
    manifests.set(tag, found);
    manifests.set(digestOf(found.bytes), found);
    if ('layers' in image) for (const [digest, bytes] of blobsOf(image)) blobs.set(digest, bytes);
  }
  const server = await listenLocally((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push(`${request.method} ${url.pathname}`);
    if (first(request, response, url)) return;
    const [, kind, name] = /\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    const manifest = kind === 'manifests' ? manifests.get(name!) : undefined;
    const blob = kind === 'blobs' ? blobs.get(name!) : undefined;
    if (manifest !== undefined) {
      response.setHeader('Content-Type', manifest.mediaType);
      sendBytes(request, response, manifest.bytes);
    } else if (blob !== undefined) {
      sendBytes(request, response, blob);
    } else {
      sendError(
        response,
        404,
        kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN',
        'manifest unknown',
      );
    }
  });
  return { host: server.host, requests, close: server.close };
}
