// Unpacking DEFLATE data (RFC 1951) piece by piece and synchronously, which no host offers in browser and Node alike:
// what is unpacked goes where it is wanted without a second copy of it.

/** The data are not DEFLATE, or end too early. */
export class InflateError extends Error {
  override readonly name = 'InflateError';
}

/** Takes the next bytes; they are overwritten afterwards. False: that is enough. */
export type ByteSink = (bytes: Uint8Array) => unknown;

/** All pieces but the last have this many bytes. */
export const PIECE_BYTES = 0x1_0000;
/** Farthest distance of a match, and its greatest length (section 3.2.5). */
const WINDOW_BYTES = 0x8000;
const LONGEST_MATCH = 258;

// An entry of a decoding table: bits 3..0 the bits it takes (0: no such code), 7..4 extra bits or the width of the
// next table, 10..8 its kind, 31..16 literal, base value or index of the next table.
const LITERAL = 1 << 8;
const BASE = 2 << 8;
const END = 3 << 8;
const NEXT_TABLE = 4 << 8;
const KIND = 7 << 8;

/** Width of the first table; longer codes go on in a second one. Most codes of a large file are shorter. */
const FIRST_BITS = 10;
const LONGEST_CODE = 15;
/** A first table and 15-bit codes behind every entry of it at worst. */
const TABLE_ENTRIES = 1 << LONGEST_CODE;

const LITERAL_CODES = 288;
const DISTANCE_CODES = 32;

/** Order of the code length codes' lengths (section 3.2.7). */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** What a symbol means, as an entry without its code's length; 0 for one that may not occur. */
const LITERAL_MEANINGS = literalMeanings();
const DISTANCE_MEANINGS = distanceMeanings();
const PLAIN_MEANINGS = Int32Array.from({ length: 19 }, (_, symbol) => (symbol << 16) | LITERAL);

function literalMeanings(): Int32Array {
  const meanings = new Int32Array(LITERAL_CODES);
  for (let symbol = 0; symbol < 256; symbol++) meanings[symbol] = (symbol << 16) | LITERAL;
  meanings[256] = END;
  let base = 3;
  for (let symbol = 257; symbol < 285; symbol++) {
    const extra = symbol < 265 ? 0 : (symbol - 261) >> 2;
    meanings[symbol] = (base << 16) | (extra << 4) | BASE;
    base += 1 << extra;
  }
  meanings[285] = (LONGEST_MATCH << 16) | BASE;
  return meanings;
}

function distanceMeanings(): Int32Array {
  const meanings = new Int32Array(DISTANCE_CODES);
  let base = 1;
  for (let symbol = 0; symbol < 30; symbol++) {
    const extra = symbol < 4 ? 0 : (symbol - 2) >> 1;
    meanings[symbol] = (base << 16) | (extra << 4) | BASE;
    base += 1 << extra;
  }
  return meanings;
}

const lengthCounts = new Int32Array(LONGEST_CODE + 1);
const nextCodes = new Int32Array(LONGEST_CODE + 1);

/**
 * Builds the decoding table of a code from its symbols' lengths (section 3.2.2).
 * @param single one code of one bit may stand alone, as an encoder writes it for a single distance
 */
function buildTable(
  table: Int32Array,
  lengths: Uint8Array,
  count: number,
  meanings: Int32Array,
  single: boolean,
): void {
  lengthCounts.fill(0);
  let longest = 0;
  for (let symbol = 0; symbol < count; symbol++) {
    const length = lengths[symbol]!;
    lengthCounts[length]!++;
    if (length > longest) longest = length;
  }
  lengthCounts[0] = 0;
  let code = 0;
  let free = 1;
  for (let length = 1; length <= LONGEST_CODE; length++) {
    code = (code + lengthCounts[length - 1]!) << 1;
    nextCodes[length] = code;
    free = (free << 1) - lengthCounts[length]!;
    if (free < 0) throw new InflateError('a code with more symbols than it has room for');
  }
  if (free > 0 && !(single && longest <= 1)) throw new InflateError('a code with unused bit patterns');
  table.fill(0, 0, 1 << FIRST_BITS);
  let end = 1 << FIRST_BITS;
  for (let symbol = 0; symbol < count; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    // A symbol that may not occur gets an entry of 0 bits.
    const meaning = meanings[symbol]!;
    const reversed = reverseBits(nextCodes[length]!++, length);
    if (length <= FIRST_BITS) {
      const entry = meaning === 0 ? 0 : meaning | length;
      for (let index = reversed; index < 1 << FIRST_BITS; index += 1 << length) table[index] = entry;
      continue;
    }
    // Second tables are as wide as the longest code: at most 32 times wider than needed, and few.
    const width = longest - FIRST_BITS;
    const first = reversed & ((1 << FIRST_BITS) - 1);
    let pointer = table[first]!;
    if (pointer === 0) {
      pointer = (end << 16) | NEXT_TABLE | (width << 4) | FIRST_BITS;
      table[first] = pointer;
      table.fill(0, end, end + (1 << width));
      end += 1 << width;
    }
    const start = pointer >>> 16;
    const entry = meaning === 0 ? 0 : meaning | (length - FIRST_BITS);
    for (let index = reversed >> FIRST_BITS; index < 1 << width; index += 1 << (length - FIRST_BITS)) {
      table[start + index] = entry;
    }
  }
}

function reverseBits(code: number, length: number): number {
  let reversed = 0;
  for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
  return reversed;
}

const ENOUGH_BITS = 25;

/** One run over one DEFLATE stream. */
export class Inflater {
  private readonly input: Uint8Array;
  private readonly sink: ByteSink;
  private readonly literals = new Int32Array(TABLE_ENTRIES);
  private readonly distances = new Int32Array(TABLE_ENTRIES);
  private readonly lengths = new Uint8Array(LITERAL_CODES + DISTANCE_CODES);
  /** The window, then the piece that grows, then room for a match that reaches over its end. */
  private readonly output = new Uint8Array(WINDOW_BYTES + PIECE_BYTES + LONGEST_MATCH + 3);
  /** Where the next byte goes, and where the first byte that there ever was lies (the window is empty at first). */
  private at = WINDOW_BYTES;
  private oldest = WINDOW_BYTES;
  private readonly words = new DataView(this.output.buffer);
  private position: number;
  private hold = 0;
  private bits = 0;
  private enough = false;

  /** @param start offset of the first byte of the stream; behind its end must be at least 4 bytes more */
  constructor(input: Uint8Array, start: number, sink: ByteSink) {
    this.input = input;
    this.position = start;
    this.sink = sink;
  }

  /**
   * Unpacks until the stream ends or the sink has enough.
   * @returns the offset behind the stream, or undefined when the sink had enough
   * @throws {InflateError}
   */
  run(): number | undefined {
    for (let last = false; !last && !this.enough; ) {
      this.refill();
      last = this.take(1) === 1;
      const type = this.take(2);
      if (type === 0) this.stored();
      else if (type === 1) this.fixed();
      else if (type === 2) this.dynamic();
      else throw new InflateError('a block of a type that there is not');
    }
    if (this.enough) return undefined;
    const rest = this.output.subarray(WINDOW_BYTES, this.at);
    if (rest.length > 0) this.sink(rest);
    return this.position - (this.bits >> 3);
  }

  /** Afterwards at least 25 bits are there. */
  private refill(): void {
    while (this.bits < ENOUGH_BITS) {
      if (this.position >= this.input.length) throw new InflateError('cut off');
      this.hold |= this.input[this.position++]! << this.bits;
      this.bits += 8;
    }
  }

  private take(count: number): number {
    const value = this.hold & ((1 << count) - 1);
    this.hold >>>= count;
    this.bits -= count;
    return value;
  }

  /** Section 3.2.4. */
  private stored(): void {
    this.take(this.bits & 7);
    this.position -= this.bits >> 3;
    this.hold = 0;
    this.bits = 0;
    const { input } = this;
    let at = this.position;
    if (at + 4 > input.length) throw new InflateError('cut off');
    let length = input[at]! | (input[at + 1]! << 8);
    if ((length ^ (input[at + 2]! | (input[at + 3]! << 8))) !== 0xffff) {
      throw new InflateError('a stored block whose length is not confirmed');
    }
    at += 4;
    if (at + length > input.length) throw new InflateError('cut off');
    while (length > 0 && !this.enough) {
      const part = Math.min(length, WINDOW_BYTES + PIECE_BYTES - this.at);
      this.output.set(input.subarray(at, at + part), this.at);
      this.at += part;
      at += part;
      length -= part;
      this.handOn();
    }
    this.position = at;
  }

  /** Section 3.2.6. */
  private fixed(): void {
    const { lengths } = this;
    lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
    buildTable(this.literals, lengths, 288, LITERAL_MEANINGS, false);
    lengths.fill(5, 0, 32);
    buildTable(this.distances, lengths, 32, DISTANCE_MEANINGS, false);
    this.codes();
  }

  /** Section 3.2.7. */
  private dynamic(): void {
    const { lengths } = this;
    const literals = this.take(5) + 257;
    const distances = this.take(5) + 1;
    const codes = this.take(4) + 4;
    lengths.fill(0, 0, 19);
    for (let index = 0; index < codes; index++) {
      this.refill();
      lengths[LENGTH_ORDER[index]!] = this.take(3);
    }
    buildTable(this.literals, lengths, 19, PLAIN_MEANINGS, false);
    const count = literals + distances;
    lengths.fill(0);
    for (let index = 0; index < count; ) {
      this.refill();
      // Codes of code lengths have 7 bits at most: one table is enough.
      const entry = this.literals[this.hold & ((1 << FIRST_BITS) - 1)]!;
      this.take(entry & 15);
      const symbol = entry >>> 16;
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      const repeat = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (index + repeat > count) throw new InflateError('more code lengths than codes');
      if (symbol === 16 && index === 0) throw new InflateError('a repetition of nothing');
      lengths.fill(symbol === 16 ? lengths[index - 1]! : 0, index, index + repeat);
      index += repeat;
    }
    if (lengths[256] === 0) throw new InflateError('a block without an end');
    buildTable(this.distances, lengths.subarray(literals), distances, DISTANCE_MEANINGS, true);
    buildTable(this.literals, lengths, literals, LITERAL_MEANINGS, true);
    this.codes();
  }

  /** Literals and matches up to the end of the block. Hot: the fields are in locals, and refill() is written out. */
  private codes(): void {
    const { input, output, words, literals, distances, oldest } = this;
    const lastPair = input.length - 2;
    const full = WINDOW_BYTES + PIECE_BYTES;
    const mask = (1 << FIRST_BITS) - 1;
    let { at, position, hold, bits } = this;
    let start = oldest;
    for (;;) {
      if (bits < 16) {
        if (position > lastPair) throw new InflateError('cut off');
        hold |= (input[position]! | (input[position + 1]! << 8)) << bits;
        position += 2;
        bits += 16;
      }
      let entry = literals[hold & mask]!;
      if ((entry & KIND) === NEXT_TABLE) {
        hold >>>= FIRST_BITS;
        bits -= FIRST_BITS;
        entry = literals[(entry >>> 16) + (hold & ((1 << ((entry >> 4) & 15)) - 1))]!;
      }
      hold >>>= entry & 15;
      bits -= entry & 15;
      if ((entry & KIND) === LITERAL) {
        output[at++] = entry >>> 16;
      } else if ((entry & KIND) === BASE) {
        if (bits < 16) {
          if (position > lastPair) throw new InflateError('cut off');
          hold |= (input[position]! | (input[position + 1]! << 8)) << bits;
          position += 2;
          bits += 16;
        }
        let extra = (entry >> 4) & 15;
        const length = (entry >>> 16) + (hold & ((1 << extra) - 1));
        hold >>>= extra;
        bits -= extra;
        if (bits < 16) {
          if (position > lastPair) throw new InflateError('cut off');
          hold |= (input[position]! | (input[position + 1]! << 8)) << bits;
          position += 2;
          bits += 16;
        }
        entry = distances[hold & mask]!;
        if ((entry & KIND) === NEXT_TABLE) {
          hold >>>= FIRST_BITS;
          bits -= FIRST_BITS;
          entry = distances[(entry >>> 16) + (hold & ((1 << ((entry >> 4) & 15)) - 1))]!;
        }
        if ((entry & KIND) !== BASE) throw new InflateError('a distance that there is not');
        hold >>>= entry & 15;
        bits -= entry & 15;
        if (bits < 16) {
          if (position > lastPair) throw new InflateError('cut off');
          hold |= (input[position]! | (input[position + 1]! << 8)) << bits;
          position += 2;
          bits += 16;
        }
        extra = (entry >> 4) & 15;
        const distance = (entry >>> 16) + (hold & ((1 << extra) - 1));
        hold >>>= extra;
        bits -= extra;
        let from = at - distance;
        if (from < start) throw new InflateError('a match that reaches back beyond the start');
        const end = at + length;
        if (distance >= 4) {
          // Four at a time, up to three too many, which are overwritten next.
          for (; at < end; at += 4, from += 4) words.setUint32(at, words.getUint32(from, true), true);
          at = end;
        } else {
          while (at < end) output[at++] = output[from++]!;
        }
      } else if ((entry & KIND) === END) {
        break;
      } else {
        throw new InflateError('a code that there is not');
      }
      if (at >= full) {
        this.at = at;
        this.handOn();
        if (this.enough) return;
        at = this.at;
        start = 0;
      }
    }
    this.at = at;
    this.position = position;
    this.hold = hold;
    this.bits = bits;
  }

  /** Gives a full piece to the sink and makes room for the next. */
  private handOn(): void {
    const full = WINDOW_BYTES + PIECE_BYTES;
    if (this.at < full) return;
    this.enough = this.sink(this.output.subarray(WINDOW_BYTES, full)) === false;
    this.output.copyWithin(0, PIECE_BYTES, this.at);
    this.at -= PIECE_BYTES;
    this.oldest = 0;
  }
}
