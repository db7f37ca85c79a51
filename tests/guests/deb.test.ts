import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractDeb } from '../../src/guests/deb-node.ts';
import { GuestError } from '../../src/guests/guest-error.ts';
import { makeAr, makeDeb, type Packing } from './fake-mirror.ts';
import { temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const path = join(folder, 'test.deb');
const extract = (deb: Uint8Array, wanted: (path: string) => boolean | 'last' = () => true) => {
  writeFileSync(path, deb);
  return extractDeb(path, 'test.deb', (entry) => wanted(entry.path));
};

describe('extractDeb', () => {
  const image = randomBytes(300_000);

  it.each<Packing>(['xz', 'gz', 'zst', 'none'])('reads a data archive packed with %s', async (packing) => {
    const deb = makeDeb(folder, { 'boot/vmlinux-1': image, 'usr/other': Buffer.from('no') }, packing);
    const files = await extract(deb, (name) => name.startsWith('boot/'));
    expect([...files.keys()]).toEqual(['boot/vmlinux-1']);
    expect(image.equals(files.get('boot/vmlinux-1')!)).toBe(true);
  });

  it('stops reading after the last file that is wanted', async () => {
    const deb = makeDeb(folder, { a: Buffer.from('1'), b: image, c: image });
    const seen: string[] = [];
    await extract(deb, (name) => {
      seen.push(name);
      return name === 'a' ? 'last' : false;
    });
    expect(seen).toEqual(['a']);
  });

  it.each<Packing>(['xz', 'gz', 'zst'])(
    'can be stopped and started again any number of times (%s)',
    async (packing) => {
      for (const size of [1, 3000, 70_000, 300_000]) {
        writeFileSync(
          path,
          makeDeb(folder, { a: image.subarray(0, size), b: image.subarray(0, size) }, packing),
        );
        const rounds = Array.from({ length: 8 }, () => extractDeb(path, 'test.deb', () => 'last'));
        for (const files of await Promise.all(rounds)) expect([...files.keys()]).toEqual(['a']);
      }
    },
  );

  it.each<Packing>(['xz', 'gz', 'zst'])(
    'fails with a GuestError when data packed with %s is cut off',
    async (packing) => {
      const whole = makeDeb(folder, { a: image }, packing);
      const start = whole.indexOf('data.tar') + 60;
      const data = whole.subarray(start, start + 150_000);
      const deb = makeAr([
        ['debian-binary', Buffer.from('2.0\n')],
        [`data.tar.${packing}`, data],
      ]);
      await expect(extract(deb)).rejects.toThrow(GuestError);
    },
  );

  it('fails with a GuestError when the archive around it is cut off or malformed', async () => {
    const whole = makeDeb(folder, { a: Buffer.from('data') });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 2 }), async (length) => {
        await expect(extract(whole.subarray(0, length))).rejects.toThrow(GuestError);
      }),
      { numRuns: 40 },
    );
    await expect(extract(makeAr([['data.tar', Buffer.alloc(1024)]]))).rejects.toThrow(/debian-binary/);
    await expect(extract(makeAr([['debian-binary', Buffer.from('2.0\n')]]))).rejects.toThrow(
      /has no data.tar/,
    );
  });
});
