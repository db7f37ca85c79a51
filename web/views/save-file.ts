import { h } from './dom.ts';

/** Until the browser has certainly begun to save a file, in milliseconds: its address must outlive that. */
const SAVE_MS = 60_000;

/** Hands a file to the browser's downloads, as of a type that it does not know better names for. */
export function saveFile(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob.slice(0, blob.size, 'application/octet-stream'));
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), SAVE_MS);
}
