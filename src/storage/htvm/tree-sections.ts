// The files of a share in memory as sections of an .htvm file: a list of nodes, and their contents one after the other.
import type { ImageNode, TreeImage } from '../tree/memory-tree-image.ts';
import { HtvmError } from './htvm-error.ts';
import type { HtvmFile } from './htvm-reader.ts';
import type { SectionPacker } from './htvm-writer.ts';

const VERSION = 1;
/** Bytes of contents in a section. */
const PIECE_BYTES = 2 * 1024 ** 2;

/** An extent as it is listed: its bytes are the next ones of the contents. */
type ListedNode = Omit<ImageNode, 'extents'> & { extents?: [offset: number, length: number][] };

/** Adds a tree as sections `NAME/nodes`, `NAME/0` and so on. */
export async function packTree(packer: SectionPacker, name: string, image: TreeImage): Promise<void> {
  const listed = image.map(({ extents, ...node }): ListedNode => {
    return extents === undefined
      ? node
      : { ...node, extents: extents.map(({ offset, bytes }) => [offset, bytes.length]) };
  });
  await packer.add(`${name}/nodes`, VERSION, new TextEncoder().encode(JSON.stringify(listed)));
  const pieces = image.flatMap(({ extents = [] }) => extents.map(({ bytes }) => bytes));
  const contents = new Blob(pieces as Uint8Array<ArrayBuffer>[]);
  for (let start = 0; start < contents.size; start += PIECE_BYTES) {
    const piece = await contents.slice(start, start + PIECE_BYTES).arrayBuffer();
    await packer.add(`${name}/${start / PIECE_BYTES}`, VERSION, new Uint8Array(piece));
  }
}

/**
 * Reads what packTree() wrote; what the nodes say is for fillTree() to check.
 * @throws {HtvmError} damaged or version
 */
export async function unpackTree(file: HtvmFile, name: string): Promise<TreeImage> {
  const damaged = (what: string) =>
    new HtvmError('damaged', `${file.name} is damaged: section ${name} ${what}`);
  for (const { name: section, version } of file.sectionsUnder(`${name}/`)) {
    if (version !== VERSION) {
      throw new HtvmError(
        'version',
        `${file.name}: section ${section} has version ${version}, not ${VERSION}`,
      );
    }
  }
  const nodes = parseNodes(await file.read(`${name}/nodes`));
  if (nodes === undefined) throw damaged('is no list of files');
  const pieces: Uint8Array[] = [];
  let total = 0;
  while (file.has(`${name}/${pieces.length}`)) {
    const piece = await file.read(`${name}/${pieces.length}`);
    pieces.push(piece);
    total += piece.length;
  }
  const wanted = nodes.reduce(
    (sum, { extents = [] }) => sum + extents.reduce((all, [, length]) => all + length, 0),
    0,
  );
  if (wanted !== total) throw damaged(`has ${total} bytes of contents instead of ${wanted}`);
  const whole = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  at = 0;
  return nodes.map(({ extents, ...node }): ImageNode => {
    if (extents === undefined) return node;
    return {
      ...node,
      extents: extents.map(([offset, length]) => {
        at += length;
        return { offset, bytes: whole.subarray(at - length, at) };
      }),
    };
  });
}

function parseNodes(bytes: Uint8Array): ListedNode[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.every(isNode) ? value : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 1 << 17;

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isPair(
  value: unknown,
  first: (item: unknown) => boolean,
  second: (item: unknown) => boolean,
): boolean {
  return Array.isArray(value) && value.length === 2 && first(value[0]) && second(value[1]);
}

function isNode(value: unknown): value is ListedNode {
  if (typeof value !== 'object' || value === null) return false;
  const { names, mode, uid, gid, device, times, target, xattrs, size, extents } =
    value as Partial<ListedNode>;
  return (
    isListOf(names, (name) => isPair(name, isCount, isText)) &&
    [mode, uid, gid, device].every((field) => isCount(field) && field <= 0xffff_ffff) &&
    isListOf(times, (time) => typeof time === 'string' && /^-?\d{1,20}$/.test(time)) &&
    times?.length === 3 &&
    (target === undefined || isText(target)) &&
    (xattrs === undefined || isListOf(xattrs, (xattr) => isPair(xattr, isText, isText))) &&
    (size === undefined || isCount(size)) &&
    (extents === undefined || isListOf(extents, (extent) => isPair(extent, isCount, isCount)))
  );
}
