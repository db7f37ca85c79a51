// dpkg's record of packages (/var/lib/dpkg), as it is after `dpkg --unpack`: what is there is still to be configured.
import type { ImageEntry } from '../storage/image/image-entry.ts';
import { GuestError } from './guest-error.ts';

/** A package that has been unpacked. */
export interface UnpackedPackage {
  /** Names it in errors. */
  what: string;
  /** Files of its control archive: `control`, `postinst`, `triggers` and so on. */
  control: ReadonlyMap<string, Uint8Array>;
  /** Paths of all its entries, in their order, without a slash at either end. */
  paths: readonly string[];
  /** MD5 of files by path, at least of those that `conffiles` names. */
  md5: ReadonlyMap<string, string>;
}

const FOLDER = 'var/lib/dpkg';
const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm', 'config'];

/** Paths of the files that administrators may change, as a package's `conffiles` names them. */
export function conffilesOf(control: ReadonlyMap<string, Uint8Array>): string[] {
  const lines = textOf(control, 'conffiles').split('\n');
  // `remove-on-upgrade PATH` is about a file that is not in the package.
  return lines.filter((line) => line.startsWith('/')).map((line) => line.slice(1).trim());
}

/**
 * The files of the database.
 * @throws {GuestError} format
 */
export function dpkgDatabase(packages: readonly UnpackedPackage[]): ImageEntry[] {
  const entries: ImageEntry[] = ['', '/info', '/updates', '/triggers', '/alternatives', '/parts'].map(
    (name): ImageEntry => ({ kind: 'directory', path: FOLDER + name }),
  );
  const stanzas: string[] = [];
  const fileTriggers: string[] = [];
  const triggers = new Map<string, string[]>();
  for (const unpacked of packages) {
    const { control, paths } = unpacked;
    const stanza = textOf(control, 'control').trim();
    const field = (name: string) => new RegExp(`^${name}:[ \t]*(\\S+)[ \t]*$`, 'm').exec(stanza)?.[1];
    const name = field('Package');
    const architecture = field('Architecture');
    if (name === undefined || !/^[a-z0-9][a-z0-9+.-]+$/.test(name) || architecture === undefined) {
      throw new GuestError('format', `${unpacked.what} has no proper control file`);
    }
    stanzas.push(statusStanza(stanza, unpacked));
    const base = field('Multi-Arch') === 'same' ? `${name}:${architecture}` : name;
    const info = (kind: string, data: Uint8Array, mode = 0o644) =>
      entries.push(fileEntry(`${FOLDER}/info/${base}.${kind}`, data, mode));
    info('list', encode(['/.', ...paths.map((path) => `/${path}`)].map((line) => `${line}\n`).join('')));
    for (const [kind, data] of control) {
      if (kind !== 'control' && /^[\w-]+$/.test(kind))
        info(kind, data, SCRIPTS.includes(kind) ? 0o755 : 0o644);
    }
    for (const { trigger, noAwait } of interestsOf(control)) {
      if (trigger.startsWith('/')) {
        fileTriggers.push(`${trigger} ${name}${noAwait ? '/noawait' : ''}\n`);
      } else if (/^[\w.+:-]+$/.test(trigger)) {
        const list = triggers.get(trigger) ?? [];
        triggers.set(trigger, [...list, `${name}${noAwait ? '/noawait' : ''}\n`]);
      }
    }
  }
  const text = (path: string, lines: readonly string[]) =>
    entries.push(fileEntry(`${FOLDER}/${path}`, encode(lines.join('')), 0o644));
  text('status', stanzas);
  text('available', []);
  text('info/format', ['1\n']);
  text('triggers/File', fileTriggers);
  text('triggers/Unincorp', []);
  for (const [trigger, interested] of triggers) text(`triggers/${trigger}`, interested);
  return entries;
}

/** deb-triggers(5). */
function interestsOf(control: ReadonlyMap<string, Uint8Array>): { trigger: string; noAwait: boolean }[] {
  return textOf(control, 'triggers')
    .split('\n')
    .flatMap((line) => {
      const match = /^\s*interest(-await|-noawait)?\s+(\S+)/.exec(line);
      return match === null ? [] : [{ trigger: match[2]!, noAwait: match[1] === '-noawait' }];
    });
}

function statusStanza(stanza: string, { what, control, md5 }: UnpackedPackage): string {
  const conffiles = conffilesOf(control).map((path) => {
    const sum = md5.get(path);
    if (sum === undefined)
      throw new GuestError('format', `${what} has no /${path}, which it calls a conffile`);
    return ` /${path} ${sum}\n`;
  });
  const list = conffiles.length === 0 ? '' : `Conffiles:\n${conffiles.join('')}`;
  return `${stanza}\nStatus: install ok unpacked\n${list}\n`;
}

function fileEntry(path: string, data: Uint8Array, mode: number): ImageEntry {
  return { kind: 'file', path, mode, bytes: data.length, contents: [data] };
}

const encode = (text: string) => new TextEncoder().encode(text);
const textOf = (control: ReadonlyMap<string, Uint8Array>, name: string) =>
  new TextDecoder().decode(control.get(name));
