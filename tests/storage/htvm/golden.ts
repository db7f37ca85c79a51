// What the golden files, one for each format, which every later version has to read, were made of.
import { writeFile } from 'node:fs/promises';
import { assembleHtvm, SectionPacker } from '../../../src/storage/htvm/htvm-writer.ts';
import { copyRam, findPages, packRam, RAM_PAGE_BYTES } from '../../../src/storage/htvm/ram-image.ts';
import { MANIFEST } from './synthetic.ts';

/** RAM of the golden file: page 3 is a text, page 200 counts, the rest is zero. */
export function goldenRam(format: number): Uint8Array {
  const ram = new Uint8Array(256 * RAM_PAGE_BYTES);
  ram.set(new TextEncoder().encode(`a machine of format ${format}`), 3 * RAM_PAGE_BYTES);
  for (let at = 0; at < RAM_PAGE_BYTES; at++) ram[200 * RAM_PAGE_BYTES + at] = at % 251;
  return ram;
}

/** Writes a golden file of the newest format, as golden.test.ts does when HYPERTAB_GOLDEN names one: once for each. */
export async function writeGolden(path: string): Promise<void> {
  const ram = goldenRam(2);
  const packer = new SectionPacker('lz4');
  await packer.add('machine/hart', 1, new TextEncoder().encode('registers '.repeat(20)));
  await packRam(packer, copyRam(ram, findPages(ram)));
  const blob = await assembleHtvm(
    {
      ...MANIFEST,
      machine: { memory: 1 << 20, engine: 'auto', bios: false, append: 'quiet', consoles: 1, clock: 'host' },
      guest: { name: 'busybox', key: 'k' },
      prompt: '# ',
      drives: [{ name: 'disk.img', bytes: 4096, serial: 'd', kept: 'outside', identity: 'i', memories: 0 }],
      shares: [{ tag: 'files', kept: 'outside' }],
      interfaces: [{ mac: '02:00:00:12:34:56' }],
    },
    [packer.finish()],
  );
  await writeFile(path, new Uint8Array(await blob.arrayBuffer()));
}
