import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CpioEntry, writeCpio } from '../storage/cpio.ts';
import { debianKernel, fetchBusybox, fetchKernel, joinArchives } from './debian-kernel-node.ts';
import { MODULE_ARCHIVE, moduleArchive } from './kernel-modules-node.ts';
import { packageFolder } from './paths-node.ts';
import type { Recipe } from './recipe-node.ts';

/** Our own scripts in the initramfs, and where each goes. */
// Not /sbin/modprobe, which the kernel calls many times before it starts /init: 29 million instructions.
const SCRIPTS = {
  init: 'init',
  resize: 'usr/bin/resize',
  modprobe: 'usr/local/sbin/modprobe',
  renew: 'usr/local/sbin/renew',
};

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
    const program = await fetchBusybox(kitchen);
    kitchen.onProgress({ kind: 'step', text: 'building the initramfs' });
    const initrd = writeCpio([
      ...skeleton(),
      ...textFiles(),
      { type: 'file', path: 'bin/busybox', mode: 0o755, data: program },
      ...(await scripts()),
    ]);
    const whole = joinArchives(initrd, await moduleArchive(kitchen, kernelPackage));
    return { kernel, initrd: await kitchen.write('initrd', whole) };
  },
};

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
