// The layer rule: who may import whom. Ground floor first; a folder of src/ imports only itself and those above
// it in this list. The page and its tests use the package like any other user.
import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { listFiles } from './build-cache.mjs';
import { isMain, projectRoot, runMain, StepError } from './project.mjs';

export const layers = [
  'isa',
  'core',
  'storage',
  'network',
  'devices',
  'virtio',
  'machine',
  'worker',
  'guests',
  'hypervisor',
  'containers',
  'cli',
];

/** Module names in import and export statements, dynamic imports, and `new URL(…, import.meta.url)` of scripts. */
export function importsOf(/** @type {string} */ source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^\s*(?:import|export)\s[^'"`;]*?\sfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
    /\bnew\s+URL\(\s*['"]([^'"]+\.[cm]?[jt]s)['"]\s*,\s*import\.meta\.url/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => /** @type {string} */ (match[1])),
  );
}

/** npm's name of a module specifier: `@xterm/xterm/css/xterm.css` is of `@xterm/xterm`. */
const packageName = (/** @type {string} */ specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/**
 * Why `file` may not import `specifier`; undefined when it may.
 * @param {string} file path from the project's root
 * @param {string} specifier
 * @param {ReadonlySet<string>} packages npm packages that package.json names
 * @returns {string | undefined}
 */
export function violation(file, specifier, packages) {
  const [top, second] = file.split('/');
  const isRelative = specifier.startsWith('.');
  const target = isRelative ? posix.normalize(posix.join(posix.dirname(file), specifier)) : specifier;
  const isPackage = !isRelative && (specifier.startsWith('node:') || packages.has(packageName(specifier)));
  if (!isRelative && !isPackage && specifier !== 'hypertab') return `"${specifier}" is not in package.json`;

  if (top === 'assembly') {
    if (!isRelative) return 'the core imports no package';
    return target.startsWith('assembly/') ? undefined : 'the core imports only files of assembly/';
  }
  if (top === 'src') {
    if (specifier === 'hypertab') return 'the library does not import itself by name';
    if (!isRelative) return undefined;
    if (target === 'assembly/layout.ts' || target === 'assembly/layout.js') {
      return second === 'core' ? undefined : 'only src/core may import assembly/layout.ts';
    }
    if (!target.startsWith('src/')) return 'src/ imports only src/ (and src/core assembly/layout.ts)';
    const own = second?.endsWith('.ts') ? layers.length : layers.indexOf(second ?? '');
    const targetLayer = target.split('/')[1] ?? '';
    if (targetLayer.endsWith('.ts') || targetLayer.endsWith('.js')) {
      return own >= layers.indexOf('cli')
        ? undefined
        : 'src/index.ts is the roof: only the command line imports it';
    }
    const imported = layers.indexOf(targetLayer);
    if (imported < 0) return `src/${targetLayer} is no known layer`;
    return imported <= own
      ? undefined
      : `src/${second} may not import src/${targetLayer}, which lies above it`;
  }
  if (top === 'web' && specifier.startsWith('node:')) return 'the page runs in a browser, not in Node';
  if (top === 'web' || (top === 'tests' && second === 'browser')) {
    if (!isRelative) return undefined;
    const own = top === 'web' ? 'web/' : 'tests/browser/';
    if (target.startsWith(own)) return undefined;
    if (top === 'tests' && target === 'scripts/serve.mjs') return undefined;
    return `${own} imports only its own files, npm packages and "hypertab"`;
  }
  return undefined;
}

/** Why a source file may not be where it is; undefined when it may. */
export function misplaced(/** @type {string} */ file) {
  const [top, second] = file.split('/');
  if (top !== 'src' || second === undefined || second === 'index.ts') return undefined;
  return layers.includes(second)
    ? undefined
    : 'src/ has index.ts and the folders named in scripts/layers.mjs only';
}

/** All violations in the project, one line each. */
export function checkLayers() {
  const manifest = JSON.parse(readFileSync(resolve(projectRoot, 'package.json'), 'utf8'));
  const packages = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }));
  /** @type {string[]} */
  const problems = [];
  for (const file of listFiles(['assembly', 'src', 'web', 'tests/browser'])) {
    if (!/\.[cm]?ts$/.test(file)) continue;
    const place = misplaced(file);
    if (place !== undefined) problems.push(`${file}: ${place}`);
    for (const specifier of importsOf(readFileSync(resolve(projectRoot, file), 'utf8'))) {
      const why = violation(file, specifier, packages);
      if (why !== undefined) problems.push(`${file} imports "${specifier}": ${why}`);
    }
  }
  return problems;
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const problems = checkLayers();
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) throw new StepError(`the layer rule is broken ${problems.length} time(s)`);
  });
}
