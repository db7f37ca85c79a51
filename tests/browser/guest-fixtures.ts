import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const MIB = 2 ** 20;

interface Entry {
  name: string;
  title: string;
  description: string;
  memory: number;
  prepared: boolean;
  kind: 'debian' | 'toy';
}

/** A folder of guests made for a test: prepared toys, bare-metal programs given as bytes, and whatever else. */
export class GuestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'hypertab-guests-'));
  readonly #entries: Entry[] = [];

  /** Takes a prepared toy guest over. */
  toy(name: string): this {
    const from = join('build/guests', name);
    if (!existsSync(join(from, 'guest.json'))) {
      throw new Error(
        `The toy guest ${name} is not prepared: run "npx hypertab guest prepare ${name}" first.`,
      );
    }
    mkdirSync(join(this.path, name));
    for (const file of readdirSync(from)) copyFileSync(join(from, file), join(this.path, name, file));
    return this.entry({ name, kind: 'toy', prepared: true });
  }

  /** The prepared busybox guest under another name, with more on its command line. */
  busybox(name: string, more: string): this {
    const from = 'build/guests/busybox';
    if (!existsSync(join(from, 'guest.json'))) {
      throw new Error('The busybox guest is not prepared: run "npx hypertab guest prepare busybox" first.');
    }
    mkdirSync(join(this.path, name));
    for (const file of readdirSync(from)) copyFileSync(join(from, file), join(this.path, name, file));
    const manifest = JSON.parse(readFileSync(join(from, 'guest.json'), 'utf8')) as { append: string };
    const changed = { ...manifest, name, append: `${manifest.append} ${more}` };
    writeFileSync(join(this.path, name, 'guest.json'), JSON.stringify(changed));
    return this.entry({ name, kind: 'debian', prepared: true });
  }

  /** A raw M-mode program that starts at 0x8000_0000. */
  program(name: string, code: Uint8Array): this {
    const compressed = gzipSync(code);
    mkdirSync(join(this.path, name));
    writeFileSync(join(this.path, name, 'bios'), code);
    writeFileSync(join(this.path, name, 'bios.gz'), compressed);
    const bios = { name: 'bios', bytes: code.length, gzipBytes: compressed.length, sha256: '0'.repeat(64) };
    const manifest = {
      ...{
        version: 1,
        name,
        title: name,
        description: 'For a test.',
        kind: 'toy',
        memory: 32 * MIB,
        recipe: 'test',
      },
      ...{ files: { bios }, sources: [] },
    };
    writeFileSync(join(this.path, name, 'guest.json'), JSON.stringify(manifest));
    return this.entry({ name, kind: 'toy', prepared: true });
  }

  /** Adds a line to the index and nothing else. */
  entry(entry: Pick<Entry, 'name' | 'kind' | 'prepared'>): this {
    this.#entries.push({ title: entry.name, description: 'For a test.', memory: 32 * MIB, ...entry });
    writeFileSync(join(this.path, 'index.json'), JSON.stringify(this.#entries));
    return this;
  }

  remove(file: string): void {
    rmSync(join(this.path, file), { recursive: true });
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
