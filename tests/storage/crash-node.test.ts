import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DriveSpec } from '../../src/storage/drive-spec.ts';
import { openDriveNode } from '../../src/storage/open-drive-node.ts';
import { bundleForNode, removeFolders, temporaryFolder } from './bundle.ts';
import { checkLoad, LOAD_BYTES } from './crash-load.ts';

/** HYPERTAB_KILLS=100 for a longer run. */
const KILLS = Number(process.env.HYPERTAB_KILLS ?? 20);

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  program = await bundleForNode('crash-process');
});
afterAll(removeFolders);

/** Runs the load from a round on and kills it some time after its first flush; gives the last round it told of. */
async function loadUntilKilled(spec: DriveSpec, first: number, delayMs: number): Promise<number> {
  const child = spawn(process.execPath, [program, JSON.stringify(spec), String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), delayMs);
    output += chunk;
  });
  await ended;
  const rounds = output.split('\n').slice(0, -1).map(Number);
  return rounds.at(-1) ?? first - 1;
}

test.each([
  ['a file', () => ({ kind: 'file', path: join(folder, 'raw'), create: LOAD_BYTES })],
  [
    'an overlay in a file',
    () => ({
      kind: 'memory',
      bytes: LOAD_BYTES,
      overlay: { kind: 'file', path: join(folder, 'overlay') },
      overlayChunkBytes: 16384,
    }),
  ],
] as [string, () => DriveSpec][])(
  'a process writing to %s is killed at random again and again: what flush answered is there each time',
  { timeout: 60_000 + KILLS * 2_000 },
  async (_, makeSpec) => {
    const spec = makeSpec();
    const unfinished = new Set<number>();
    let last = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const acknowledged = await loadUntilKilled(spec, last + 1, (kill * 37) % 101);
      expect(acknowledged).toBeGreaterThan(last);
      const drive = await openDriveNode(spec);
      const result = await checkLoad(drive, acknowledged, unfinished);
      await drive.close();
      expect(result).toBeTypeOf('number');
      last = result as number;
      for (let round = acknowledged + 1; round <= last; round++) unfinished.add(round);
    }
  },
);
