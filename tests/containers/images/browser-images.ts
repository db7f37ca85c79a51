// A page with nothing but a store of images in the browser's private files; tests/chromium/images.test.ts drives it.
import { blobsOf } from '../../../src/containers/images/content-store.ts';
import { openImages } from '../../../src/containers/images/open-images.ts';
import { concat } from '../../../src/containers/images/tar-writer.ts';
import { openTree } from '../../../src/storage/tree/open-tree.ts';

async function open(folder: string) {
  return openImages({ folder, registries: { proxy: '/registry' } });
}

const tools = {
  /** Loads an archive that the site serves; answers names. */
  async load(folder: string, url: string): Promise<string[]> {
    return (await open(folder)).load((await (await fetch(url)).blob()) as Blob);
  },

  async pull(folder: string, name: string): Promise<string> {
    return (await open(folder)).pull(name);
  },

  /** Loads over and over, until the page is gone. */
  async loadForEver(folder: string, urls: string[]): Promise<void> {
    const archives = await Promise.all(urls.map(async (url) => (await fetch(url)).blob()));
    const images = await open(folder);
    for (let round = 0; ; round++) {
      const [name] = await images.load(archives[round % archives.length]!);
      if (round % 3 === 2) await images.remove(name!);
    }
  },

  /** Names, and whether every image is whole: its blobs are what their digests say, and its layers can be served. */
  async check(folder: string): Promise<{ names: string[]; wrong: string[] }> {
    const images = await open(folder);
    const wrong: string[] = [];
    for (const record of await images.content.images()) {
      for (const digest of blobsOf(record)) {
        const parts: Uint8Array[] = [];
        for await (const bytes of images.content.stream(digest)) parts.push(bytes);
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', concat(parts)));
        const hex = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        if (`sha256:${hex}` !== digest) wrong.push(digest);
      }
    }
    const names = (await images.content.names()).map(({ name }) => name);
    for (const name of names) {
      for (const layer of (await images.rootfs(name)).layers) await (await openTree(layer)).close();
    }
    return { names, wrong };
  },

  /** Files that are left once everything has been pruned. */
  async pruneAll(folder: string): Promise<string[]> {
    const images = await open(folder);
    await images.prune({ all: true });
    const left: string[] = [];
    for (const place of ['blobs/sha256', 'images', 'names', 'leases', 'drafts']) {
      for (const name of await images.content.files.list(place)) left.push(`${place}/${name}`);
    }
    return left;
  },

  /** Bytes of a saved archive. */
  async save(folder: string, name: string): Promise<number[]> {
    const bytes = await new Response((await open(folder)).save([name]) as ReadableStream).arrayBuffer();
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...hash];
  },
};

export type BrowserImages = typeof tools;
Object.assign(window, { images: tools });
