// The container engine of a tab: images and volumes in the browser's private files, one container host.
import {
  type BindResolver,
  BrowserVolumes,
  ContainerEngine,
  ContainerHost,
  type DockerIo,
  type DockerTask,
  EngineError,
  errorOutput,
  GuestError,
  type Hypervisor,
  type ImageStore,
  imageProgressPrinter,
  MemoryVolumes,
  openImages,
} from 'hypertab';
import type { HostConsoleStrings } from './strings.ts';

/** What the tab's commands of docker's work with. */
export type TabTask = Omit<DockerTask, 'io' | 'fetchImage'> & {
  images: ImageStore;
  fetchImage(name: string, io: DockerIo): Promise<void>;
  /** Told when a container host is being started. */
  hostStarts: Set<() => void>;
  /** Bytes of a prepared guest's files, as they are on the server. */
  guestBytes(guest: string): Promise<number | undefined>;
};

export interface TabEngineOptions {
  hypervisor: Hypervisor;
  /** Where prepared guests are; images that the server offers are in its folder images. */
  guests: URL;
  strings: HostConsoleStrings;
}

const opened = new WeakMap<Hypervisor, Promise<TabTask>>();

/** The engine of a page: one for all that asks for it. */
export function tabTask(options: TabEngineOptions): Promise<TabTask> {
  const { hypervisor } = options;
  let task = opened.get(hypervisor);
  if (task === undefined) {
    task = openTabEngine(options);
    opened.set(hypervisor, task);
    task.catch(() => opened.delete(hypervisor));
  }
  return task;
}

/** Opens the images of this browser; the container host is booted when the first container wants it. */
async function openTabEngine(options: TabEngineOptions): Promise<TabTask> {
  const { hypervisor, strings } = options;
  const hostStarts = new Set<() => void>();
  const images = await openImages({ registries: { proxy: '/registry' } });
  const engine = new ContainerEngine({
    images,
    volumes: (await hasPrivateFiles()) ? new BrowserVolumes() : new MemoryVolumes(),
    binds: pickedFolders(strings),
    startHost: async () => {
      for (const tell of hostStarts) tell();
      try {
        return await ContainerHost.start({ hypervisor });
      } catch (error) {
        if (error instanceof GuestError) throw new EngineError(500, strings.noHost, { cause: error });
        throw error;
      }
    },
  });
  const fetchImage = (name: string, io: DockerIo) => fetchTabImage(images, name, io, options);
  const guestBytes = (guest: string) => bytesOfGuest(guest, options.guests);
  return { engine, images, fetchImage, lasting: true, hostStarts, guestBytes };
}

/** What browsers have that let a page into folders (File System Access). */
interface FolderPicker {
  showDirectoryPicker?(options: { id: string; mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>;
}

/** `-v /PATH:…` in a page: the user is asked once which folder of his that is, and is asked no more for that path. */
function pickedFolders({ noFolders, noFile }: HostConsoleStrings): BindResolver {
  const picked = new Map<string, FileSystemDirectoryHandle>();
  return async (path) => {
    const { showDirectoryPicker } = window as FolderPicker;
    if (showDirectoryPicker === undefined) throw new EngineError(400, `${path}: ${noFolders}`);
    let handle = picked.get(path);
    try {
      handle ??= await showDirectoryPicker.call(window, { id: 'hypertab', mode: 'readwrite' });
    } catch (error) {
      throw new EngineError(400, `${path}: ${noFile} (${(error as Error).message})`, { cause: error });
    }
    picked.set(path, handle);
    return { tree: { kind: 'picked', handle }, file: '' };
  };
}

/** Whether this page may keep files. */
export async function hasPrivateFiles(): Promise<boolean> {
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

/** Gets an image that is not in the store: one that the page's server offers, or one of a registry. */
async function fetchTabImage(
  images: ImageStore,
  name: string,
  io: DockerIo,
  { guests, strings }: TabEngineOptions,
): Promise<void> {
  const progress = imageProgressPrinter(errorOutput(io));
  const own = /^([a-z0-9][a-z0-9._-]*)(?::latest)?$/.exec(name)?.[1];
  try {
    if (own === undefined) {
      await images.pull(name, { onProgress: progress.onProgress });
      return;
    }
    const response = await fetch(new URL(`images/${own}.tar.gz`, guests), { cache: 'no-cache' });
    if (!response.ok || response.body === null) throw new EngineError(404, strings.notOffered(own));
    const total = Number(response.headers.get('content-length') ?? 0);
    let current = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (bytes, controller) => {
          current += bytes.length;
          if (total > 0) progress.onProgress({ status: own, id: own, progressDetail: { current, total } });
          controller.enqueue(bytes);
        },
      }),
    );
    await images.load(counted);
  } finally {
    progress.end();
  }
}

async function bytesOfGuest(guest: string, guests: URL): Promise<number | undefined> {
  const response = await fetch(new URL(`${guest}/guest.json`, guests), { cache: 'no-cache' });
  if (!response.ok) return undefined;
  const { files } = (await response.json()) as { files?: Record<string, { gzipBytes?: number }> };
  return Object.values(files ?? {}).reduce((sum, { gzipBytes = 0 }) => sum + gzipBytes, 0);
}
