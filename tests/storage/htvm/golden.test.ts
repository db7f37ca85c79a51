import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { HtvmFile } from '../../../src/storage/htvm/htvm-reader.ts';
import { unpackRam } from '../../../src/storage/htvm/ram-image.ts';
import { goldenRam, writeGolden } from './golden.ts';

const { HYPERTAB_GOLDEN: newFile } = process.env;
if (newFile !== undefined) await writeGolden(newFile);

it.each([1, 2])('a file of format %i is read by every later version', async (format) => {
  const bytes = await readFile(new URL(`golden-v${format}.htvm`, import.meta.url));
  expect(bytes.readUInt32LE(8)).toBe(format);
  const file = await HtvmFile.open(new Uint8Array(bytes));
  await file.verify();
  const { manifest } = file;
  expect(manifest.machine).toMatchObject({
    memory: 1 << 20,
    engine: 'auto',
    bios: false,
    append: 'quiet',
    consoles: 1,
  });
  expect(manifest.guest).toEqual({ name: 'busybox', key: 'k' });
  expect(manifest.drives[0]).toMatchObject({ name: 'disk.img', bytes: 4096, kept: 'outside', identity: 'i' });
  expect(manifest.shares).toEqual([{ tag: 'files', kept: 'outside' }]);
  expect(manifest.interfaces).toEqual([{ mac: '02:00:00:12:34:56' }]);
  const ram = new Uint8Array(1 << 20);
  await unpackRam(file, ram, () => {});
  expect(Buffer.compare(ram, goldenRam(format))).toBe(0);
  expect(new TextDecoder().decode(await file.read('machine/hart'))).toBe(
    format === 1 ? 'registers' : 'registers '.repeat(20),
  );
});
