// What an .htvm file says of itself: JSON, checked field by field, for it may come from anywhere.
import { HtvmError } from './htvm-error.ts';

/** A named piece of contents, and where it lies. */
export interface HtvmSection {
  /** Unique in the file: `machine/plic`, `ram/0`. */
  name: string;
  /** Of the layout of its contents. */
  version: number;
  /** Where its stored bytes begin, from the end of the manifest. */
  offset: number;
  /** Bytes in the file. */
  stored: number;
  /** Bytes of its contents. */
  bytes: number;
  encoding: 'raw' | 'gzip' | 'lz4';
  /** SHA-256 of the stored bytes, in lower-case hex. */
  sha256: string;
}

/** How the machine was configured: what a machine that takes over its state has to have. */
export interface HtvmMachine {
  /** Bytes of RAM. */
  memory: number;
  engine: 'auto' | 'interpreter' | 'translator';
  /** True when firmware runs in M-mode; otherwise the machine answers SBI. */
  bios: boolean;
  append?: string;
  consoles?: number;
  channels?: number;
  clock?: 'host' | 'instructions';
  seed?: number;
  noReboot?: boolean;
  virtio?: 'pci' | 'mmio';
}

/** A drive that the machine had. */
export interface HtvmDrive {
  /** What people know it by: a path, a name; never opened because a file says so. */
  name: string;
  bytes: number;
  serial?: string;
  readonly?: boolean;
  /**
   * Where its contents of that moment are. `whole`: all of them in the file; `changes`: in the file is what was changed,
   * the drive itself must be the same; `overlay`: in the drive's overlay, under the snapshot's id; `outside`: in the
   * drive itself, which must be as it was then.
   */
  kept: 'whole' | 'changes' | 'overlay' | 'outside';
  /** Of the drive itself, where it can be told. */
  identity?: string;
  /** Sections of contents kept in memory. */
  memories: number;
}

/** Files that the machine shared with its host. */
export interface HtvmShare {
  tag: string;
  /** `inside`: its files are in the file, sections `share/N/…` for the Nth; `outside`: where they were. */
  kept: 'inside' | 'outside';
  /** Of one inside: its files may be changed from outside the guest, too. */
  shared?: boolean;
}

export interface HtvmManifest {
  /** 32 hex digits at random: no two snapshots have the same. */
  id: string;
  /** The machine's name. */
  name: string;
  /** ISO 8601, UTC. */
  created: string;
  /** The version of Hypertab that wrote it, for people. */
  writer: string;
  /** SHA-256 of the core that ran it, or ''. A snapshot is not bound to it; a warm start is. */
  core: string;
  machine: HtvmMachine;
  /** The guest by whose name it was booted, and the digest of its manifest. */
  guest?: { name: string; key: string };
  /** What the guest's prompt looks like. */
  prompt?: string;
  /** The snapshot whose RAM this one's stands on. */
  parent?: string;
  drives: HtvmDrive[];
  shares: HtvmShare[];
  /** MAC addresses of its network interfaces. */
  interfaces: { mac: string }[];
  sections: HtvmSection[];
}

const ID = /^[0-9a-f]{32}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const SECTION_NAME = /^[a-z0-9][a-z0-9./-]{0,99}$/;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
/** More than any machine takes of a kind. */
const MOST_PARTS = 64;
const MOST_SECTIONS = 65_536;
const MOST_MEMORY = 2 ** 34;

/** Reads fields of JSON and refuses what they must not be. */
class Fields {
  readonly #value: Record<string, unknown>;
  readonly #where: string;
  readonly #file: string;

  constructor(value: unknown, where: string, file: string) {
    this.#where = where;
    this.#file = file;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#refusal('', 'is no object');
    this.#value = value as Record<string, unknown>;
  }

  text(key: string, pattern?: RegExp, longest = 4096): string {
    const value = this.#value[key];
    if (typeof value !== 'string' || value.length > longest || pattern?.test(value) === false) {
      throw this.#refusal(key, 'is not what it must be');
    }
    return value;
  }

  optionalText(key: string, pattern?: RegExp): string | undefined {
    return this.#value[key] === undefined ? undefined : this.text(key, pattern);
  }

  count(key: string, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value[key];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most) {
      throw this.#refusal(key, 'is no count that can be');
    }
    return value;
  }

  optionalCount(key: string, most?: number): number | undefined {
    return this.#value[key] === undefined ? undefined : this.count(key, most);
  }

  flag(key: string): boolean {
    const value = this.#value[key];
    if (typeof value !== 'boolean') throw this.#refusal(key, 'is neither true nor false');
    return value;
  }

  optionalFlag(key: string): boolean | undefined {
    return this.#value[key] === undefined ? undefined : this.flag(key);
  }

  choice<T extends string>(key: string, ...choices: T[]): T {
    const choice = choices.find((candidate) => candidate === this.#value[key]);
    if (choice === undefined) throw this.#refusal(key, `is none of ${choices.join(', ')}`);
    return choice;
  }

  optionalChoice<T extends string>(key: string, ...choices: T[]): T | undefined {
    return this.#value[key] === undefined ? undefined : this.choice(key, ...choices);
  }

  list<T>(key: string, most: number, read: (fields: Fields) => T): T[] {
    const value = this.#value[key];
    if (!Array.isArray(value) || value.length > most) throw this.#refusal(key, 'is no list that can be');
    return value.map((item, index) => read(new Fields(item, `${this.#where}${key}[${index}].`, this.#file)));
  }

  object<T>(key: string, read: (fields: Fields) => T): T {
    return read(new Fields(this.#value[key], `${this.#where}${key}.`, this.#file));
  }

  optionalObject<T>(key: string, read: (fields: Fields) => T): T | undefined {
    return this.#value[key] === undefined ? undefined : this.object(key, read);
  }

  #refusal(key: string, what: string): HtvmError {
    return new HtvmError('damaged', `${this.#file} is damaged: ${this.#where}${key} of its manifest ${what}`);
  }
}

/**
 * Reads a manifest; fields that it does not know are left out.
 * @param contentBytes bytes between manifest and end mark, which the sections must lie in
 * @throws {HtvmError} damaged, naming the field
 */
export function parseManifest(text: string, contentBytes: number, file: string): HtvmManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HtvmError('damaged', `${file} is damaged: its manifest is no JSON`, { cause: error });
  }
  const fields = new Fields(value, '', file);
  const manifest: HtvmManifest = {
    id: fields.text('id', ID),
    name: fields.text('name', undefined, 256),
    created: fields.text('created', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    writer: fields.text('writer', undefined, 256),
    core: fields.text('core', /^([0-9a-f]{64})?$/),
    machine: fields.object('machine', readMachine),
    guest: fields.optionalObject('guest', (guest) => ({ name: guest.text('name'), key: guest.text('key') })),
    prompt: fields.optionalText('prompt'),
    parent: fields.optionalText('parent', ID),
    drives: fields.list('drives', MOST_PARTS, readDrive),
    shares: fields.list('shares', MOST_PARTS, (share) => ({
      tag: share.text('tag'),
      kept: share.choice('kept', 'inside', 'outside'),
      shared: share.optionalFlag('shared'),
    })),
    interfaces: fields.list('interfaces', MOST_PARTS, (card) => ({ mac: card.text('mac', MAC) })),
    sections: fields.list('sections', MOST_SECTIONS, readSection),
  };
  const names = new Set<string>();
  let end = 0;
  for (const { name, offset, stored } of manifest.sections) {
    if (names.has(name))
      throw new HtvmError('damaged', `${file} is damaged: two sections are called ${name}`);
    names.add(name);
    // One after the other, so that no two can share bytes and nothing lies between them.
    if (offset !== end || stored > contentBytes - offset) {
      throw new HtvmError('damaged', `${file} is damaged: section ${name} lies outside its place`);
    }
    end = offset + stored;
  }
  if (end !== contentBytes) {
    throw new HtvmError('damaged', `${file} is damaged: ${contentBytes - end} bytes belong to no section`);
  }
  return manifest;
}

function readMachine(fields: Fields): HtvmMachine {
  return {
    memory: fields.count('memory', MOST_MEMORY),
    engine: fields.choice('engine', 'auto', 'interpreter', 'translator'),
    bios: fields.flag('bios'),
    append: fields.optionalText('append'),
    consoles: fields.optionalCount('consoles', MOST_PARTS),
    channels: fields.optionalCount('channels', MOST_PARTS),
    clock: fields.optionalChoice('clock', 'host', 'instructions'),
    seed: fields.optionalCount('seed'),
    noReboot: fields.optionalFlag('noReboot'),
    virtio: fields.optionalChoice('virtio', 'pci', 'mmio'),
  };
}

function readDrive(fields: Fields): HtvmDrive {
  return {
    name: fields.text('name'),
    bytes: fields.count('bytes'),
    serial: fields.optionalText('serial'),
    readonly: fields.optionalFlag('readonly'),
    kept: fields.choice('kept', 'whole', 'changes', 'overlay', 'outside'),
    identity: fields.optionalText('identity'),
    memories: fields.count('memories', 3),
  };
}

function readSection(fields: Fields): HtvmSection {
  return {
    name: fields.text('name', SECTION_NAME),
    version: fields.count('version', 0xffff_ffff),
    offset: fields.count('offset'),
    stored: fields.count('stored'),
    bytes: fields.count('bytes'),
    encoding: fields.choice('encoding', 'raw', 'gzip', 'lz4'),
    sha256: fields.text('sha256', DIGEST),
  };
}
