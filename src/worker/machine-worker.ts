// Entry of a browser's worker: one machine.
import { Core } from '../core/core.ts';
import { Machine } from '../machine/machine.ts';
import { openDriveBrowser } from '../storage/open-drive-browser.ts';
import { openTree } from '../storage/tree/open-tree.ts';
import type { WorkerHello } from './machine-control.ts';
import { serveMachine } from './machine-service.ts';
import { openParts } from './open-parts.ts';

addEventListener(
  'message',
  (event: MessageEvent<WorkerHello>) =>
    serveMachine(
      event.data,
      (config, parts) => new Machine(config, Core.create, parts),
      (setup, onWarning, restores) =>
        openParts(setup, { openTree, openDrive: openDriveBrowser }, onWarning, restores),
    ),
  { once: true },
);
