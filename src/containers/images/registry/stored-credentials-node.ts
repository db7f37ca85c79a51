// What `docker login` has stored, for those who use docker beside Hypertab.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { RegistryCredentials } from '../types.ts';

/**
 * Name and password of a registry: HYPERTAB_REGISTRY_USER and HYPERTAB_REGISTRY_PASSWORD, else those in docker's own
 * config.json (DOCKER_CONFIG, else ~/.docker). Helpers that keep passwords elsewhere are not asked.
 * @param host `HOST[:PORT]`
 */
export async function storedCredentials(
  host: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistryCredentials | undefined> {
  const { HYPERTAB_REGISTRY_USER: username, HYPERTAB_REGISTRY_PASSWORD: password } = env;
  if (username && password) return { username, password };
  const path = join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { auths = {} } = JSON.parse(text) as { auths?: Record<string, { auth?: string }> };
    const key = Object.keys(auths).find((name) => hostOf(name) === host);
    const pair = key === undefined ? '' : Buffer.from(auths[key]?.auth ?? '', 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    return colon < 1 ? undefined : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
  } catch {
    return undefined;
  }
}

/** docker's keys are hosts, or addresses of an older API. */
const hostOf = (key: string) => key.replace(/^https?:\/\//, '').split('/')[0];
