// The block device: a drive over a back end. Virtio 1.2, section 5.2.
import type { StateReader, StateWriter } from '../../core/state-bytes.ts';
import type { BlockBackend, MaybeLater } from '../../storage/block-backend.ts';
import { after, inTurn } from '../../storage/maybe-later.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Chain } from '../chain.ts';
import { Pending } from '../pending.ts';
import { RateGate, RateLimiter } from '../rate-limiter.ts';
import { VIRTIO_ID_BLOCK, type VirtioDevice, type VirtioLink } from '../virtio-device.ts';
import {
  blockConfig,
  blockFeatures,
  QUEUE_SIZE,
  REQUEST_BYTES_MAX,
  REQUEST_HEADER_BYTES,
  SERIAL_BYTES,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
} from './block-config.ts';
import { type BlockRequest, type DriveLimits, type DriveRange, parseBlockRequest } from './block-request.ts';

const QUEUE = 0;
/** Bytes of requests that a back end answers later: no more are taken while these are under way. */
const LATER_BYTES_MAX = REQUEST_BYTES_MAX;
/** One portion of work: requests, or bytes. */
const PORTION_REQUESTS = 64;
const PORTION_BYTES = 1 << 20;
/** A buffer up to this size is kept for the next request. */
const KEPT_BYTES_MAX = 1 << 20;

/** What a drive has done since it was made. */
export interface BlockCounters {
  reads: number;
  readBytes: number;
  writes: number;
  writtenBytes: number;
  flushes: number;
  /** Requests that a back end failed. */
  errors: number;
}

/** Bytes and requests a second that a drive keeps to, in QEMU's words; absent or 0: as many as there are. */
export interface DriveRates {
  bps?: number;
  bpsRead?: number;
  bpsWrite?: number;
  iops?: number;
  iopsRead?: number;
  iopsWrite?: number;
}

export interface BlockDeviceOptions {
  name: string;
  backend: BlockBackend;
  /** Up to 20 bytes of ASCII: /dev/disk/by-id/virtio-SERIAL. */
  serial?: string;
  /** Told of every failure of the back end; the guest gets to know only that there was one. */
  onError?: (error: unknown) => void;
  /**
   * There is no room for what the guest writes. Where this is given, the guest is told nothing: what it asked for
   * waits, and so does what comes behind, until `retry` is called. Virtio has no status for it but a plain I/O error.
   */
  onFull?: (error: StorageError, retry: () => void) => void;
}

/** A request that found no room. */
interface HeldRequest {
  chain: Chain;
  request: BlockRequest;
  data: Uint8Array;
}

/**
 * A drive.
 *
 * Data goes through a buffer of the device's own: a back end may answer after a reset, and must neither read nor
 * write memory that is no longer the request's. After a reset, requests wait until those from before have ended, so
 * that no old write overtakes a new one.
 */
export class BlockDevice implements VirtioDevice {
  readonly name: string;
  readonly deviceId = VIRTIO_ID_BLOCK;
  readonly features: bigint;
  readonly queueSizes = [QUEUE_SIZE];
  readonly config: Uint8Array;
  readonly counters: BlockCounters = {
    reads: 0,
    readBytes: 0,
    writes: 0,
    writtenBytes: 0,
    flushes: 0,
    errors: 0,
  };
  readonly stateVersion = 1;
  readonly #backend: BlockBackend;
  readonly #serial: Uint8Array;
  readonly #onError: (error: unknown) => void;
  readonly #onFull: BlockDeviceOptions['onFull'];
  #link: VirtioLink | undefined;
  #limits: DriveLimits;
  /** Requests that the back end will answer later, and their bytes. */
  #later = 0;
  #laterBytes = 0;
  /** Of these, how many are from before the last reset. */
  #stale = 0;
  #life = 0;
  readonly #pending = new Pending();
  /** What waits for room, in the order in which it was asked for. */
  #held: HeldRequest[] = [];
  readonly #again = () => this.#retry();
  #kept: Uint8Array | undefined;
  readonly #gate = new RateGate();
  readonly #total = new RateLimiter();
  readonly #reading = new RateLimiter();
  readonly #writing = new RateLimiter();
  readonly #limiters = [this.#total, this.#reading, this.#writing];

  constructor(options: BlockDeviceOptions) {
    const { backend } = options;
    this.name = options.name;
    this.#backend = backend;
    this.#onError = options.onError ?? (() => {});
    this.#onFull = options.onFull;
    this.features = blockFeatures(backend.readonly);
    this.config = blockConfig(backend);
    this.#serial = new Uint8Array(SERIAL_BYTES);
    this.#serial.set(new TextEncoder().encode(options.serial ?? options.name).subarray(0, SERIAL_BYTES));
    this.#limits = { bytes: backend.bytes, readonly: backend.readonly, has: () => false };
  }

  /**
   * Rates to keep to from now on. Requests pass in their order: where reads have a rate of their own, writes behind
   * them wait with them.
   */
  set rates(rates: DriveRates) {
    this.#total.rates = { bytes: rates.bps, operations: rates.iops };
    this.#reading.rates = { bytes: rates.bpsRead, operations: rates.iopsRead };
    this.#writing.rates = { bytes: rates.bpsWrite, operations: rates.iopsWrite };
    this.#link?.wake(QUEUE);
  }

  attach(link: VirtioLink): void {
    this.#link = link;
    this.#limits = { ...this.#limits, has: (bit) => link.has(bit) };
  }

  serve(): boolean {
    const link = this.#link!;
    let bytes = 0;
    for (let count = 0; count < PORTION_REQUESTS && bytes < PORTION_BYTES; count++) {
      if (
        this.#held.length > 0 ||
        this.#stale > 0 ||
        this.#later >= QUEUE_SIZE ||
        this.#laterBytes >= LATER_BYTES_MAX
      )
        return false;
      if (!this.#gate.open(this.#limiters, () => this.#link?.wake(QUEUE))) return false;
      const chain = link.queue(QUEUE).pop();
      if (!chain) return false;
      if (chain.readableBytes < REQUEST_HEADER_BYTES || chain.writableBytes < 1) {
        link.fail('a request without room for its header or its status');
        return false;
      }
      bytes += this.#start(chain);
    }
    return true;
  }

  reset(): void {
    this.#life++;
    this.#stale = this.#later;
    this.#held = [];
  }

  /** @throws {StorageError} while requests wait for room: they are in no saved state */
  async quiesce(): Promise<void> {
    await this.#pending.settle();
    if (this.#held.length === 0) return;
    const why = 'there is no room for what the guest has written';
    throw new StorageError(
      'full',
      `${this.name}: ${why}; make room and resume the machine before it is saved`,
    );
  }

  /** What is on the drive is not part of it; that it is such a drive is. */
  saveState(writer: StateWriter): void {
    writer.count(this.#backend.bytes);
    writer.flag(this.#backend.readonly);
    writer.flag(this.#gate.waiting);
  }

  loadState(reader: StateReader): () => void {
    reader.match(reader.count(), this.#backend.bytes, 'drive of bytes');
    reader.match(reader.flag(), this.#backend.readonly, 'drive readonly');
    const waiting = reader.flag();
    return () => {
      // The rates of this machine decide how long.
      if (waiting) this.#link?.wake(QUEUE);
    };
  }

  /** Begins a request, and ends it if the back end answers at once. Returns the bytes it moves. */
  #start(chain: Chain): number {
    const request = parseBlockRequest(chain, this.#limits);
    const length = request.kind === 'read' || request.kind === 'write' ? request.length : 0;
    const buffer = length > 0 ? this.#takeBuffer(length) : EMPTY;
    const data = buffer.subarray(0, length);
    if (request.kind === 'write') chain.read(REQUEST_HEADER_BYTES, data);
    this.#count(request);
    if (this.#try({ chain, request, data })) this.#giveBuffer(buffer);
    return length;
  }

  /** Does what is asked for; true when it has been done or has failed, and its buffer is free again. */
  #try(held: HeldRequest): boolean {
    const { chain, request, data } = held;
    let answer: MaybeLater;
    try {
      answer = this.#perform(request, data);
    } catch (error) {
      return this.#fail(held, error);
    }
    if (answer !== undefined) {
      this.#await(answer, held);
      return false;
    }
    this.#succeed(chain, request, data);
    return true;
  }

  /** There may be room now: what waits is done, in its order. */
  #retry(): void {
    const waiting = this.#held;
    this.#held = [];
    for (const held of waiting) {
      // No later one overtakes one that still finds no room.
      if (this.#held.length > 0 || !held.chain.current) {
        if (held.chain.current) this.#held.push(held);
      } else this.#try(held);
    }
    this.#link?.wake(QUEUE);
  }

  #perform(request: BlockRequest, data: Uint8Array): MaybeLater {
    const backend = this.#backend;
    switch (request.kind) {
      case 'read':
        return backend.read(request.offset, data);
      case 'write': {
        const written = backend.write(request.offset, data);
        // Section 5.2.6.2: a driver that cannot ask for a flush relies on every write being durable.
        return this.#limits.has(VIRTIO_BLK_F_FLUSH) ? written : after(written, () => backend.flush());
      }
      case 'flush':
        return backend.readonly ? undefined : backend.flush();
      case 'discard':
        return eachRange(request.ranges, ({ offset, length }) => backend.discard(offset, length));
      case 'write-zeroes':
        return eachRange(request.ranges, ({ offset, length }) => backend.writeZeroes(offset, length));
      case 'serial':
      case 'refused':
        return undefined;
    }
  }

  #await(answer: Promise<void>, held: HeldRequest): void {
    const { chain, request, data } = held;
    const life = this.#life;
    this.#later++;
    this.#laterBytes += data.length;
    const ended = () => {
      this.#later--;
      this.#laterBytes -= data.length;
      if (life !== this.#life) this.#stale--;
      this.#link?.wake(QUEUE);
    };
    const done = answer.then(
      () => {
        this.#succeed(chain, request, data);
        ended();
      },
      (error: unknown) => {
        this.#fail(held, error);
        ended();
      },
    );
    this.#pending.add(done);
  }

  #succeed(chain: Chain, request: BlockRequest, data: Uint8Array): void {
    if (request.kind === 'read') chain.write(0, data);
    if (request.kind === 'serial') chain.write(0, this.#serial.subarray(0, chain.writableBytes - 1));
    this.#end(chain, request.kind === 'refused' ? request.status : VIRTIO_BLK_S_OK);
  }

  /** True when the request has ended; false when it waits for room. */
  #fail(held: HeldRequest, error: unknown): boolean {
    const { chain } = held;
    this.counters.errors++;
    if (this.#onFull !== undefined && isFull(error) && chain.current) {
      this.#held.push(held);
      this.#onFull(error, this.#again);
      return false;
    }
    this.#onError(error);
    this.#end(chain, VIRTIO_BLK_S_IOERR);
    return true;
  }

  /** The status is the last byte the driver reads. */
  #end(chain: Chain, status: number): void {
    chain.write(chain.writableBytes - 1, STATUS_BYTES[status]!);
    chain.finish(chain.writableBytes);
  }

  #count(request: BlockRequest): void {
    const { counters } = this;
    if (request.kind === 'read' || request.kind === 'write') {
      this.#total.take(request.length);
      (request.kind === 'read' ? this.#reading : this.#writing).take(request.length);
    }
    if (request.kind === 'read') {
      counters.reads++;
      counters.readBytes += request.length;
    } else if (request.kind === 'write') {
      counters.writes++;
      counters.writtenBytes += request.length;
    } else if (request.kind === 'flush') counters.flushes++;
  }

  #takeBuffer(length: number): Uint8Array {
    const kept = this.#kept;
    if (kept && kept.length >= length) {
      this.#kept = undefined;
      return kept;
    }
    return new Uint8Array(length);
  }

  #giveBuffer(buffer: Uint8Array): void {
    if (buffer.length > (this.#kept?.length ?? 0) && buffer.length <= KEPT_BYTES_MAX) this.#kept = buffer;
  }
}

const isFull = (error: unknown): error is StorageError =>
  error instanceof StorageError && error.kind === 'full';

const EMPTY = new Uint8Array(0);
const STATUS_BYTES = [VIRTIO_BLK_S_OK, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_UNSUPP].map((status) =>
  Uint8Array.of(status),
);

function eachRange(ranges: readonly DriveRange[], step: (range: DriveRange) => MaybeLater): MaybeLater {
  return inTurn(ranges.length, (index) => step(ranges[index]!));
}
