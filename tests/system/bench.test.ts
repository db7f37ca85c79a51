// The workloads on our machine, and the command that measures them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Hypervisor } from '../../build/src/index.js';
import { binaries, catalogue } from '../../scripts/build-workloads.mjs';
import { parsePasses, runTwin, withParameters } from '../../src/guests/workloads.ts';
import { hypertab } from './cli.ts';

const hypervisor = new Hypervisor();
afterAll(() => hypervisor.destroyAll());

describe.each(catalogue())('the workload $name', ({ name, n }) => {
  test.each(['interpreter', 'translator'] as const)(
    'gives the checksum of its Wasm twin (%s)',
    async (engine) => {
      const some = Math.max(1, n >> 4);
      const { instance } = await WebAssembly.instantiate(readFileSync(join(binaries, `${name}.wasm`)));
      const [expected] = await runTwin(instance, some, 1);
      const bios = withParameters(readFileSync(join(binaries, `${name}.bare`)), some, 2);
      const vm = await hypervisor.create({ bios, engine, memory: '64M', name });
      let output = '';
      vm.console().onData((bytes) => {
        output += Buffer.from(bytes).toString('latin1');
      });
      await vm.start();
      expect(await vm.wait()).toEqual({ kind: 'poweroff' });
      const passes = parsePasses(output, 2);
      expect(passes.map(({ checksum }) => checksum)).toEqual([expected!.checksum, expected!.checksum]);
      await vm.destroy();
    },
  );
});

describe('hypertab bench', () => {
  test('measures a workload beside its Wasm twin', async () => {
    const { status, stdout } = await hypertab(['bench', '--json', '--runs', '1', 'sha256']);
    expect(status).toBe(0);
    const { figures, ratio } = JSON.parse(stdout);
    expect(figures).toHaveLength(1);
    expect(figures[0]).toMatchObject({ name: 'sha256', kind: 'workload', unit: 'ms', runs: 1 });
    expect(figures[0].median).toBeGreaterThan(0);
    expect(ratio).toBe(figures[0].ratio);
  });

  test('lists what it can measure, each name once', async () => {
    const { status, stdout } = await hypertab(['bench', '--list', '--json']);
    expect(status).toBe(0);
    const names: string[] = JSON.parse(stdout).map(({ name }: { name: string }) => name);
    for (const { name } of catalogue()) expect(names).toContain(name);
    expect(new Set(names).size).toBe(names.length);
  });
});
