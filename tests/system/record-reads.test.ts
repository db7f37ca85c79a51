// What a boot reads of a drive, found out by booting it.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recordReads } from '../../build/src/cli/record-reads.js';
import { catalogueEntry } from '../../src/guests/catalogue.ts';
import { guestsFolder } from '../../src/guests/paths-node.ts';
import { temporaryFolder } from './cli.ts';

const MIB = 1 << 20;
const folder = join(guestsFolder(), 'busybox');

it('names the places that a guest has read up to its prompt, and leaves the drive as it was', async () => {
  const disk = join(temporaryFolder(), 'disk.img');
  writeFileSync(disk, 'a first sector');
  truncateSync(disk, 8 * MIB);
  const before = readFileSync(disk);
  const entry = catalogueEntry('busybox')!;
  const job = {
    kernel: join(folder, 'kernel'),
    initrd: join(folder, 'initrd'),
    append: entry.append!,
    memory: entry.memory,
    disk,
    prompt: entry.prompt!,
    signal: undefined,
  };
  // Linux looks for partitions: at the beginning, and for a GPT's copy at the end.
  const places = await recordReads(job);
  expect(places[0]).toBe(0);
  expect(places.every((place) => place % (MIB / 2) === 0 && place < 8 * MIB)).toBe(true);
  expect(readFileSync(disk).equals(before)).toBe(true);
  await expect(recordReads({ ...job, append: 'console=ttyS0 quiet rdinit=/bin/busybox' })).rejects.toThrow(
    /stopped before its prompt/,
  );
  await expect(recordReads({ ...job, signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
}, 120_000);
