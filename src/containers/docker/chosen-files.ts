import { readTar } from '../../guests/tar.ts';
import { concat, tarEnd, tarHeader, tarPad } from '../images/tar-writer.ts';
import type { HostFiles } from './docker-io.ts';

/** How a page gets at files of its user's, whom it has to ask. */
export interface FileChooser {
  /** @param what the path that was typed: a hint. Rejects when nothing is chosen */
  open(what: string): Promise<Blob>;
  /** Offers bytes for download. */
  save(name: string, bytes: ReadableStream<Uint8Array>): Promise<void>;
}

const baseOf = (path: string) => path.replace(/\/+\.?$/, '').replace(/^.*\//, '');

/**
 * Files for `docker cp` where there are none: what goes in is chosen by the user, under the name that was typed; what
 * comes out is a download, one file as it is and more as an archive.
 */
export function chosenFiles({ open, save }: FileChooser): HostFiles {
  return {
    // A path that ends like one is a directory; every other may be a file that is chosen, or saved.
    kind: async (path) => (/\/\.?$/.test(path) ? 'directory' : 'file'),
    pack: async function* (path, name) {
      const file = await open(path);
      yield tarHeader({ path: name, type: 'file', mode: 0o644, size: file.size });
      const reader = file.stream().getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
      yield tarPad(file.size);
      yield tarEnd();
    },
    unpack: async (_, archive, name) => {
      const pieces: Uint8Array[] = [];
      for await (const bytes of archive) pieces.push(bytes.slice());
      const entries: { path: string; data: Uint8Array<ArrayBuffer> | undefined }[] = [];
      const again = async function* () {
        yield* pieces;
      };
      for await (const entry of readTar(again(), 'the archive')) {
        // One file is read; of two it is known already that they are an archive.
        const isOnly = entries.length === 0 && entry.type === 'file';
        entries.push({ path: entry.path, data: isOnly ? await entry.read() : undefined });
      }
      const [only] = entries;
      const isFile = entries.length === 1 && only!.data !== undefined;
      const given = name === undefined || name === '.' ? baseOf(only?.path ?? '') || 'files' : name;
      const bytes = isFile ? only!.data! : concat(pieces);
      await save(isFile ? given : `${given}.tar`, new Blob([bytes]).stream());
    },
  };
}
