// How long an image behind a URL takes to read, by the size of its chunks: node tests/bench/http-chunks.mjs
// A server on this machine answers each request after some milliseconds, and sends no faster than a home's line.
import { createServer } from 'node:http';
import { HttpBackend } from '../../build/src/storage/http-backend.js';

const BYTES = 64 * 1024 ** 2;
const LINE_BYTES_PER_MS = 12_500; // 100 Mbit/s, shared by all answers
const contents = Buffer.alloc(BYTES, 7);

/** @param {number} latencyMs */
async function makeServer(latencyMs) {
  let lineFree = 0;
  const server = createServer((request, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const start = Number(match?.[1]);
    const end = Math.min(Number(match?.[2]), BYTES - 1);
    const now = performance.now();
    lineFree = Math.max(lineFree, now + latencyMs) + (end - start + 1) / LINE_BYTES_PER_MS;
    setTimeout(() => {
      response.writeHead(206, {
        ETag: '"one"',
        'Content-Range': `bytes ${start}-${end}/${BYTES}`,
        'Content-Length': end - start + 1,
      });
      response.end(contents.subarray(start, end + 1));
    }, lineFree - now);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { server, url: `http://127.0.0.1:${address.port}/` };
}

/**
 * @param {string} url
 * @param {number} chunkBytes
 * @param {number[]} places
 * @param {number} length
 */
async function timeReads(url, chunkBytes, places, length) {
  const drive = await HttpBackend.open(url, { chunkBytes });
  const target = new Uint8Array(length);
  const start = performance.now();
  for (const place of places) await drive.read(place, target);
  const seconds = (performance.now() - start) / 1000;
  await drive.close();
  return seconds;
}

const sequential = Array.from({ length: (24 * 1024 ** 2) / 131072 }, (_, index) => index * 131072);
// As a boot reads: places near each other here and there, 16 KiB at a time.
const scattered = Array.from({ length: 120 }, (_, index) => {
  const region = (Math.floor(index / 6) * 7919 * 4096) % (BYTES - 2 * 1024 ** 2);
  return region + (index % 6) * 40_960;
});
for (const latencyMs of [5, 40]) {
  const { server, url } = await makeServer(latencyMs);
  for (const kibibytes of [64, 128, 256, 512, 1024, 2048]) {
    const straight = await timeReads(url, kibibytes * 1024, sequential, 131072);
    const jumping = await timeReads(url, kibibytes * 1024, scattered, 16384);
    const speed = (sequential.length * 131072) / 1e6 / straight;
    console.log(
      `${latencyMs} ms, ${kibibytes} KiB: ${speed.toFixed(1)} MB/s straight on; 120 scattered reads in ${jumping.toFixed(2)} s`,
    );
  }
  server.closeAllConnections();
  server.close();
}
