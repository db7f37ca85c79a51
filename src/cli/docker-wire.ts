// What passes between `hypertab docker` and a running `hypertab serve`: frames of u32 bytes that follow (big-endian),
// u8 kind, payload. Both are the same user's processes, and the socket is in a folder of that user alone.

/** From the command. */
export const TO_SERVER = { begin: 0, input: 1, inputEnd: 2, resize: 3, signal: 4 } as const;
/** To the command. */
export const TO_CLIENT = { stdout: 16, stderr: 17, wantInput: 18, raw: 19, signals: 20, exit: 21 } as const;

/** The first frame: what was typed, and where. */
export interface DockerBegin {
  args: string[];
  directory: string;
  environment: Record<string, string>;
  stdinIsTerminal: boolean;
  stdoutIsTerminal: boolean;
  size?: { columns: number; rows: number };
}

/** A longer frame is none of ours. */
const FRAME_MAX = 1 << 22;
const HEADER_BYTES = 5;

export function encodeFrame(kind: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const frame = Buffer.alloc(HEADER_BYTES + bytes.length);
  frame.writeUInt32BE(bytes.length + 1, 0);
  frame[4] = kind;
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

/** The frames in a stream. @throws {Error} for a length that cannot be */
export async function* readFrames(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ kind: number; payload: Buffer }> {
  let rest = Buffer.alloc(0);
  for await (const bytes of stream) {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt32BE(0);
      if (length < 1 || length > FRAME_MAX) throw new Error(`a frame of ${length} bytes`);
      if (rest.length < 4 + length) break;
      yield { kind: rest[4]!, payload: rest.subarray(HEADER_BYTES, 4 + length) };
      rest = rest.subarray(4 + length);
    }
  }
}
