// Frames on the channel to the container host's agent: guests/container-host/agent/wire.h has the other side, and says
// what each kind holds.

export const PROTOCOL_VERSION = 4;
export const HEADER_BYTES = 13;
/** Bytes that one frame may have behind its length. */
export const FRAME_MAX = 128 * 1024;

/** Kinds of requests. */
export const REQUEST = {
  MAKE_DIRECTORY: 1,
  WRITE_FILE: 2,
  READ_FILE: 3,
  MOUNT: 4,
  UNMOUNT: 5,
  REMOVE: 6,
  LIST: 7,
  SPAWN: 8,
  SIGNAL: 9,
  INPUT: 10,
  END_INPUT: 11,
  RESIZE: 12,
  CREDIT: 13,
  BRIDGE: 14,
  NETWORK: 15,
  LINK: 16,
  POWER_OFF: 17,
  REMOVE_DIRECTORY: 18,
  GREET: 19,
} as const;

/** Kinds of answers. */
export const REPLY = {
  ANSWER: 128,
  ERROR: 129,
  OUTPUT: 130,
  STARTED: 131,
  EXITED: 132,
  ACCEPTED: 133,
  HELLO: 134,
} as const;

export const SPAWN_INPUT = 1;
export const SPAWN_TERMINAL = 2;
export const SPAWN_FOLLOW = 4;
export const SPAWN_STAYS = 8;

/** Bytes of a process's output, and of input for it, that may be on their way. */
export const WINDOW = 256 * 1024;
export const INPUT_WINDOW = 64 * 1024;

/** A frame from the guest: hostile until its payload has been read with a PayloadReader. */
export interface Frame {
  call: number;
  kind: number;
  payload: Uint8Array<ArrayBuffer>;
}

/** The other side does not keep to the protocol, or has gone. */
export class AgentLostError extends Error {
  override readonly name = 'AgentLostError';
}

const encoder = new TextEncoder();

/** Writes a payload, field by field. */
export class PayloadWriter {
  readonly #parts: Uint8Array[] = [];

  u32(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.#parts.push(bytes);
    return this;
  }

  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }

  /** @throws {TypeError} for a text with a zero in it, which no system call takes */
  string(text: string): this {
    const bytes = encoder.encode(text);
    if (bytes.includes(0))
      throw new TypeError('a NUL character cannot be part of a name, argument or variable');
    this.u32(bytes.length).bytes(bytes);
    return this.bytes(new Uint8Array(1));
  }

  strings(texts: readonly string[]): this {
    this.u32(texts.length);
    for (const text of texts) this.string(text);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  /** The whole frame. @throws {RangeError} when it would be too long */
  frame(call: number, batch: number, kind: number): Uint8Array<ArrayBuffer> {
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (length + HEADER_BYTES - 4 > FRAME_MAX) {
      throw new RangeError(`a request of ${length} bytes is more than the container host takes at once`);
    }
    const frame = new Uint8Array(HEADER_BYTES + length);
    const view = new DataView(frame.buffer);
    view.setUint32(0, length + HEADER_BYTES - 4, true);
    view.setUint32(4, call, true);
    view.setUint32(8, batch, true);
    frame[12] = kind;
    let at = HEADER_BYTES;
    for (const part of this.#parts) {
      frame.set(part, at);
      at += part.length;
    }
    return frame;
  }
}

/** Reads a payload of the guest's, field by field. Throws AgentLostError for one that is too short. */
export class PayloadReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#take(1)[0]!;
  }

  u32(): number {
    const bytes = this.#take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** A string of bytes that need not be UTF-8: what is not becomes U+FFFD. */
  string(): string {
    const text = new TextDecoder().decode(this.#take(this.u32()));
    this.#take(1);
    return text;
  }

  rest(): Uint8Array<ArrayBuffer> {
    return this.#take(this.left);
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    if (count > this.left) throw new AgentLostError('the container host sent an answer that is too short');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}

/** Cuts a stream of bytes into frames. */
export class FrameDecoder {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** The frames that are whole now. @throws {AgentLostError} for a length that cannot be */
  push(bytes: Uint8Array): Frame[] {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer);
    const frames: Frame[] = [];
    let at = 0;
    while (all.length - at >= HEADER_BYTES) {
      const length = view.getUint32(at, true);
      if (length < HEADER_BYTES - 4 || length > FRAME_MAX) {
        throw new AgentLostError(`the container host sent a frame of ${length} bytes, which cannot be`);
      }
      if (all.length - at - 4 < length) break;
      frames.push({
        call: view.getUint32(at + 4, true),
        kind: all[at + 12]!,
        payload: all.slice(at + HEADER_BYTES, at + 4 + length),
      });
      at += 4 + length;
    }
    this.#rest = all.slice(at);
    return frames;
  }
}
