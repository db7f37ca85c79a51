import { ImageStore } from './image-store.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import { BrowserStoreFiles } from './store-files-browser.ts';

/** Images in the browser's private file system. */
export function openImageStoreBrowser(folder = 'images', registries: RegistrySettings = {}): ImageStore {
  return new ImageStore(new BrowserStoreFiles(folder), registries);
}
