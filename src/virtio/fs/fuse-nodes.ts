import type { StateReader, StateWriter } from '../../core/state-bytes.ts';
import { type ByteString, byteString, bytesOf, checkName, NAME_MAX } from '../../storage/tree/byte-name.ts';
import { S_IFMT } from '../../storage/tree/file-mode.ts';
import type { Answer, Entry, FileSystem, Inode } from '../../storage/tree/file-system.ts';
import { FileSystemError, fail } from '../../storage/tree/file-system-error.ts';
import { runSteps, type Steps, wait } from '../../storage/tree/steps.ts';
import { ROOT_NODE } from './fuse-protocol.ts';

/** A name in a directory that the kernel knows by this number. */
export interface Place {
  readonly parent: number;
  readonly name: ByteString;
}

interface Node {
  /** Absent: it was restored, and is not where it was. */
  inode: Inode | undefined;
  /** How often the kernel was told of it and has not forgotten it. */
  lookups: number;
  /** References to the inode that are held: after a restore fewer than lookups. */
  references: number;
  /** Its type, as in st_mode. */
  readonly type: number;
  /** Its number in the tree. */
  readonly number: number;
  /** Names the kernel was told of it by. */
  places: Place[];
  /** Of a directory: nodes by these names. */
  children: Map<ByteString, number> | undefined;
}

/** Most nodes that a saved state may have. */
const NODES_MAX = 1 << 24;
const PLACES_MAX = 1 << 16;
/** Type bits are saved without the permissions' below them. */
const TYPE_SHIFT = 12;

/** The inodes a kernel knows, by the numbers it knows them by. A number is never used twice. */
export class FuseNodes {
  private readonly tree: FileSystem;
  private readonly byNumber = new Map<number, Node>();
  private readonly byInode = new Map<Inode, number>();
  private last: number;
  private closed = false;

  /** @param after numbers up to this one were used before */
  constructor(tree: FileSystem, after = ROOT_NODE) {
    this.tree = tree;
    this.last = after;
    const root = { inode: tree.root, lookups: 1, references: 0, type: 0, number: 0 };
    this.byNumber.set(ROOT_NODE, { ...root, places: [], children: undefined });
    this.byInode.set(tree.root, ROOT_NODE);
  }

  /** Inodes known, the root among them. */
  get size(): number {
    return this.byNumber.size;
  }

  /** ESTALE when the kernel was never told of it, has forgotten it, or it is not where it was when it was saved. */
  get(number: number): Inode {
    return this.byNumber.get(number)?.inode ?? fail('ESTALE', 'unknown node');
  }

  /**
   * The number to tell the kernel; the reference that came with the inode is now the kernel's.
   * @param place the name it was found or made under; absent: it has none
   */
  enter({ inode, attributes }: Entry, place?: Place): number {
    if (this.closed) {
      // An answer that came too late: nobody will ever forget it.
      this.tree.forget(inode, 1);
      return 0;
    }
    let number = this.byInode.get(inode);
    if (number === undefined) {
      number = ++this.last;
      const counts = { lookups: 1, references: 1 };
      const type = attributes.mode & S_IFMT;
      const node: Node = { inode, ...counts, type, number: inode.number, places: [], children: undefined };
      this.byNumber.set(number, node);
      this.byInode.set(inode, number);
    } else {
      const node = this.byNumber.get(number)!;
      node.lookups++;
      node.references++;
    }
    if (place) this.setPlace(place, number);
    return number;
  }

  /** The kernel gives back lookups; what it never had does not count. */
  forget(number: number, lookups: number): void {
    const node = this.byNumber.get(number);
    if (node === undefined || number === ROOT_NODE) return;
    const count = Math.min(lookups, node.lookups);
    node.lookups -= count;
    const back = node.lookups > 0 ? Math.min(count, node.references - 1) : node.references;
    if (node.inode !== undefined && back > 0) {
      node.references -= back;
      this.tree.forget(node.inode, back);
    }
    if (node.lookups > 0) return;
    for (const place of [...node.places]) this.removePlace(place);
    this.byNumber.delete(number);
    if (node.inode !== undefined) this.byInode.delete(node.inode);
  }

  /** The kernel has gone: everything is given back. Answers what a new one's numbers come after. */
  close(): number {
    this.closed = true;
    for (const [number, { lookups }] of [...this.byNumber]) this.forget(number, lookups);
    return this.last;
  }

  // ---- names: they are what a saved node is found by ------------------------------------------------------

  /** A name is gone. */
  removePlace({ parent, name }: Place): void {
    const directory = this.byNumber.get(parent);
    const number = directory?.children?.get(name);
    if (number === undefined) return;
    directory!.children!.delete(name);
    const node = this.byNumber.get(number);
    if (node) node.places = node.places.filter((place) => place.parent !== parent || place.name !== name);
  }

  /** What was at one place is at another, and the other way round where they were exchanged. */
  move(from: Place, to: Place, exchange: boolean): void {
    const moved = this.byNumber.get(from.parent)?.children?.get(from.name);
    const other = this.byNumber.get(to.parent)?.children?.get(to.name);
    this.removePlace(from);
    this.removePlace(to);
    if (moved !== undefined) this.setPlace(to, moved);
    if (exchange && other !== undefined) this.setPlace(from, other);
  }

  private setPlace(place: Place, number: number): void {
    const directory = this.byNumber.get(place.parent);
    const node = this.byNumber.get(number);
    if (directory === undefined || node === undefined || directory.children?.get(place.name) === number)
      return;
    this.removePlace(place);
    directory.children ??= new Map();
    directory.children.set(place.name, number);
    node.places.push(place);
  }

  // ---- saved state ----------------------------------------------------------------------------------------

  saveState(writer: StateWriter): void {
    writer.count(this.last);
    const nodes = [...this.byNumber].filter(([number]) => number !== ROOT_NODE);
    writer.list(nodes, ([number, node]) => {
      writer.count(number);
      writer.count(node.lookups);
      writer.u8(node.type >>> TYPE_SHIFT);
      writer.count(node.number);
      writer.list(
        node.places.filter(({ parent }) => this.byNumber.has(parent)),
        ({ parent, name }) => {
          writer.count(parent);
          writer.block(bytesOf(name));
        },
      );
    });
  }

  /**
   * Reads saved nodes. What comes back makes them anew, without their inodes: see find().
   * @throws StateFormatError
   */
  static load(tree: FileSystem, reader: StateReader): () => FuseNodes {
    const last = reader.count();
    const saved = reader.list(NODES_MAX, () => {
      const number = reader.count(last);
      reader.check(number > ROOT_NODE, 'a node with the number of the root');
      const lookups = reader.count();
      reader.check(lookups > 0, 'a node that nobody knows');
      const type = reader.u8(15) << TYPE_SHIFT;
      const inTree = reader.count();
      const places = reader.list(PLACES_MAX, () => ({ parent: reader.count(last), name: readName(reader) }));
      return { number, lookups, type, inTree, places };
    });
    const numbers = new Set(saved.map(({ number }) => number));
    reader.check(numbers.size === saved.length, 'two nodes of one number');
    return () => {
      const nodes = new FuseNodes(tree, last);
      for (const { number, lookups, type, inTree } of saved) {
        const node = { inode: undefined, lookups, references: 0, type, number: inTree };
        nodes.byNumber.set(number, { ...node, places: [], children: undefined });
      }
      for (const { number, places } of saved) for (const place of places) nodes.setPlace(place, number);
      return nodes;
    };
  }

  /** Looks restored nodes up in the tree, from the root down; those that are not there any more stay stale. Never fails. */
  find(): Answer<void> {
    return runSteps(this.findAll());
  }

  private *findAll(): Steps<void> {
    const found = [ROOT_NODE];
    for (const number of found) {
      const directory = this.byNumber.get(number);
      if (directory?.inode === undefined || directory.children === undefined) continue;
      for (const [name, child] of [...directory.children]) {
        if (this.closed) return;
        const node = this.byNumber.get(child);
        if (node === undefined || node.inode !== undefined || directory.inode === undefined) continue;
        let entry: Entry | undefined;
        try {
          entry = yield* wait(this.tree.lookup(directory.inode, name));
        } catch (error) {
          // A fault of ours must not take the machine down, but must be seen.
          if (!(error instanceof FileSystemError)) console.error('file system:', error);
        }
        if (entry !== undefined && this.take(child, node, entry)) found.push(child);
      }
    }
  }

  /** Makes what was found under a node's name the node's, if it can be what it was. */
  private take(number: number, node: Node, { inode, attributes }: Entry): boolean {
    const same = (attributes.mode & S_IFMT) === node.type;
    const replaced = this.tree.lastingNumbers === true && inode.number !== node.number;
    const known = this.byNumber.get(number) === node && !this.closed;
    if (!same || replaced || !known || this.byInode.has(inode)) {
      this.tree.forget(inode, 1);
      return false;
    }
    node.inode = inode;
    node.references = 1;
    this.byInode.set(inode, number);
    return true;
  }
}

function readName(reader: StateReader): ByteString {
  const name = byteString(reader.block(NAME_MAX));
  try {
    checkName(name);
  } catch {
    reader.damaged('a name that no file can have');
  }
  return name;
}
