// Builds everything into build/: library and command line (tsc), the core (asc), the page (vite).
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { listFiles, unlessCurrent, withBuildLock } from './build-cache.mjs';
import { isMain, packageBin, projectRoot, runMain, runStep } from './project.mjs';

const common = ['package-lock.json', 'scripts/build.mjs'];

/** What a compiled file is called without its compiled endings, or undefined when it is not tsc's. */
const sourceOf = (/** @type {string} */ file) => {
  const match = /^build\/(.+?)(\.d\.ts|\.js|\.js\.map)$/.exec(file);
  return match ? `${match[1]}.ts` : undefined;
};

async function compileLibrary() {
  await runStep('tsc', packageBin('typescript/bin/tsc', '-p', 'tsconfig.json'));
  // What a removed source left behind must not be importable any more.
  const sources = new Set(listFiles(['src', 'assembly']));
  for (const file of listFiles(['build/src', 'build/assembly'])) {
    const source = sourceOf(file);
    if (source !== undefined && !sources.has(source)) rmSync(resolve(projectRoot, file));
  }
}

const compressible = /\.(js|css|html|wasm|svg|json|map|webmanifest)$/;

async function buildPage() {
  await runStep('vite', packageBin('vite/bin/vite.js', 'build', '--config', 'vite.config.ts'));
  for (const file of listFiles(['build/page'])) {
    if (!compressible.test(file)) continue;
    const path = resolve(projectRoot, file);
    const bytes = readFileSync(path);
    const compressed = gzipSync(bytes, { level: 9 });
    if (compressed.length < bytes.length) writeFileSync(`${path}.gz`, compressed);
  }
}

/** Removes the temporary files that a bundler's config loader leaves when it is killed. */
function removeLeftovers() {
  for (const name of readdirSync(projectRoot)) {
    if (!/^vite\.config\.ts\.timestamp-.*\.mjs$/.test(name)) continue;
    const path = resolve(projectRoot, name);
    if (Date.now() - statSync(path).mtimeMs > 60_000) rmSync(resolve(dirname(path), basename(path)));
  }
}

/** Runs the steps whose inputs changed; throws a StepError at the first that fails. */
export async function build() {
  await withBuildLock(async () => {
    removeLeftovers();
    await unlessCurrent(
      {
        name: 'library',
        inputs: ['src', 'assembly/layout.ts', 'tsconfig.json', ...common],
        outputs: ['build/src', 'build/assembly/layout.js'],
      },
      compileLibrary,
    );
    await unlessCurrent(
      { name: 'decoder', inputs: ['build/src/isa', ...common], outputs: ['assembly/isa/generated'] },
      async () => {
        await runStep('generate', [process.execPath, 'build/src/isa/generate.js', 'assembly/isa/generated']);
      },
    );
    await unlessCurrent(
      { name: 'core', inputs: ['assembly', 'asconfig.json', ...common], outputs: ['build/core.wasm'] },
      async () => {
        await runStep(
          'asc',
          packageBin('assemblyscript/bin/asc.js', '--config', 'asconfig.json', '--target', 'release'),
        );
      },
    );
    await unlessCurrent(
      {
        name: 'page',
        inputs: ['web', 'vite.config.ts', 'build/src', 'build/assembly', 'build/core.wasm', ...common],
        outputs: ['build/page'],
      },
      buildPage,
    );
  });
}

if (isMain(import.meta.url)) await runMain(build);
