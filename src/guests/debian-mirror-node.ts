import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GuestError } from './guest-error.ts';

export interface MirrorOptions {
  /** Takes precedence over everything else. */
  mirror?: string;
  /** Default: process.env. */
  env?: NodeJS.ProcessEnv;
  /** Default: /etc/apt. */
  aptFolder?: string;
}

/**
 * The address of a Debian archive, without a slash at its end: the one given, else HYPERTAB_DEBIAN_MIRROR, else the
 * first one in the machine's apt configuration.
 * @throws {GuestError} no-mirror
 */
export async function findDebianMirror(options: MirrorOptions = {}): Promise<string> {
  const given = options.mirror ?? ((options.env ?? process.env).HYPERTAB_DEBIAN_MIRROR || undefined);
  if (given !== undefined) {
    if (!isWebAddress(given)) {
      throw new GuestError('no-mirror', `the Debian mirror "${given}" is no http:// or https:// address`);
    }
    return given.replace(/\/+$/, '');
  }
  const folder = options.aptFolder ?? '/etc/apt';
  const found = (await readSources(folder)).find(isDebianArchive);
  if (found !== undefined) return found.uri.replace(/\/+$/, '');
  throw new GuestError(
    'no-mirror',
    `no Debian mirror is known: ${folder} names none; set HYPERTAB_DEBIAN_MIRROR to one's address, the folder that holds dists/ and pool/`,
  );
}

interface AptSource {
  uri: string;
  suite: string;
  components: string[];
}

const isWebAddress = (uri: string) => /^https?:\/\/[^\s/]/.test(uri) && URL.canParse(uri);

/** Suites of Debian's main archive; others (security, updates, other vendors') lack the packages or the layout. */
const DEBIAN_SUITE =
  /^(oldoldstable|oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke)$/;

function isDebianArchive({ uri, suite, components }: AptSource): boolean {
  return isWebAddress(uri) && DEBIAN_SUITE.test(suite) && components.includes('main');
}

/** All binary sources of apt: sources.list, then sources.list.d in the order of names (sources.list(5)). */
async function readSources(folder: string): Promise<AptSource[]> {
  const text = async (path: string) => readFile(path, 'utf8').catch(() => '');
  const sources = parseSourcesList(await text(join(folder, 'sources.list')));
  const parts = join(folder, 'sources.list.d');
  const names = (await readdir(parts).catch(() => [])).sort();
  for (const name of names) {
    if (name.endsWith('.list')) sources.push(...parseSourcesList(await text(join(parts, name))));
    if (name.endsWith('.sources')) sources.push(...parseDeb822Sources(await text(join(parts, name))));
  }
  return sources;
}

/** The one-line format: `deb [option=value …] uri suite component…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match !== null) {
      sources.push({ uri: match[1]!, suite: match[2]!, components: match[3]!.trim().split(/\s+/) });
    }
  }
  return sources;
}

/** The deb822 format: stanzas of `Types`, `URIs`, `Suites`, `Components`; `Enabled: no` switches one off. */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (const stanza of lines.join('\n').split(/\n\s*\n/)) {
    const fields = new Map<string, string[]>();
    for (const match of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(match[1]!.toLowerCase(), match[2]!.trim().split(/\s+/));
    }
    const list = (name: string) => fields.get(name) ?? [];
    if (
      !list('types').includes('deb') ||
      /^(no|false|without|off|disable|0)$/i.test(list('enabled')[0] ?? '')
    )
      continue;
    for (const uri of list('uris')) {
      for (const suite of list('suites')) sources.push({ uri, suite, components: list('components') });
    }
  }
  return sources;
}
