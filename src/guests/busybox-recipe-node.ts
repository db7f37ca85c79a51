import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, writeCpio } from '../storage/cpio.ts';
import { extractDeb } from './deb-node.ts';
import type { FetchedPackage } from './debian-repository-node.ts';
import { GuestError } from './guest-error.ts';
import { sharedGuestFile } from './guest-files-node.ts';
import type { GuestFile } from './guest-types.ts';
import { MODULE_ARCHIVE, moduleArchive } from './kernel-modules-node.ts';
import { packageFolder } from './paths-node.ts';
import type { Kitchen, Recipe } from './recipe-node.ts';

/** Our own scripts in the initramfs, and where each goes. */
// Not /sbin/modprobe, which the kernel calls many times before it starts /init: 29 million instructions.
const SCRIPTS = { init: 'init', resize: 'usr/bin/resize', modprobe: 'usr/local/sbin/modprobe' };

function scripts(): Promise<CpioEntry[]> {
  const folder = join(packageFolder(), 'guests', 'busybox');
  return Promise.all(
    Object.entries(SCRIPTS).map(async ([name, path]): Promise<CpioEntry> => {
      return { type: 'file', path, mode: 0o755, data: await readFile(join(folder, name)) };
    }),
  );
}

/** Debian's kernel with the modules that our devices want, and an initramfs of busybox-static and our own /init. */
export const busyboxRecipe: Recipe = {
  inputs: async () => {
    const texts = (await scripts()).map((script) => (script.type === 'file' ? String(script.data) : ''));
    return JSON.stringify([...skeleton(), ...textFiles(), ...texts, MODULE_ARCHIVE]);
  },
  make: async (kitchen) => {
    const kernelPackage = await fetchKernel(kitchen);
    const kernel = await debianKernel(kitchen, kernelPackage);
    const busybox = await kitchen.fetch('busybox-static');
    kitchen.onProgress({ kind: 'step', text: 'building the initramfs' });
    const files = await extractDeb(busybox.path, busybox.package.filename, ({ path }) =>
      /^(usr\/)?bin\/busybox$/.test(path) ? 'last' : false,
    );
    const [program] = files.values();
    if (program === undefined) {
      throw new GuestError('package', `${busybox.package.filename} has no /bin/busybox`);
    }
    const initrd = writeCpio([
      ...skeleton(),
      ...textFiles(),
      { type: 'file', path: 'bin/busybox', mode: 0o755, data: program },
      ...(await scripts()),
    ]);
    // Linux takes several archives in a row, each beginning at a multiple of 4 bytes.
    const whole = joinArchives(initrd, await moduleArchive(kitchen, kernelPackage));
    return { kernel, initrd: await kitchen.write('initrd', whole) };
  },
};

/** The package that linux-image-riscv64 stands for. */
async function fetchKernel(kitchen: Kitchen): Promise<FetchedPackage> {
  const repository = await kitchen.repository();
  const name = repository
    .find('linux-image-riscv64')
    .depends.flat()
    .find((dependency) => /^linux-image-\d/.test(dependency));
  if (name === undefined) throw new GuestError('package', 'linux-image-riscv64 depends on no kernel');
  return kitchen.fetch(name);
}

function joinArchives(first: Uint8Array, second: Uint8Array): Uint8Array {
  const start = Math.ceil(first.length / 4) * 4;
  const whole = new Uint8Array(start + second.length);
  whole.set(first);
  whole.set(second, start);
  return whole;
}

/** The package's kernel: a bare RISC-V Image that it calls vmlinux. */
function debianKernel(kitchen: Kitchen, { package: found, path }: FetchedPackage): Promise<GuestFile> {
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

function skeleton(): CpioEntry[] {
  const folders =
    'bin dev etc home lib mnt opt proc root run sbin sys tmp usr usr/bin usr/sbin usr/local usr/local/sbin var var/log';
  const modes: Record<string, number> = { root: 0o700, tmp: 0o1777 };
  return [
    ...folders.split(' ').map((path): CpioEntry => ({ type: 'directory', path, mode: modes[path] ?? 0o755 })),
    { type: 'symlink', path: 'var/run', target: '/run' },
    { type: 'symlink', path: 'var/tmp', target: '/tmp' },
    // Linux opens it as the first process's standard streams, before that could mount devtmpfs.
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { type: 'character', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
  ];
}

function textFiles(): CpioEntry[] {
  const files: Record<string, string> = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
    'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
    'etc/hostname': 'hypertab\n',
    // What `mount` tries without being told: the kernel lists a module only once it is loaded.
    'etc/filesystems': 'ext4\n',
    'etc/hosts': '127.0.0.1 localhost\n127.0.1.1 hypertab\n::1 localhost\n',
  };
  return Object.entries(files).map(([path, text]) => ({
    type: 'file',
    path,
    data: new TextEncoder().encode(text),
  }));
}
