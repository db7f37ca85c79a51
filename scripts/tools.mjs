// Programs the tests use as oracles and cannot get from npm.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, StepError } from './project.mjs';

/** Is there an executable of this name in PATH? */
function onPath(/** @type {string} */ program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Debian package -> is what we use of it there? */
const needs = [
  {
    name: 'chromium',
    isThere: () =>
      process.env.CHROMIUM_PATH ? existsSync(process.env.CHROMIUM_PATH) : existsSync('/usr/bin/chromium'),
  },
  {
    name: 'firefox-esr',
    isThere: () =>
      process.env.FIREFOX_PATH ? existsSync(process.env.FIREFOX_PATH) : existsSync('/usr/bin/firefox-esr'),
  },
  { name: 'qemu-user', isThere: () => onPath('qemu-riscv64') || onPath('qemu-riscv64-static') },
  { name: 'qemu-system-misc', isThere: () => onPath('qemu-system-riscv64') },
  {
    name: 'qemu-system-data',
    isThere: () => existsSync('/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin'),
  },
  { name: 'gcc-riscv64-linux-gnu', isThere: () => onPath('riscv64-linux-gnu-gcc') },
  { name: 'libc6-dev-riscv64-cross', isThere: () => existsSync('/usr/riscv64-linux-gnu/include/stdio.h') },
  { name: 'device-tree-compiler', isThere: () => onPath('dtc') },
  { name: 'cpio', isThere: () => onPath('cpio') },
  { name: 'xz-utils', isThere: () => onPath('xz') },
  { name: 'zstd', isThere: () => onPath('zstd') },
  { name: 'tar', isThere: () => onPath('tar') },
  { name: 'binutils', isThere: () => onPath('ar') },
  { name: 'gpg', isThere: () => onPath('gpg') },
  { name: 'gpg-agent', isThere: () => onPath('gpg-agent') },
  { name: 'gpgv', isThere: () => onPath('gpgv') },
  { name: 'e2fsprogs', isThere: () => existsSync('/usr/sbin/e2fsck') || onPath('e2fsck') },
  { name: 'erofs-utils', isThere: () => existsSync('/usr/bin/fsck.erofs') || onPath('fsck.erofs') },
  { name: 'skopeo', isThere: () => onPath('skopeo') },
  { name: 'umoci', isThere: () => onPath('umoci') },
  { name: 'docker-registry', isThere: () => onPath('docker-registry') },
  { name: 'bsdutils', isThere: () => onPath('script') },
];

/** Debian packages whose programs are missing here. */
export function missingTools() {
  return needs.filter((need) => !need.isThere()).map((need) => need.name);
}

function hasPackageLists() {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => /_Packages(\.|$)/.test(name));
  } catch {
    return false;
  }
}

/** Installs what is missing where that is possible; otherwise one error with the command to run. */
export async function ensureTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing];
  const command = `apt-get update && ${install.join(' ')}`;
  const canInstall = process.getuid?.() === 0 && onPath('apt-get') && existsSync('/etc/debian_version');
  if (!canInstall)
    throw new StepError(`The tests need ${missing.join(', ')}. On Debian, as root: ${command}`);
  console.log(`Installing ${missing.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const update = await run(['apt-get', 'update'], { quiet: true, env });
  // Stale lists may do; without any, apt-get install cannot work.
  if (update.status !== 0 && !hasPackageLists()) {
    process.stderr.write(update.output);
    throw new StepError('apt-get update failed; its output is above.');
  }
  const { status, output } = await run(install, { quiet: true, env });
  if (status !== 0) process.stderr.write(output);
  const still = missingTools();
  if (still.length > 0)
    throw new StepError(`The tests need ${still.join(', ')}. On Debian, as root: ${command}`);
}
