// Writes a Wasm module into a buffer of linear memory: bytes, LEB128 numbers, and the opcodes used.
// WebAssembly core specification 2.0, chapter 5.
import { MODULE_BUFFER, MODULE_BYTES } from '../layout';

export const T_I32: u8 = 0x7f;
export const T_I64: u8 = 0x7e;
export const T_F32: u8 = 0x7d;
export const T_F64: u8 = 0x7c;
export const T_VOID: u8 = 0x40;

export const W_UNREACHABLE: u8 = 0x00;
export const W_BLOCK: u8 = 0x02;
export const W_LOOP: u8 = 0x03;
export const W_IF: u8 = 0x04;
export const W_ELSE: u8 = 0x05;
export const W_END: u8 = 0x0b;
export const W_BR: u8 = 0x0c;
export const W_BR_IF: u8 = 0x0d;
export const W_BR_TABLE: u8 = 0x0e;
export const W_RETURN: u8 = 0x0f;
export const W_RETURN_CALL: u8 = 0x12;
export const W_CALL: u8 = 0x10;
export const W_CALL_INDIRECT: u8 = 0x11;
export const W_RETURN_CALL_INDIRECT: u8 = 0x13;
export const W_DROP: u8 = 0x1a;
export const W_SELECT: u8 = 0x1b;
export const W_GET: u8 = 0x20;
export const W_SET: u8 = 0x21;
export const W_TEE: u8 = 0x22;
export const W_I32_LOAD: u8 = 0x28;
export const W_I64_LOAD: u8 = 0x29;
export const W_F64_LOAD: u8 = 0x2b;
export const W_I32_LOAD8_S: u8 = 0x2c;
export const W_I32_LOAD8_U: u8 = 0x2d;
export const W_I32_LOAD16_S: u8 = 0x2e;
export const W_I32_LOAD16_U: u8 = 0x2f;
export const W_I64_LOAD32_S: u8 = 0x34;
export const W_I64_LOAD32_U: u8 = 0x35;
export const W_I32_STORE: u8 = 0x36;
export const W_I64_STORE: u8 = 0x37;
export const W_F64_STORE: u8 = 0x39;
export const W_I32_STORE8: u8 = 0x3a;
export const W_I32_STORE16: u8 = 0x3b;
export const W_I64_STORE32: u8 = 0x3e;
export const W_I32_CONST: u8 = 0x41;
export const W_I64_CONST: u8 = 0x42;
export const W_I32_EQZ: u8 = 0x45;
export const W_I32_EQ: u8 = 0x46;
export const W_I32_NE: u8 = 0x47;
export const W_I32_LT_S: u8 = 0x48;
export const W_I32_LT_U: u8 = 0x49;
export const W_I32_LE_S: u8 = 0x4c;
export const W_I32_GE_S: u8 = 0x4e;
export const W_I32_GE_U: u8 = 0x4f;
export const W_I64_EQZ: u8 = 0x50;
export const W_I64_EQ: u8 = 0x51;
export const W_I64_NE: u8 = 0x52;
export const W_I64_LT_S: u8 = 0x53;
export const W_I64_LT_U: u8 = 0x54;
export const W_I64_GT_S: u8 = 0x55;
export const W_I64_GT_U: u8 = 0x56;
export const W_I64_GE_S: u8 = 0x59;
export const W_I64_GE_U: u8 = 0x5a;
export const W_F64_EQ: u8 = 0x61;
export const W_F64_LT: u8 = 0x63;
export const W_F64_LE: u8 = 0x65;
export const W_I32_CLZ: u8 = 0x67;
export const W_I32_CTZ: u8 = 0x68;
export const W_I32_POPCNT: u8 = 0x69;
export const W_I32_ADD: u8 = 0x6a;
export const W_I32_SUB: u8 = 0x6b;
export const W_I32_MUL: u8 = 0x6c;
export const W_I32_DIV_S: u8 = 0x6d;
export const W_I32_DIV_U: u8 = 0x6e;
export const W_I32_REM_S: u8 = 0x6f;
export const W_I32_REM_U: u8 = 0x70;
export const W_I32_AND: u8 = 0x71;
export const W_I32_OR: u8 = 0x72;
export const W_I32_XOR: u8 = 0x73;
export const W_I32_SHL: u8 = 0x74;
export const W_I32_SHR_S: u8 = 0x75;
export const W_I32_SHR_U: u8 = 0x76;
export const W_I32_ROTL: u8 = 0x77;
export const W_I32_ROTR: u8 = 0x78;
export const W_I64_CLZ: u8 = 0x79;
export const W_I64_CTZ: u8 = 0x7a;
export const W_I64_POPCNT: u8 = 0x7b;
export const W_I64_ADD: u8 = 0x7c;
export const W_I64_SUB: u8 = 0x7d;
export const W_I64_MUL: u8 = 0x7e;
export const W_I64_DIV_S: u8 = 0x7f;
export const W_I64_DIV_U: u8 = 0x80;
export const W_I64_REM_S: u8 = 0x81;
export const W_I64_REM_U: u8 = 0x82;
export const W_I64_AND: u8 = 0x83;
export const W_I64_OR: u8 = 0x84;
export const W_I64_XOR: u8 = 0x85;
export const W_I64_SHL: u8 = 0x86;
export const W_I64_SHR_S: u8 = 0x87;
export const W_I64_SHR_U: u8 = 0x88;
export const W_I64_ROTL: u8 = 0x89;
export const W_I64_ROTR: u8 = 0x8a;
export const W_F64_NEG: u8 = 0x9a;
export const W_F64_ADD: u8 = 0xa0;
export const W_F64_SUB: u8 = 0xa1;
export const W_F64_MUL: u8 = 0xa2;
export const W_F64_DIV: u8 = 0xa3;
export const W_F64_COPYSIGN: u8 = 0xa6;
export const W_I32_WRAP: u8 = 0xa7;
export const W_I64_EXTEND_S: u8 = 0xac;
export const W_I64_EXTEND_U: u8 = 0xad;
export const W_F64_CONVERT_I32_S: u8 = 0xb7;
export const W_F64_CONVERT_I64_S: u8 = 0xb9;
export const W_I64_REINTERPRET: u8 = 0xbd;
export const W_F64_REINTERPRET: u8 = 0xbf;
export const W_I32_EXTEND8: u8 = 0xc0;
export const W_I32_EXTEND16: u8 = 0xc1;
export const W_I64_EXTEND32: u8 = 0xc4;
export const W_F32_EQ: u8 = 0x5b;
export const W_F32_LT: u8 = 0x5d;
export const W_F32_LE: u8 = 0x5f;
export const W_F64_GE: u8 = 0x66;
export const W_F32_ADD: u8 = 0x92;
export const W_F32_SUB: u8 = 0x93;
export const W_F32_MUL: u8 = 0x94;
export const W_F32_DIV: u8 = 0x95;
export const W_F64_ABS: u8 = 0x99;
export const W_F64_CEIL: u8 = 0x9b;
export const W_F64_FLOOR: u8 = 0x9c;
export const W_F64_TRUNC: u8 = 0x9d;
export const W_F64_NEAREST: u8 = 0x9e;
export const W_F64_SQRT: u8 = 0x9f;
export const W_F64_MIN: u8 = 0xa4;
export const W_F64_MAX: u8 = 0xa5;
export const W_I32_TRUNC_F64_S: u8 = 0xaa;
export const W_I32_TRUNC_F64_U: u8 = 0xab;
export const W_I64_TRUNC_F64_S: u8 = 0xb0;
export const W_I64_TRUNC_F64_U: u8 = 0xb1;
export const W_F32_DEMOTE: u8 = 0xb6;
export const W_F64_CONVERT_I32_U: u8 = 0xb8;
export const W_F64_CONVERT_I64_U: u8 = 0xba;
export const W_F64_PROMOTE: u8 = 0xbb;
export const W_I32_REINTERPRET_F32: u8 = 0xbc;
export const W_F32_REINTERPRET: u8 = 0xbe;
/** Before the number of a vector instruction, which is written as a u32. */
export const W_SIMD: u8 = 0xfd;
export const W_F64X2_SPLAT: u32 = 0x14;
export const W_F64X2_EXTRACT_LANE: u32 = 0x21;
export const W_F64X2_RELAXED_MADD: u32 = 0x107;
export const W_F64X2_RELAXED_NMADD: u32 = 0x108;

/** Where the next byte goes. */
export let at: usize = MODULE_BUFFER;

export function rewind(to: usize): void {
  at = to;
}
/** True while there is room for one more large function. */
export function hasRoom(bytes: usize): bool {
  return at + bytes < <usize>(MODULE_BUFFER + MODULE_BYTES);
}

// @ts-ignore: decorator
@inline
export function byte(value: u8): void {
  store<u8>(at, value);
  at++;
}
export function u(value: u32): void {
  while (value > 0x7f) {
    byte(<u8>(value | 0x80));
    value >>= 7;
  }
  byte(<u8>value);
}
export function s64(value: i64): void {
  while (value < -64 || value > 63) {
    byte(<u8>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  byte(<u8>(value & 0x7f));
}
export const HOLE_BYTES = 5;
/** An unsigned number in five bytes, to be filled in later; returns its place. */
export function hole(): usize {
  const place = at;
  at += HOLE_BYTES;
  return place;
}
export function fill(place: usize, value: u32): void {
  for (let i = 0; i < 4; i++) {
    store<u8>(place, <u8>(value | 0x80));
    value >>= 7;
    place++;
  }
  store<u8>(place, <u8>value);
}
export function text(value: string): void {
  u(value.length);
  for (let i = 0; i < value.length; i++) byte(<u8>value.charCodeAt(i));
}

/** A number of four digits as a name. The core has no heap for strings. */
export function decimal(value: u32): void {
  u(4);
  for (let unit: u32 = 1000; unit > 0; unit /= 10) byte(<u8>(48 + ((value / unit) % 10)));
}

export function get(local: u32): void {
  byte(W_GET);
  u(local);
}
export function set(local: u32): void {
  byte(W_SET);
  u(local);
}
export function tee(local: u32): void {
  byte(W_TEE);
  u(local);
}
export function i32c(value: i32): void {
  byte(W_I32_CONST);
  s64(value);
}
export function i64c(value: i64): void {
  byte(W_I64_CONST);
  s64(value);
}
export function f64c(value: f64): void {
  byte(0x44);
  store<f64>(at, value);
  at += 8;
}
export function f32c(value: f32): void {
  byte(0x43);
  store<f32>(at, value);
  at += 4;
}
/** A load or store with an offset and no alignment promised beyond `align` (log2). */
export function access(op: u8, align: u32, offset: u32): void {
  byte(op);
  u(align);
  u(offset);
}
