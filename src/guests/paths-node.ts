import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root folder, from its sources and from its build alike. */
export function packageFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${start}`);
  }
}

/** Where prepared guests are: HYPERTAB_GUESTS, else build/guests of the package. */
export function guestsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.HYPERTAB_GUESTS || join(packageFolder(), 'build', 'guests'));
}

/** Where downloads are kept: HYPERTAB_CACHE, else the platform's folder for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.HYPERTAB_CACHE) return resolve(env.HYPERTAB_CACHE);
  if (env.XDG_CACHE_HOME?.startsWith('/')) return join(env.XDG_CACHE_HOME, 'hypertab');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'hypertab', 'cache');
  return platform === 'darwin'
    ? join(homedir(), 'Library', 'Caches', 'hypertab')
    : join(homedir(), '.cache', 'hypertab');
}

/** Where snapshots are kept: HYPERTAB_SNAPSHOTS, else the platform's folder for data. */
export function snapshotsFolder(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.HYPERTAB_SNAPSHOTS) return resolve(env.HYPERTAB_SNAPSHOTS);
  if (env.XDG_DATA_HOME?.startsWith('/')) return join(env.XDG_DATA_HOME, 'hypertab', 'snapshots');
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'hypertab', 'snapshots');
  return platform === 'darwin'
    ? join(homedir(), 'Library', 'Application Support', 'hypertab', 'snapshots')
    : join(homedir(), '.local', 'share', 'hypertab', 'snapshots');
}
