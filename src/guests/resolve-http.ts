import { GuestError } from './guest-error.ts';
import type { GuestFile, PreparedGuest } from './guest-types.ts';
import { diskName, isGuestName, locateGuest, missingGuest, parseManifest } from './manifest.ts';

/**
 * Finds prepared guests on a web server: the resolver of a page.
 * @param baseUrl address of the folder that holds index.json and NAME/guest.json
 * @returns a function from a guest's name to its files, as addresses of gzipped files; it throws {GuestError}
 */
export function resolveGuestHttp(baseUrl: string | URL): (name: string) => Promise<PreparedGuest> {
  const here = (globalThis as { location?: { href: string } }).location?.href;
  const base = new URL(String(baseUrl).replace(/\/*$/, '/'), here);
  return async (name) => {
    if (!isGuestName(name)) throw missingGuest(name);
    const address = new URL(`${encodeURIComponent(name)}/guest.json`, base);
    let response: Response;
    let text: string;
    try {
      response = await fetch(address, { cache: 'no-cache' });
      text = await response.text();
    } catch (error) {
      throw new GuestError('network', `cannot fetch ${address}; is the server still running?`, error);
    }
    if (response.status === 404) throw missingGuest(name);
    if (!response.ok) {
      throw new GuestError('network', `cannot fetch ${address}: the server answers HTTP ${response.status}`);
    }
    const locate = (file: GuestFile) => {
      const url = new URL(`${encodeURIComponent(file.name)}.gz`, address);
      // So that a guest made anew is not started with a file of the old one out of the browser's cache.
      url.searchParams.set('v', file.sha256.slice(0, 16));
      return url;
    };
    return locateGuest(parseManifest(text, address.href), locate, (disk) => {
      const own = diskName(name, disk);
      return {
        kind: 'http',
        url: new URL(encodeURIComponent(disk.name), address).href,
        cache: own,
        first: disk.first,
        overlay: { kind: 'browser', name: own },
      };
    });
  };
}
