// A container host for tests of the built package, with an image of BusyBox alone, and `docker` typed at it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { concat, tarEnd, tarHeader, tarPad } from '../../src/containers/images/tar-writer.ts';
import { guestsFolder } from '../../src/guests/paths-node.ts';

const entry = new URL('../../build/src/index.js', import.meta.url);
if (!existsSync(fileURLToPath(entry))) throw new Error(`${entry} is missing: run \`npm run build\` first`);
const library = (await import(/* @vite-ignore */ entry.href)) as typeof import('../../src/index.ts');

const INITRD = join(guestsFolder(), 'container-host', 'initrd');
if (!existsSync(INITRD)) {
  throw new Error('the container host is missing: run `npx hypertab guest prepare container-host`');
}

/** One file of an archive of `cpio -H newc`. */
function fileOf(archive: Uint8Array, wanted: string): Uint8Array {
  const text = (from: number, to: number) => new TextDecoder().decode(archive.subarray(from, to));
  for (let at = 0; at + 110 <= archive.length; ) {
    const field = (index: number) => Number.parseInt(text(at + 6 + index * 8, at + 14 + index * 8), 16);
    const [size, nameSize] = [field(6), field(11)];
    const name = text(at + 110, at + 110 + nameSize - 1);
    const data = (at + 110 + nameSize + 3) & ~3;
    if (name === wanted) return archive.subarray(data, data + size);
    at = (data + size + 3) & ~3;
  }
  throw new Error(`${INITRD} has no ${wanted}`);
}

const APPLETS =
  'cat chmod cp date dd echo env false grep head hostname id ip kill ln ls mkdir mknod mount nc nslookup ping printf ps reboot rm sh sleep stat sync tail tee test timeout touch true tty umount unshare wc'.split(
    ' ',
  );

/** The layer of the image `busybox`, as a tar archive. */
export function busyboxLayer(): Uint8Array {
  const program = fileOf(readFileSync(INITRD), 'usr/bin/busybox');
  const folder = (path: string, mode = 0o755) => tarHeader({ path, type: 'directory', mode });
  const file = (path: string, data: Uint8Array, mode = 0o644) => [
    tarHeader({ path, type: 'file', mode, size: data.length }),
    data,
    tarPad(data.length),
  ];
  const encode = (text: string) => new TextEncoder().encode(text);
  return concat([
    ...['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'data'].map((path) => folder(path)),
    folder('tmp', 0o1777),
    ...file('bin/busybox', program, 0o755),
    ...APPLETS.map((name) =>
      tarHeader({ path: `bin/${name}`, type: 'symlink', mode: 0o777, target: 'busybox' }),
    ),
    ...file(
      'etc/passwd',
      encode('root:x:0:0:root:/root:/bin/sh\ntester:x:1000:100:tester:/home/tester:/bin/sh\n'),
    ),
    ...file('etc/group', encode('root:x:0:\nusers:x:100:\nextra:x:200:tester\n')),
    ...file('data/from-image', encode('from the image\n')),
    tarEnd(),
  ]);
}

export interface Typed {
  status: number;
  stdout: string;
  stderr: string;
}

/** What a test's terminal is. */
export interface TypedOptions {
  input?: Uint8Array | string;
  /** A terminal of that size; default: none. */
  terminal?: { columns: number; rows: number };
  /** Called with all of the output so far, each time there is more. */
  onOutput?: (text: string) => void;
}

/** A container host of a test's own. */
export function testHost({ memory = '256M' }: { memory?: string } = {}) {
  const hypervisor = new library.Hypervisor();
  const layer = busyboxLayer();
  const id = `sha256:${'b'.repeat(64)}` as const;
  const images = {
    rootfs: async (name: string) => {
      if (name !== 'busybox') throw new library.EngineError(404, `No such image: ${name}:latest`);
      return {
        id,
        config: {
          architecture: 'riscv64',
          os: 'linux',
          config: { Env: ['PATH=/bin', 'FROM_IMAGE=yes'], Cmd: ['sh'] },
          rootfs: { type: 'layers' as const, diff_ids: [id] },
        },
        layers: [{ kind: 'archive' as const, archive: layer, whiteouts: true }],
        diffIds: [id],
      };
    },
    inspect: () => Promise.reject(new library.EngineError(404, 'No such image')),
    pull: () => Promise.reject(new library.EngineError(404, 'pull access denied')),
    list: async () => [],
  };
  const volumes = new library.MemoryVolumes();
  const hosts: import('../../src/containers/engine/container-host.ts').ContainerHost[] = [];
  const engine = new library.ContainerEngine({
    images,
    volumes,
    startHost: async () => {
      const host = await library.ContainerHost.start({ hypervisor, memory });
      hosts.push(host);
      return host;
    },
  });

  /** Runs `docker ARGS`. */
  async function docker(args: readonly string[], options: TypedOptions = {}): Promise<Typed> {
    const decoder = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const text = { stdout: '', stderr: '' };
    const write = (stream: 'stdout' | 'stderr') => (data: Uint8Array | string) => {
      text[stream] += typeof data === 'string' ? data : decoder[stream].decode(data, { stream: true });
      options.onOutput?.(text.stdout + text.stderr);
    };
    const input = options.input ?? '';
    const io = {
      stdout: write('stdout'),
      stderr: write('stderr'),
      stdin: async function* () {
        const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
        if (bytes.length > 0) yield bytes;
        // A terminal does not end by itself.
        if (options.terminal !== undefined) await new Promise<void>(() => {});
      },
      stdinIsTerminal: options.terminal !== undefined,
      stdoutIsTerminal: options.terminal !== undefined,
      size: () => options.terminal,
      onResize: () => () => {},
      raw: () => () => {},
      onSignal: () => () => {},
      absolutePath: (path: string) => path,
      readText: () => Promise.reject(new Error('no files here')),
      writeText: () => Promise.reject(new Error('no files here')),
      environment: (name: string) => (name === 'FROM_HOST' ? 'host value' : undefined),
    };
    const status = await library.runDocker({ engine, images, lasting: true, io }, args);
    return { status, ...text };
  }
  const close = async () => {
    await engine.close();
    await hypervisor.destroyAll();
  };
  return { hypervisor, images, engine, volumes, hosts, docker, close };
}
