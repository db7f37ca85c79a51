import { createHash } from 'node:crypto';
import type { ImageEntry } from '../storage/image/image-entry.ts';
import { readDeb } from './deb-node.ts';
import type { FetchedPackage } from './debian-repository-node.ts';
import { conffilesOf, dpkgDatabase, type UnpackedPackage } from './dpkg-database.ts';
import { GuestError } from './guest-error.ts';
import type { TarEntry } from './tar.ts';

/** Debian's /bin, /lib and /sbin are links into /usr. */
const ALIAS = /^(bin|sbin|lib|lib64)(?=\/)/;

/**
 * Unpacks packages one behind the other into one tree, with dpkg's record of them at its end. No maintainer script
 * is run: `dpkg --configure -a` has still to be.
 * @param extra what comes before the packages: a directory of theirs that is here keeps what it is here
 * @throws {GuestError} format
 */
export async function* unpackedTree(
  packages: readonly FetchedPackage[],
  extra: readonly ImageEntry[],
): AsyncGenerator<ImageEntry> {
  const kinds = new Map<string, string>();
  const records: UnpackedPackage[] = [];
  const isNew = (entry: ImageEntry, what: string) => {
    const there = kinds.get(entry.path);
    if (there === undefined) {
      kinds.set(entry.path, entry.kind);
      return true;
    }
    if (there === 'directory' && entry.kind === 'directory') return false;
    // A link that base-files has, or a directory in its place: the link is the one that stays.
    if (there === 'symlink' && entry.kind !== 'file') return false;
    throw new GuestError('format', `${what}: /${entry.path} is in another package as well`);
  };
  for (const entry of extra) if (isNew(entry, 'our own files')) yield entry;
  for (const { package: found, path } of packages) {
    const what = found.filename;
    const control = await readControl(path, what);
    const conffiles = new Set(conffilesOf(control));
    const paths: string[] = [];
    const md5 = new Map<string, string>();
    for await (const packed of readDeb(path, what)) {
      if (packed.path === '') continue;
      paths.push(packed.path);
      const entry = await imageEntry(packed);
      if (conffiles.has(packed.path) && entry.kind === 'file') {
        const hash = createHash('md5');
        for await (const piece of entry.contents as Uint8Array[]) hash.update(piece);
        md5.set(packed.path, hash.digest('hex'));
      }
      if (isNew(entry, what)) yield entry;
    }
    records.push({ what, control, paths, md5 });
  }
  for (const entry of dpkgDatabase(records)) if (isNew(entry, 'the database of dpkg')) yield entry;
}

/** The files that dpkg keeps of a package beside its own. */
async function readControl(path: string, what: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const entry of readDeb(path, what, 'control')) {
    if (entry.type === 'file') files.set(entry.path, await entry.read());
  }
  return files;
}

async function imageEntry(packed: TarEntry): Promise<ImageEntry> {
  const path = packed.path.replace(ALIAS, 'usr/$1');
  const { mode, uid, gid, mtime } = packed;
  const common = { path, mode, uid, gid, mtime };
  switch (packed.type) {
    case 'file':
      return { kind: 'file', ...common, bytes: packed.size, contents: [await packed.read()] };
    case 'hardlink':
      return { kind: 'link', path, to: packed.link.replace(ALIAS, 'usr/$1') };
    case 'symlink':
      return { kind: 'symlink', ...common, target: packed.link };
    case 'directory':
    case 'fifo':
      return { kind: packed.type, ...common };
    default:
      throw new GuestError('format', `/${path} is a device, which packages do not have`);
  }
}
