import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  clearSignedText,
  type DebianPackage,
  PackageIndex,
  parseRelease,
  type Release,
} from './debian-index-node.ts';
import { checkSignature, type SignatureCheck } from './debian-signature-node.ts';
import { compressionOf, decompress } from './decompress-node.ts';
import { fileSize, hashBytes } from './disk-node.ts';
import { type DownloadOptions, download } from './download-node.ts';
import { GuestError } from './guest-error.ts';

export interface RepositoryOptions extends DownloadOptions {
  /** Address of the mirror, without a slash at its end. */
  mirror: string;
  /** Folder for what is fetched; files in it are checked each time they are used. */
  cacheDir: string;
  /** Default trixie. */
  suite?: string;
  /** Default riscv64. */
  architecture?: string;
  env?: NodeJS.ProcessEnv;
}

/** A .deb that is here and right. */
export interface FetchedPackage {
  package: DebianPackage;
  path: string;
}

/** Component main of one suite and architecture of a Debian mirror, read through its chain of hashes. */
export class DebianRepository {
  readonly release: Release;
  readonly signature: SignatureCheck;
  private readonly options: RepositoryOptions;
  private readonly index: PackageIndex;

  private constructor(
    options: RepositoryOptions,
    release: Release,
    signature: SignatureCheck,
    index: PackageIndex,
  ) {
    this.options = options;
    this.release = release;
    this.signature = signature;
    this.index = index;
  }

  /**
   * Fetches and checks InRelease and the package index.
   * @throws {GuestError}
   */
  static async open(options: RepositoryOptions): Promise<DebianRepository> {
    const suite = options.suite ?? 'trixie';
    const architecture = options.architecture ?? 'riscv64';
    const folder = join(options.cacheDir, 'dists', hashBytes(options.mirror).slice(0, 16), suite);
    const what = `${options.mirror}/dists/${suite}/InRelease`;
    const inRelease = join(folder, 'InRelease');
    options.onProgress?.({ kind: 'step', text: `reading ${what}` });
    await fetchInRelease(what, inRelease, options);
    let signature: SignatureCheck;
    let release: Release;
    try {
      signature = await checkSignature(inRelease, options);
      release = parseRelease(clearSignedText(await readFile(inRelease, 'utf8'), what), what);
    } catch (error) {
      // A file that is no good must not be what an offline run falls back to.
      await rm(inRelease, { force: true });
      throw error;
    }
    options.onProgress?.({
      kind: 'note',
      text: signature.checked
        ? `InRelease is signed by ${signature.by}`
        : `the signature of InRelease was not checked: ${signature.reason}`,
    });
    if (release.codename !== suite && release.suite !== suite) {
      throw new GuestError(
        'format',
        `${what} is of the suite ${release.codename || '(none)'}, not of ${suite}`,
      );
    }
    const index = await readIndex(release, `main/binary-${architecture}/Packages`, suite, folder, options);
    return new DebianRepository(options, release, signature, index);
  }

  /**
   * Looks a package up.
   * @throws {GuestError} package
   */
  find(name: string): DebianPackage {
    return this.index.find(name);
  }

  /** Address of the mirror, without a slash at its end. */
  get mirror(): string {
    return this.options.mirror;
  }

  /** Names of the packages that every Debian system has. */
  essential(): string[] {
    return this.index.essential();
  }

  /**
   * Fetches a package's .deb, unless it is in the cache, and checks its hash.
   * @throws {GuestError}
   */
  async fetch(name: string): Promise<FetchedPackage> {
    const found = this.find(name);
    const path = join(this.options.cacheDir, 'pool', found.sha256.slice(0, 16), basename(found.filename));
    await download(
      {
        url: `${this.options.mirror}/${encodeURI(found.filename)}`,
        path,
        label: basename(found.filename),
        sha256: found.sha256,
        bytes: found.size,
      },
      this.options,
    );
    return { package: found, path };
  }
}

/** The newest InRelease, or the one of an earlier run where the mirror cannot be reached. */
async function fetchInRelease(url: string, path: string, options: RepositoryOptions): Promise<void> {
  try {
    await download({ url, path, label: 'InRelease', limit: 4 * 1024 ** 2 }, options);
  } catch (error) {
    if (!(error instanceof GuestError) || error.code !== 'network' || (await fileSize(path)) === undefined)
      throw error;
    options.onProgress?.({ kind: 'note', text: `${error.message}; using the InRelease of an earlier run` });
  }
}

async function readIndex(
  release: Release,
  path: string,
  suite: string,
  folder: string,
  options: RepositoryOptions,
): Promise<PackageIndex> {
  const what = `${options.mirror}/dists/${suite}/${path}`;
  const plain = release.files.get(path);
  const name = [`${path}.xz`, `${path}.gz`].find((candidate) => release.files.has(candidate));
  if (plain === undefined || name === undefined) {
    throw new GuestError(
      'package',
      `${what} is not listed in InRelease: this mirror has no such architecture`,
    );
  }
  const { sha256, bytes } = release.files.get(name)!;
  const local = join(folder, name.replaceAll('/', '_'));
  await download(
    { url: `${options.mirror}/dists/${suite}/${name}`, path: local, label: basename(name), sha256, bytes },
    options,
  );
  const text = Buffer.alloc(checkedSize(plain.bytes, what));
  let length = 0;
  for await (const chunk of decompress(
    createReadStream(local, { highWaterMark: 1 << 18 }),
    compressionOf(name),
    what,
  )) {
    if (length + chunk.length > text.length) break;
    text.set(chunk, length);
    length += chunk.length;
  }
  if (length !== text.length || hashBytes(text) !== plain.sha256) {
    throw new GuestError('checksum', `${what} is not the file that InRelease describes (SHA-256 differs)`);
  }
  return new PackageIndex(text, what);
}

/** Debian's largest index is 54 MB. */
function checkedSize(bytes: number, what: string): number {
  if (bytes > 512 * 1024 ** 2) throw new GuestError('format', `${what} would have ${bytes} bytes`);
  return bytes;
}
