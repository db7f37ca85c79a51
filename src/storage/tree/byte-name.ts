// Names, link targets and attribute names are byte strings: JavaScript strings with one unit, 0 to 255, for each
// byte. Linux's names are bytes of no particular encoding; this keeps every one of them, and as map keys they cost
// no more than other strings.
import { fail } from './file-system-error.ts';

/** A string of bytes, one UTF-16 unit each. */
export type ByteString = string;

/** Longest name of a directory entry in bytes (Linux NAME_MAX). */
export const NAME_MAX = 255;
/** Longest path or link target in bytes, without the NUL (Linux PATH_MAX is 4,096 with it). */
export const TARGET_MAX = 4095;

/** The byte string of `bytes`. */
export function byteString(bytes: Uint8Array): ByteString {
  if (bytes.length <= 512) return String.fromCharCode(...bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += 512) text += String.fromCharCode(...bytes.subarray(at, at + 512));
  return text;
}

/** The bytes of a byte string. */
export function bytesOf(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// biome-ignore lint/suspicious/noControlCharactersInRegex: it names the ASCII range.
const ASCII = /^[\x00-\x7f]*$/;

/** The byte string of a text in UTF-8. */
export function fromText(text: string): ByteString {
  return ASCII.test(text) ? text : byteString(encoder.encode(text));
}

/** The text of a byte string in UTF-8; undefined when it is none. */
export function toText(bytes: ByteString): string | undefined {
  if (ASCII.test(bytes)) return bytes;
  try {
    return decoder.decode(bytesOf(bytes));
  } catch {
    return undefined;
  }
}

/** For messages: UTF-8 where it is, else Latin-1. */
export const printable = (bytes: ByteString) => JSON.stringify(toText(bytes) ?? bytes);

/** Stops with EINVAL or ENAMETOOLONG unless it can be the name of a new or existing directory entry. */
export function checkName(name: ByteString): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    fail('EINVAL', `${printable(name)} is no name of a file`);
  }
  if (name.length > NAME_MAX) fail('ENAMETOOLONG');
}
