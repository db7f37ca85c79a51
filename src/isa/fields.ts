// Where fields lie in an instruction word, and how the formats scatter their immediates. Unprivileged ISA 20240411,
// sections 2.2 and 2.3.

/** Widths of the fields that may stand in a pattern, in bits. `any*` is ignored by the decoder. */
export const FIELD_WIDTHS: Readonly<Record<string, number>> = {
  rd: 5,
  rs1: 5,
  rs2: 5,
  rs3: 5,
  rm: 3,
  imm12: 12,
  immS7: 7,
  immS5: 5,
  immB7: 7,
  immB5: 5,
  immU20: 20,
  immJ20: 20,
  shamt5: 5,
  shamt6: 6,
  csr: 12,
  zimm: 5,
  aq: 1,
  rl: 1,
  fm: 4,
  pred: 4,
  succ: 4,
  any5: 5,
  any12: 12,
};

/** The formats, in the order of the core's FMT_* numbers (from 1). */
export const FORMATS = [
  'R',
  'I',
  'S',
  'B',
  'U',
  'J',
  'SHIFT',
  'SHIFTW',
  'CSR',
  'CSRI',
  'R4',
  'AMO',
  'FENCE',
  'SYSTEM',
  'SFENCE',
  'CBO',
] as const;

export type Format = (typeof FORMATS)[number];

export const isFormat = (name: string): name is Format => (FORMATS as readonly string[]).includes(name);

/** Bits `low` to `low + width - 1` of a word, unsigned. */
export const bits = (word: number, low: number, width: number): number =>
  (word >>> low) & (width === 32 ? 0xffffffff : (1 << width) - 1);

export const rdOf = (word: number): number => bits(word, 7, 5);
export const rs1Of = (word: number): number => bits(word, 15, 5);
export const rs2Of = (word: number): number => bits(word, 20, 5);
export const rs3Of = (word: number): number => word >>> 27;
export const rmOf = (word: number): number => bits(word, 12, 3);
export const csrOf = (word: number): number => word >>> 20;

/** The immediate of an instruction word, sign-extended; 0 for formats that have none. A U immediate is its 20 bits << 12. */
export function immediateOf(format: Format, word: number): number {
  switch (format) {
    case 'I':
      return word >> 20;
    case 'S':
      return ((word >> 25) << 5) | bits(word, 7, 5);
    case 'B':
      return (
        ((word >> 31) << 12) | (bits(word, 7, 1) << 11) | (bits(word, 25, 6) << 5) | (bits(word, 8, 4) << 1)
      );
    case 'U':
      return word & ~0xfff;
    case 'J':
      return (
        ((word >> 31) << 20) |
        (bits(word, 12, 8) << 12) |
        (bits(word, 20, 1) << 11) |
        (bits(word, 21, 10) << 1)
      );
    case 'SHIFT':
      return bits(word, 20, 6);
    case 'SHIFTW':
      return bits(word, 20, 5);
    default:
      return 0;
  }
}

/** The immediate's bits at their place in the word, unsigned; the value must fit. Inverse of immediateOf. */
export function placeImmediate(format: Format, value: number): number {
  switch (format) {
    case 'I':
      return (value << 20) >>> 0;
    case 'S':
      return ((bits(value, 5, 7) << 25) | (bits(value, 0, 5) << 7)) >>> 0;
    case 'B':
      return (
        ((bits(value, 12, 1) << 31) |
          (bits(value, 5, 6) << 25) |
          (bits(value, 1, 4) << 8) |
          (bits(value, 11, 1) << 7)) >>>
        0
      );
    case 'U':
      return (value & ~0xfff) >>> 0;
    case 'J':
      return (
        ((bits(value, 20, 1) << 31) |
          (bits(value, 1, 10) << 21) |
          (bits(value, 11, 1) << 20) |
          (bits(value, 12, 8) << 12)) >>>
        0
      );
    case 'SHIFT':
      return (bits(value, 0, 6) << 20) >>> 0;
    case 'SHIFTW':
      return (bits(value, 0, 5) << 20) >>> 0;
    default:
      return 0;
  }
}
