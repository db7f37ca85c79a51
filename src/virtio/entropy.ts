// The entropy device. Virtio 1.2, section 5.4.
import { VIRTIO_ID_ENTROPY, type VirtioDevice, type VirtioLink } from './virtio-device.ts';

const QUEUE_SIZE = 64;
/** Bytes given for one request: a driver that wants more asks again. */
const REQUEST_BYTES_MAX = 4096;

/** Fills what the driver offers with random bytes. */
export class EntropyDevice implements VirtioDevice {
  readonly name = 'entropy';
  readonly deviceId = VIRTIO_ID_ENTROPY;
  readonly features = 0n;
  readonly queueSizes = [QUEUE_SIZE];
  readonly config = new Uint8Array(0);
  readonly #random: (length: number) => Uint8Array;
  #link: VirtioLink | undefined;

  constructor(random: (length: number) => Uint8Array) {
    this.#random = random;
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  serve(queue: number): boolean {
    const chain = this.#link?.queue(queue).pop();
    if (!chain) return false;
    const length = Math.min(chain.writableBytes, REQUEST_BYTES_MAX);
    chain.finish(chain.write(0, this.#random(length)));
    return true;
  }

  reset(): void {}
}
