import type { HtvmManifest } from '../../../src/storage/htvm/htvm-manifest.ts';
import { assembleHtvm, type Packing, SectionPacker } from '../../../src/storage/htvm/htvm-writer.ts';
import { copyRam, findPages, packRam } from '../../../src/storage/htvm/ram-image.ts';

export const MANIFEST: Omit<HtvmManifest, 'sections'> = {
  id: '00112233445566778899aabbccddeeff',
  name: 'a machine',
  created: '2026-11-21T18:00:00.000Z',
  writer: 'hypertab test',
  core: '',
  machine: { memory: 1 << 20, engine: 'auto', bios: false },
  drives: [],
  shares: [],
  interfaces: [],
};

/** A file of that RAM and one more section. */
export async function fileOf(
  ram: Uint8Array,
  packing: Packing = 'gzip',
  change: Partial<HtvmManifest> = {},
  dirty?: Uint8Array,
): Promise<Blob> {
  const packer = new SectionPacker(packing);
  await packer.add('machine/hart', 1, new TextEncoder().encode('registers '.repeat(20)));
  await packRam(packer, copyRam(ram, findPages(ram), dirty));
  return assembleHtvm({ ...MANIFEST, machine: { ...MANIFEST.machine, memory: ram.length }, ...change }, [
    packer.finish(),
  ]);
}

export const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());
