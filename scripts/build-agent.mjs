// Builds the agent of the container host (guests/container-host/agent) and what it has crun load; both are checked in:
//   node scripts/build-agent.mjs           builds it
//   node scripts/build-agent.mjs --check   fails when they are not those of the sources
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMain, projectRoot, run, runMain, runStep, StepError } from './project.mjs';

const folder = resolve(projectRoot, 'guests/container-host');
const sources = join(folder, 'agent');
const manifestFile = join(folder, 'agent.json');

const compiler = 'riscv64-linux-gnu-gcc';
const flags = [
  ...['-march=rv64gc', '-mabi=lp64d', '-Os', '-Wall', '-Wextra', '-ffreestanding', '-fno-builtin'],
  ...['-nostdlib', '-nostartfiles', '-s', '-fno-stack-protector'],
  ...['-fno-asynchronous-unwind-tables', '-fno-tree-loop-distribute-patterns', '-fno-strict-aliasing'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];
const sha256 = (/** @type {string | Uint8Array} */ data) => createHash('sha256').update(data).digest('hex');
const names = () => readdirSync(sources).sort();
const TEMPLATE = 'template.c';

/** What the recipe of the guest takes. */
const binaries = [
  {
    name: 'agent.riscv64',
    flags: ['-static', '-fno-pic', '-no-pie'],
    files: () => names().filter((name) => name.endsWith('.c') && name !== TEMPLATE),
  },
  {
    name: 'template.riscv64',
    flags: ['-shared', '-fPIC', '-fvisibility=hidden', '-Wl,-Bsymbolic'],
    files: () => [TEMPLATE, 'system.c'],
  },
];

/** Everything the binary is made from, as one hash. */
export function sourcesHash() {
  const files = names().map((name) => `${name} ${sha256(readFileSync(join(sources, name)))}\n`);
  const all = binaries.flatMap((binary) => [...binary.flags, ...binary.files()]);
  return sha256([[...flags, ...all].join(' '), ...files].join('\n'));
}

async function compilerVersion() {
  const { status, output } = await run([compiler, '--version'], { quiet: true });
  return status === 0 ? output.split('\n')[0] : undefined;
}

/** Compiles the sources into a folder. */
async function compile(/** @type {string} */ into) {
  if ((await compilerVersion()) === undefined) {
    throw new StepError(`${compiler} is missing: install Debian's gcc-riscv64-linux-gnu`);
  }
  for (const { name, flags: own, files } of binaries) {
    const paths = files().map((file) => join(sources, file));
    await runStep(name, [compiler, ...flags, ...own, '-o', join(into, name), ...paths]);
  }
}

const digests = (/** @type {string} */ where) =>
  Object.fromEntries(binaries.map(({ name }) => [name, sha256(readFileSync(join(where, name)))]));
const isSame = (/** @type {unknown} */ a, /** @type {unknown} */ b) =>
  JSON.stringify(a) === JSON.stringify(b);

/** What the manifest says of the binaries that are checked in, and what they are. */
export async function compareAgent() {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const found = digests(folder);
  const same = { sources: manifest.sources === sourcesHash(), binary: isSame(manifest.sha256, found) };
  if ((await compilerVersion()) !== manifest.compiler) return { ...same, rebuilt: undefined };
  const scratch = mkdtempSync(join(tmpdir(), 'hypertab-agent-'));
  try {
    await compile(scratch);
    return { ...same, rebuilt: isSame(digests(scratch), found) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    if (process.argv.includes('--check')) {
      const { sources, binary, rebuilt } = await compareAgent();
      if (!sources || !binary || rebuilt === false) {
        throw new StepError(
          'the agent that is checked in is not that of its sources: node scripts/build-agent.mjs',
        );
      }
      console.log(rebuilt ? 'built anew, it is the same' : 'the compiler here is another one');
      return;
    }
    const scratch = mkdtempSync(join(tmpdir(), 'hypertab-agent-'));
    try {
      await compile(scratch);
      for (const { name } of binaries) copyFileSync(join(scratch, name), join(folder, name));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    const manifest = {
      sources: sourcesHash(),
      compiler: await compilerVersion(),
      sha256: digests(folder),
    };
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
  });
}
