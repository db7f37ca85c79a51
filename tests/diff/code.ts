import { encode, type Fields, lengthOf } from './encode.ts';

/** Instructions one after the other from an address. */
export class Code {
  readonly #start: number;
  readonly #raws: number[] = [];
  #length = 0;

  constructor(start: number) {
    this.#start = start;
  }
  get pc(): number {
    return this.#start + this.#length;
  }
  get length(): number {
    return this.#length;
  }
  get bytes(): Uint8Array {
    const bytes: number[] = [];
    for (const raw of this.#raws) for (let i = 0; i < lengthOf(raw); i++) bytes.push((raw >>> (8 * i)) & 255);
    return Uint8Array.from(bytes);
  }
  raw(...raws: readonly number[]): void {
    for (const raw of raws) {
      this.#raws.push(raw);
      this.#length += lengthOf(raw);
    }
  }
  add(mnemonic: string, fields: Fields = {}): void {
    this.raw(encode(mnemonic, fields));
  }
  jump(to: number): void {
    this.add('jal', { imm: to - this.pc });
  }
  /** A call to the next instruction: what follows a CSR access can be translated again from here. */
  head(rd: number): void {
    this.add('jal', { rd, imm: 4 });
  }
  address(rd: number, to: number): void {
    const distance = to - this.pc;
    const low = (distance << 20) >> 20;
    this.add('auipc', { rd, imm: distance - low });
    this.add('addi', { rd, rs1: rd, imm: low });
  }
}
