// How long containers take: the engine as `hypertab docker` has it, without its words.
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerHost } from '../containers/engine/container-host.ts';
import { ContainerEngine } from '../containers/engine/engine.ts';
import { MemoryVolumes } from '../containers/engine/volume-store.ts';
import { prepareImage } from '../containers/images/debian/debian-image-node.ts';
import type { ImageStore } from '../containers/images/image-store.ts';
import { openImages } from '../containers/images/open-images.ts';
import { resolveGuestNode } from '../guests/prepare-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { Engine } from '../machine/machine-types.ts';
import type { Sample } from './bench-measure.ts';

/** The guest that containers run in. */
export const CONTAINER_GUEST = 'container-host';
const IMAGE = 'busybox';
/** By then most of what a start executes is translated. */
const WARM_UPS = 20;
const TIMES = 9;
/** Between two commands of a person's; what is done when nobody waits is done in it. */
const PAUSE_MS = 250;
const MANY = 50;
const MANY_MEMORY = '512M';

/** A way to use containers. */
export interface ContainerSubject {
  kind: 'container';
  name: 'container-first' | 'container-run' | 'container-loop' | 'container-exec' | 'container-50';
  title: string;
}

export const CONTAINER_SUBJECTS: readonly ContainerSubject[] = [
  {
    kind: 'container',
    name: 'container-first',
    title: 'docker run --rm busybox true, and the container host from its warm start for it',
  },
  { kind: 'container', name: 'container-run', title: 'docker run --rm busybox true, now and then' },
  { kind: 'container', name: 'container-loop', title: 'docker run --rm busybox true, again and again' },
  { kind: 'container', name: 'container-exec', title: 'docker exec CONTAINER true' },
  {
    kind: 'container',
    name: 'container-50',
    title: `${MANY} containers at once, until all run, in a container host of ${MANY_MEMORY}`,
  },
];

/** Measures once: the median of some runs, where one takes little. */
export async function measureContainers({ name }: ContainerSubject, engine: Engine): Promise<Sample> {
  const images = await openImages();
  await prepareImage(images, IMAGE);
  if (name === 'container-first') {
    // The first one boots, and is kept warm.
    await using warm = new BenchHost(images, engine);
    await warm.run();
  }
  await using host = new BenchHost(images, engine, name === 'container-50' ? MANY_MEMORY : undefined);
  switch (name) {
    case 'container-first': {
      const start = performance.now();
      const sample = await host.sample(() => host.run());
      return { ...sample, value: performance.now() - start };
    }
    case 'container-run':
      return await host.median(() => host.run(), PAUSE_MS);
    case 'container-loop':
      return await host.median(() => host.run(), 0);
    case 'container-exec': {
      const id = await host.startSleeper();
      return await host.median(() => host.exec(id), PAUSE_MS);
    }
    case 'container-50':
      await host.run();
      return await host.sample(() => Promise.all(Array.from({ length: MANY }, () => host.startSleeper())));
  }
}

class BenchHost {
  readonly #hypervisor = new Hypervisor({ resolveGuest: resolveGuestNode });
  readonly #engine: ContainerEngine;

  constructor(images: ImageStore, engine: Engine, memory?: string) {
    this.#engine = new ContainerEngine({
      images,
      volumes: new MemoryVolumes(),
      startHost: () =>
        ContainerHost.start({
          hypervisor: this.#hypervisor,
          vm: { engine },
          ...(memory === undefined ? {} : { memory }),
        }),
    });
  }

  async run(): Promise<void> {
    const { Id } = await this.#engine.create({
      Image: IMAGE,
      Cmd: ['true'],
      HostConfig: { AutoRemove: true },
    });
    const removed = this.#engine.wait(Id, 'removed');
    await this.#engine.start(Id);
    await removed;
  }

  async startSleeper(): Promise<string> {
    const { Id } = await this.#engine.create({ Image: IMAGE, Cmd: ['sleep', '100000'] });
    await this.#engine.start(Id);
    return Id;
  }

  async exec(id: string): Promise<void> {
    const status = await (await this.#engine.exec(id, { Cmd: ['true'] })).exit;
    if (status !== 0) throw new Error(`an exec of true ended with ${status}`);
  }

  async sample(action: () => Promise<unknown>): Promise<Sample> {
    const { vm } = await this.#engine.host();
    const before = (await vm.stats()).instructions;
    const start = performance.now();
    await action();
    const value = performance.now() - start;
    const { instructions, engine } = await vm.stats();
    return { value, instructions: instructions - before, engine };
  }

  async median(action: () => Promise<unknown>, pause: number): Promise<Sample> {
    for (let count = 0; count < WARM_UPS; count++) await action();
    const samples: Sample[] = [];
    for (let count = 0; count < TIMES; count++) {
      if (pause > 0) await sleep(pause);
      samples.push(await this.sample(action));
    }
    return samples.sort((a, b) => a.value - b.value)[TIMES >> 1]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
    await this.#hypervisor.destroyAll();
  }
}
