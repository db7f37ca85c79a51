// Two functions that call regions for modules that do not import their table themselves.

/** Type of a region: (page: i64, base, n, depth: i32) -> n: i32 (assembly/translator/emit.ts). */
const REGION_TYPE = [0x60, 4, 0x7e, 0x7f, 0x7f, 0x7f, 1, 0x7f];
/** The same with the region's place in the table behind it. */
const CALL_TYPE = [0x60, 5, 0x7e, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f];
const ARGUMENTS = [0x20, 0, 0x20, 1, 0x20, 2, 0x20, 3, 0x20, 4];
const CALL_INDIRECT = 0x11;
const RETURN_CALL_INDIRECT = 0x13;

const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
const body = (opcode: number): number[] => [15, 0, ...ARGUMENTS, opcode, 0, 0, 0x0b];

/** @param tailCalls the host's Wasm has them: goOnInRegion leaves nothing on the stack then */
export function regionCalls(table: WebAssembly.Table, tailCalls: boolean): WebAssembly.ModuleImports {
  const module = new WebAssembly.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [2, ...REGION_TYPE, ...CALL_TYPE]),
      ...section(2, [1, ...name('c'), ...name('table'), 1, 0x70, 0, 1]),
      ...section(3, [2, 1, 1]),
      ...section(7, [2, ...name('callRegion'), 0, 0, ...name('goOnInRegion'), 0, 1]),
      ...section(10, [2, ...body(CALL_INDIRECT), ...body(tailCalls ? RETURN_CALL_INDIRECT : CALL_INDIRECT)]),
    ]),
  );
  return { ...new WebAssembly.Instance(module, { c: { table } }).exports };
}
