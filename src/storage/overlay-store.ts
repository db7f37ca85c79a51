// The durable side of an overlay: which chunk is where, kept so that it survives being killed at any instant.
import type { BlockBackend } from './block-backend.ts';
import { crc32c } from './crc32c.ts';
import {
  DEFAULT_CHUNK_BYTES,
  JOURNAL_BYTES,
  JOURNAL_START,
  LARGEST_CHUNK_BYTES,
  type OverlayLayout,
  overlayLayout,
  overlayStoreBytes,
  SMALLEST_CHUNK_BYTES,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_STEP,
  ZERO,
} from './overlay-layout.ts';
import {
  decodeCheckpoint,
  decodeRecord,
  decodeSuperblock,
  encodeCheckpoint,
  encodeRecord,
  encodeSuperblock,
  hasMagic,
  isUnwritten,
  recordBytes,
  type SnapshotMap,
  type Superblock,
  shortIdentity,
} from './overlay-metadata.ts';
import { StorageError } from './storage-error.ts';

export interface OverlayStoreOptions {
  /** Size of a chunk in a new overlay, a power of two from 4 KiB to 4 MiB. Default 64 KiB. */
  chunkBytes?: number;
  /** What to call it in errors. */
  name?: string;
}

/** What was found on a store. */
export interface StoredMaps {
  /** The live map's runs, without a name, then the snapshots. */
  maps: SnapshotMap[];
  /** Changes of the live map since then: pairs of chunk and slot. */
  changes: Uint32Array[];
}

const area = (epoch: number) => (epoch % 2 === 1 ? 0 : 1);

/** Superblocks, checkpoints and journal of an overlay. */
export class OverlayStore {
  readonly layout: OverlayLayout;
  readonly store: BlockBackend;
  readonly slots: number;
  readonly #name: string;
  #superblock: Superblock;
  #sequence = 0;
  #journalEnd = 0;
  /** A superblock whose writing failed: it may be there or not, and must not be when a record follows. */
  #doubtful: number | undefined;

  private constructor(store: BlockBackend, superblock: Superblock, name: string) {
    this.store = store;
    this.#superblock = superblock;
    this.#name = name;
    this.layout = overlayLayout(superblock.baseBytes, superblock.chunkBytes);
    this.slots = Math.max(0, Math.floor((store.bytes - this.layout.dataStart) / superblock.chunkBytes));
  }

  /**
   * Finds the overlay on a store, or begins one where nothing was ever written.
   * @throws {StorageError} corrupt, when the store holds something else, is damaged or belongs to another base
   */
  static async open(
    base: BlockBackend,
    store: BlockBackend,
    options: OverlayStoreOptions = {},
  ): Promise<[OverlayStore, StoredMaps]> {
    const name = options.name ?? 'the overlay';
    const blocks = [new Uint8Array(SUPERBLOCK_BYTES), new Uint8Array(SUPERBLOCK_BYTES)] as const;
    if (store.bytes < JOURNAL_START + JOURNAL_BYTES) throw tooSmall(name, base.bytes, options.chunkBytes);
    await store.read(0, blocks[0]);
    await store.read(SUPERBLOCK_STEP, blocks[1]);
    const found = blocks.map(decodeSuperblock);
    const newer = found.find((block) => block !== undefined && 'version' in block);
    if (newer !== undefined && 'version' in newer) {
      throw new StorageError(
        'corrupt',
        `${name} has format ${newer.version}, which this version cannot read`,
      );
    }
    const superblock = (found as (Superblock | undefined)[])
      .filter((block) => block !== undefined)
      .sort((a, b) => b.epoch - a.epoch)[0];
    if (superblock === undefined) {
      // The first superblock goes to the first place: killed while it was written, nothing was there yet.
      const isNew = isUnwritten(blocks[1]) && (isUnwritten(blocks[0]) || hasMagic(blocks[0]));
      if (!isNew) {
        throw new StorageError(
          'corrupt',
          `${name} is damaged or no overlay at all; delete it or give another one`,
        );
      }
      return OverlayStore.#create(base, store, options, name);
    }
    if (superblock.baseBytes !== base.bytes) {
      throw new StorageError(
        'corrupt',
        `${name} belongs to a drive of ${superblock.baseBytes} bytes, this one has ${base.bytes}; ` +
          'give the drive it was made for or delete it',
      );
    }
    const identity = shortIdentity(base.identity);
    if (superblock.identity !== identity && !superblock.isCommitting) {
      throw new StorageError(
        'corrupt',
        `the drive under ${name} has changed since (it was ${superblock.identity || 'unnamed'}, ` +
          `it is ${identity || 'unnamed'}); restore it, or delete the overlay and lose what it holds`,
      );
    }
    const self = new OverlayStore(store, superblock, name);
    return [self, await self.#load()];
  }

  static async #create(
    base: BlockBackend,
    store: BlockBackend,
    options: OverlayStoreOptions,
    name: string,
  ): Promise<[OverlayStore, StoredMaps]> {
    const chunkBytes = options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
    const isPower = Number.isInteger(Math.log2(chunkBytes));
    if (!isPower || chunkBytes < SMALLEST_CHUNK_BYTES || chunkBytes > LARGEST_CHUNK_BYTES) {
      throw new StorageError(
        'io',
        `${chunkBytes} bytes is no chunk size: give a power of two from 4 KiB to 4 MiB`,
      );
    }
    const superblock: Superblock = {
      chunkBytes,
      baseBytes: base.bytes,
      epoch: 0,
      checkpointLength: 0,
      checkpointCrc: 0,
      identity: shortIdentity(base.identity),
      isCommitting: false,
    };
    const self = new OverlayStore(store, superblock, name);
    if (self.slots < 1) throw tooSmall(name, base.bytes, chunkBytes);
    // Room for the journal is taken now, so that a full disk cannot keep changes from being recorded.
    await store.write(JOURNAL_START, new Uint8Array(JOURNAL_BYTES));
    const maps: SnapshotMap[] = [{ name: '', runs: new Uint32Array() }];
    await self.writeCheckpoint(maps);
    return [self, { maps, changes: [] }];
  }

  /** A commit was begun and not ended: the base may hold some of the changes. */
  get isCommitting(): boolean {
    return this.#superblock.isCommitting;
  }

  /** Something that failed may have reached the store: flush() has to take it back. */
  get isDoubtful(): boolean {
    return this.#doubtful !== undefined;
  }

  /** Makes what the store was given so far durable. */
  async flush(): Promise<void> {
    await this.#settle();
    await this.store.flush();
  }

  /**
   * Makes what the store was given so far durable, then changes of the live map.
   * @returns false when the journal has no room for them: write a checkpoint instead
   */
  async writeChanges(changes: Uint32Array): Promise<boolean> {
    const length = recordBytes(changes.length / 2);
    if (this.#journalEnd + length > JOURNAL_BYTES) return false;
    await this.flush();
    const record = encodeRecord(this.#superblock.epoch, this.#sequence, changes);
    await this.store.write(JOURNAL_START + this.#journalEnd, record);
    await this.store.flush();
    this.#sequence++;
    this.#journalEnd += length;
    return true;
  }

  /** Makes what the store was given so far durable, then all maps; the journal is empty afterwards. */
  async writeCheckpoint(maps: readonly SnapshotMap[], change: Partial<Superblock> = {}): Promise<void> {
    const bytes = encodeCheckpoint(maps);
    if (bytes.length > this.layout.checkpointBytes) {
      throw new StorageError('full', `${this.#name} has no room for so many snapshots; delete some`);
    }
    const next: Superblock = {
      ...this.#superblock,
      ...change,
      epoch: this.#superblock.epoch + 1,
      checkpointLength: bytes.length,
      checkpointCrc: crc32c(bytes),
    };
    const place = area(next.epoch);
    await this.#settle();
    await this.store.write(this.layout.checkpointStart[place], bytes);
    await this.store.flush();
    this.#doubtful = place;
    await this.store.write(place * SUPERBLOCK_STEP, encodeSuperblock(next));
    await this.store.flush();
    this.#doubtful = undefined;
    this.#superblock = next;
    this.#sequence = 0;
    this.#journalEnd = 0;
  }

  /** Takes back a superblock whose writing failed. */
  async #settle(): Promise<void> {
    if (this.#doubtful === undefined) return;
    await this.store.write(this.#doubtful * SUPERBLOCK_STEP, new Uint8Array(SUPERBLOCK_BYTES));
    await this.store.flush();
    this.#doubtful = undefined;
  }

  async #load(): Promise<StoredMaps> {
    const { epoch, checkpointLength, checkpointCrc } = this.#superblock;
    const damaged = (what: string) =>
      new StorageError('corrupt', `${this.#name} is damaged (${what}); delete it or restore a copy of it`);
    if (checkpointLength > this.layout.checkpointBytes) throw damaged('size of its checkpoint');
    if (this.slots < 1) throw damaged('it was cut off');
    const bytes = new Uint8Array(checkpointLength);
    await this.store.read(this.layout.checkpointStart[area(epoch)], bytes);
    const maps =
      crc32c(bytes) === checkpointCrc ? decodeCheckpoint(bytes, this.layout.chunks, this.slots) : undefined;
    if (maps === undefined) throw damaged('its checkpoint');
    const journal = new Uint8Array(JOURNAL_BYTES);
    await this.store.read(JOURNAL_START, journal);
    const changes: Uint32Array[] = [];
    for (;;) {
      const record = decodeRecord(journal.subarray(this.#journalEnd));
      // A later checkpoint than ours wrote here: the superblock that told of it has been lost since.
      if (record !== undefined && record.epoch > epoch) throw damaged('its latest superblock');
      if (record === undefined || record.epoch !== epoch || record.sequence !== this.#sequence) break;
      for (let index = 0; index < record.changes.length; index += 2) {
        const [chunk, slot] = [record.changes[index]!, record.changes[index + 1]!];
        if (chunk >= this.layout.chunks || (slot >= this.slots && slot !== ZERO))
          throw damaged('its journal');
      }
      changes.push(record.changes);
      this.#sequence++;
      this.#journalEnd += record.length;
    }
    return { maps, changes };
  }
}

function tooSmall(name: string, baseBytes: number, chunkBytes: number | undefined): StorageError {
  const wanted = overlayStoreBytes(baseBytes, chunkBytes);
  return new StorageError(
    'io',
    `the store of ${name} is too small; give it ${wanted} bytes (room is taken as needed)`,
  );
}
