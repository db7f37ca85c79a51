import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../src/hypervisor/errors.ts';
import { loadFile } from '../../src/hypervisor/file-source.ts';
import { nodePlatform } from '../../src/hypervisor/platform-node.ts';
import type { FileSource } from '../../src/hypervisor/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'hypertab-file-source-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a file source', () => {
  it('is read from a path, a file URL or bytes, and left gzipped when it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 5000 }), async (content) => {
        fc.pre(!(content[0] === 0x1f && content[1] === 0x8b));
        const plain = file('plain', content);
        const packed = file('packed.gz', gzipSync(content));
        const sources: [FileSource, Uint8Array][] = [
          [plain, content],
          [packed, gzipSync(content)],
          [pathToFileURL(plain), content],
          [content, content],
          [new Blob([content]), content],
        ];
        for (const [source, expected] of sources) {
          const loaded = await loadFile(source, 'kernel', nodePlatform);
          if (loaded.bytes instanceof Blob) throw new Error('Node cannot read a blob at once');
          expect(Buffer.from(loaded.bytes).equals(Buffer.from(expected))).toBe(true);
          expect(loaded.owned).toBe(source !== content);
          // What is transferred is the whole buffer: it must hold this file and nothing else.
          if (loaded.owned) expect(loaded.bytes.buffer.byteLength).toBe(expected.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['a missing file', () => join(folder, 'nothing'), /kernel: cannot read .*nothing: no such file/],
    ['a directory', () => folder, /kernel: cannot read .*: it is a directory/],
    ['a device', () => '/dev/zero', /kernel: cannot read \/dev\/zero: it is not a regular file/],
    ['an empty file', () => file('empty', ''), /kernel: .*empty is empty/],
    ['empty bytes', () => new Uint8Array(), /kernel is empty/],
    ['an empty blob', () => new Blob(), /kernel is empty/],
    [
      'an address nobody answers',
      () => 'http://127.0.0.1:9/x',
      /kernel: cannot fetch http:\/\/127.0.0.1:9\/x/,
    ],
  ])('that is %s is refused, with the file named', async (_title, source, message) => {
    const error = await loadFile(source(), 'kernel', nodePlatform).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
  });

  it('given as bytes is taken over only when that is allowed and they fill their buffer', async () => {
    const whole = Uint8Array.of(1, 2, 3);
    const part = new Uint8Array(10).fill(1).subarray(2, 5);
    expect((await loadFile(whole, 'kernel', nodePlatform)).owned).toBe(false);
    expect((await loadFile(whole, 'kernel', nodePlatform, true)).owned).toBe(true);
    expect((await loadFile(part, 'kernel', nodePlatform, true)).owned).toBe(false);
  });
});
