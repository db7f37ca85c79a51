import { type ImageEntry, ImageError } from './image-entry.ts';
import { type NodeKind, TYPE_BITS } from './node-kind.ts';

/** A file, directory and so on of an image; `T` is what a format notes about it. */
export interface ImageNode<T> {
  /** Counts nodes in the order in which they came; the root is 0. */
  readonly index: number;
  readonly kind: NodeKind;
  /** File type and permission bits, as st_mode. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970, whole, and nanoseconds. */
  seconds: number;
  nanoseconds: number;
  xattrs: readonly [string, Uint8Array][];
  /** Directory entries that name it, `.` and `..` included. */
  links: number;
  /** Length of a file's contents. */
  bytes: number;
  target: Uint8Array;
  major: number;
  minor: number;
  /** Of a directory: what is in it, and the directory it is in. */
  readonly children: Map<string, ImageNode<T>>;
  parent: ImageNode<T> | undefined;
  note: T;
}

/** Linux's limits, in bytes. */
const NAME_BYTES = 255;
const TARGET_BYTES = 4095;
const DEPTH = 1000;

const encoder = new TextEncoder();

/** Checks entries and puts them together to a tree. */
export class ImageTree<T> {
  readonly root: ImageNode<T>;
  readonly nodes: ImageNode<T>[] = [];
  /** Directories that nobody has described yet. */
  readonly #implied = new Set<ImageNode<T>>();
  readonly #makeNote: () => T;

  constructor(makeNote: () => T) {
    this.#makeNote = makeNote;
    this.root = this.#makeNode('directory');
    this.root.links = 2;
    this.root.parent = this.root;
    this.#implied.add(this.root);
  }

  /**
   * Adds an entry.
   * @returns its node, new or, for a link, the one it names; without a file's contents
   * @throws {ImageError} for a path that is malformed or taken, a target that is missing, a number that does not fit
   */
  add(entry: ImageEntry): ImageNode<T> {
    if (entry.path === '') {
      if (entry.kind !== 'directory') throw new ImageError('the root is a directory');
      return this.#describe(this.root, entry);
    }
    const parts = entry.path.split('/');
    const name = parts.pop()!;
    checkName(name, entry.path);
    const folder = this.#folder(parts, entry.path);
    const there = folder.children.get(name);
    if (there !== undefined) {
      if (entry.kind === 'directory' && there.kind === 'directory') return this.#describe(there, entry);
      throw new ImageError(`${entry.path} is in the image twice`);
    }
    if (entry.kind === 'link') {
      const node = this.#lookUp(entry.to);
      if (node === undefined || node.kind === 'directory') {
        throw new ImageError(`${entry.path} is a link to ${entry.to}, which did not come before it`);
      }
      if (node.links >= 65000) throw new ImageError(`${entry.to} has too many links`);
      node.links++;
      folder.children.set(name, node);
      return node;
    }
    if (entry.kind === 'directory') return this.#describe(this.#makeFolder(folder, name), entry);
    const node = this.#makeNode(entry.kind);
    node.links = 1;
    folder.children.set(name, node);
    return this.#describe(node, entry);
  }

  #folder(parts: readonly string[], path: string): ImageNode<T> {
    if (parts.length > DEPTH) throw new ImageError(`${path.slice(0, 60)}… lies too deep`);
    let folder = this.root;
    for (const part of parts) {
      checkName(part, path);
      const next = folder.children.get(part);
      if (next !== undefined && next.kind !== 'directory') {
        throw new ImageError(`${path} lies in something that is no directory`);
      }
      folder = next ?? this.#makeFolder(folder, part);
    }
    return folder;
  }

  #lookUp(path: string): ImageNode<T> | undefined {
    let node: ImageNode<T> | undefined = this.root;
    for (const part of path.split('/')) node = node?.children.get(part);
    return node;
  }

  #makeFolder(parent: ImageNode<T>, name: string): ImageNode<T> {
    const node = this.#makeNode('directory');
    node.links = 2;
    node.parent = parent;
    parent.links++;
    parent.children.set(name, node);
    this.#implied.add(node);
    return node;
  }

  #makeNode(kind: NodeKind): ImageNode<T> {
    const node: ImageNode<T> = {
      index: this.nodes.length,
      kind,
      mode: TYPE_BITS[kind] | 0o755,
      uid: 0,
      gid: 0,
      seconds: 0,
      nanoseconds: 0,
      xattrs: [],
      links: 0,
      bytes: 0,
      target: new Uint8Array(),
      major: 0,
      minor: 0,
      children: new Map(),
      parent: undefined,
      note: this.#makeNote(),
    };
    this.nodes.push(node);
    return node;
  }

  #describe(node: ImageNode<T>, entry: Exclude<ImageEntry, { kind: 'link' }>): ImageNode<T> {
    if (node.kind === 'directory' && !this.#implied.delete(node)) {
      throw new ImageError(`${entry.path || 'the root'} is in the image twice`);
    }
    const check = (what: string, value: number, max: number) => {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw new ImageError(`${entry.path || 'the root'}: ${value} is no ${what}`);
      }
      return value;
    };
    const mode =
      entry.mode ?? (entry.kind === 'directory' ? 0o755 : entry.kind === 'symlink' ? 0o777 : 0o644);
    node.mode = TYPE_BITS[node.kind] | check('mode', mode, 0o7777);
    node.uid = check('user', entry.uid ?? 0, 0xffff_ffff);
    node.gid = check('group', entry.gid ?? 0, 0xffff_ffff);
    const mtime = entry.mtime ?? 0;
    // ext4's 34-bit seconds, from 1901 to 2446.
    if (!(mtime >= -(2 ** 31) && mtime < 2 ** 34 - 2 ** 31))
      throw new ImageError(`${entry.path}: ${mtime} is no time`);
    node.seconds = Math.floor(mtime);
    node.nanoseconds = Math.floor((mtime - node.seconds) * 1e9);
    node.xattrs = Object.entries(entry.xattrs ?? {});
    if (entry.kind === 'file') node.bytes = check('size', entry.bytes, 2 ** 44 - 4096);
    if (entry.kind === 'symlink') {
      node.target = encoder.encode(entry.target);
      if (node.target.length === 0 || node.target.length > TARGET_BYTES || node.target.includes(0)) {
        throw new ImageError(`${entry.path} is a symbolic link to no path`);
      }
    }
    if (entry.kind === 'character' || entry.kind === 'block') {
      node.major = check('device', entry.major, 0xfff);
      node.minor = check('device', entry.minor, 0xf_ffff);
    }
    return node;
  }
}

function checkName(name: string, path: string): void {
  const isBad = name === '' || name === '.' || name === '..' || name.includes('\0');
  if (isBad || encoder.encode(name).length > NAME_BYTES) {
    throw new ImageError(`"${path.slice(0, 300)}" is no path for an image`);
  }
}
