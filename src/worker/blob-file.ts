import type { StoredFile } from '../machine/boot-file.ts';
import type { MachineConfig } from '../machine/machine-types.ts';

/** A file as it travels to a worker: its bytes, or a blob that stays where it is until it is read. */
export type SentFile = Uint8Array | Blob;

/** A machine's configuration as it travels to a worker. */
export interface SentConfig extends Omit<MachineConfig, 'kernel' | 'initrd' | 'bios'> {
  kernel?: SentFile;
  initrd?: SentFile;
  bios?: SentFile;
}

/** The one way to read a blob at once; only workers of a browser have it (File API, section 6.4). */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** The configuration with its blobs to be read when the machine needs them. */
export function receiveConfig<T extends Partial<SentConfig>>({
  kernel,
  initrd,
  bios,
  ...rest
}: T): Omit<T, 'kernel' | 'initrd' | 'bios'> & Pick<MachineConfig, 'kernel' | 'initrd' | 'bios'> {
  return { ...rest, kernel: receive(kernel), initrd: receive(initrd), bios: receive(bios) };
}

function receive(file: SentFile | undefined): Uint8Array | StoredFile | undefined {
  if (!(file instanceof Blob)) return file;
  return {
    read: () => new Uint8Array(new FileReaderSync().readAsArrayBuffer(file)),
    // What is sent where nobody listens is gone; a buffer that is only detached stays until it is collected.
    free: (bytes) => {
      const { port1, port2 } = new MessageChannel();
      port2.close();
      port1.postMessage(null, [bytes.buffer]);
      port1.close();
    },
  };
}
