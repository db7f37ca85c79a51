// Debian's indices: the signed list of hashes (InRelease) and the list of packages (deb822 stanzas).
// https://wiki.debian.org/DebianRepository/Format
import { GuestError } from './guest-error.ts';

/** A package as the index describes it. */
export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  /** Path from the mirror's root. */
  filename: string;
  /** Bytes of the .deb. */
  size: number;
  /** Of the .deb, lower-case hex. */
  sha256: string;
  /** Names in Depends and Pre-Depends, alternatives in their order: `a | b, c` is [['a', 'b'], ['c']]. */
  depends: string[][];
  /** Names it stands for besides its own. */
  provides: string[];
}

export interface ReleaseFile {
  bytes: number;
  sha256: string;
}

export interface Release {
  codename: string;
  suite: string;
  /** Debian's point release, such as 13.1. */
  version: string;
  date: string;
  /** By path from the suite's folder. */
  files: Map<string, ReleaseFile>;
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----\n';
const SIGNATURE = '\n-----BEGIN PGP SIGNATURE-----\n';

/**
 * The text within a clear-signed message (RFC 9580, 7). Nothing may stand before or after it, so that what is
 * read is what the signature is of.
 * @throws {GuestError} format
 */
export function clearSignedText(message: string, what: string): string {
  const bad = () => new GuestError('format', `${what} is no clear-signed message; is this a Debian mirror?`);
  const lines = message.replace(/\r\n/g, '\n');
  if (!lines.startsWith(BEGIN)) throw bad();
  const headersEnd = lines.indexOf('\n\n');
  const signature = lines.indexOf(SIGNATURE);
  if (headersEnd < 0 || signature < headersEnd + 1) throw bad();
  const headers = lines.slice(BEGIN.length, headersEnd).split('\n');
  if (!headers.every((line) => /^Hash: [\w, -]+$/.test(line))) throw bad();
  if (!/^[\s\S]*?\n-----END PGP SIGNATURE-----\n?$/.test(lines.slice(signature + SIGNATURE.length)))
    throw bad();
  const armour = lines.slice(signature + SIGNATURE.length).match(/^-----/gm);
  const text = lines.slice(headersEnd + 2, signature + 1);
  if (armour?.length !== 1 || /^-(?! )/m.test(text)) throw bad();
  return text.replace(/^- /gm, '');
}

/**
 * Reads the fields of a Release file that make the chain of hashes.
 * @throws {GuestError} format
 */
export function parseRelease(text: string, what: string): Release {
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const block = /^SHA256:[ \t]*\n((?:[ \t].*(?:\n|$))+)/m.exec(text)?.[1];
  if (block === undefined) throw new GuestError('format', `${what} has no list of SHA-256 hashes`);
  const files = new Map<string, ReleaseFile>();
  for (const match of block.matchAll(/^[ \t]+([0-9a-f]{64})[ \t]+(\d{1,15})[ \t]+(\S+)$/gm)) {
    files.set(match[3]!, { sha256: match[1]!, bytes: Number(match[2]) });
  }
  return {
    codename: field('Codename'),
    suite: field('Suite'),
    version: field('Version'),
    date: field('Date'),
    files,
  };
}

const ESSENTIAL = '\nEssential: yes\n';

/** A Packages index, searched by name. */
export class PackageIndex {
  private readonly text: Buffer;
  private readonly what: string;

  /** @param text the decompressed index */
  constructor(text: Buffer, what: string) {
    this.text = text;
    this.what = what;
  }

  /**
   * The first stanza for a package.
   * @throws {GuestError} package, when there is none; format, when it lacks a field
   */
  find(name: string): DebianPackage {
    const start = this.offsetOf(name);
    if (start === undefined) {
      throw new GuestError('package', `${this.what} has no package ${name}; is the mirror complete?`);
    }
    const end = this.text.indexOf('\n\n', start);
    return parseStanza(this.text.toString('utf8', start, end < 0 ? undefined : end), this.what);
  }

  /** Names of the packages that every Debian system has (`Essential: yes`), in the order of the index. */
  essential(): string[] {
    const names: string[] = [];
    for (let at = this.text.indexOf(ESSENTIAL); at >= 0; at = this.text.indexOf(ESSENTIAL, at + 1)) {
      const start = this.text.lastIndexOf('\n\n', at) + 2;
      const name = /^Package: (\S+)$/m.exec(this.text.toString('utf8', start < 2 ? 0 : start, at));
      if (name !== null) names.push(name[1]!);
    }
    return names;
  }

  private offsetOf(name: string): number | undefined {
    const line = `Package: ${name}\n`;
    for (let at = 0; ; at++) {
      at = this.text.indexOf(line, at);
      if (at < 0) return undefined;
      if (at === 0 || this.text[at - 1] === 0x0a) return at;
    }
  }
}

function parseStanza(stanza: string, what: string): DebianPackage {
  const fields = new Map<string, string>();
  for (const match of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
    fields.set(match[1]!.toLowerCase(), match[2]!.trim());
  }
  const name = fields.get('package') ?? '';
  const need = (field: string, pattern: RegExp) => {
    const value = fields.get(field) ?? '';
    if (!pattern.test(value)) {
      throw new GuestError('format', `${what} is damaged: ${name} has no proper field ${field}`);
    }
    return value;
  };
  const filename = need('filename', /^[\w.+~%:-]+(\/[\w.+~%:-]+)*$/);
  if (filename.split('/').some((part) => /^\.+$/.test(part))) need('filename', /^$/);
  return {
    name,
    version: need('version', /^[\w.+~:-]+$/),
    architecture: need('architecture', /^[\w-]+$/),
    filename,
    size: Number(need('size', /^\d{1,12}$/)),
    sha256: need('sha256', /^[0-9a-f]{64}$/),
    depends: [fields.get('pre-depends'), fields.get('depends')]
      .flatMap((list) => list?.split(',') ?? [])
      .map((clause) => clause.split('|').map((alternative) => /^\s*([\w.+-]+)/.exec(alternative)?.[1] ?? ''))
      .filter((clause) => clause[0] !== ''),
    provides: (fields.get('provides')?.split(',') ?? []).flatMap(
      (name) => /^\s*([\w.+-]+)/.exec(name)?.[1] ?? [],
    ),
  };
}
