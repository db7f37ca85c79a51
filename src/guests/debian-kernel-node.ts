// What every guest with Debian's kernel is begun with: the kernel, and BusyBox for its initramfs.
import { extractDeb } from './deb-node.ts';
import type { FetchedPackage } from './debian-repository-node.ts';
import { GuestError } from './guest-error.ts';
import { sharedGuestFile } from './guest-files-node.ts';
import type { GuestFile } from './guest-types.ts';
import type { Kitchen } from './recipe-node.ts';

/** The package that linux-image-riscv64 stands for. */
export async function fetchKernel(kitchen: Kitchen): Promise<FetchedPackage> {
  const repository = await kitchen.repository();
  const name = repository
    .find('linux-image-riscv64')
    .depends.flat()
    .find((dependency) => /^linux-image-\d/.test(dependency));
  if (name === undefined) throw new GuestError('package', 'linux-image-riscv64 depends on no kernel');
  return kitchen.fetch(name);
}

/** Linux takes several archives in a row, each beginning at a multiple of 4 bytes. */
export function joinArchives(first: Uint8Array, second: Uint8Array): Uint8Array {
  const start = Math.ceil(first.length / 4) * 4;
  const whole = new Uint8Array(start + second.length);
  whole.set(first);
  whole.set(second, start);
  return whole;
}

/** The package's kernel: a bare RISC-V Image that it calls vmlinux. */
export function debianKernel(kitchen: Kitchen, { package: found, path }: FetchedPackage): Promise<GuestFile> {
  return sharedGuestFile(kitchen.cacheDir, `kernel-${found.sha256}`, 'kernel', kitchen.folder, async () => {
    kitchen.onProgress({ kind: 'step', text: `unpacking the kernel of ${found.name}` });
    const files = await extractDeb(path, found.filename, (entry) =>
      /^boot\/vmlinu[xz]-[^/]+$/.test(entry.path) ? 'last' : false,
    );
    const [image] = files.values();
    if (image === undefined) throw new GuestError('package', `${found.filename} has no /boot/vmlinux-*`);
    return image;
  });
}

/** The program of busybox-static. */
export async function fetchBusybox(kitchen: Kitchen): Promise<Uint8Array<ArrayBuffer>> {
  const { package: found, path } = await kitchen.fetch('busybox-static');
  const files = await extractDeb(path, found.filename, (entry) =>
    /^(usr\/)?bin\/busybox$/.test(entry.path) ? 'last' : false,
  );
  const [program] = files.values();
  if (program === undefined) throw new GuestError('package', `${found.filename} has no /bin/busybox`);
  return program;
}
