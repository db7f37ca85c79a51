// The file-system device. Virtio 1.2, section 5.11.
import type { StateReader, StateWriter } from '../../core/state-bytes.ts';
import type { FileSystem } from '../../storage/tree/file-system.ts';
import type { Chain } from '../chain.ts';
import { Pending } from '../pending.ts';
import { VIRTIO_ID_FS, type VirtioDevice, type VirtioLink } from '../virtio-device.ts';
import { FuseServer, type FuseServerOptions } from './fuse-server.ts';

/** Section 5.11.4: struct virtio_fs_config. */
const TAG_BYTES = 36;
const CONFIG_BYTES = TAG_BYTES + 4;
/** Section 5.11.2: what must not wait behind other requests (FORGET, INTERRUPT), and one queue for those. */
const HIGH_PRIORITY_QUEUE_SIZE = 128;
/** Linux splits reads and writes so that their pages fit the queue: 1 MiB takes 256 descriptors and a few more. */
const REQUEST_QUEUE_SIZE = 512;

/** Shows a tree of files to the guest under a tag: `mount -t virtiofs TAG DIRECTORY`. */
export class FsDevice implements VirtioDevice {
  readonly name: string;
  readonly deviceId = VIRTIO_ID_FS;
  readonly features = 0n;
  readonly queueSizes = [HIGH_PRIORITY_QUEUE_SIZE, REQUEST_QUEUE_SIZE];
  readonly config = new Uint8Array(CONFIG_BYTES);
  readonly stateVersion = 1;
  readonly #server: FuseServer;
  readonly #later = new Pending();
  #link: VirtioLink | undefined;

  /** @throws RangeError for a tag that is empty or longer than 36 bytes */
  constructor(tag: string, tree: FileSystem, options: FuseServerOptions = {}) {
    const bytes = new TextEncoder().encode(tag);
    if (bytes.length === 0 || bytes.length > TAG_BYTES) {
      throw new RangeError(`the tag '${tag}' has ${bytes.length} bytes; a share's tag has 1 to ${TAG_BYTES}`);
    }
    this.name = `share ${tag}`;
    this.config.set(bytes);
    new DataView(this.config.buffer).setUint32(TAG_BYTES, this.queueSizes.length - 1, true);
    this.#server = new FuseServer(tree, options);
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  serve(queue: number): boolean {
    const chain = this.#link?.queue(queue).pop();
    if (!chain) return false;
    const answer = this.#server.handle(chain.readable, chain.writable);
    if (typeof answer === 'number') chain.finish(answer);
    else this.#later.add(answer.then((reply) => finishLater(chain, reply)));
    return true;
  }

  async quiesce(): Promise<void> {
    await this.#server.settle();
    await this.#later.settle();
  }

  reset(): void {
    this.#server.reset();
  }

  saveState(writer: StateWriter): void {
    writer.block(this.config);
    this.#server.saveState(writer);
  }

  loadState(reader: StateReader): () => void {
    const decoder = new TextDecoder();
    reader.match(decoder.decode(reader.block(CONFIG_BYTES)), decoder.decode(this.config), 'the tag');
    return this.#server.loadState(reader);
  }
}

/** The guest's memory may have become something else meanwhile: then nothing is written. */
function finishLater(chain: Chain, reply: Uint8Array): void {
  if (chain.current) chain.finish(chain.write(0, reply));
}
