import { Readable } from 'node:stream';
import { extractDeb } from './deb-node.ts';
import { compressionOf, decompress } from './decompress-node.ts';
import { readRelocatable } from './elf-relocatable.ts';
import { GuestError } from './guest-error.ts';
import { stripModule } from './strip-module.ts';

/** A kernel module that is ready to be loaded. */
export interface KernelModule {
  /** As lsmod shows it: with underscores. */
  name: string;
  /** Names of the modules that must be loaded before it. */
  depends: string[];
  /** Other names it answers to, with wildcards: devices it drives, file systems it is. */
  aliases: string[];
  data: Uint8Array<ArrayBuffer>;
}

/** What a module asks for by name only when it runs, so that `depends` does not tell of it. */
const SOFT_DEPENDENCIES: Record<string, string[]> = {
  libcrc32c: ['crc32c_generic'],
  ext4: ['crc32c_generic'],
};

/** Largest module that is believed, in bytes unpacked. */
const LARGEST = 64 * 1024 ** 2;

/** The name of a module by its path, as the kernel knows it; undefined when it is no module. */
export function moduleName(path: string): string | undefined {
  return /(?:^|\/)([\w-]+)\.ko(?:\.(?:xz|gz|zst))?$/.exec(path)?.[1]?.replaceAll('-', '_');
}

/**
 * Fields of a module's .modinfo: `key=value` strings, a key may come more than once.
 * @throws {GuestError} format
 */
export function readModinfo(module: Uint8Array, what: string): Map<string, string[]> {
  const { sections } = readRelocatable(module, what);
  const fields = new Map<string, string[]>();
  const data = sections.find(({ name }) => name === '.modinfo')?.data ?? new Uint8Array();
  for (const field of new TextDecoder().decode(data).split('\0')) {
    const equals = field.indexOf('=');
    if (equals < 1) continue;
    const key = field.slice(0, equals);
    fields.set(key, [...(fields.get(key) ?? []), field.slice(equals + 1)]);
  }
  return fields;
}

/**
 * Takes modules out of a kernel's package, with all they depend on, decompressed and stripped.
 * @param path the .deb
 * @param what names it in errors
 * @returns in an order in which they can be loaded
 * @throws {GuestError} package, when it has no module of a name; format
 */
export async function extractModules(
  path: string,
  what: string,
  names: readonly string[],
): Promise<KernelModule[]> {
  const found = new Map<string, KernelModule>();
  let wanted = new Set(names.map((name) => name.replaceAll('-', '_')));
  // Each pass over the package finds what the modules of the one before depend on.
  while (wanted.size > 0) {
    const left = new Set(wanted);
    const files = await extractDeb(path, what, (entry) => {
      const name = moduleName(entry.path);
      if (name === undefined || !left.delete(name)) return false;
      return left.size === 0 ? 'last' : true;
    });
    for (const [file, packed] of files) {
      const data = await unpack(packed, file);
      const name = moduleName(file)!;
      const info = readModinfo(data, file);
      const depends = (info.get('depends')?.[0] ?? '').split(',').filter((other) => other !== '');
      const all = [...depends, ...(SOFT_DEPENDENCIES[name] ?? [])].map((other) => other.replaceAll('-', '_'));
      const aliases = info.get('alias') ?? [];
      found.set(name, { name, depends: all, aliases, data: stripModule(data, file) });
    }
    const missing = [...wanted].find((name) => !found.has(name));
    if (missing !== undefined) throw new GuestError('package', `${what} has no module ${missing}`);
    wanted = new Set(
      [...found.values()].flatMap(({ depends }) => depends).filter((name) => !found.has(name)),
    );
  }
  return loadOrder(found, what);
}

async function unpack(packed: Uint8Array, what: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of decompress(Readable.from([Buffer.from(packed)]), compressionOf(what), what)) {
    size += part.length;
    if (size > LARGEST) throw new GuestError('format', `${what} unpacks to more than ${LARGEST} bytes`);
    parts.push(Uint8Array.from(part));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function loadOrder(modules: ReadonlyMap<string, KernelModule>, what: string): KernelModule[] {
  const order: KernelModule[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string) => {
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open')
      throw new GuestError('format', `${what}: the module ${name} depends on itself`);
    state.set(name, 'open');
    const module = modules.get(name)!;
    for (const other of module.depends) visit(other);
    state.set(name, 'done');
    order.push(module);
  };
  for (const name of modules.keys()) visit(name);
  return order;
}
