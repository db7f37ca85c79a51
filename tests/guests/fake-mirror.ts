import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { MODULES } from '../../src/guests/kernel-modules-node.ts';
import { compileModule } from './module-source.ts';
import { run } from './programs.ts';

export type Packing = 'xz' | 'gz' | 'zst' | 'none';

const COMPRESSORS: Record<Packing, [string, string[]] | undefined> = {
  xz: ['xz', ['-c', '--check=crc64']],
  gz: ['gzip', ['-nc']],
  zst: ['zstd', ['-qc']],
  none: undefined,
};

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Compresses with the system's own program. */
export function pack(bytes: Uint8Array, packing: Packing): Buffer {
  const compressor = COMPRESSORS[packing];
  return compressor === undefined ? Buffer.from(bytes) : run(compressor[0], compressor[1], { input: bytes });
}

/** An ar archive as deb(5) wants it. */
export function makeAr(members: readonly (readonly [string, Uint8Array])[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')];
  for (const [name, data] of members) {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
    parts.push(Buffer.from(`${header}${String(data.length).padEnd(10)}\`\n`), data);
    if (data.length & 1) parts.push(Buffer.from('\n'));
  }
  return Buffer.concat(parts);
}

/** A tar archive of the given files, made by the system's tar in a folder of its own. */
export function makeTar(folder: string, files: Record<string, Uint8Array>, format = 'gnu'): Buffer {
  const root = join(folder, `tree-${randomBytes(6).toString('hex')}`);
  mkdirSync(root);
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), data);
  }
  const archive = run('tar', ['-C', root, `--format=${format}`, '--sort=name', '-cf', '-', '.']);
  rmSync(root, { recursive: true });
  return archive;
}

/** A Debian package of the given files, and the given ones for dpkg. */
export function makeDeb(
  folder: string,
  files: Record<string, Uint8Array>,
  packing: Packing = 'xz',
  control: Record<string, Uint8Array> = {},
): Buffer {
  const extension = packing === 'none' ? '' : `.${packing}`;
  return makeAr([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', pack(makeTar(folder, control), 'gz')],
    [`data.tar${extension}`, pack(makeTar(folder, files), packing)],
  ]);
}

export interface FakePackage {
  name: string;
  version?: string;
  depends?: string;
  provides?: string;
  essential?: boolean;
  deb: Uint8Array;
}

/** A signer takes the text of Release and returns InRelease. */
export type Signer = (release: string) => string;

/** The outer form of a clear-signed message, with nothing in it that could be verified. */
export const unsigned: Signer = (release) =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release}-----BEGIN PGP SIGNATURE-----\n\niHUEABYK\n-----END PGP SIGNATURE-----\n`;

/** A Debian mirror on the loopback interface, with the faults one asks of it. */
export class FakeMirror {
  readonly files = new Map<string, Uint8Array>();
  /** Path and Range header of each request, in their order. */
  readonly requests: { path: string; range: string | undefined }[] = [];
  /** False: Range is ignored, as some mirrors do. */
  ranges = true;
  /** Bytes of body after which the connection is cut, for each of the next answers with a path that ends so. */
  cuts: { path: string; after: number }[] = [];
  /** Statuses to answer with instead, one for each of the next requests. */
  statuses: number[] = [];
  private server: Server | undefined;

  get url(): string {
    return `http://127.0.0.1:${(this.server!.address() as AddressInfo).port}/debian`;
  }

  async start(): Promise<this> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server!.closeAllConnections();
    await new Promise((resolve) => this.server!.close(resolve));
  }

  /** How often a file whose name begins so was asked for. */
  countOf(name: string): number {
    return this.requests.filter(({ path }) => path.split('/').at(-1)!.startsWith(name)).length;
  }

  /** Writes pool, index and InRelease. */
  publish(packages: readonly FakePackage[], options: { sign?: Signer; codename?: string } = {}): void {
    const stanzas = packages.map(({ name, version = '1.0-1', depends, provides, essential, deb }) => {
      const filename = `pool/main/${name[0]}/${name}_${version}_riscv64.deb`;
      this.files.set(filename, deb);
      return [
        `Package: ${name}`,
        `Version: ${version}`,
        'Architecture: riscv64',
        ...(depends === undefined ? [] : [`Depends: ${depends}`]),
        ...(provides === undefined ? [] : [`Provides: ${provides}`]),
        ...(essential === true ? ['Essential: yes'] : []),
        'Description: for tests',
        ' of more than one line',
        `Filename: ${filename}`,
        `Size: ${deb.length}`,
        `SHA256: ${sha256(deb)}`,
        '',
      ].join('\n');
    });
    const index = Buffer.from(stanzas.join('\n'));
    const packed = pack(index, 'xz');
    const lines = [
      [index, 'main/binary-riscv64/Packages'],
      [packed, 'main/binary-riscv64/Packages.xz'],
    ] as const;
    const release = [
      'Origin: Debian',
      'Suite: stable',
      'Version: 13.0',
      `Codename: ${options.codename ?? 'trixie'}`,
      'Date: Sat, 01 Jan 2000 00:00:00 UTC',
      'SHA256:',
      ...lines.map(([bytes, path]) => ` ${sha256(bytes)} ${String(bytes.length).padStart(8)} ${path}`),
      '',
    ].join('\n');
    this.files.set('dists/trixie/main/binary-riscv64/Packages.xz', packed);
    this.files.set('dists/trixie/InRelease', Buffer.from((options.sign ?? unsigned)(release)));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url!, 'http://mirror').pathname).replace(
      /^\/debian\//,
      '',
    );
    this.requests.push({ path, range: request.headers.range });
    const status = this.statuses.shift();
    const file = this.files.get(path);
    if (status !== undefined || file === undefined) {
      response.writeHead(status ?? 404).end();
      return;
    }
    const from = this.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (from >= file.length && from > 0) {
      response.writeHead(416).end();
      return;
    }
    const body = file.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    const cut = this.cuts.findIndex((candidate) => path.endsWith(candidate.path));
    if (cut < 0) {
      response.end(body);
      return;
    }
    const { after } = this.cuts.splice(cut, 1)[0]!;
    response.write(body.subarray(0, after), () => response.destroy());
  }
}

/** What the recipes of the busybox guests need, small. */
export function busyboxPackages(folder: string, kernel: Uint8Array, busybox: Uint8Array): FakePackage[] {
  const module = pack(compileModule(folder, ''), 'xz');
  const modules = Object.fromEntries(
    MODULES.map((name) => [`usr/lib/modules/6.1.2-riscv64/kernel/some/${name}.ko.xz`, module]),
  );
  return [
    {
      name: 'linux-image-riscv64',
      version: '6.1.2-1',
      depends: 'linux-image-6.1.2-riscv64 (= 6.1.2-1)',
      deb: makeDeb(folder, {}),
    },
    {
      name: 'linux-image-6.1.2-riscv64',
      version: '6.1.2-1',
      depends: 'kmod, initramfs-tools | linux-initramfs-tool',
      deb: makeDeb(folder, {
        'boot/config-6.1.2': Buffer.from('#\n'),
        'boot/vmlinux-6.1.2-riscv64': kernel,
        ...modules,
      }),
    },
    { name: 'busybox-static', version: '1:1.37-1', deb: makeDeb(folder, { 'usr/bin/busybox': busybox }) },
  ];
}
