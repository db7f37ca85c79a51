// A random program: blocks of items, which know their place only when they are encoded, so that any of them can be
// taken away while a failing program is made small.

import type { Unit } from '../diff/case.ts';
import { encode, encodeCompressed, type Fields, lengthOf } from '../diff/encode.ts';
import { CODE_AT, CODE_BYTES, RAM } from './board.ts';

/** Where an item stands; addresses are physical. */
export interface Place {
  readonly at: number;
  /** Bytes from `at` to the item that `skip` names. */
  readonly forward: number;
  /** Address of a block; of the next one that is left when it has been taken away. */
  block(id: number): number;
  /** Address of a patch point (or of the program's start). */
  patch(id: number): number;
}

export interface Item {
  readonly length: number;
  /** As in Unit: items that a branch in it jumps over, or repeats. */
  readonly skip: number;
  readonly encode: (place: Place) => readonly number[];
  /** The item is a four-byte instruction that programs and hosts overwrite. */
  readonly patch?: number;
}

export interface Block {
  readonly id: number;
  /** Bytes of no-operations in front of it. */
  readonly gap: number;
  /** Distance from the end of a page at which it begins, or undefined: directly behind the block before. */
  readonly beforePageEnd?: number;
  readonly items: readonly Item[];
}

export interface Layout {
  readonly bytes: Uint8Array;
  readonly blocks: ReadonlyMap<number, number>;
  readonly patches: readonly number[];
  /** Address and halfword or word of each instruction. */
  readonly listing: readonly (readonly [number, number])[];
  blockAddress(id: number): number;
}

const C_NOP = 1;
/** c.jr ra */
export const C_RET = 0x8082;

/** An item whose code does not depend on its place. */
export function fixed(...raws: readonly number[]): Item {
  return { length: raws.reduce((sum, raw) => sum + lengthOf(raw), 0), skip: 0, encode: () => raws };
}
export const instruction = (mnemonic: string, fields: Fields = {}): Item => fixed(encode(mnemonic, fields));
export const fromUnit = (unit: Unit): Item => ({
  length: unit.length,
  skip: unit.skip,
  encode: (place) => unit.encode(place.forward),
});

/** rd = an address near the code, relative to pc: two instructions. */
export function loadAddress(rd: number, at: number, target: number): number[] {
  const distance = target - at;
  const low = (distance << 20) >> 20;
  return [encode('auipc', { rd, imm: distance - low }), encode('addi', { rd, rs1: rd, imm: low })];
}

/** A branch or jal to `target`, or a no-operation where it does not reach. */
export function reach(mnemonic: string, fields: Fields, distance: number): number {
  const limit = mnemonic === 'jal' ? 1 << 20 : 4096;
  if (distance < -limit || distance >= limit) return encode('addi');
  return encode(mnemonic, { ...fields, imm: distance });
}
export function reachCompressed(mnemonic: string, fields: Fields, distance: number): number {
  const base = mnemonic === 'c.j' ? 'jal' : mnemonic === 'c.beqz' ? 'beq' : 'bne';
  const limit = mnemonic === 'c.j' ? 2048 : 256;
  if (distance < -limit || distance >= limit) return C_NOP;
  return encodeCompressed(mnemonic, encode(base, { ...fields, imm: distance })) ?? C_NOP;
}

/** Gives every block its place and encodes it. */
export function layOut(blocks: readonly Block[]): Layout {
  const starts = new Map<number, number>();
  const places: number[][] = [];
  const patches: number[] = [];
  const ends: number[] = [];
  let at = RAM + CODE_AT;
  for (const block of blocks) {
    if (block.beforePageEnd !== undefined) {
      const wanted = 4096 - block.beforePageEnd;
      at += (wanted - (at & 4095) + 4096) % 4096;
    }
    at += block.gap;
    starts.set(block.id, at);
    places.push(
      block.items.map((item) => {
        const here = at;
        if (item.patch !== undefined) patches.push(here);
        at += item.length;
        return here;
      }),
    );
    ends.push(at);
  }
  if (at > RAM + CODE_AT + CODE_BYTES) throw new Error('the program is too long for its memory');
  const order = [...starts.keys()];
  const last = order.at(-1);
  if (last === undefined) throw new Error('a program needs a block');
  const blockAddress = (id: number): number => starts.get(order.find((one) => one >= id) ?? last)!;
  const patch = (id: number): number => patches[id % patches.length] ?? RAM + CODE_AT;

  const bytes = new Uint8Array(CODE_BYTES);
  new Uint16Array(bytes.buffer).fill(C_RET);
  const view = new DataView(bytes.buffer);
  const listing: [number, number][] = [];
  const write = (address: number, raw: number): number => {
    const offset = address - RAM - CODE_AT;
    view.setUint16(offset, raw & 0xffff, true);
    if (lengthOf(raw) === 4) view.setUint16(offset + 2, raw >>> 16, true);
    return address + lengthOf(raw);
  };
  for (const [index, block] of blocks.entries()) {
    const own = places[index]!;
    for (let pad = starts.get(block.id)! - block.gap; pad < starts.get(block.id)!; pad += 2)
      write(pad, C_NOP);
    for (const [number, item] of block.items.entries()) {
      const start = own[number]!;
      const to = item.skip < 0 ? Math.max(0, number + item.skip) : number + item.skip + 1;
      const forward = (own[to] ?? ends[index]!) - start;
      let next = start;
      for (const raw of item.encode({ at: start, forward, block: blockAddress, patch })) {
        listing.push([next, raw]);
        next = write(next, raw);
      }
      if (next !== start + item.length) throw new Error('an item is not as long as it says');
    }
  }
  return { bytes, blocks: starts, patches, listing, blockAddress };
}
