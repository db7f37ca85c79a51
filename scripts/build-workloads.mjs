// Builds the benchmark workloads of guests/bench/workloads. Into guests/bench/binaries (checked in; they hold our
// code only): static riscv64 Linux programs, bare-metal images, Wasm modules. Into build/bench: the same for
// i386 (v86) and x86-64, for comparisons. Debian packages: gcc-riscv64-linux-gnu, clang, lld, gcc.
//
//   node scripts/build-workloads.mjs [--others] [--check]
//     --others  only build/bench    --check  build elsewhere and compare with what is checked in
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { isMain, projectRoot, run, runMain, runStep, StepError } from './project.mjs';

const bench = resolve(projectRoot, 'guests/bench');
export const binaries = join(bench, 'binaries');
export const otherBinaries = resolve(projectRoot, 'build/bench');

const source = (/** @type {string} */ name) => join(bench, 'workloads', `${name}.c`);
const start = (/** @type {string} */ name) => join(bench, 'start', name);

// The compilers' own fusing of a*b+c would change the last bits: the checksums are to be equal everywhere.
const common = [
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-ffp-contract=off',
  '-nostdlib',
  '-Wall',
  '-Wextra',
];
// Loops that copy stay loops, whatever a library would do.
const gcc = [
  ...common,
  ...['-fno-tree-loop-distribute-patterns', '-fno-stack-protector', '-fno-asynchronous-unwind-tables'],
  ...['-nostartfiles', '-static', '-fno-pic', '-no-pie', '-s', '-Wl,--build-id=none'],
  // No sqrt of a library for the sake of errno.
  '-fno-math-errno',
];
const riscv = ['riscv64-linux-gnu-gcc', '-march=rv64gc', '-mabi=lp64d', ...gcc];

/**
 * What can be built: file name ending -> compiler, Debian package, command.
 * @type {Record<string, { tool: string, debian: string, shipped: boolean, command: (name: string, n: number, output: string) => string[], link?: (output: string) => string[] }>}
 */
export const targets = {
  riscv64: {
    tool: 'riscv64-linux-gnu-gcc',
    debian: 'gcc-riscv64-linux-gnu',
    shipped: true,
    command: (name, n, output) => [
      ...[...riscv, '-Wl,-z,noseparate-code', `-DDEFAULT_N=${n}`, '-o', output],
      ...[source(name), start('linux.c'), start('support.c')],
    ],
  },
  bare: {
    tool: 'riscv64-linux-gnu-gcc',
    debian: 'gcc-riscv64-linux-gnu',
    shipped: true,
    command: (name, n, output) => [
      ...[...riscv, '-mcmodel=medany', '-Wl,-T', start('bare.ld'), '-Wl,-z,noseparate-code'],
      ...[`-DDEFAULT_N_TEXT="${n}"`, '-o', output, start('bare.c'), source(name), start('support.c')],
    ],
  },
  wasm: {
    tool: 'clang',
    debian: 'clang and lld',
    shipped: true,
    // Linked by itself: clang's driver would run whatever wasm-opt it finds in PATH over the result.
    command: (name, _n, output) => [
      ...['clang', '--target=wasm32', ...common, '-c', '-o', `${output}.o`],
      ...['-include', start('support.c'), source(name)],
    ],
    link: (output) => [
      ...['wasm-ld', '--no-entry', '--export=run', '--strip-all', '-z', 'stack-size=262144'],
      ...['-o', output, `${output}.o`],
    ],
  },
  i386: {
    tool: 'gcc',
    debian: 'gcc',
    shipped: false,
    // SSE2, because x87 keeps more bits than f64 has, and because v86 is faster so.
    command: (name, n, output) => [
      ...['gcc', '-m32', '-march=i686', '-msse2', '-mfpmath=sse', ...gcc, `-DDEFAULT_N=${n}`],
      ...['-o', output, source(name), start('linux.c'), start('support.c')],
    ],
  },
  'x86-64': {
    tool: 'gcc',
    debian: 'gcc',
    shipped: false,
    command: (name, n, output) => [
      ...['gcc', '-m64', ...gcc, `-DDEFAULT_N=${n}`, '-o', output],
      ...[source(name), start('linux.c'), start('support.c')],
    ],
  },
};

/** @returns {{ name: string, title: string, kind: string, n: number, checksum: string }[]} */
export function catalogue() {
  return JSON.parse(readFileSync(join(bench, 'workloads.json'), 'utf8'));
}

const sha256 = (/** @type {string | Uint8Array} */ data) => createHash('sha256').update(data).digest('hex');

/** Everything the checked-in binaries are made from, as one hash. */
export function sourcesHash() {
  const files = [
    ...readdirSync(join(bench, 'workloads')).map((name) => join(bench, 'workloads', name)),
    ...readdirSync(join(bench, 'start')).map((name) => join(bench, 'start', name)),
  ].sort();
  const lines = files.map((file) => `${relative(bench, file)} ${sha256(readFileSync(file))}\n`);
  for (const { name, n } of catalogue()) lines.push(`${name} ${n}\n`);
  for (const [name, { command, link }] of Object.entries(targets)) {
    const all = [...command('NAME', 1, 'OUTPUT'), ...(link?.('OUTPUT') ?? [])];
    const words = all.map((word) => word.replaceAll(bench, ''));
    lines.push(`${name} ${words.join(' ')}\n`);
  }
  return sha256(lines.join(''));
}

/** First line of what a compiler says about itself, or undefined where it is missing. */
export async function toolVersion(/** @type {string} */ tool) {
  const { status, output } = await run([tool, '--version'], { quiet: true });
  return status === 0 ? output.split('\n')[0] : undefined;
}

/**
 * Builds the chosen targets for all workloads.
 * @param {string} folder
 * @param {string[]} names of targets
 */
export async function buildTargets(folder, names) {
  mkdirSync(folder, { recursive: true });
  for (const target of names) {
    const chosen = targets[target];
    if (chosen === undefined) throw new StepError(`there is no target '${target}'`);
    const { tool, debian, command, link } = chosen;
    if ((await toolVersion(tool)) === undefined) {
      throw new StepError(`${tool} is missing: install Debian's ${debian}`);
    }
    for (const { name, n } of catalogue()) {
      const output = join(folder, `${name}.${target}`);
      await runStep(`${target} of ${name}`, command(name, n, output));
      if (link === undefined) continue;
      await runStep(`linking ${target} of ${name}`, link(output));
      rmSync(`${output}.o`);
    }
  }
}

const named = (/** @type {boolean} */ shipped) =>
  Object.keys(targets).filter((name) => targets[name]?.shipped === shipped);

/** Builds what ships, with a manifest that says from what and by what. Complete files replace the old ones. */
async function buildShipped() {
  const tools = [...new Set(named(true).map((name) => targets[name]?.tool ?? ''))];
  const compilers = Object.fromEntries(
    await Promise.all(tools.map(async (tool) => [tool, await toolVersion(tool)])),
  );
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-workloads-'));
  try {
    await buildTargets(folder, named(true));
    const files = readdirSync(folder).sort();
    mkdirSync(binaries, { recursive: true });
    for (const file of files) copyFileSync(join(folder, file), join(binaries, file));
    for (const file of readdirSync(binaries)) if (!files.includes(file)) rmSync(join(binaries, file));
    const hashes = files.map((file) => [file, sha256(readFileSync(join(binaries, file)))]);
    const manifest = { sources: sourcesHash(), compilers, files: Object.fromEntries(hashes) };
    writeFileSync(join(binaries, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Targets whose compiler here is the one that made what is checked in, and the files that differ when built anew. */
export async function rebuildAndCompare() {
  const manifest = JSON.parse(readFileSync(join(binaries, 'manifest.json'), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'hypertab-workloads-'));
  try {
    const built = [];
    for (const target of named(true)) {
      const tool = targets[target]?.tool ?? '';
      if ((await toolVersion(tool)) === manifest.compilers[tool]) built.push(target);
    }
    await buildTargets(folder, built);
    const different = readdirSync(folder).filter(
      (file) => sha256(readFileSync(join(folder, file))) !== manifest.files[file],
    );
    return { built, different };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const options = process.argv.slice(2);
    if (options.includes('--check')) {
      const { built, different } = await rebuildAndCompare();
      if (different.length > 0) throw new StepError(`built anew, these differ: ${different.join(', ')}`);
      console.log(`${built.length === 0 ? 'no compiler is' : `${built.join(', ')}:`} the same`);
      return;
    }
    if (!options.includes('--others')) await buildShipped();
    await buildTargets(otherBinaries, named(false));
  });
}
