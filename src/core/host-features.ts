// What this host's WebAssembly can do beyond the baseline that translated code may count on.
import {
  FEATURE_FEW_IMPORTS,
  FEATURE_FUSED,
  FEATURE_NO_IMPORTS,
  FEATURE_TAIL_CALLS,
} from '../../assembly/layout.ts';

/** Each one makes translated code faster; none is needed. */
export interface HostFeatures {
  /** Tail calls: one region goes on in another without the interpreter between them. */
  tailCalls: boolean;
  /** f64x2.relaxed_madd rounds once, as fmadd.d does: the specification leaves it to the host's processor. */
  fusedMultiplyAdd: boolean;
  /**
   * Modules that may import the table of regions. V8 keeps each for as long as the table until version 13, so `few` do
   * there; `none` is for tests.
   */
  tableImports: 'any' | 'few' | 'none';
}

/** (func (result i32) (return_call 0)): accepted where Wasm has tail calls. */
const TAIL_CALL_MODULE = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b,
]);

/** (func (export "f") (param f64 f64 f64) (result f64)): f64x2.relaxed_madd (+ a * b c) of the first lanes. */
const FUSED_MODULE = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7c, 0x7c, 0x7c, 1, 0x7c, 3, 2, 1, 0, 7, 5, 1, 1, 0x66,
  0, 0, 10, 22, 1, 20, 0, 0x20, 0, 0xfd, 0x14, 0x20, 1, 0xfd, 0x14, 0x20, 2, 0xfd, 0x14, 0xfd, 0x87, 2, 0xfd,
  0x21, 0, 0x0b,
]);

function probeFused(): boolean {
  if (!WebAssembly.validate(FUSED_MODULE)) return false;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(FUSED_MODULE)).exports;
  if (typeof f !== 'function') return false;
  // (1 + e)^2 - (1 + 2e) is e^2 with one rounding and 0 with two, for e = 2^-27.
  const e = 2 ** -27;
  return f(1 + e, 1 + e, -(1 + 2 * e)) === e * e;
}

/** V8 11.3 and 12.4 (Node 20 and 22) keep the modules, 13.6 does not; no other way to ask was found. */
function isOldV8(): boolean {
  if (typeof process === 'undefined') return false;
  return Number.parseInt(process.versions?.v8 ?? '', 10) < 13;
}

let known: HostFeatures | undefined;

/** Finds out once what this host can do. */
export function hostFeatures(): HostFeatures {
  known ??= {
    tailCalls: WebAssembly.validate(TAIL_CALL_MODULE),
    fusedMultiplyAdd: probeFused(),
    tableImports: isOldV8() ? 'few' : 'any',
  };
  return known;
}

/** The same as the core's reset takes it: FEATURE_* of assembly/layout.ts. */
export function featureBits(features: HostFeatures): number {
  return (
    (features.tailCalls ? FEATURE_TAIL_CALLS : 0) |
    (features.fusedMultiplyAdd ? FEATURE_FUSED : 0) |
    { any: 0, few: FEATURE_FEW_IMPORTS, none: FEATURE_NO_IMPORTS }[features.tableImports]
  );
}
