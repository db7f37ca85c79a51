import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestError } from '../../src/guests/guest-error.ts';
import { readTar } from '../../src/guests/tar.ts';
import { makeTar } from './fake-mirror.ts';
import { run, temporaryFolder } from './programs.ts';

const folder = temporaryFolder();

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function filesOf(bytes: Uint8Array, size = 1000): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for await (const entry of readTar(inPieces(bytes, size), 'test.tar')) {
    if (entry.type === 'file') files[entry.path] = Buffer.from(await entry.read());
  }
  return files;
}

/** Rewrites the checksum of the header at `offset` after a change. */
function mend(bytes: Buffer, offset = 0): Buffer {
  bytes.fill(0x20, offset + 148, offset + 156);
  let sum = 0;
  for (const byte of bytes.subarray(offset, offset + 512)) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, offset + 148);
  return bytes;
}

describe('readTar', () => {
  const segment = fc.stringMatching(/^[a-zé]{1,60}$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `x/${parts.join('/-')}/file`);

  it.each(['gnu', 'posix'])(
    'reads what tar writes in its %s format, long names too, in pieces of any size',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(path, fc.uint8Array({ maxLength: 3000 }), { maxKeys: 5 }),
          fc.integer({ min: 1, max: 5000 }),
          async (files, size) => {
            const buffers = Object.fromEntries(
              Object.entries(files).map(([name, data]) => [name, Buffer.from(data)]),
            );
            expect(await filesOf(makeTar(folder, buffers, format), size)).toEqual(buffers);
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  it('reads the prefix of a ustar header', async () => {
    const name = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
    const data = { [name]: Buffer.from('data') };
    expect(await filesOf(makeTar(folder, data, 'ustar'))).toEqual(data);
  });

  it('tells links and their targets from files', async () => {
    run('sh', ['-c', 'mkdir links && cd links && echo hi > a && ln a b && ln -s ../elsewhere c && mkdir d'], {
      cwd: folder,
    });
    const archive = run('tar', ['-C', `${folder}/links`, '--sort=name', '-cf', '-', 'a', 'b', 'c', 'd']);
    const entries: unknown[] = [];
    for await (const { path, type, link } of readTar(inPieces(archive, 700), 'test.tar'))
      entries.push([path, type, link]);
    expect(entries).toEqual([
      ['a', 'file', ''],
      ['b', 'hardlink', 'a'],
      ['c', 'symlink', '../elsewhere'],
      ['d', 'directory', ''],
    ]);
  });

  it('fails with a GuestError wherever the archive is cut off', async () => {
    const archive = makeTar(folder, { 'some/file': Buffer.alloc(2000, 7) });
    // After the last entry come blocks of zeros; one is enough to see the end.
    const end = archive.lastIndexOf(7) + 1;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: end }), async (length) => {
        await expect(filesOf(archive.subarray(0, length))).rejects.toThrow(GuestError);
      }),
    );
  });

  it('fails with a GuestError, or reads the very same data, when a bit of a header is wrong', async () => {
    const data = { f: Buffer.from('x') };
    const archive = run('tar', ['-cf', '-', '-C', folder, '--files-from', '/dev/null']);
    expect(await filesOf(archive)).toEqual({});
    const whole = makeTar(folder, data);
    const header = whole.indexOf('./f');
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 511 }),
        fc.integer({ min: 0, max: 7 }),
        async (byte, bit) => {
          const damaged = Buffer.from(whole);
          damaged[header + byte]! ^= 1 << bit;
          const result = await filesOf(damaged).catch((error: unknown) => error);
          if (result instanceof GuestError) expect(result.code).toBe('format');
          else expect(result).toEqual(data);
        },
      ),
    );
  });

  it.each(['../up', 'a/../../up', '/etc/passwd'])('refuses the name %s', async (name) => {
    const archive = Buffer.from(makeTar(folder, { f: Buffer.from('x') }));
    const header = archive.indexOf('./f');
    archive.write(`${name}\0`, header);
    await expect(filesOf(mend(archive, header))).rejects.toThrow(/leaves the archive/);
  });

  it('refuses a size that is no number, without taking memory for one that cannot be true', async () => {
    const archive = Buffer.from(makeTar(folder, { f: Buffer.from('x') }));
    const header = archive.indexOf('./f');
    archive.write('zzzzzzzzzzz\0', header + 124);
    await expect(filesOf(mend(archive, header))).rejects.toThrow(/not octal/);
    archive.write('77777777777\0', header + 124);
    await expect(filesOf(mend(archive, header))).rejects.toThrow(/ends at byte/);
  });
});
