// Ethernet frames between the page and a worker, over the byte channels of both kinds: each frame behind its length.
import { FRAME_MAX } from '../network/ethernet-frame.ts';
import type { FrameLink, FrameListener } from '../network/frame-link.ts';
import type { ByteReader, ByteSender } from './byte-channel.ts';

/** Bytes of a frame's length, little-endian. */
const LENGTH_BYTES = 2;
/** Bytes under way above which the sender takes no more frames: what a ring holds, and as much again. */
export const FRAME_CHANNEL_BYTES = 1 << 18;

/** Both directions of a cable between two threads. */
export class FrameChannel implements FrameLink {
  onRoom: (() => void) | undefined;
  readonly #sender: ByteSender;
  readonly #reader: ByteReader;
  readonly #scratch = new Uint8Array(LENGTH_BYTES + FRAME_MAX);
  /** send() found no room since the last time there was. */
  #refused = false;

  constructor(sender: ByteSender, reader: ByteReader) {
    this.#sender = sender;
    this.#reader = reader;
    sender.onDrain = () => {
      if (!this.#refused || !this.#room) return;
      this.#refused = false;
      this.onRoom?.();
    };
  }

  get #room(): boolean {
    return this.#sender.undelivered <= FRAME_CHANNEL_BYTES;
  }

  /** @throws {RangeError} for a frame that is longer than any can be */
  send(frame: Uint8Array): boolean {
    if (!this.#room) {
      this.#refused = true;
      return false;
    }
    const scratch = this.#scratch;
    const { length } = frame;
    scratch[0] = length & 0xff;
    scratch[1] = length >> 8;
    scratch.set(frame, LENGTH_BYTES);
    this.#sender.send(scratch.subarray(0, LENGTH_BYTES + length));
    return true;
  }

  listen(listener: FrameListener): void {
    const frames = new FrameSplitter();
    this.#reader.listen((bytes) => {
      let pending: Promise<void> | undefined;
      frames.split(bytes, (frame) => {
        const answer = listener(frame);
        // Frames come in order: whoever has room for the last one has it for all.
        if (answer instanceof Promise) pending = answer;
      });
      return pending;
    });
  }

  close(): void {
    this.#sender.close();
    this.#reader.close();
  }
}

/** Puts frames together again, whatever pieces the channel cut the stream into. */
export class FrameSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** Frames in `bytes` and what was left over before it; they are parts of `bytes` where they can be. */
  split(bytes: Uint8Array, take: (frame: Uint8Array) => void): void {
    let stream = bytes;
    if (this.#rest.length > 0) {
      stream = new Uint8Array(this.#rest.length + bytes.length);
      stream.set(this.#rest);
      stream.set(bytes, this.#rest.length);
    }
    let at = 0;
    while (stream.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + stream[at]! + stream[at + 1]! * 256;
      if (end > stream.length) break;
      take(stream.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    this.#rest = stream.slice(at);
  }
}
