import type { ImageStore } from './image-store.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';

export interface OpenImagesOptions {
  /** Node: the store's folder; default HYPERTAB_IMAGES, else build/images. Browser: its name in the private files. */
  folder?: string;
  /** Node's default: what HYPERTAB_REGISTRY and HYPERTAB_INSECURE_REGISTRIES say. */
  registries?: RegistrySettings;
}

/** Opens the images of this platform. Only the module of that platform is loaded. */
export async function openImages({ folder, registries }: OpenImagesOptions = {}): Promise<ImageStore> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node !== undefined) {
    return (await import('./image-store-node.ts')).openImageStore(folder, registries);
  }
  return (await import('./image-store-browser.ts')).openImageStoreBrowser(folder, registries);
}
