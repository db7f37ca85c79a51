import type { FileSource, GuestFiles } from 'hypertab';
import { strings } from '../strings/strings.ts';
import { downloadBlob, type OnBytes } from './download-blob.ts';
import { formatBytes } from './format.ts';

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

/** A second attempt, by the means that tells what goes wrong. */
async function fetchFile(url: URL, guest: string, onBytes: OnBytes, signal: AbortSignal): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DownloadError(strings.serverGone(url.pathname));
  }
  if (!response.ok) throw new DownloadError(strings.fileMissing(url.pathname, response.status, guest));
  const expected = Number(response.headers.get('Content-Length') ?? 0);
  const pieces: BlobPart[] = [];
  let length = 0;
  try {
    const reader = response.body?.getReader();
    for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
      pieces.push(step.value);
      length += step.value.length;
      onBytes(length, expected);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new DownloadError(strings.fileCut(url.pathname, formatBytes(length), formatBytes(expected)));
  }
  return new Blob(pieces);
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
  const bytes = new Map<URL, { received: number; total: number }>();
  const report = () => {
    let received = 0;
    let announced = 0;
    for (const file of bytes.values()) {
      received += file.received;
      announced += file.total;
    }
    const seconds = Math.max(0.001, (performance.now() - start) / 1000);
    onProgress({
      received,
      total: Math.max(expectedBytes ?? 0, announced, received),
      rate: received / seconds,
    });
  };
  const load = async (source: FileSource | undefined): Promise<FileSource | undefined> => {
    if (source === undefined || source instanceof Uint8Array || source instanceof Blob) return source;
    const url = new URL(source, document.baseURI);
    const onBytes: OnBytes = (received, total) => {
      bytes.set(url, { received, total });
      report();
    };
    return (await downloadBlob(url, onBytes, signal)) ?? fetchFile(url, files.name, onBytes, signal);
  };
  report();
  const [kernel, initrd, bios] = await Promise.all([files.kernel, files.initrd, files.bios].map(load));
  return { ...files, kernel, initrd, bios };
}
