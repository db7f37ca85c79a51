import { expect, it } from 'vitest';
import { HART_BASE } from '../../assembly/layout.ts';
import { coreModule } from '../support/core.ts';

it("the core's own data ends below the hart's state", () => {
  const memory = new WebAssembly.Memory({ initial: 2000 });
  const table = new WebAssembly.Table({ initial: 4200, element: 'anyfunc' });
  const nothing = () => 0;
  const host = Object.fromEntries(
    WebAssembly.Module.imports(coreModule())
      .filter(({ module }) => module === 'host')
      .map(({ name }) => [name, nothing]),
  );
  const { exports } = new WebAssembly.Instance(coreModule(), {
    env: { memory, table, abort: nothing },
    host,
  });
  const end = (exports.dataEnd as () => number)();
  expect(end).toBeGreaterThan(0x1000);
  expect(end).toBeLessThanOrEqual(HART_BASE);
});
