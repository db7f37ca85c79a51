// What the source puts where: pieces of known size in sections, with contents to be filled in once addresses are known.

export interface Section {
  readonly name: string;
  readonly writable: boolean;
  readonly executable: boolean;
  /** True for sections without bytes in the file (.bss). */
  readonly empty: boolean;
  readonly pieces: Piece[];
  /** Bytes so far. */
  size: number;
  /** Alignment in bytes. */
  alignment: number;
}

/** Bytes at an offset of a section, written once the addresses are known. */
export interface Piece {
  readonly offset: number;
  readonly bytes: number;
  readonly line: number;
  readonly write?: (view: DataView, at: number, address: bigint) => void;
}

/** Flags by the usual names: .text…, .rodata…, .data…, .bss…; anything else is data. */
export function createSection(name: string, flags?: string): Section {
  const starts = (prefix: string): boolean => name === prefix || name.startsWith(`${prefix}.`);
  const text = starts('.text') || starts('.init');
  const readOnly = text || starts('.rodata');
  return {
    name,
    writable: flags === undefined ? !readOnly : flags.includes('w'),
    executable: flags === undefined ? text : flags.includes('x'),
    empty: starts('.bss') || starts('.sbss'),
    pieces: [],
    size: 0,
    alignment: text ? 4 : 1,
  };
}
