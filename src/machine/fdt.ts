// Flattened device tree writer, format version 17. Devicetree Specification 0.4, chapter 5.

/** A property's value: 32-bit cells, strings, raw bytes, or empty (its presence is the message). */
export type FdtValue =
  | { kind: 'cells'; cells: readonly number[] }
  | { kind: 'strings'; strings: readonly string[] }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'empty' };

export interface FdtNode {
  name: string;
  properties: Record<string, FdtValue>;
  children?: readonly FdtNode[];
}

// Section 5.2
const FDT_MAGIC = 0xd00dfeed;
const FDT_HEADER_BYTES = 40;
const FDT_VERSION = 17;
const FDT_LAST_COMPATIBLE_VERSION = 16;
/** Section 5.3.2: the memory reservation block is one empty entry. */
const FDT_RESERVATION_BYTES = 16;
// Section 5.4.1
const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_END = 9;

export function cells(...values: number[]): FdtValue {
  return { kind: 'cells', cells: values };
}

/** Addresses and sizes below 2^53 as pairs of cells, high cell first. */
export function cells64(...values: number[]): FdtValue {
  return { kind: 'cells', cells: values.flatMap((value) => [Math.floor(value / 2 ** 32), value >>> 0]) };
}

export function strings(...values: string[]): FdtValue {
  return { kind: 'strings', strings: values };
}

export function bytes(value: Uint8Array): FdtValue {
  return { kind: 'bytes', bytes: value };
}

export const empty: FdtValue = { kind: 'empty' };

/** Writes a tree as a blob; the root's name is ''. Its length is a multiple of 8. */
export function writeFdt(root: FdtNode): Uint8Array {
  const structure: number[] = [];
  const stringBlock: number[] = [];
  const stringOffsets = new Map<string, number>();

  const stringOffset = (name: string): number => {
    let offset = stringOffsets.get(name);
    if (offset === undefined) {
      offset = stringBlock.length;
      stringOffsets.set(name, offset);
      stringBlock.push(...encode(name));
    }
    return offset;
  };
  const pad = (): void => {
    while (structure.length % 4 !== 0) structure.push(0);
  };
  const writeNode = (node: FdtNode): void => {
    push32(structure, FDT_BEGIN_NODE);
    structure.push(...encode(node.name));
    pad();
    for (const [name, value] of Object.entries(node.properties)) {
      const data = encodeValue(value);
      push32(structure, FDT_PROP);
      push32(structure, data.length);
      push32(structure, stringOffset(name));
      for (const byte of data) structure.push(byte);
      pad();
    }
    for (const child of node.children ?? []) writeNode(child);
    push32(structure, FDT_END_NODE);
  };
  writeNode(root);
  push32(structure, FDT_END);

  const structureOffset = FDT_HEADER_BYTES + FDT_RESERVATION_BYTES;
  const stringsOffset = structureOffset + structure.length;
  const total = (stringsOffset + stringBlock.length + 7) & ~7;
  const blob = new Uint8Array(total);
  const header = new DataView(blob.buffer);
  [
    FDT_MAGIC,
    total,
    structureOffset,
    stringsOffset,
    FDT_HEADER_BYTES, // offset of the memory reservation block
    FDT_VERSION,
    FDT_LAST_COMPATIBLE_VERSION,
    0, // boot hart
    stringBlock.length,
    structure.length,
  ].forEach((word, index) => {
    header.setUint32(index * 4, word);
  });
  blob.set(structure, structureOffset);
  blob.set(stringBlock, stringsOffset);
  return blob;
}

function push32(out: number[], value: number): void {
  out.push((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** UTF-8 with the terminating zero. Throws RangeError for a string with a zero in it. */
function encode(text: string): number[] {
  if (text.includes('\0')) throw new RangeError('a device tree string cannot hold a zero byte');
  return [...new TextEncoder().encode(text), 0];
}

function encodeValue(value: FdtValue): ArrayLike<number> & Iterable<number> {
  switch (value.kind) {
    case 'cells': {
      const out: number[] = [];
      for (const cell of value.cells) push32(out, cell);
      return out;
    }
    case 'strings':
      return value.strings.flatMap(encode);
    case 'bytes':
      return value.bytes;
    case 'empty':
      return [];
  }
}
