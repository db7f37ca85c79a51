// What a container has written, as a layer of an image: the upper directory of its overlay, with the marks of overlayfs
// turned into those of archives (OCI image-spec, layer.md, "Whiteouts").
import { bytesOf, toText } from '../../storage/tree/byte-name.ts';
import {
  readPaxRecords,
  readTarHeader,
  TAR_BLOCK,
  tarPadding,
  tarText,
} from '../../storage/tree/tar-header.ts';
import { concat, tarEnd, tarHeader } from '../images/tar-writer.ts';
import type { Container } from './container.ts';
import { type ContainerRuntime, placesOf } from './container-runtime.ts';
import { EngineError } from './engine-error.ts';

/** Empty files that the runtime makes to mount its own on. */
const MOUNT_POINTS = new Set(['etc/hosts', 'etc/hostname', 'etc/resolv.conf']);
const HEADER_MAX = 1 << 20;

/**
 * A path a line: what is below, but hidden by a directory that replaced the one below (overlayfs marks it opaque in an
 * attribute that no program of ours reads). Not there in the whole, and no whiteout of its own says so.
 */
const HIDDEN = `cd "$1" || exit; whole=$2; shift 2
find . -type d | while IFS= read -r directory; do
  for layer; do
    if [ ! -d "$layer/$directory" ] || [ -L "$layer/$directory" ]; then continue; fi
    ls -A "$layer/$directory" | while IFS= read -r name; do
      path=$directory/$name
      if [ -e "$whole/$path" ] || [ -L "$whole/$path" ] || [ -c "$path" ]; then continue; fi
      for above; do
        if [ "$above" = "$layer" ]; then echo "$path"; break; fi
        if [ -c "$above/$path" ]; then break; fi
      done
    done
  done
done | sort -u`;

/** Runs BusyBox in the container host and hands its output on. */
function busybox(
  runtime: ContainerRuntime,
  args: readonly string[],
  onData: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let errors = '';
    // The program may have ended before what it wrote has been taken.
    let taken: Promise<void> = Promise.resolve();
    const decoder = new TextDecoder();
    runtime.host.agent.spawn(
      { program: '/usr/bin/busybox', arguments: args, environment: ['PATH=/usr/bin'] },
      {
        output: (stream, bytes) => {
          if (stream === 'stdout') {
            taken = taken.then(() => onData(bytes));
            return taken;
          }
          if (errors.length < 1000) errors += decoder.decode(bytes, { stream: true });
          return undefined;
        },
        exited: ({ code }) => {
          if (code === 0) taken.then(resolve, reject);
          else reject(new EngineError(500, `cannot read the layer: ${errors.trim()}`));
        },
        failed: (error) => reject(new EngineError(500, error.message, { cause: error })),
      },
    );
  });
}

/** Hands the layer on, piece by piece: a tar archive. */
export async function writtenLayer(
  { id, image }: Container,
  runtime: ContainerRuntime,
  onData: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { upper, rootfs } = placesOf(id);
  const layers = await runtime.layerPlaces(image.diffIds);
  let hidden = '';
  const decoder = new TextDecoder();
  await busybox(runtime, ['sh', '-c', HIDDEN, 'sh', upper, rootfs, ...layers], (bytes) => {
    hidden += decoder.decode(bytes, { stream: true });
  });
  const rewriter = new LayerRewriter();
  await busybox(runtime, ['tar', '-cf', '-', '-C', upper, '.'], async (bytes) => {
    for (const piece of rewriter.push(bytes)) await onData(piece);
  });
  for (const line of hidden.split('\n')) {
    const path = line.replace(/^(?:\.\/)+/, '');
    if (path !== '') await onData(tarHeader({ path: whiteoutOf(path), type: 'file', mode: 0 }));
  }
  await onData(tarEnd());
}

const whiteoutOf = (path: string) => path.replace(/([^/]+)$/, '.wh.$1');

/** Passes an archive through, entry by entry; a character device 0:0 becomes a whiteout. The end is left out. */
export class LayerRewriter {
  private held: Uint8Array = new Uint8Array();
  /** Bytes of data and padding that are passed as they are. */
  private left = 0;
  private passing = true;
  private ended = false;
  /** Headers that are about the next entry, and the name they give it. */
  private before: Uint8Array[] = [];
  private name: string | undefined;

  /** @throws {EngineError} 500 for what is no archive */
  push(bytes: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = [];
    let rest = this.held.length === 0 ? bytes : concat([this.held, bytes]);
    while (!this.ended && rest.length > 0) {
      if (this.left > 0) {
        const part = rest.subarray(0, this.left);
        if (this.passing) out.push(part.slice());
        this.left -= part.length;
        rest = rest.subarray(part.length);
        continue;
      }
      const taken = this.entry(rest, out);
      if (taken === 0) break;
      rest = rest.subarray(taken);
    }
    this.held = this.ended ? new Uint8Array() : rest.slice();
    return out;
  }

  /** Reads a header; answers how many bytes it took, 0 when more are needed. */
  private entry(rest: Uint8Array, out: Uint8Array[]): number {
    if (rest.length < TAR_BLOCK) return 0;
    const block = rest.subarray(0, TAR_BLOCK);
    const header = readTarHeader(block);
    if (header === undefined) {
      this.ended = true;
      return TAR_BLOCK;
    }
    const padded = header.size + tarPadding(header.size);
    if ('LKxg'.includes(header.type)) {
      if (header.size > HEADER_MAX) throw new EngineError(500, 'the layer has a header that is too large');
      if (rest.length < TAR_BLOCK + padded) return 0;
      const data = rest.subarray(TAR_BLOCK, TAR_BLOCK + header.size);
      this.before.push(rest.slice(0, TAR_BLOCK + padded));
      if (header.type === 'L') this.name = tarText(data);
      else if (header.type === 'x') this.name = readPaxRecords(data).get('path') ?? this.name;
      return TAR_BLOCK + padded;
    }
    const path = (this.name ?? header.name).replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
    const isWhiteout = header.type === '3' && header.major === 0 && header.minor === 0;
    const isOurs = path === '' || path === '.' || (MOUNT_POINTS.has(path) && header.size === 0);
    this.left = header.type === '1' || header.type === '2' ? 0 : padded;
    this.passing = !isWhiteout && !isOurs;
    if (isWhiteout) {
      const { uid, gid, mtime } = header;
      const text = toText(path) ?? new TextDecoder().decode(bytesOf(path));
      out.push(tarHeader({ path: whiteoutOf(text), type: 'file', mode: 0, uid, gid, mtime }));
    } else if (!isOurs) out.push(...this.before, block.slice());
    this.before = [];
    this.name = undefined;
    return TAR_BLOCK;
  }
}
