/** Frames that wait for room, bounded in number and bytes. First in, first out. */
export class FrameQueue {
  readonly maxFrames: number;
  readonly maxBytes: number;
  #frames: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxFrames: number, maxBytes: number) {
    this.maxFrames = maxFrames;
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.#frames.length - this.#head;
  }

  /** All frames, the oldest first; they stay. */
  get all(): readonly Uint8Array[] {
    return this.#frames.slice(this.#head);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest frame, which stays. */
  get first(): Uint8Array | undefined {
    return this.#frames[this.#head];
  }

  /** Adds a frame; false when there is no room for it. */
  push(frame: Uint8Array): boolean {
    if (this.length >= this.maxFrames || this.#bytes + frame.length > this.maxBytes) return false;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    return true;
  }

  /** Removes the oldest frame. */
  shift(): Uint8Array | undefined {
    const frame = this.#frames[this.#head];
    if (frame === undefined) return undefined;
    this.#bytes -= frame.length;
    this.#head++;
    // Dropping the used front now and then keeps shifting linear over the queue's life.
    if (this.length === 0 || (this.#head >= 64 && this.#head * 2 >= this.#frames.length)) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }

  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
