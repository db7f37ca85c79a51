// Builds the agent of the container host (guests/container-host/agent), whose binary is checked in:
//   node scripts/build-agent.mjs           builds it
//   node scripts/build-agent.mjs --check   fails when the binary is not that of the sources
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMain, projectRoot, run, runMain, runStep, StepError } from './project.mjs';

const folder = resolve(projectRoot, 'guests/container-host');
const sources = join(folder, 'agent');
const manifestFile = join(folder, 'agent.json');
/** What the recipe of the guest takes. */
export const binary = join(folder, 'agent.riscv64');

const compiler = 'riscv64-linux-gnu-gcc';
const flags = [
  ...['-march=rv64gc', '-mabi=lp64d', '-Os', '-Wall', '-Wextra', '-ffreestanding', '-fno-builtin'],
  ...['-nostdlib', '-nostartfiles', '-static', '-fno-pic', '-no-pie', '-s', '-fno-stack-protector'],
  ...['-fno-asynchronous-unwind-tables', '-fno-tree-loop-distribute-patterns', '-fno-strict-aliasing'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code'],
];

const sha256 = (/** @type {string | Uint8Array} */ data) => createHash('sha256').update(data).digest('hex');
const names = () => readdirSync(sources).sort();

/** Everything the binary is made from, as one hash. */
export function sourcesHash() {
  const files = names().map((name) => `${name} ${sha256(readFileSync(join(sources, name)))}\n`);
  return sha256([flags.join(' '), ...files].join('\n'));
}

async function compilerVersion() {
  const { status, output } = await run([compiler, '--version'], { quiet: true });
  return status === 0 ? output.split('\n')[0] : undefined;
}

/** Compiles the sources to a file. */
async function compile(/** @type {string} */ output) {
  if ((await compilerVersion()) === undefined) {
    throw new StepError(`${compiler} is missing: install Debian's gcc-riscv64-linux-gnu`);
  }
  const files = names().filter((name) => name.endsWith('.c'));
  const paths = files.map((name) => join(sources, name));
  await runStep('the agent of the container host', [compiler, ...flags, '-o', output, ...paths]);
}

/** What the manifest says of the binary that is checked in, and what it is. */
export async function compareAgent() {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const found = sha256(readFileSync(binary));
  const same = { sources: manifest.sources === sourcesHash(), binary: manifest.sha256 === found };
  if ((await compilerVersion()) !== manifest.compiler) return { ...same, rebuilt: undefined };
  const scratch = mkdtempSync(join(tmpdir(), 'hypertab-agent-'));
  try {
    await compile(join(scratch, 'agent'));
    return { ...same, rebuilt: sha256(readFileSync(join(scratch, 'agent'))) === found };
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
      await compile(join(scratch, 'agent'));
      copyFileSync(join(scratch, 'agent'), binary);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    const manifest = {
      sources: sourcesHash(),
      compiler: await compilerVersion(),
      sha256: sha256(readFileSync(binary)),
    };
    writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
  });
}
