import { Hypervisor, type HypervisorOptions } from '../../src/hypervisor/hypervisor.ts';
import type { WorkerHandle } from '../../src/hypervisor/platform.ts';
import type { MachineConfig, MachineDrive, SliceResult } from '../../src/machine/machine-types.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import type { FileSystem } from '../../src/storage/tree/file-system.ts';
import { openTree } from '../../src/storage/tree/open-tree.ts';
import { serveMachine } from '../../src/worker/machine-service.ts';
import { openParts } from '../../src/worker/open-parts.ts';
import { FakeMachine } from '../worker/fake-machine.ts';

/** The smallest module there is: stands for core.wasm where no core is needed. */
export const EMPTY_CORE = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));

export interface FakeWorker {
  handle: WorkerHandle;
  config: MachineConfig | undefined;
  machine: FakeMachine;
  /** The trees that its machine was given, by their tags. */
  trees: ReadonlyMap<string, FileSystem>;
  /** The drives that it was given: memory, whatever was asked for. */
  drives: readonly MachineDrive[];
  terminated: boolean;
  /** Breaks the worker, as the platform would report it. */
  lose(error: Error): void;
}

/**
 * A hypervisor whose workers live in this thread and run fake machines; ports, transfers and messages are real.
 * @param slice what every machine does
 */
export function fakeHypervisor(
  slice?: (machine: FakeMachine) => SliceResult,
  options: HypervisorOptions & { onCreate?: (config: MachineConfig) => void } = {},
): { hypervisor: Hypervisor; workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  const workerFactory = (): WorkerHandle => {
    let lost: (error: Error) => void = () => {};
    const worker: FakeWorker = {
      machine: new FakeMachine(slice),
      config: undefined,
      trees: new Map(),
      drives: [],
      terminated: false,
      lose: (error) => lost(error),
      handle: {
        hello: (message) =>
          serveMachine(
            message,
            (config, { shares = [], drives = [] }) => {
              options.onCreate?.(config);
              worker.config = config;
              worker.drives = drives;
              worker.trees = new Map(shares.map(({ tag, tree }) => [tag, tree]));
              return worker.machine;
            },
            (setup, events) =>
              openParts(
                setup,
                { openTree, openDrive: async () => new MemoryBackend({ bytes: 4096 }) },
                events,
              ),
          ),
        onLost: (listener) => {
          lost = listener;
        },
        terminate: async () => {
          worker.terminated = true;
          worker.machine.slice = () => ({ state: 'idle', wakeInMs: Infinity });
        },
      },
    };
    workers.push(worker);
    return worker.handle;
  };
  return { hypervisor: new Hypervisor({ workerFactory, core: EMPTY_CORE, ...options }), workers };
}
