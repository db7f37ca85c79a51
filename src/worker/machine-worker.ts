// Entry of a browser's worker: one machine.
import { Core } from '../core/core.ts';
import { Machine } from '../machine/machine.ts';
import { openDriveBrowser } from '../storage/open-drive-browser.ts';
import { openTree } from '../storage/tree/open-tree.ts';
import type { WorkerHello } from './machine-control.ts';
import { serveMachine } from './machine-service.ts';
import { openParts } from './open-parts.ts';

/** Holds a lock until this worker ends, and tells that it does. */
function holdForLife(lock: string | undefined): void {
  if (lock === undefined || navigator.locks === undefined) {
    // An end by other hands is not seen, but that it has begun.
    postMessage('begun');
    return;
  }
  const held = () => {
    postMessage('held');
    return new Promise(() => {});
  };
  navigator.locks.request(lock, held).catch(() => postMessage('begun'));
}

addEventListener(
  'message',
  (event: MessageEvent<WorkerHello>) => {
    holdForLife(event.data.lock);
    serveMachine(
      event.data,
      (config, parts) => new Machine(config, Core.create, parts),
      (setup, events, restores) =>
        openParts(setup, { openTree, openDrive: openDriveBrowser }, events, restores),
    );
  },
  { once: true },
);
