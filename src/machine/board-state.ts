// What of a board is saved beside its devices: what it was configured as, its time, and the work that waits.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { WorkQueue } from '../devices/work-queue.ts';
import type { VirtioTransport } from '../virtio/virtio-transport.ts';
import type { MachineClock } from './clock.ts';
import type { MachineConfig } from './machine-types.ts';

/** What must be the same for a state to fit. */
export class ConfigurationState implements Stateful {
  readonly stateVersion = 1;
  private readonly config: MachineConfig;

  constructor(config: MachineConfig) {
    this.config = config;
  }

  saveState(writer: StateWriter): void {
    const { memory, clock, bios, virtio } = this.config;
    writer.count(memory);
    writer.text(clock ?? 'host');
    writer.text(bios === undefined ? 'machine' : 'bios');
    writer.text(virtio ?? 'pci');
  }

  loadState(reader: StateReader): () => void {
    const { memory, clock, bios, virtio } = this.config;
    reader.match(reader.count(), memory, 'bytes of memory:');
    reader.match(reader.text(), clock ?? 'host', 'the clock');
    reader.match(reader.text(), bios === undefined ? 'machine' : 'bios', 'firmware by the');
    reader.match(reader.text(), virtio ?? 'pci', 'virtio over');
    return () => {};
  }
}

/** The time of a machine that follows the host's clock; with the other clock the hart has it. */
export class TimeState implements Stateful {
  readonly stateVersion = 1;
  private readonly clock: MachineClock | undefined;

  constructor(clock: MachineClock | undefined) {
    this.clock = clock;
  }

  saveState(writer: StateWriter): void {
    writer.count(this.clock?.now() ?? 0);
  }

  loadState(reader: StateReader): () => void {
    const ticks = reader.count();
    return () => this.clock?.set(ticks);
  }
}

/** Queues that wait to be served, in their order. */
export class WorkState implements Stateful {
  readonly stateVersion = 1;
  private readonly work: WorkQueue;
  private readonly transports: readonly VirtioTransport[];

  constructor(work: WorkQueue, transports: readonly VirtioTransport[]) {
    this.work = work;
    this.transports = transports;
  }

  saveState(writer: StateWriter): void {
    const places = new Map(
      this.transports.flatMap(({ jobs }, device) =>
        jobs.map((job, queue) => [job, { device, queue }] as const),
      ),
    );
    writer.list(this.work.waiting, (job) => {
      const place = places.get(job)!;
      writer.u8(place.device);
      writer.u16(place.queue);
    });
  }

  loadState(reader: StateReader): () => void {
    const jobs = reader.list(0xffff, () => {
      const job = this.transports[reader.u8()]?.jobs[reader.u16()];
      return job ?? reader.damaged('work of a queue that does not exist');
    });
    return () => this.work.replace(jobs);
  }
}
