// Entry of a worker_threads worker: one machine.
import { parentPort } from 'node:worker_threads';
import { Core } from '../core/core.ts';
import { Machine } from '../machine/machine.ts';
import { openDriveNode } from '../storage/open-drive-node.ts';
import { openTreeNode } from '../storage/tree/open-tree-node.ts';
import type { WorkerHello } from './machine-control.ts';
import { serveMachine } from './machine-service.ts';
import { openParts } from './open-parts.ts';
import { openThreadTime } from './thread-time-node.ts';

if (parentPort === null) throw new Error('machine-worker-node runs in a worker thread, not by itself');
parentPort.once('message', (hello: WorkerHello) =>
  serveMachine(
    hello,
    (config, parts) => new Machine(config, Core.create, parts),
    (setup, events, restores) =>
      openParts(setup, { openTree: openTreeNode, openDrive: openDriveNode }, events, restores),
    openThreadTime(),
  ),
);
