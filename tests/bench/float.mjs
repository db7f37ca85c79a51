// Nanoseconds per floating-point operation: the bare Wasm instruction, the fast path (NX set), the exact flags (NX
// clear), and the soft arithmetic (a directed mode). node tests/bench/float.mjs
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FLOAT = fileURLToPath(new URL('../../assembly/float/', import.meta.url));
const LAYOUT = fileURLToPath(new URL('../../assembly/layout.ts', import.meta.url));
const PASSES = 2_000;
const OPERANDS = 1_000;

const hardware = {
  Add: (t) => `reinterpret<${t}>(a) + reinterpret<${t}>(b)`,
  Sub: (t) => `reinterpret<${t}>(a) - reinterpret<${t}>(b)`,
  Mul: (t) => `reinterpret<${t}>(a) * reinterpret<${t}>(b)`,
  Div: (t) => `reinterpret<${t}>(a) / reinterpret<${t}>(b)`,
  Sqrt: (t) => `sqrt<${t}>(reinterpret<${t}>(a))`,
  Fma: (t) => `reinterpret<${t}>(a) * reinterpret<${t}>(b) + reinterpret<${t}>(a)`,
};

/** A loop over operands in memory; the flags are restored before each operation. */
const loop = (name, type, body) => `
export function ${name}(flags: u32, rm: u32): u64 {
  let sum: u64 = 0;
  for (let pass = 0; pass < ${PASSES}; pass++) {
    for (let i: usize = 0; i < ${OPERANDS * 8}; i += 8) {
      const a = load<${type}>(0x1000 + i);
      const b = load<${type}>(0x8000 + i);
      store<u32>(HART_BASE + FFLAGS, flags);
      sum += <u64>(${body});
    }
  }
  return sum;
}`;

const kinds = [
  { kind: 'f64', type: 'u64' },
  { kind: 'f32', type: 'u32' },
];
const calls = { Sqrt: 'a, rm', Fma: 'a, b, a, rm' };

const folder = await mkdtemp(join(tmpdir(), 'hypertab-bench-'));
try {
  const path = (file) => JSON.stringify(relative(folder, file));
  const source = [
    `import { FFLAGS, HART_BASE } from ${path(LAYOUT)};`,
    ...kinds.flatMap(({ kind, type }) => [
      `import { ${['Add', 'Sub', 'Mul', 'Div', 'Sqrt'].map((op) => kind + op)} } from ${path(`${FLOAT}${kind}.ts`)};`,
      `import { ${kind}Fma } from ${path(`${FLOAT}fma.ts`)};`,
      ...Object.entries(hardware).flatMap(([op, expression]) => [
        loop(`${kind}${op}Bare`, type, `reinterpret<${type}>(${expression(kind)})`),
        loop(`${kind}${op}Loop`, type, `${kind}${op}(${calls[op] ?? 'a, b, rm'})`),
      ]),
    ]),
  ].join('\n');
  await writeFile(join(folder, 'bench.ts'), source);
  const output = join(folder, 'bench.wasm');
  const { error, stderr } = await asc.main([
    relative(process.cwd(), join(folder, 'bench.ts')),
    ...['--config', 'none', '--outFile', output, '--bindings', 'raw', '--runtime', 'stub', '--importMemory'],
    ...['-O3', '--noAssert', '--enable', 'sign-extension,bulk-memory,nontrapping-f2i,mutable-globals'],
  ]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const memory = new WebAssembly.Memory({ initial: 16 });
  const { instance } = await WebAssembly.instantiate(await readFile(output), { env: { memory } });
  const view = new DataView(memory.buffer);

  /** Best of five, in nanoseconds an operation. */
  const measure = (name, flags, rm) => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const start = process.hrtime.bigint();
      instance.exports[name](flags, rm);
      best = Math.min(best, Number(process.hrtime.bigint() - start) / (PASSES * OPERANDS));
    }
    return best.toFixed(2).padStart(8);
  };

  console.log('operation     bare    fast   exact    soft   (ns)');
  for (const { kind } of kinds) {
    for (let i = 0; i < OPERANDS; i++) {
      for (const base of [0x1000, 0x8000]) {
        const value = (1 + Math.random()) * 2 ** Math.floor(Math.random() * 8);
        if (kind === 'f64') view.setFloat64(base + i * 8, value, true);
        else view.setFloat32(base + i * 8, value, true);
      }
    }
    for (const op of Object.keys(hardware)) {
      const name = `${kind}${op}`;
      const columns = [measure(`${name}Bare`, 0, 0)];
      for (const [flags, rm] of [
        [1, 0],
        [0, 0],
        [0, 2],
      ]) {
        columns.push(measure(`${name}Loop`, flags, rm));
      }
      console.log(name.padEnd(8) + columns.join(''));
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
