import { mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CpioEntry, CpioError, writeCpio } from '../../src/storage/cpio.ts';
import { run, temporaryFolder } from '../guests/programs.ts';

const folder = temporaryFolder();

describe('writeCpio', () => {
  it('writes archives that cpio unpacks to the same tree', () => {
    const name = fc
      .stringMatching(/^[A-Za-z0-9_.+ é-]{1,40}$/)
      .filter((text) => text !== '.' && text !== '..');
    const leaf = fc.oneof(
      fc.record({ type: fc.constant('file' as const), data: fc.uint8Array({ maxLength: 5000 }) }),
      fc.record({ type: fc.constant('symlink' as const), target: fc.stringMatching(/^[a-z/.]{1,30}$/) }),
    );
    const tree = fc.dictionary(name, fc.dictionary(name, leaf, { maxKeys: 4 }), { maxKeys: 4 });
    let round = 0;
    fc.assert(
      fc.property(tree, (folders) => {
        const entries = Object.entries(folders).flatMap(([top, leaves]): CpioEntry[] => [
          { type: 'directory', path: top, mode: 0o750 },
          ...Object.entries(leaves).map(
            ([own, what]): CpioEntry => ({ path: `${top}/${own}`, mode: 0o640, mtime: 1_000_000, ...what }),
          ),
        ]);
        const target = join(folder, `round${round++}`);
        mkdirSync(target);
        run('cpio', ['-idm', '--quiet'], { input: writeCpio(entries), cwd: target });
        for (const entry of entries) {
          const path = join(target, entry.path);
          if (entry.type === 'file') {
            expect(readFileSync(path).equals(entry.data)).toBe(true);
            expect(statSync(path).mode & 0o7777).toBe(0o640);
            expect(statSync(path).mtimeMs).toBe(1_000_000_000);
          } else if (entry.type === 'symlink') {
            expect(readlinkSync(path)).toBe(entry.target);
          } else {
            expect(statSync(path).mode & 0o7777).toBe(0o750);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it('writes device nodes with their numbers, types and modes', () => {
    const archive = writeCpio([
      { type: 'directory', path: 'dev', mode: 0o1777 },
      { type: 'character', path: 'dev/console', major: 5, minor: 1 },
      { type: 'block', path: 'dev/vda', mode: 0o660, major: 254, minor: 300 },
      { type: 'fifo', path: 'dev/queue' },
    ]);
    const lines = run('cpio', ['-itvn', '--quiet'], { input: archive }).toString().trim().split('\n');
    const columns = lines.map((line) => line.trim().split(/\s+/));
    expect(columns.map(([mode]) => mode)).toEqual(['drwxrwxrwt', 'crw-------', 'brw-rw----', 'prw-r--r--']);
    expect(lines[1]).toMatch(/ 5, +1 .*dev\/console$/);
    expect(lines[2]).toMatch(/ 254, *300 .*dev\/vda$/);
  });

  it('gives equal bytes for equal entries, in whole records', () => {
    const entries: CpioEntry[] = [{ type: 'file', path: 'a', data: new Uint8Array([1, 2, 3]) }];
    expect(writeCpio(entries)).toEqual(writeCpio(entries));
    expect(writeCpio(entries).length % 512).toBe(0);
  });

  it.each([
    ['', /no path/],
    ['/etc', /no path/],
    ['a/../b', /no path/],
    ['a\0b', /no path/],
    ['TRAILER!!!', /no path/],
    ['missing/file', /add missing first/],
    [`${'n'.repeat(4096)}`, /too long/],
  ])('refuses the path %j', (path, message) => {
    expect(() => writeCpio([{ type: 'directory', path }])).toThrow(message);
    expect(() => writeCpio([{ type: 'directory', path }])).toThrow(CpioError);
  });

  it('refuses a path that comes twice, and numbers that do not fit', () => {
    const twice: CpioEntry = { type: 'directory', path: 'a' };
    expect(() => writeCpio([twice, twice])).toThrow(/twice/);
    expect(() => writeCpio([{ ...twice, mtime: 2 ** 32 }])).toThrow(/does not fit/);
    expect(() => writeCpio([{ ...twice, uid: -1 }])).toThrow(/does not fit/);
  });
});
