// Debian packages as tests use them: single files out of one, and a root file system of several with what they depend on.

import { extractDeb, readDeb } from '../../src/guests/deb-node.ts';
import { findDebianMirror } from '../../src/guests/debian-mirror-node.ts';
import { DebianRepository } from '../../src/guests/debian-repository-node.ts';
import { cacheFolder } from '../../src/guests/paths-node.ts';
import type { CpioEntry } from '../../src/storage/cpio.ts';

const opened = new Map<string, Promise<DebianRepository>>();

/** The archive of a suite, riscv64. */
export function repository(suite: string): Promise<DebianRepository> {
  let known = opened.get(suite);
  if (known === undefined) {
    known = findDebianMirror().then((mirror) =>
      DebianRepository.open({ mirror, suite, cacheDir: cacheFolder() }),
    );
    opened.set(suite, known);
  }
  return known;
}

/** One file of a package; throws when it is not there. */
export async function packageFile(
  suite: string,
  name: string,
  path: RegExp,
): Promise<Uint8Array<ArrayBuffer>> {
  const { package: found, path: deb } = await (await repository(suite)).fetch(name);
  const files = await extractDeb(deb, found.filename, (entry) => (path.test(entry.path) ? 'last' : false));
  const [bytes] = files.values();
  if (bytes === undefined) throw new Error(`${found.filename} of ${suite} has no file like ${path}`);
  return bytes;
}

/** The kernel that linux-image-riscv64 of a suite depends on, and its version. */
export async function debianKernel(
  suite: string,
): Promise<{ version: string; image: Uint8Array<ArrayBuffer> }> {
  const archive = await repository(suite);
  const name = archive
    .find('linux-image-riscv64')
    .depends.flat()
    .find((dependency) => /^linux-image-\d/.test(dependency));
  if (name === undefined) throw new Error(`linux-image-riscv64 of ${suite} depends on no kernel`);
  // Later kernels have their image in a package of its own.
  const depends = archive.find(name).depends.flat();
  const holder = depends.find((dependency) => /^linux-binary-\d/.test(dependency)) ?? name;
  const image = await packageFile(suite, holder, /\/vmlinu[xz](-[^/]+)?$/);
  return { version: name.slice('linux-image-'.length), image };
}

/** What nothing needs to run and a guest's memory is too small for. */
const UNNEEDED =
  /^usr\/share\/(doc|man|locale|info|lintian|bash-completion|zoneinfo|i18n|perl\/.*\/unicore\/.*\.t$)\//;

/** Packages with all that they depend on; the first of alternatives. */
async function closure(archive: DebianRepository, names: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const alternatives of archive.find(name).depends) {
      const chosen = alternatives.find((candidate) => found.has(candidate)) ?? alternatives[0];
      if (chosen !== undefined) waiting.push(chosen);
    }
  }
  return [...found];
}

/** Usr-merged: what a package has in /bin lies in /usr/bin. */
const merged = (path: string): string => path.replace(/^(bin|sbin|lib)(?=\/|$)/, 'usr/$1');

/**
 * An initramfs's entries: packages of a suite with what they depend on, unpacked, no scripts run.
 * @param keep which files; all that nothing is known against if absent
 */
export async function rootFileSystem(
  suite: string,
  names: readonly string[],
  keep: (path: string) => boolean = () => true,
): Promise<CpioEntry[]> {
  const archive = await repository(suite);
  const entries = new Map<string, CpioEntry>();
  const add = (entry: CpioEntry): void => {
    const parent = entry.path.split('/').slice(0, -1).join('/');
    if (parent !== '' && !entries.has(parent)) add({ type: 'directory', path: parent });
    const old = entries.get(entry.path);
    if (old?.type === 'directory' && entry.type === 'directory') return;
    entries.set(entry.path, entry);
  };
  for (const path of [
    'dev',
    'proc',
    'sys',
    'tmp',
    'run',
    'root',
    'etc',
    'var/tmp',
    'usr/bin',
    'usr/sbin',
    'usr/lib',
  ])
    add({ type: 'directory', path, mode: path.endsWith('tmp') ? 0o1777 : 0o755 });
  for (const path of ['bin', 'sbin', 'lib']) add({ type: 'symlink', path, target: `usr/${path}` });
  add({ type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 });
  add({ type: 'character', path: 'dev/null', mode: 0o666, major: 1, minor: 3 });
  const encoder = new TextEncoder();
  add({ type: 'file', path: 'etc/passwd', data: encoder.encode('root:x:0:0:root:/root:/bin/sh\n') });
  add({ type: 'file', path: 'etc/group', data: encoder.encode('root:x:0:\n') });
  for (const name of await closure(archive, names)) {
    const { package: found, path: deb } = await archive.fetch(name);
    for await (const entry of readDeb(deb, found.filename)) {
      const path = merged(entry.path);
      if (path === '' || UNNEEDED.test(`${path}/`) || !keep(path)) continue;
      const common = { path, mode: entry.mode & 0o7777 };
      if (entry.type === 'directory') add({ type: 'directory', ...common });
      else if (entry.type === 'symlink') add({ type: 'symlink', path, target: entry.link });
      else if (entry.type === 'file') add({ type: 'file', ...common, data: await entry.read() });
      else if (entry.type === 'hardlink') {
        const original = entries.get(merged(entry.link));
        if (original?.type === 'file') add({ ...original, path });
      }
    }
  }
  return [...entries.values()];
}
