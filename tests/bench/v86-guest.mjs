// What the comparison with v86 needs: its npm package and Debian's i386 kernel, busybox and SeaBIOS, fetched into the
// cache folder on first use. bookworm is the last Debian release with a kernel for i386.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extractDeb } from '../../build/src/guests/deb-node.js';
import { findDebianMirror } from '../../build/src/guests/debian-mirror-node.js';
import { DebianRepository } from '../../build/src/guests/debian-repository-node.js';
import { cacheFolder, packageFolder } from '../../build/src/guests/paths-node.js';
import { writeCpio } from '../../build/src/storage/cpio.js';
import { benchArchive, concatenate } from './engine-hypertab.mjs';

const VERSION = '0.5.462';
const folder = join(cacheFolder(), 'bench');
/** Files of Debian packages: package -> path in it -> name here. `linux` stands for the kernel's package. */
const wanted = {
  linux: [{ path: /^boot\/vmlinuz-[^/]+$/, name: 'vmlinuz' }],
  'busybox-static': [{ path: /^(usr\/)?bin\/busybox$/, name: 'busybox' }],
  seabios: [
    { path: /^usr\/share\/seabios\/bios\.bin$/, name: 'bios.bin' },
    { path: /^usr\/share\/seabios\/vgabios-stdvga\.bin$/, name: 'vgabios.bin' },
  ],
};

/** The folder of the v86 package. */
export async function v86Package() {
  const path = join(folder, 'node_modules', 'v86');
  if (!existsSync(join(path, 'build', 'libv86.mjs'))) {
    await mkdir(folder, { recursive: true });
    const words = ['install', '--no-save', '--ignore-scripts', '--prefix', folder, `v86@${VERSION}`];
    await promisify(execFile)('npm', words);
  }
  return path;
}

async function debianFiles() {
  const names = Object.values(wanted)
    .flat()
    .map(({ name }) => name);
  const here = join(folder, 'i386');
  if (!names.every((name) => existsSync(join(here, name)))) {
    await mkdir(here, { recursive: true });
    const repository = await DebianRepository.open({
      mirror: await findDebianMirror(),
      cacheDir: cacheFolder(),
      suite: 'bookworm',
      architecture: 'i386',
    });
    // linux-image-686 depends on the kernel of the day.
    const kernel = repository
      .find('linux-image-686')
      .depends.flat()
      .find((name) => /^linux-image-\d/.test(name));
    if (kernel === undefined) throw new Error('linux-image-686 depends on no kernel');
    for (const [key, files] of Object.entries(wanted)) {
      const { path, package: found } = await repository.fetch(key === 'linux' ? kernel : key);
      const unpacked = await extractDeb(path, found.filename, (entry) =>
        files.some((file) => file.path.test(entry.path)),
      );
      for (const file of files) {
        const match = [...unpacked].find(([name]) => file.path.test(name));
        if (match === undefined) throw new Error(`${found.filename} has no ${file.path}`);
        await writeFile(join(here, file.name), match[1]);
      }
    }
  }
  const read = async (/** @type {string} */ name) => new Uint8Array(await readFile(join(here, name)));
  const [kernel, busybox, bios, vgaBios] = await Promise.all(names.map(read));
  return { kernel, busybox, bios, vgaBios };
}

/** Everything that v86's constructor wants to boot to the same prompt as our busybox guest. */
export async function v86Machine() {
  const { kernel, busybox, bios, vgaBios } = await debianFiles();
  const file = (/** @type {string} */ path, /** @type {Uint8Array} */ data, mode = 0o755) => ({
    type: /** @type {const} */ ('file'),
    path,
    mode,
    data,
  });
  const own = writeCpio([
    ...['bin', 'sbin', 'usr', 'usr/bin', 'usr/sbin', 'dev', 'etc', 'proc', 'sys', 'run', 'tmp', 'root'].map(
      (path) => ({ type: /** @type {const} */ ('directory'), path }),
    ),
    { type: 'character', path: 'dev/console', major: 5, minor: 1 },
    file('etc/hostname', new TextEncoder().encode('v86\n'), 0o644),
    file('bin/busybox', busybox),
    file('init', await readFile(join(packageFolder(), 'guests', 'busybox', 'init'))),
  ]);
  return { kernel, bios, vgaBios, initrd: concatenate(own, benchArchive('i386')) };
}
