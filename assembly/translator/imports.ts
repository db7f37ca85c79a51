// What a translated module imports: the core's memory, the table of regions, and functions of the core for what is
// not worth its place in every module. The order here is the order of the module's import section, and the names
// are exports of index.ts.
import { T_I32, T_I64, W_CALL, byte, text, u } from './wasm-writer';

export const TYPE_REGION = 0; // (i64, i32, i32, i32) -> i32
const TYPE_LL_L = 1;
const TYPE_II_I = 2;
const TYPE_LLI_L = 3;
const TYPE_LLLI_L = 4;
const TYPE_LL_I = 5;
const TYPE_IIL_I = 6;
const TYPE_REGION_AT = 7; // (i64, i32, i32, i32, i32) -> i32
const TYPE_L = 8; // () -> i64

export const CALL_MULH = 0;
export const CALL_MULHU = 1;
export const CALL_MULHSU = 2;
export const CALL_DIV = 3;
export const CALL_DIVU = 4;
export const CALL_REM = 5;
export const CALL_REMU = 6;
export const CALL_DIVW = 7;
export const CALL_DIVUW = 8;
export const CALL_REMW = 9;
export const CALL_REMUW = 10;
export const CALL_F64_ADD = 11;
export const CALL_F64_SUB = 12;
export const CALL_F64_MUL = 13;
export const CALL_F64_DIV = 14;
export const CALL_F64_FMA = 15;
export const CALL_F64_EQ = 16;
export const CALL_F64_LT = 17;
export const CALL_F64_LE = 18;
export const CALL_FLOAT = 19;
/** Calls a region by its place in the table, or goes on in it: for modules that do not import the table. */
export const CALL_REGION = 20;
export const GO_ON_REGION = 21;
export const CALL_TIME = 22;
export const IMPORTED_FUNCTIONS = 23;

export function call(index: u32): void {
  byte(W_CALL);
  u(index);
}

function parameters(longs: i32, ints: i32): void {
  byte(0x60);
  u(longs + ints);
  for (let i = 0; i < longs; i++) byte(T_I64);
  for (let i = 0; i < ints; i++) byte(T_I32);
  u(1);
}

/** The vector of function types. */
export function writeTypes(): void {
  u(9);
  parameters(1, 3);
  byte(T_I32);
  parameters(2, 0);
  byte(T_I64);
  parameters(0, 2);
  byte(T_I32);
  parameters(2, 1);
  byte(T_I64);
  parameters(3, 1);
  byte(T_I64);
  parameters(2, 0);
  byte(T_I32);
  byte(0x60);
  u(3);
  byte(T_I32);
  byte(T_I32);
  byte(T_I64);
  u(1);
  byte(T_I32);
  parameters(1, 4);
  byte(T_I32);
  parameters(0, 0);
  byte(T_I64);
}

function writeFunction(name: string, type: u32): void {
  text('c');
  text(name);
  byte(0);
  u(type);
}

/** The vector of imports, with the table or without. */
export function writeImports(table: bool): void {
  u(IMPORTED_FUNCTIONS + (table ? 2 : 1));
  text('c');
  text('memory');
  byte(2);
  byte(0);
  u(1);
  if (table) {
    text('c');
    text('table');
    byte(1);
    byte(0x70);
    byte(0);
    u(1);
  }
  writeFunction('mulh', TYPE_LL_L);
  writeFunction('mulhu', TYPE_LL_L);
  writeFunction('mulhsu', TYPE_LL_L);
  writeFunction('div', TYPE_LL_L);
  writeFunction('divu', TYPE_LL_L);
  writeFunction('rem', TYPE_LL_L);
  writeFunction('remu', TYPE_LL_L);
  writeFunction('divw', TYPE_II_I);
  writeFunction('divuw', TYPE_II_I);
  writeFunction('remw', TYPE_II_I);
  writeFunction('remuw', TYPE_II_I);
  writeFunction('f64Add', TYPE_LLI_L);
  writeFunction('f64Sub', TYPE_LLI_L);
  writeFunction('f64Mul', TYPE_LLI_L);
  writeFunction('f64Div', TYPE_LLI_L);
  writeFunction('f64Fma', TYPE_LLLI_L);
  writeFunction('f64Eq', TYPE_LL_I);
  writeFunction('f64Lt', TYPE_LL_I);
  writeFunction('f64Le', TYPE_LL_I);
  writeFunction('executeFloat', TYPE_IIL_I);
  writeFunction('callRegion', TYPE_REGION_AT);
  writeFunction('goOnInRegion', TYPE_REGION_AT);
  writeFunction('readTime', TYPE_L);
}
