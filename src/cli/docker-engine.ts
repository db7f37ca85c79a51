import type { DockerIo } from '../containers/docker/docker-io.ts';
import type { DockerTask } from '../containers/docker/docker-task.ts';
import { errorOutput, imageProgressPrinter } from '../containers/docker/image-progress.ts';
import { ContainerHost } from '../containers/engine/container-host.ts';
import { ContainerEngine } from '../containers/engine/engine.ts';
import { nodePublisher } from '../containers/engine/port-publisher-node.ts';
import { FolderVolumes, hostBinds } from '../containers/engine/volume-store-node.ts';
import { prepareImage } from '../containers/images/debian/debian-image-node.ts';
import { debianImages } from '../containers/images/debian/debian-images.ts';
import type { ImageStore } from '../containers/images/image-store.ts';
import { parseReference } from '../containers/images/reference.ts';
import { repositoryFor } from '../containers/images/registry/registry-settings.ts';
import { storedCredentials } from '../containers/images/registry/stored-credentials-node.ts';
import { listGuests, prepareGuest } from '../guests/prepare-node.ts';
import { progressPrinter } from '../guests/progress-node.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { serveControl } from './control-server-node.ts';

const HOST_GUEST = 'container-host';

/** Machines that hypertab top shows; where there is no folder for that, they work as well without. */
export function nodeHypervisor(): Hypervisor {
  return new Hypervisor({ onCreated: (vm) => void serveControl(vm).catch(() => {}) });
}

/** An engine whose container host is booted, and if need be prepared, when the first container wants it. */
export function nodeEngine(images: ImageStore, hypervisor: Hypervisor = nodeHypervisor()): ContainerEngine {
  return new ContainerEngine({
    images,
    volumes: new FolderVolumes(),
    binds: hostBinds,
    publisher: nodePublisher,
    startHost: async () => {
      await prepareHost();
      const memory = process.env.HYPERTAB_DOCKER_MEMORY;
      return ContainerHost.start({ hypervisor, ...(memory ? { memory } : {}) });
    },
  });
}

/** Makes the guest that containers run in, where it is not there. */
export async function prepareHost(): Promise<void> {
  const entry = (await listGuests()).find(({ name }) => name === HOST_GUEST);
  if (entry?.prepared) return;
  const progress = progressPrinter();
  try {
    await prepareGuest(HOST_GUEST, { onProgress: progress.onProgress });
  } finally {
    progress.end();
  }
}

/** What commands of docker's work with in this process. */
export function nodeTask(images: ImageStore, engine: ContainerEngine): Omit<DockerTask, 'io' | 'lasting'> {
  return {
    engine,
    images,
    fetchImage: (name, io) => fetchImage(images, name, io),
    credentials: async (name) =>
      storedCredentials(repositoryFor(parseReference(name), images.registries).host),
  };
}

/** Fetches an image: one of ours is made of Debian's packages, others come from their registry. */
async function fetchImage(images: ImageStore, name: string, io: DockerIo): Promise<void> {
  const { domain, path, tag } = parseReference(name);
  const own = domain === '' && (tag === undefined || tag === 'latest');
  const output = errorOutput(io);
  if (
    own &&
    images.registries.defaultRegistry === undefined &&
    debianImages.some((image) => image.name === path)
  ) {
    const progress = progressPrinter({
      write: (text) => output.write(String(text)) !== false,
      isTTY: output.isTTY,
      columns: io.size()?.columns,
    });
    try {
      await prepareImage(images, path, { onProgress: progress.onProgress });
    } finally {
      progress.end();
    }
    return;
  }
  const progress = imageProgressPrinter(output);
  try {
    const { host } = repositoryFor(parseReference(name), images.registries);
    await images.pull(name, { onProgress: progress.onProgress, credentials: await storedCredentials(host) });
  } finally {
    progress.end();
  }
}
