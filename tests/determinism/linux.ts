// Debian's kernel with an init that works through a list of commands and switches the machine off.
import { existsSync, readFileSync } from 'node:fs';
import type { GuestManifest } from '../../src/guests/guest-types.ts';
import { writeCpio } from '../../src/storage/cpio.ts';

const GUEST = new URL('../../build/guests/busybox/', import.meta.url);

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
exec >/dev/console 2>&1
uname -r
date
head -c 8 /dev/urandom | od -An -tx1
seq 5000 | sha256sum
for i in 1 2 3 4; do sleep 0.013; true; done
awk 'BEGIN { for (i = 1; i < 20000; i++) s += sqrt(i) / 7; print s }'
head -c 300000 /bin/busybox | gzip -c | gunzip -c | md5sum
cat /proc/uptime /proc/interrupts
hwclock -r
poweroff -f
`;

export interface LinuxGuest {
  readonly kernel: Uint8Array<ArrayBuffer>;
  readonly initrd: Uint8Array<ArrayBuffer>;
  readonly append: string;
}

/** The busybox guest's files, its init replaced by a script. */
export function linuxGuest(init = INIT): LinuxGuest {
  if (!existsSync(new URL('guest.json', GUEST)))
    throw new Error('the busybox guest is missing: run `npx hypertab guest prepare busybox`');
  const manifest = JSON.parse(readFileSync(new URL('guest.json', GUEST), 'utf8')) as GuestManifest;
  const file = (name: 'kernel' | 'initrd'): Uint8Array<ArrayBuffer> =>
    new Uint8Array(readFileSync(new URL(manifest.files[name]?.name ?? name, GUEST)));
  const first = file('initrd');
  const second = writeCpio([
    { type: 'file', path: 'init', mode: 0o755, data: new TextEncoder().encode(init) },
  ]);
  // A later archive replaces files of an earlier one; archives begin at multiples of 4 bytes.
  const initrd = new Uint8Array(((first.length + 3) & ~3) + second.length);
  initrd.set(first, 0);
  initrd.set(second, initrd.length - second.length);
  return { kernel: file('kernel'), initrd, append: manifest.append ?? '' };
}
