// A server of one file that answers ranges, and misbehaves as it is told.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How one request is answered; `right` is as a good server does. */
export type Behaviour =
  | 'right'
  | 'stalls before the head'
  | 'stalls in the body'
  | 'cuts the body'
  | 'cuts the connection'
  | 'is busy'
  | 'ignores ranges'
  | 'sends another range'
  | 'sends another range with the right header'
  | 'announces less than it sends'
  | 'leaves Content-Range away'
  | 'says another total'
  | 'says nonsense'
  | 'compresses'
  | 'refuses'
  /** Like a slow line: six pieces, 150 ms between them. */
  | 'trickles'
  | 'says no length';

export class HostileServer {
  contents: Uint8Array;
  etag: string | undefined = '"one"';
  lastModified: string | undefined;
  honoursIfRange = true;
  /** Of the next requests, in order; then `right`. */
  script: Behaviour[] = [];
  /** Of all requests, when set. */
  always: Behaviour | undefined;
  ranges: string[] = [];
  readonly #server: Server;

  constructor(contents: Uint8Array) {
    this.contents = contents;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/image`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const behaviour = this.always ?? this.script.shift() ?? 'right';
    this.ranges.push(request.headers.range ?? '');
    const total = this.contents.length;
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    let start = Number(match?.[1]);
    const end = Math.min(Number(match?.[2]), total - 1);
    if (this.etag !== undefined) response.setHeader('ETag', this.etag);
    if (this.lastModified !== undefined) response.setHeader('Last-Modified', this.lastModified);
    const ifRange = request.headers['if-range'];
    const isOther =
      this.honoursIfRange && ifRange !== undefined && ifRange !== (this.etag ?? this.lastModified);
    if (behaviour === 'ignores ranges' || isOther) {
      response.writeHead(200, { 'Content-Length': total });
      response.end(this.contents);
      return;
    }
    if (start >= total) {
      response.writeHead(416, { 'Content-Range': `bytes */${total}` }).end();
      return;
    }
    let header = `bytes ${start}-${end}/${total}`;
    let body = this.contents.subarray(start, end + 1);
    switch (behaviour) {
      case 'stalls before the head':
        return;
      case 'cuts the connection':
        request.socket.destroy();
        return;
      case 'is busy':
        response.writeHead(503).end('later');
        return;
      case 'refuses':
        response.writeHead(403).end('no');
        return;
      case 'stalls in the body':
      case 'cuts the body':
        response.writeHead(206, { 'Content-Range': header, 'Content-Length': body.length });
        response.write(body.subarray(0, body.length >> 1), () => {
          if (behaviour === 'cuts the body') request.socket.destroy();
        });
        return;
      case 'trickles':
        response.writeHead(206, { 'Content-Range': header, 'Content-Length': body.length });
        trickle(response, body, Math.ceil(body.length / 6));
        return;
      case 'says no length':
        response.writeHead(206, { 'Content-Range': header });
        response.write(body.subarray(0, body.length >> 1));
        response.end(body.subarray(body.length >> 1));
        return;
      case 'sends another range':
        start += 1;
        body = this.contents.subarray(start, end + 1);
        header = `bytes ${start}-${end}/${total}`;
        break;
      case 'sends another range with the right header':
        body = body.map((byte) => byte ^ 1);
        break;
      case 'announces less than it sends':
        header = `bytes ${start}-${Math.max(start, end - 1)}/${total}`;
        break;
      case 'leaves Content-Range away':
        header = '';
        break;
      case 'says another total':
        header = `bytes ${start}-${end}/${total + 1}`;
        break;
      case 'says nonsense':
        header = 'bytes 9-3/x';
        break;
      case 'compresses':
        response.setHeader('Content-Encoding', 'x-unknown');
        break;
    }
    if (header !== '') response.setHeader('Content-Range', header);
    response.writeHead(206, { 'Content-Length': body.length });
    response.end(body);
  }
}

function trickle(response: ServerResponse, body: Uint8Array, piece: number): void {
  response.write(body.subarray(0, piece));
  if (body.length <= piece) response.end();
  else setTimeout(() => trickle(response, body.subarray(piece), piece), 150);
}
