// Entry of a worker_threads worker: one machine.
import { parentPort } from 'node:worker_threads';
import { Machine } from '../machine/machine.ts';
import type { WorkerHello } from './machine-control.ts';
import { serveMachine } from './machine-service.ts';

if (parentPort === null) throw new Error('machine-worker-node runs in a worker thread, not by itself');
parentPort.once('message', (hello: WorkerHello) => serveMachine(hello, (config) => new Machine(config)));
