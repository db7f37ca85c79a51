// A one-way stream of bytes between the page and a worker. Two implementations stand behind this interface:
// a ring in shared memory (ring-channel.ts) and messages with acknowledgements (message-channel.ts).
import { MessageByteReader, MessageByteSender } from './message-channel.ts';
import { createRing, RingByteReader, RingByteSender } from './ring-channel.ts';

/** The writing end. It never blocks and never loses bytes: what does not fit waits in its queue. */
export interface ByteSender {
  /** Queues a copy of `bytes` for the other end. */
  send(bytes: Uint8Array): void;
  /** Bytes sent that the other end has not taken yet: the producer stops while this is large. */
  readonly undelivered: number;
  /** Bytes sent since the channel was opened. */
  readonly sent: number;
  /** Called when `undelivered` has become smaller. */
  onDrain: (() => void) | undefined;
  close(): void;
}

/** Takes bytes; while the promise it returns is pending, it is given no more. */
export type ByteListener = (bytes: Uint8Array) => void | Promise<void>;

/** The reading end. Bytes arrive in order, once the listener is set. */
export interface ByteReader {
  listen(listener: ByteListener): void;
  /** Bytes the listener has finished with. */
  readonly received: number;
  /** Resolves once `received` has reached `total` (or the channel is closed). */
  whenReceived(total: number): Promise<void>;
  close(): void;
}

/** One end of a channel, as it is posted to the other thread. */
export type ChannelEnd =
  | { kind: 'ring'; ring: SharedArrayBuffer; port: MessagePort }
  | { kind: 'messages'; port: MessagePort };

/** True where memory can be shared between this thread and its workers. */
export function canShareMemory(): boolean {
  const scope = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer === 'function' && scope.crossOriginIsolated !== false;
}

/** Makes the two ends of a channel; either may write or read, but each only one of the two. */
export function createChannel(shared: boolean): [ChannelEnd, ChannelEnd] {
  const { port1, port2 } = new MessageChannel();
  if (!shared) {
    return [
      { kind: 'messages', port: port1 },
      { kind: 'messages', port: port2 },
    ];
  }
  const ring = createRing();
  return [
    { kind: 'ring', ring, port: port1 },
    { kind: 'ring', ring, port: port2 },
  ];
}

/** Opens an end for writing. */
export function openSender(end: ChannelEnd): ByteSender {
  return end.kind === 'ring' ? new RingByteSender(end.ring, end.port) : new MessageByteSender(end.port);
}

/** Opens an end for reading. */
export function openReader(end: ChannelEnd): ByteReader {
  return end.kind === 'ring' ? new RingByteReader(end.ring, end.port) : new MessageByteReader(end.port);
}
