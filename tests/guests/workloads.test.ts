import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaries, catalogue, rebuildAndCompare, sourcesHash } from '../../scripts/build-workloads.mjs';
import { parsePasses, runTwin, WorkloadError, withParameters } from '../../src/guests/workloads.ts';

const workloads = catalogue();
const binary = (name: string, target: string) =>
  new Uint8Array(readFileSync(join(binaries, `${name}.${target}`)));
const twin = async (name: string) => (await WebAssembly.instantiate(binary(name, 'wasm'))).instance;

/** Runs a riscv64 program under QEMU in user mode. */
function underQemu(name: string, n: number, passes: number): string {
  try {
    return execFileSync('qemu-riscv64', [join(binaries, `${name}.riscv64`), String(n), String(passes)], {
      encoding: 'utf8',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('qemu-riscv64 is missing: install the Debian package qemu-user');
  }
}

describe.each(workloads)('the workload $name', ({ name, n, checksum }) => {
  test('gives its catalogued checksum as Wasm, each time', async () => {
    const passes = await runTwin(await twin(name), n, 2);
    expect(passes.map((pass) => pass.checksum)).toEqual([checksum, checksum]);
  });

  test('gives the same checksum as Wasm and as a riscv64 program, for any n', async () => {
    const instance = await twin(name);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: Math.max(4, n >> 6) }), async (some) => {
        const [expected] = await runTwin(instance, some, 1);
        const passes = parsePasses(underQemu(name, some, 2), 2);
        expect(passes.map((pass) => pass.checksum)).toEqual([expected!.checksum, expected!.checksum]);
      }),
      { numRuns: 5, examples: [[0], [1]] },
    );
  });
});

describe('what is checked in', () => {
  const manifest = JSON.parse(readFileSync(join(binaries, 'manifest.json'), 'utf8'));

  test('was made from the sources as they are', () => {
    expect(sourcesHash(), 'run node scripts/build-workloads.mjs').toBe(manifest.sources);
  });

  test('is what the script makes with the same compilers', async () => {
    const { different } = await rebuildAndCompare();
    expect(different).toEqual([]);
  });

  test('has three programs for each workload, and nothing else', () => {
    const expected = workloads.flatMap(({ name }) =>
      ['bare', 'riscv64', 'wasm'].map((kind) => `${name}.${kind}`),
    );
    expect(Object.keys(manifest.files).sort()).toEqual(expected.sort());
  });
});

describe('withParameters', () => {
  test('changes n and the number of passes, and no other byte', () => {
    const image = binary('sha256', 'bare');
    const parameter = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(parameter, parameter, (n, passes) => {
        const changed = withParameters(image, n, passes);
        // The jump and its filler come first, in the first segment, a page into the file at the latest.
        const view = new DataView(changed.buffer);
        const at = changed.findIndex((byte, index) => byte !== image[index]) & ~7;
        if (at < 0) return;
        const start = view.getBigUint64(at, true) === BigInt(n) ? at : at - 8;
        expect([view.getBigUint64(start, true), view.getBigUint64(start + 8, true)]).toEqual([
          BigInt(n),
          BigInt(passes),
        ]);
        const restored = changed.slice();
        restored.set(image.subarray(start, start + 16), start);
        expect(Buffer.from(restored).equals(Buffer.from(image))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses with a WorkloadError what is no image at 0x80000000', () => {
    expect(() => withParameters(binary('sha256', 'riscv64'), 1, 1)).toThrow(WorkloadError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => withParameters(bytes, 1, 1)).toThrow(WorkloadError);
      }),
    );
    const image = binary('sha256', 'bare');
    for (const length of [0, 16, 63, 64, 100]) {
      expect(() => withParameters(image.subarray(0, length), 1, 1)).toThrow(WorkloadError);
    }
  });
});

describe('parsePasses', () => {
  test('reads the lines of a terminal as those of a pipe', () => {
    const pass = fc.record({
      checksum: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((sum) => sum.toString(16).padStart(16, '0')),
      ns: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(pass), fc.constantFrom('\n', '\r\n'), (passes, end) => {
        const text = passes.map(({ checksum, ns }) => `checksum ${checksum} ns ${ns}${end}`).join('');
        expect(parsePasses(text, passes.length)).toEqual(
          passes.map(({ checksum, ns }) => ({ checksum, ms: ns / 1e6 })),
        );
        expect(() => parsePasses(text, passes.length + 1)).toThrow(WorkloadError);
      }),
    );
  });
});
