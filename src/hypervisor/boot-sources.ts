// The files that a VM boots from: which they are, and how they are read.
import { FileError, OptionError } from './errors.ts';
import { type LoadedFile, loadFile, nameOf } from './file-source.ts';
import type { Platform } from './platform.ts';
import type { FileSource, GuestFiles, VmOptions } from './types.ts';
import type { BootFiles } from './vm-parts.ts';

/** The machine, which unpacks its files, knows no more of them than what they are. */
export function withFileName(error: FileError, sources: Sources): FileError {
  for (const what of ['kernel', 'initrd', 'bios'] as const) {
    const source = sources[what];
    if (source !== undefined && error.message.startsWith(`${what} is `)) {
      return new FileError(nameOf(what, source) + error.message.slice(what.length), { cause: error });
    }
  }
  return error;
}

export interface Sources {
  kernel: FileSource | undefined;
  initrd: FileSource | undefined;
  bios: FileSource | undefined;
}

/** The files to boot: those of the options before those of the guest. */
export function chooseSources(
  options: Pick<VmOptions, 'kernel' | 'initrd' | 'bios'>,
  guest: GuestFiles | undefined,
): Sources {
  const bios = options.bios === 'none' ? undefined : (options.bios ?? guest?.bios);
  const kernel = options.kernel ?? guest?.kernel;
  const initrd = options.initrd ?? guest?.initrd;
  if (kernel === undefined && bios === undefined) {
    throw new OptionError('there is nothing to boot: give a guest, a kernel or a bios');
  }
  if (initrd !== undefined && kernel === undefined) {
    throw new OptionError('initrd: it is of no use without a kernel: give one, or leave it out');
  }
  return { kernel, initrd, bios };
}

/**
 * Reads them.
 * @param transfer bytes that were given as such may be taken away from whoever gave them
 * @throws {FileError}
 */
export async function loadBootFiles(
  sources: Sources,
  platform: Platform,
  transfer?: boolean,
): Promise<BootFiles> {
  const load = (source: FileSource | undefined, what: 'kernel' | 'initrd' | 'bios') =>
    source === undefined ? undefined : loadFile(source, what, platform, transfer);
  const [kernel, initrd, bios] = await Promise.all([
    load(sources.kernel, 'kernel'),
    load(sources.initrd, 'initrd'),
    load(sources.bios, 'bios'),
  ]);
  const files: BootFiles['files'] = {};
  if (kernel !== undefined) files.kernel = kernel.bytes;
  if (initrd !== undefined) files.initrd = initrd.bytes;
  if (bios !== undefined) files.bios = bios.bytes;
  const owned = [kernel, initrd, bios].flatMap((file: LoadedFile | undefined) =>
    file?.owned && file.bytes instanceof Uint8Array ? [file.bytes.buffer] : [],
  );
  return { files, owned };
}
