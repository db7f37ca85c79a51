// What a server says about a file, and how a file that changed in between is noticed: RFC 9110, 8.8, 13.1.5, 14.4.
import { StorageError } from './storage-error.ts';

/** What must stay the same from one answer to the next. */
export interface HttpPin {
  bytes: number;
  etag: string | undefined;
  lastModified: string | undefined;
}

/** A part of a file as Content-Range tells of it: inclusive bounds, and the file's size. */
export interface ContentRange {
  start: number;
  end: number;
  total: number;
}

/** Reads Content-Range; undefined when it is not there, of unknown size, or nonsense. */
export function parseContentRange(header: string | null): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [start, end, total] = match.slice(1).map(Number) as [number, number, number];
  return start <= end && end < total ? { start, end, total } : undefined;
}

/** The pin of an answer. */
export function pinOf(headers: Headers, bytes: number): HttpPin {
  return {
    bytes,
    etag: headers.get('etag') ?? undefined,
    lastModified: headers.get('last-modified') ?? undefined,
  };
}

/** Only a strong tag may be sent in If-Range. */
export function ifRangeOf(pin: HttpPin): string | undefined {
  if (pin.etag !== undefined && !pin.etag.startsWith('W/')) return pin.etag;
  return pin.etag === undefined ? pin.lastModified : undefined;
}

/**
 * Compares an answer with what was pinned.
 * @throws {StorageError} corrupt
 */
export function checkPin(url: string, pin: HttpPin, seen: HttpPin): void {
  if (pin.bytes === seen.bytes && pin.etag === seen.etag && pin.lastModified === seen.lastModified) return;
  throw changed(url);
}

/** The error for a file that is not what it was. */
export function changed(url: string): StorageError {
  return new StorageError(
    'corrupt',
    `${url} has changed on the server while it was in use; start the machine again`,
  );
}

/** Tells one version of a file from another. */
export function identityOf(pin: HttpPin): string {
  return `${pin.bytes} bytes, ${pin.etag ?? pin.lastModified ?? 'without a tag'}`;
}
