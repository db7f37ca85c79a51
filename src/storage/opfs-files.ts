// The browser's private file system (File System Standard), as far as workers use it to read and write at once.

/** FileSystemSyncAccessHandle; TypeScript's DOM types have it for workers only. */
export interface SyncAccessHandle {
  read(buffer: ArrayBufferView, options: { at: number }): number;
  write(buffer: ArrayBufferView, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface SyncFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

/** How long to wait for a handle that a worker which is just ending still has. */
const PATIENCE_MS = 1500;
const PAUSE_MS = 25;

/** Whether this worker can use the private file system synchronously. */
export function hasSyncFiles(): boolean {
  const { FileSystemFileHandle: handle } = globalThis as { FileSystemFileHandle?: { prototype: object } };
  return (
    typeof navigator !== 'undefined' &&
    typeof navigator.storage?.getDirectory === 'function' &&
    handle !== undefined &&
    'createSyncAccessHandle' in handle.prototype
  );
}

/** A file's name for a disk's: anything but letters, digits, `-`, `_` and `.` inside is escaped. */
export function fileName(name: string): string {
  return encodeURIComponent(name).replace(/[.*~'()!]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}

/** A folder of ours, made where there is none. */
export async function opfsFolder(kind: 'disks' | 'cache'): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const ours = await root.getDirectoryHandle('hypertab', { create: true });
  return ours.getDirectoryHandle(kind, { create: true });
}

/**
 * Opens a file for reading and writing, alone.
 * @throws {DOMException} NotFoundError, NoModificationAllowedError and others
 */
export async function openSyncFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  create: boolean,
  patienceMs = PATIENCE_MS,
): Promise<SyncAccessHandle> {
  const file = (await folder.getFileHandle(fileName(name), { create })) as SyncFileHandle;
  for (const start = performance.now(); ; ) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      const isHeld = error instanceof DOMException && error.name === 'NoModificationAllowedError';
      if (!isHeld || performance.now() - start > patienceMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
