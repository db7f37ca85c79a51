import { describe, expect, test } from 'vitest';
import { importsOf, layers, misplaced, violation } from '../../scripts/layers.mjs';

const packages = new Set(['comlink', '@xterm/xterm', 'vitest']);

describe('importsOf', () => {
  test('finds every way to name a module, and not what only looks like one', () => {
    const source = `
      import type { A } from './a.ts';
      import {
        b,
        c,
      } from "../b.ts";
      import './side-effect.css';
      export { d } from './d.ts';
      export * from './e.ts';
      const f = await import('./f.ts');
      new Worker(new URL('../g.js', import.meta.url), { type: 'module' });
      new URL('../../core.wasm', import.meta.url);
      // import { no } from './comment.ts';
      /* import { no } from './block.ts'; */
      const text = "they import things from 'somewhere'";
    `;
    expect(importsOf(source).sort()).toEqual(
      ['../b.ts', '../g.js', './a.ts', './d.ts', './e.ts', './f.ts', './side-effect.css'].sort(),
    );
  });
});

describe('the layer rule', () => {
  test('lets a layer of src/ import itself and those below it, and nothing above, for every pair', () => {
    for (const [own, from] of layers.entries()) {
      for (const [imported, to] of layers.entries()) {
        const verdict = violation(`src/${from}/x.ts`, `../${to}/y.ts`, packages);
        if (imported <= own) expect(verdict).toBeUndefined();
        else expect(verdict).toMatch(/above/);
      }
    }
  });

  test.each([
    ['assembly/hart/csr.ts', '../layout.ts'],
    ['src/core/core.ts', '../../assembly/layout.ts'],
    ['src/index.ts', './hypervisor/hypervisor.ts'],
    ['src/cli/main.ts', '../index.ts'],
    ['src/worker/x.ts', 'comlink'],
    ['src/cli/x.ts', 'node:fs'],
    ['web/main.ts', 'hypertab'],
    ['web/main.ts', './views/page.ts'],
    ['web/main.ts', '@xterm/xterm/css/xterm.css'],
    ['tests/browser/x.test.ts', './harness.ts'],
    ['tests/browser/x.test.ts', '../../scripts/serve.mjs'],
  ])('allows %s to import %s', (file, specifier) => {
    expect(violation(file, specifier, packages)).toBeUndefined();
  });

  test.each([
    ['assembly/hart/csr.ts', '../../src/isa/table.ts'],
    ['assembly/hart/csr.ts', 'comlink'],
    ['src/machine/x.ts', '../../assembly/layout.ts'],
    ['src/core/core.ts', '../../assembly/hart/csr.ts'],
    ['src/hypervisor/x.ts', '../../web/main.ts'],
    ['src/hypervisor/x.ts', '../index.ts'],
    ['src/hypervisor/x.ts', 'hypertab'],
    ['src/hypervisor/x.ts', '../wherever/x.ts'],
    ['src/isa/x.ts', 'left-pad'],
    ['web/main.ts', '../src/hypervisor/types.ts'],
    ['web/main.ts', '../build/src/index.js'],
    ['web/main.ts', 'node:fs'],
    ['web/state/app.ts', '../../src/index.ts'],
    ['tests/browser/x.test.ts', '../../src/index.ts'],
  ])('forbids %s to import %s', (file, specifier) => {
    expect(violation(file, specifier, packages)).toBeTypeOf('string');
  });

  test('forbids files in unknown folders of src/', () => {
    expect(misplaced('src/utils/x.ts')).toBeTypeOf('string');
    expect(misplaced('src/helper.ts')).toBeTypeOf('string');
    expect(misplaced('src/isa/x.ts')).toBeUndefined();
    expect(misplaced('src/index.ts')).toBeUndefined();
  });
});
