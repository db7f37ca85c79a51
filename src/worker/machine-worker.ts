// Entry of a browser's worker: one machine.
import { Machine } from '../machine/machine.ts';
import type { WorkerHello } from './machine-control.ts';
import { serveMachine } from './machine-service.ts';

addEventListener(
  'message',
  (event: MessageEvent<WorkerHello>) => serveMachine(event.data, (config) => new Machine(config)),
  { once: true },
);
