// The entropy device. Virtio 1.2, section 5.4.
import type { StateReader, StateWriter } from '../core/state-bytes.ts';
import { VIRTIO_ID_ENTROPY, type VirtioDevice, type VirtioLink } from './virtio-device.ts';

const QUEUE_SIZE = 64;
/** Bytes given for one request: a driver that wants more asks again. */
const REQUEST_BYTES_MAX = 4096;

/** Where random bytes come from. */
export interface RandomSource {
  next(length: number): Uint8Array;
  /** Of a sequence that can be repeated: 32 bits that tell how far it is. It goes on from what it is set to. */
  position?: number;
}

/** Fills what the driver offers with random bytes. */
export class EntropyDevice implements VirtioDevice {
  readonly name = 'entropy';
  readonly deviceId = VIRTIO_ID_ENTROPY;
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE];
  readonly config = new Uint8Array(0);
  readonly stateVersion = 1;
  readonly #random: RandomSource;
  #link: VirtioLink | undefined;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  serve(queue: number): boolean {
    const chain = this.#link?.queue(queue).pop();
    if (!chain) return false;
    const length = Math.min(chain.writableBytes, REQUEST_BYTES_MAX);
    chain.finish(chain.write(0, this.#random.next(length)));
    return true;
  }

  reset(): void {}

  /** Only a sequence that is to be repeated is a state: real randomness must not come twice. */
  saveState(writer: StateWriter): void {
    writer.optional(this.#random.position, (position) => writer.u32(position));
  }

  loadState(reader: StateReader): () => void {
    const position = reader.optional(() => reader.u32());
    return () => {
      if (position !== undefined && this.#random.position !== undefined) this.#random.position = position;
    };
  }
}
