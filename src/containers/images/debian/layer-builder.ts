// A layer that is made here, entry by entry in memory. Equal entries give the same archive whatever their order.
import { concat, type TarHeaderFields, tarEnd, tarHeader, tarPad } from '../tar-writer.ts';

type Entry = Omit<TarHeaderFields, 'size'> & { data?: Uint8Array };

/** Debian's /bin, /lib and /sbin are links into /usr. */
const ALIAS = /^(bin|sbin|lib|lib64)(?=\/)/;

/** Gathers the entries of one layer. */
export class LayerBuilder {
  private readonly entries = new Map<string, Entry>();

  /** Adds an entry in place of one of that path; a directory that is there stays what it is. */
  add(entry: Entry): void {
    const path = entry.path.replace(ALIAS, 'usr/$1');
    // Packages that know nothing of the links have their folders.
    if (entry.type === 'directory' && /^(bin|sbin|lib|lib64)$/.test(path)) return;
    if (path === '' || (entry.type === 'directory' && this.entries.get(path)?.type === 'directory')) return;
    const target = entry.type === 'link' ? entry.target?.replace(ALIAS, 'usr/$1') : entry.target;
    this.entries.set(path, { ...entry, path, ...(target !== undefined && { target }) });
  }

  file(path: string, contents: string | Uint8Array, mode = 0o644): void {
    const data = typeof contents === 'string' ? new TextEncoder().encode(contents) : contents;
    this.add({ path, type: 'file', mode, data });
  }

  folder(path: string, mode = 0o755, uid = 0, gid = 0): void {
    this.entries.set(path, { path, type: 'directory', mode, uid, gid });
  }

  link(path: string, target: string): void {
    this.add({ path, type: 'symlink', mode: 0o777, target });
  }

  /** A link whose own path is one of the folders that are links in Debian. */
  symlinkAtRoot(path: string, target: string): void {
    this.entries.set(path, { path, type: 'symlink', mode: 0o777, target });
  }

  has(path: string): boolean {
    return this.entries.has(path);
  }

  /** The newest time of its entries, in seconds since 1970. */
  get newest(): number {
    let newest = 0;
    for (const { mtime = 0 } of this.entries.values()) newest = Math.max(newest, mtime);
    return newest;
  }

  /** The archive: by path, further names of files behind all else. */
  archive(): Uint8Array<ArrayBuffer> {
    this.addParents();
    const rank = (entry: Entry) => (entry.type === 'link' ? 1 : 0);
    const sorted = [...this.entries.values()].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
    const parts: Uint8Array[] = [];
    for (const { data, ...entry } of sorted) {
      if (entry.type === 'link' && this.entries.get(entry.target ?? '')?.type !== 'file') continue;
      parts.push(tarHeader({ ...entry, size: data?.length ?? 0 }));
      if (data !== undefined) parts.push(data, tarPad(data.length));
    }
    return concat([...parts, tarEnd()]);
  }

  private addParents(): void {
    for (const path of [...this.entries.keys()]) {
      const parts = path.split('/');
      for (let depth = 1; depth < parts.length; depth++) {
        const parent = parts.slice(0, depth).join('/');
        if (!this.entries.has(parent))
          this.entries.set(parent, { path: parent, type: 'directory', mode: 0o755 });
      }
    }
  }
}
