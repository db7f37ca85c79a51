// Writes the load to a drive until it is killed; prints each round that was flushed.
import { writeSync } from 'node:fs';
import type { DriveSpec } from '../../src/storage/drive-spec.ts';
import { openDriveNode } from '../../src/storage/open-drive-node.ts';
import { runLoad } from './crash-load.ts';

const [spec, first] = process.argv.slice(2) as [string, string];
const drive = await openDriveNode(JSON.parse(spec) as DriveSpec);
await runLoad(drive, Number(first), (round) => writeSync(1, `${round}\n`));
