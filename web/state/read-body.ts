type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes asked for behind what was announced, to see whether there is more. */
const PROBE_BYTES = 1 << 16;

/**
 * Reads a response to its end, into a buffer that holds nothing else.
 *
 * The bytes are read where they will stay, where the browser can do that: else as many again wait to be collected.
 * @param expected bytes that it should have; it may have more or fewer
 */
export async function readBody(
  response: Response,
  expected: number,
  onReceived: (bytes: number) => void,
): Promise<Bytes> {
  const { body } = response;
  if (body === null) return new Uint8Array();
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: 'byob' });
  } catch {
    return readPieces(body.getReader(), expected, onReceived);
  }
  let whole: Bytes = new Uint8Array(expected);
  let length = 0;
  for (;;) {
    const full = length === whole.length;
    const { done, value } = await reader.read(full ? new Uint8Array(PROBE_BYTES) : whole.subarray(length));
    // A buffer that is read into moves: from here on it is the one that comes back.
    if (!full && value !== undefined) whole = new Uint8Array(value.buffer);
    if (done) break;
    if (full) whole = append(whole, length, value);
    length += value.length;
    onReceived(value.length);
  }
  return length === whole.length ? whole : whole.slice(0, length);
}

async function readPieces(
  reader: ReadableStreamDefaultReader<Bytes>,
  expected: number,
  onReceived: (bytes: number) => void,
): Promise<Bytes> {
  let whole: Bytes = new Uint8Array(expected);
  let length = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    whole = append(whole, length, step.value);
    length += step.value.length;
    onReceived(step.value.length);
  }
  return length === whole.length ? whole : whole.slice(0, length);
}

/** Puts a piece behind the first `length` bytes, in a larger buffer where there is no room. */
function append(whole: Bytes, length: number, piece: Uint8Array): Bytes {
  let bytes = whole;
  if (length + piece.length > whole.length) {
    bytes = new Uint8Array(Math.max(2 * length, length + piece.length));
    bytes.set(whole.subarray(0, length));
  }
  bytes.set(piece, length);
  return bytes;
}
