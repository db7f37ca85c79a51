// The files of a MemoryTree as plain data: what a saved machine has of its shares in memory.
import { byteString, bytesOf } from './byte-name.ts';
import { readBytes } from './byte-source.ts';
import { isDirectory, isKnownType, isRegular, isSymlink } from './file-mode.ts';
import type { MemoryInode } from './memory-inode.ts';
import type { MemoryTree } from './memory-tree.ts';
import { SparseBytes } from './sparse-bytes.ts';

/** A run of bytes of a file. */
export interface ImageExtent {
  offset: number;
  bytes: Uint8Array;
}

/** A file, directory, link or device. Names are byte strings (byte-name.ts); times are nanoseconds in decimal. */
export interface ImageNode {
  /** Every name it has: the place of its directory in the list, which comes before it, and the name there. */
  names: [directory: number, name: string][];
  mode: number;
  uid: number;
  gid: number;
  device: number;
  times: [atime: string, mtime: string, ctime: string];
  target?: string;
  xattrs?: [name: string, value: string][];
  /** Of a regular file. */
  size?: number;
  extents?: ImageExtent[];
}

/** The root first; it has no name. */
export type TreeImage = ImageNode[];

/** Node whose contents may still have to be read from where they lie; those do not change. */
type Draft = Omit<ImageNode, 'extents'> & { contents?: ImageExtent[] | (() => Promise<ImageExtent[]>) };

/**
 * Takes the files of a tree as they are now; what has lost its last name is left out.
 * @returns a function that reads what lies elsewhere: it may be called later, and gives the tree of this moment
 */
export function captureTree(tree: MemoryTree): () => Promise<TreeImage> {
  const drafts: Draft[] = [];
  const places = new Map<MemoryInode, number>();
  const add = (inode: MemoryInode, name?: [number, string]) => {
    const known = places.get(inode);
    if (known !== undefined) {
      if (name !== undefined) drafts[known]!.names.push(name);
      return;
    }
    const place = drafts.length;
    places.set(inode, place);
    drafts.push(draftOf(inode, name));
    for (const { name: below, value } of inode.entries?.list(0, Number.MAX_SAFE_INTEGER) ?? []) {
      add(value, [place, below]);
    }
  };
  add(tree.root);
  return () =>
    Promise.all(
      drafts.map(async ({ contents, ...node }): Promise<ImageNode> => {
        if (contents === undefined) return node;
        return { ...node, extents: typeof contents === 'function' ? await contents() : contents };
      }),
    );
}

function draftOf(inode: MemoryInode, name: [number, string] | undefined): Draft {
  const { mode, uid, gid, device, atime, mtime, ctime, target, xattrs, contents } = inode;
  const draft: Draft = {
    names: name === undefined ? [] : [name],
    mode,
    uid,
    gid,
    device,
    times: [String(atime), String(mtime), String(ctime)],
  };
  if (target !== undefined) draft.target = target;
  if (xattrs !== undefined && xattrs.size > 0) draft.xattrs = [...xattrs];
  if (contents === undefined) return draft;
  draft.size = contents.size;
  if (contents.size === 0) draft.contents = [];
  else if (contents instanceof SparseBytes) draft.contents = extentsOf(contents);
  else draft.contents = async () => [{ offset: 0, bytes: await readBytes(contents, 0, contents.size) }];
  return draft;
}

function extentsOf(contents: SparseBytes): ImageExtent[] {
  const extents: ImageExtent[] = [];
  for (let at = 0; at < contents.size; ) {
    const data = contents.seek(at, 'data');
    if (data === undefined) break;
    const end = contents.seek(data, 'hole') ?? contents.size;
    const bytes = new Uint8Array(end - data);
    contents.read(data, [bytes]);
    extents.push({ offset: data, bytes });
    at = end;
  }
  return extents;
}

/** A tree that cannot be what it says. */
export class TreeImageError extends Error {
  override readonly name = 'TreeImageError';
}

/**
 * Puts files into an empty tree.
 * @throws {TreeImageError} for what no tree can have; {FileSystemError} ENOSPC and others. The tree is then of no use.
 */
export function fillTree(tree: MemoryTree, image: TreeImage): void {
  const inodes: MemoryInode[] = [];
  for (const [place, node] of image.entries()) {
    const isRoot = place === 0;
    if (
      isRoot !== (node.names.length === 0) ||
      !isKnownType(node.mode) ||
      (isRoot && !isDirectory(node.mode))
    ) {
      throw new TreeImageError(`node ${place} cannot be where it is`);
    }
    if (node.names.length > 1 && isDirectory(node.mode))
      throw new TreeImageError('a directory has two names');
    inodes.push(isRoot ? tree.root : makeNode(tree, inodes, node));
    fillNode(tree, inodes[place]!, node);
  }
  // Making what is in a directory changes its times.
  for (const [place, node] of image.entries()) {
    const [atime, mtime, ctime] = node.times.map(BigInt);
    tree.setAttributes(inodes[place]!, { atime, mtime, ctime });
  }
}

function makeNode(tree: MemoryTree, inodes: readonly MemoryInode[], node: ImageNode): MemoryInode {
  const { mode, uid, gid, device, target } = node;
  let made: MemoryInode | undefined;
  for (const [directory, name] of node.names) {
    const parent = inodes[directory];
    if (parent === undefined) throw new TreeImageError('a name is in no directory');
    if (
      !/^[^/\0]{1,255}$/s.test(name) ||
      name === '.' ||
      name === '..' ||
      byteString(bytesOf(name)) !== name
    ) {
      throw new TreeImageError('a name cannot be one');
    }
    const file = { mode, uid, gid, device };
    const { inode } =
      made !== undefined
        ? tree.link(made, parent, name)
        : isDirectory(mode)
          ? tree.makeDirectory(parent, name, file)
          : isSymlink(mode)
            ? tree.makeSymlink(parent, name, target ?? '', file)
            : tree.makeNode(parent, name, file);
    tree.forget(inode, 1);
    made = inode;
  }
  return made!;
}

function fillNode(
  tree: MemoryTree,
  inode: MemoryInode,
  { mode, uid, gid, xattrs, size, extents }: ImageNode,
): void {
  if (isRegular(mode)) {
    tree.setAttributes(inode, { size: size ?? 0 });
    for (const { offset, bytes } of extents ?? []) {
      if (offset + bytes.length > (size ?? 0)) throw new TreeImageError('a file is longer than it says');
      void tree.write(inode, offset, [bytes], { killPrivileges: false });
    }
  }
  for (const [name, value] of xattrs ?? []) {
    tree.setXattr(inode, name, bytesOf(value), { create: false, replace: false });
  }
  tree.setAttributes(inode, isSymlink(mode) ? { uid, gid } : { uid, gid, mode });
}
