// A tree of files by paths: what builds copy from, and what they copy into. Links lead nowhere outside of it.
import { type ByteString, fromText, toText } from '../../../storage/tree/byte-name.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../../storage/tree/file-mode.ts';
import type { Attributes, FileSystem, Inode } from '../../../storage/tree/file-system.ts';
import { ImageStoreError } from '../image-store-error.ts';

/** An entry of a tree. */
export interface TreeNode {
  /** Without a slash at either end; empty for the root. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'other';
  inode: Inode;
  attributes: Attributes;
}

const LINKS_MAX = 40;
const LISTED = 512;
const PIECE = 1 << 20;

export class TreeView {
  private readonly tree: FileSystem<Inode>;

  constructor(tree: FileSystem<Inode>) {
    this.tree = tree;
  }

  close(): Promise<void> {
    return Promise.resolve(this.tree.close());
  }

  /**
   * Looks a path up; `..` at the root stays there.
   * @param followLast go where the last part leads, if it is a link
   */
  async find(path: string, followLast = true): Promise<TreeNode | undefined> {
    const resolved = await this.resolve(path, followLast);
    return resolved.node;
  }

  /**
   * Where a path leads, as far as it exists: links followed, the rest of it as it stands.
   * @throws {ImageStoreError} invalid, when links go round in circles
   */
  async resolve(path: string, followLast = true): Promise<{ path: string; node: TreeNode | undefined }> {
    let todo = partsOf(path);
    let done: TreeNode[] = [await this.root()];
    let beyond: string[] = [];
    for (let links = 0; todo.length > 0; ) {
      const part = todo.shift()!;
      if (part === '..') {
        if (beyond.length > 0) beyond.pop();
        else if (done.length > 1) done.pop();
        continue;
      }
      const node = beyond.length > 0 ? undefined : await this.child(done.at(-1)!, part);
      if (node === undefined) {
        beyond.push(part);
        continue;
      }
      if (node.kind !== 'symlink' || (todo.length === 0 && !followLast)) {
        done.push(node);
        continue;
      }
      if (++links > LINKS_MAX) throw new ImageStoreError('invalid', `too many links: ${path}`);
      const target = await this.targetOf(node);
      if (target.startsWith('/')) done = done.slice(0, 1);
      todo = [...partsOf(target), ...todo];
      beyond = [];
    }
    const node = done.at(-1)!;
    if (beyond.length === 0) return { path: node.path, node };
    return { path: [...partsOf(node.path), ...beyond].join('/'), node: undefined };
  }

  /** Names in a directory, sorted. */
  async names(directory: TreeNode): Promise<string[]> {
    const names: string[] = [];
    for (let cookie = 0; ; ) {
      const entries = await this.tree.list(directory.inode, cookie, LISTED);
      if (entries.length === 0) return names.sort();
      for (const { name } of entries) names.push(textOf(name));
      cookie = entries.at(-1)!.cookie;
    }
  }

  /** The entry of that name in a directory. */
  async child(directory: TreeNode, name: string): Promise<TreeNode | undefined> {
    if (directory.kind !== 'directory') return undefined;
    const entry = await this.tree.lookup(directory.inode, fromText(name));
    if (entry === undefined) return undefined;
    return nodeOf(directory.path === '' ? name : `${directory.path}/${name}`, entry.inode, entry.attributes);
  }

  async targetOf(link: TreeNode): Promise<string> {
    return textOf(await this.tree.readLink(link.inode));
  }

  /** The bytes of a file. */
  async *bytes({ inode, attributes, path }: TreeNode): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < attributes.size; ) {
      const target = new Uint8Array(Math.min(PIECE, attributes.size - at));
      const answer = this.tree.read(inode, at, [target]);
      const piece = typeof answer === 'number' ? target.subarray(0, answer) : await answer;
      if (piece.length === 0)
        throw new ImageStoreError('invalid', `${path} became shorter while it was read`);
      at += piece.length;
      yield piece;
    }
  }

  private async root(): Promise<TreeNode> {
    return nodeOf('', this.tree.root, await this.tree.attributes(this.tree.root));
  }
}

function nodeOf(path: string, inode: Inode, attributes: Attributes): TreeNode {
  const type = attributes.mode & S_IFMT;
  const kind =
    type === S_IFREG ? 'file' : type === S_IFDIR ? 'directory' : type === S_IFLNK ? 'symlink' : 'other';
  return { path, kind, inode, attributes };
}

/** Parts of a path; `.` and doubled slashes go, `..` stays. */
export const partsOf = (path: string) => path.split('/').filter((part) => part !== '' && part !== '.');

/** A path as it is meant from the root: `..` taken back, without a slash at either end. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of partsOf(path)) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

function textOf(name: ByteString): string {
  return toText(name) ?? name;
}
