// Debian itself, apt and all: packages as dpkg would have unpacked and recorded them.
import type { DebianRepository, FetchedPackage } from '../../../guests/debian-repository-node.ts';
import { unpackedTree } from '../../../guests/unpacked-tree-node.ts';
import { contentsOf, type ImageEntry } from '../../../storage/image/image-entry.ts';
import { concat } from '../tar-writer.ts';
import { LayerBuilder } from './layer-builder.ts';
import { isUnwanted } from './trim.ts';

const LINKS: Record<string, string> = { 'var/run': '/run', 'var/lock': '/run/lock' };

/** Names that stand for one of several programs, as the maintainer scripts would have registered them. */
const ALTERNATIVES = [
  { name: 'awk', program: '/usr/bin/mawk', priority: 5 },
  { name: 'which', program: '/usr/bin/which.debianutils', priority: 0 },
];

/** What dpkg leaves out of packages that are installed later; licences stay. */
const EXCLUDED = `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/lintian/*
`;

/**
 * Unpacks packages into one layer. No maintainer script runs: what those of the essential packages do (users, awk, the
 * database's state) is laid out here, and containers start from that.
 */
export async function fullDebianLayer(
  packages: readonly FetchedPackage[],
  repository: DebianRepository,
): Promise<LayerBuilder> {
  const builder = new LayerBuilder();
  let passwd = '';
  let group = '';
  for await (const entry of unpackedTree(packages, [])) {
    if (entry.path === 'var/lib/dpkg/status') {
      const text = new TextDecoder().decode(await bytesOfEntry(entry));
      builder.file(
        entry.path,
        text.replaceAll(/^Status: install ok unpacked$/gm, 'Status: install ok installed'),
      );
      continue;
    }
    if (entry.path === 'usr/share/base-passwd/passwd.master')
      passwd = new TextDecoder().decode(await bytesOfEntry(entry));
    if (entry.path === 'usr/share/base-passwd/group.master')
      group = new TextDecoder().decode(await bytesOfEntry(entry));
    if (!isUnwantedInDebian(entry.path)) await addEntry(builder, entry);
  }
  builder.file('etc/passwd', `${passwd}_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n`);
  builder.file('etc/group', group);
  builder.file('etc/hostname', 'debian\n');
  builder.file('etc/resolv.conf', '');
  builder.file('etc/hosts', '127.0.0.1 localhost\n::1 localhost\n');
  builder.file('etc/apt/sources.list.d/debian.sources', sourcesOf(repository));
  // dpkg need not wait for the disk in a container.
  builder.file('etc/dpkg/dpkg.cfg.d/hypertab', `force-unsafe-io\n${EXCLUDED}`);
  for (const { name, program, priority } of ALTERNATIVES) {
    builder.link(`etc/alternatives/${name}`, program);
    builder.link(`usr/bin/${name}`, `/etc/alternatives/${name}`);
    builder.file(
      `var/lib/dpkg/alternatives/${name}`,
      `auto\n/usr/bin/${name}\n\n${program}\n${priority}\n\n`,
    );
  }
  // apt drops its privileges to fetch.
  builder.folder('var/lib/apt/lists/partial', 0o700, 42, 0);
  builder.folder('var/cache/apt/archives/partial', 0o700, 42, 0);
  builder.folder('tmp', 0o1777);
  builder.folder('root', 0o700);
  for (const [path, target] of Object.entries(LINKS)) if (!builder.has(path)) builder.link(path, target);
  return builder;
}

/** dpkg and apt work here, so more stays than in other images. */
function isUnwantedInDebian(path: string): boolean {
  if (/^usr\/share\/doc\/[^/]+\/copyright$/.test(path)) return false;
  return isUnwanted(path) && !/^(usr\/share\/(debconf|base-files|gcc)|etc\/|usr\/lib\/systemd)/.test(path);
}

async function addEntry(builder: LayerBuilder, entry: ImageEntry): Promise<void> {
  if (entry.kind === 'link') {
    builder.add({ path: entry.path, type: 'link', mode: 0o644, target: entry.to });
    return;
  }
  const { path, mode = entry.kind === 'directory' ? 0o755 : 0o644, uid, gid, mtime } = entry;
  const common = { path, mode, uid, gid, mtime };
  if (entry.kind === 'file') builder.add({ ...common, type: 'file', data: await bytesOfEntry(entry) });
  else if (entry.kind === 'symlink') builder.add({ ...common, type: 'symlink', target: entry.target });
  else if (entry.kind === 'directory') builder.add({ ...common, type: 'directory' });
}

async function bytesOfEntry(entry: ImageEntry): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  if (entry.kind === 'file') for await (const part of contentsOf(entry)) parts.push(part);
  return concat(parts);
}

function sourcesOf(repository: DebianRepository): string {
  const source = new URL(repository.mirror);
  source.username = source.password = '';
  return (
    `Types: deb\nURIs: ${source.href}\nSuites: ${repository.release.codename}\nComponents: main\n` +
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
  );
}
