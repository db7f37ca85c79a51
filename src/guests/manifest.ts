import type { DriveSpec } from '../storage/drive-spec.ts';
import { GuestError } from './guest-error.ts';
import type { GuestDisk, GuestFile, GuestManifest, PreparedGuest } from './guest-types.ts';

/** The parts of a guest that are files, in the order in which they are looked at. */
export const FILE_ROLES = ['kernel', 'initrd', 'bios'] as const;

const FILE_NAME = /^[\w][\w.+~-]*$/;

/** True for a name that cannot lead out of a folder: letters, digits, `-`, `_`, `.`, `+`. */
export const isGuestName = (name: string) => /^[a-z0-9][a-z0-9_.+-]{0,63}$/.test(name);

/**
 * Reads the text of a guest.json and checks its every field.
 * @param what names the file in errors
 * @throws {GuestError} format
 */
export function parseManifest(text: string, what: string): GuestManifest {
  const bad = (why: string) =>
    new GuestError('format', `${what} is no description of a guest: ${why}; prepare the guest again`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('it is not JSON');
  }
  if (!isObject(value)) throw bad('it is not an object');
  if (value.version !== 1) throw bad(`its version is ${value.version}, and this build reads version 1`);
  for (const field of ['name', 'title', 'description', 'recipe']) {
    if (typeof value[field] !== 'string') throw bad(`${field} is not a string`);
  }
  for (const field of ['append', 'prompt']) {
    if (value[field] !== undefined && typeof value[field] !== 'string') throw bad(`${field} is not a string`);
  }
  if (!isGuestName(value.name as string)) throw bad('its name is malformed');
  if (value.kind !== 'debian' && value.kind !== 'toy') throw bad('its kind is unknown');
  if (!isSize(value.memory)) throw bad('memory is not a number of bytes');
  if (!isObject(value.files)) throw bad('files is not an object');
  for (const role of FILE_ROLES) {
    if (value.files[role] !== undefined && !isFile(value.files[role]))
      throw bad(`files.${role} is malformed`);
  }
  if (value.files.disk !== undefined && !isDisk(value.files.disk)) throw bad('files.disk is malformed');
  const isSource = (source: unknown) =>
    isObject(source) && ['package', 'version', 'sha256'].every((field) => typeof source[field] === 'string');
  if (!Array.isArray(value.sources) || !value.sources.every(isSource)) throw bad('sources is malformed');
  return value as unknown as GuestManifest;
}

/** Places of a disk that a manifest may name. */
const PLACES_MOST = 4096;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function isFile(value: unknown): value is GuestFile {
  if (!isObject(value) || typeof value.name !== 'string' || !FILE_NAME.test(value.name)) return false;
  return isSize(value.bytes) && isSize(value.gzipBytes) && /^[0-9a-f]{64}$/.test(String(value.sha256));
}

function isDisk(value: unknown): value is GuestDisk {
  if (!isObject(value) || typeof value.name !== 'string' || !FILE_NAME.test(value.name)) return false;
  const isHex = (text: unknown, digits: number) =>
    String(text).length === digits && /^[0-9a-f]+$/.test(String(text));
  const { first, bytes } = value;
  if (first !== undefined && (!Array.isArray(first) || first.length > PLACES_MOST || !first.every(isSize)))
    return false;
  return isSize(bytes) && isHex(value.id, 16) && isHex(value.key, 64);
}

/** The name under which changes to a guest's drive are kept: those to another image have another. */
export const diskName = (guest: string, disk: GuestDisk) => `guest-${guest}-${disk.id}`;

/** What a machine needs of a prepared guest, each file given by `locate`, its drive by `drive`. */
export function locateGuest(
  manifest: GuestManifest,
  locate: (file: GuestFile) => string | URL,
  drive: (disk: GuestDisk) => DriveSpec,
): PreparedGuest {
  const { name, title, description, memory, append, prompt, files } = manifest;
  const versions = FILE_ROLES.map((role) => files[role]?.sha256 ?? '');
  const key = [...versions, files.disk?.id ?? '', append ?? ''].join(' ');
  const guest: PreparedGuest = { name, key, title, description, memory, append, prompt };
  for (const role of FILE_ROLES) {
    const file = files[role];
    if (file !== undefined) guest[role] = locate(file);
  }
  if (files.disk !== undefined) guest.drives = [drive(files.disk)];
  return guest;
}

/** The error for a guest that is not there, with what to do about it; `known` are those that could be prepared. */
export function missingGuest(name: string, known?: readonly string[]): GuestError {
  if (!isGuestName(name) || (known !== undefined && !known.includes(name))) {
    const others = known === undefined ? '' : `; there are ${known.join(', ')}`;
    return new GuestError('unknown', `there is no guest ${JSON.stringify(name.slice(0, 80))}${others}`);
  }
  const what = `run \`npx hypertab guest prepare ${name}\` first`;
  return new GuestError('not-prepared', `the guest ${name} is not prepared; ${what}`);
}
