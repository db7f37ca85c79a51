import type { FileSource, GuestFiles } from 'hypertab';
import { strings } from '../strings.ts';
import { formatBytes } from './format.ts';
import { readBody } from './read-body.ts';

/** How far a download is. */
export interface DownloadProgress {
  received: number;
  /** Bytes in all; grows until every file has told its length. */
  total: number;
  /** Bytes per second since the start. */
  rate: number;
}

/** A guest's file could not be had; the message says what to do. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

interface Meter {
  expect(bytes: number): void;
  receive(bytes: number): void;
}

async function fetchFile(url: URL, guest: string, meter: Meter, signal: AbortSignal): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DownloadError(strings.serverGone(url.pathname));
  }
  if (!response.ok) throw new DownloadError(strings.fileMissing(url.pathname, response.status, guest));
  const expected = Number(response.headers.get('Content-Length') ?? 0);
  meter.expect(expected);
  let received = 0;
  try {
    return await readBody(response, expected, (bytes) => {
      received += bytes;
      meter.receive(bytes);
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DownloadError(strings.fileCut(url.pathname, formatBytes(received), formatBytes(expected)));
  }
}

/**
 * Downloads what a guest's addresses point at, all files at once; bytes that are there already stay as they are.
 * @param expectedBytes size of the whole download where it is known
 * @throws DownloadError
 */
export async function downloadGuest(
  files: GuestFiles,
  expectedBytes: number | undefined,
  onProgress: (progress: DownloadProgress) => void,
  signal: AbortSignal,
): Promise<GuestFiles> {
  const start = performance.now();
  let received = 0;
  let announced = 0;
  const report = () => {
    const seconds = Math.max(0.001, (performance.now() - start) / 1000);
    onProgress({
      received,
      total: Math.max(expectedBytes ?? 0, announced, received),
      rate: received / seconds,
    });
  };
  const meter: Meter = {
    expect(bytes) {
      announced += bytes;
      report();
    },
    receive(bytes) {
      received += bytes;
      report();
    },
  };
  const load = async (source: FileSource | undefined): Promise<FileSource | undefined> =>
    source === undefined || source instanceof Uint8Array
      ? source
      : fetchFile(new URL(source, document.baseURI), files.name, meter, signal);
  const [kernel, initrd, bios] = await Promise.all([files.kernel, files.initrd, files.bios].map(load));
  return { ...files, kernel, initrd, bios };
}
