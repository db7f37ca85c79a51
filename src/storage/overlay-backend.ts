import type { BlockBackend, MaybeLater } from './block-backend.ts';
import { checkRange } from './extent.ts';
import { after, inTurn } from './maybe-later.ts';
import { OperationQueue } from './operation-queue.ts';
import { FROM_BASE, type OverlayLayout, ZERO } from './overlay-layout.ts';
import { encodeRuns, forEachInRuns, type SnapshotMap, shortIdentity } from './overlay-metadata.ts';
import { OverlaySlots } from './overlay-slots.ts';
import { OverlayStore, type OverlayStoreOptions, type StoredMaps } from './overlay-store.ts';
import { StorageError } from './storage-error.ts';

/** A piece of an operation that one call of the base or the store answers. */
interface Piece {
  /** A slot, ZERO or FROM_BASE: of its first chunk. */
  slot: number;
  chunk: number;
  chunks: number;
  inChunk: number;
  inRange: number;
  length: number;
}

const NAME = 'the overlay';

/**
 * Changes kept apart from the drive they are made to. The base is never written but by commit(). Killed at any
 * instant, it opens again with everything that flush() answered; see docs/storage.md for how.
 */
export class OverlayBackend implements BlockBackend {
  readonly bytes: number;
  readonly readonly = false;
  readonly #base: BlockBackend;
  readonly #disk: OverlayStore;
  readonly #layout: OverlayLayout;
  readonly #slots: OverlaySlots;
  readonly #map: Uint32Array;
  #snapshots: SnapshotMap[];
  /** Chunks whose place is not yet recorded. */
  readonly #changed = new Set<number>();
  #isDirty = false;
  #isOpen = true;
  readonly #queue = new OperationQueue();

  private constructor(base: BlockBackend, disk: OverlayStore, { maps, changes }: StoredMaps) {
    this.bytes = base.bytes;
    this.#base = base;
    this.#disk = disk;
    this.#layout = disk.layout;
    this.#slots = new OverlaySlots(disk.slots);
    this.#map = new Uint32Array(disk.layout.chunks).fill(FROM_BASE);
    const [live, ...snapshots] = maps;
    forEachInRuns(live!.runs, (chunk, slot) => {
      this.#map[chunk] = slot;
    });
    for (const record of changes) {
      for (let index = 0; index < record.length; index += 2) this.#map[record[index]!] = record[index + 1]!;
    }
    this.#snapshots = snapshots;
    for (const slot of this.#map) if (slot < ZERO) this.#slots.found(slot);
    for (const { runs } of snapshots)
      forEachInRuns(runs, (_, slot) => slot < ZERO && this.#slots.found(slot));
    this.#slots.foundAll();
  }

  /**
   * Opens the overlay on a store, or begins one where the store is empty. Both are closed with it.
   * @param store of overlayStoreBytes(base.bytes) bytes; should take room only for what is written
   * @throws {StorageError} corrupt, when the store is damaged, holds something else or belongs to another base
   */
  static async open(
    base: BlockBackend,
    store: BlockBackend,
    options: OverlayStoreOptions = {},
  ): Promise<OverlayBackend> {
    const [disk, found] = await OverlayStore.open(base, store, options);
    return new OverlayBackend(base, disk, found);
  }

  /** Bytes of the store taken by changed chunks, those of snapshots included. */
  get bytesUsed(): number {
    return this.#slots.used * this.#layout.chunkBytes;
  }

  /** Names of the snapshots, oldest first. */
  get snapshots(): string[] {
    return this.#snapshots.map(({ name }) => name);
  }

  read(offset: number, target: Uint8Array): MaybeLater {
    this.#check(offset, target.length);
    return this.#queue.read(() => {
      const pieces = this.#pieces(offset, target.length);
      return inTurn(pieces.length, (index) => {
        const { inRange, length } = pieces[index]!;
        return this.#readPiece(pieces[index]!, target.subarray(inRange, inRange + length));
      });
    });
  }

  write(offset: number, source: Uint8Array): MaybeLater {
    this.#check(offset, source.length);
    return this.#queue.change(() => {
      this.#isDirty = true;
      const pieces = this.#pieces(offset, source.length);
      return inTurn(pieces.length, (index) => {
        const piece = pieces[index]!;
        return this.#writePiece(piece, source.subarray(piece.inRange, piece.inRange + piece.length));
      });
    });
  }

  flush(): MaybeLater {
    this.#check(0, 0);
    return this.#queue.change(() => this.#flush());
  }

  discard(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    return this.#queue.change(() => this.#zeroWhole(offset, length));
  }

  writeZeroes(offset: number, length: number): MaybeLater {
    this.#check(offset, length);
    return this.#queue.change(() => {
      const { chunkBytes } = this.#layout;
      const end = offset + length;
      const wholeStart = Math.min(end, Math.ceil(offset / chunkBytes) * chunkBytes);
      const wholeEnd =
        end === this.bytes ? end : Math.max(wholeStart, Math.floor(end / chunkBytes) * chunkBytes);
      this.#zeroWhole(offset, length);
      return after(this.#zeroPart(offset, wholeStart), () => this.#zeroPart(wholeEnd, end));
    });
  }

  close(): MaybeLater {
    if (!this.#isOpen) return undefined;
    return this.#queue.alone(async () => {
      this.#isOpen = false;
      try {
        await this.#flush();
      } finally {
        await this.#disk.store.close();
        await this.#base.close();
      }
    });
  }

  /**
   * Keeps the contents of this moment under a name; durable when it ends.
   * @throws {StorageError} denied when the name is taken; full
   */
  async snapshot(name: string): Promise<void> {
    await this.#alone(async () => {
      if (name === '' || name.length > 200)
        throw new StorageError('denied', `"${name}" is no name for a snapshot`);
      if (this.snapshots.includes(name))
        throw new StorageError('denied', `there is a snapshot ${name} already`);
      const runs = encodeRuns(this.#map);
      await this.#checkpoint(this.#map, [...this.#snapshots, { name, runs }]);
      forEachInRuns(runs, (_, slot) => slot < ZERO && this.#slots.keep(slot));
      await this.#reclaim();
    });
  }

  /**
   * Goes back to a snapshot; what was changed since is gone, the snapshot stays.
   * @throws {StorageError} denied when there is none of that name
   */
  async restoreSnapshot(name: string): Promise<void> {
    await this.#alone(async () => {
      const { runs } = this.#find(name);
      const map = new Uint32Array(this.#map.length).fill(FROM_BASE);
      forEachInRuns(runs, (chunk, slot) => {
        map[chunk] = slot;
      });
      await this.#checkpoint(map, this.#snapshots);
      for (const slot of map) if (slot < ZERO) this.#slots.keep(slot);
      this.#replaceMap(map);
      await this.#reclaim();
    });
  }

  /**
   * True while the contents are those of a snapshot: what a snapshot names is never written to, so that any later write
   * of a place that holds something else has moved on from it.
   */
  isAt(name: string): boolean {
    const snapshot = this.#snapshots.find((candidate) => candidate.name === name);
    const runs = encodeRuns(this.#map);
    return (
      snapshot?.runs.length === runs.length && runs.every((value, index) => value === snapshot.runs[index])
    );
  }

  /**
   * Forgets a snapshot.
   * @throws {StorageError} denied when there is none of that name
   */
  async deleteSnapshot(name: string): Promise<void> {
    await this.#alone(async () => {
      const snapshot = this.#find(name);
      const left = this.#snapshots.filter((other) => other !== snapshot);
      await this.#checkpoint(this.#map, left);
      this.#snapshots = left;
      forEachInRuns(snapshot.runs, (_, slot) => slot < ZERO && this.#slots.release(slot));
      await this.#reclaim();
    });
  }

  /**
   * Throws all changes away: the contents are the base's again. Snapshots stay.
   * @throws {StorageError} denied after a commit that was interrupted, as the base holds some of the changes
   */
  async discardChanges(): Promise<void> {
    await this.#alone(async () => {
      if (this.#disk.isCommitting) {
        throw new StorageError(
          'denied',
          'a commit of the overlay was interrupted; commit again, then discard',
        );
      }
      const map = new Uint32Array(this.#map.length).fill(FROM_BASE);
      await this.#checkpoint(map, this.#snapshots);
      this.#replaceMap(map);
      await this.#reclaim();
    });
  }

  /**
   * Writes all changes into the base, which the overlay then agrees with. Killed half-way it can be done again.
   * @throws {StorageError} denied when the base is read-only or there are snapshots, which stand on it as it is
   */
  async commit(): Promise<void> {
    await this.#alone(async () => {
      if (this.#base.readonly) {
        throw new StorageError(
          'denied',
          'the drive under the overlay is read-only: its changes cannot be committed',
        );
      }
      if (this.#snapshots.length > 0) {
        throw new StorageError(
          'denied',
          `delete the snapshots (${this.snapshots.join(', ')}) before a commit`,
        );
      }
      await this.#checkpoint(this.#map, [], { isCommitting: true });
      const { chunkBytes } = this.#layout;
      const buffer = new Uint8Array(chunkBytes);
      for (const [chunk, slot] of this.#map.entries()) {
        if (slot === FROM_BASE) continue;
        const offset = chunk * chunkBytes;
        const contents = buffer.subarray(0, Math.min(chunkBytes, this.bytes - offset));
        if (slot === ZERO) await this.#base.writeZeroes(offset, contents.length);
        else {
          await this.#disk.store.read(this.#slotOffset(slot), contents);
          await this.#base.write(offset, contents);
        }
      }
      await this.#base.flush();
      const map = new Uint32Array(this.#map.length).fill(FROM_BASE);
      await this.#checkpoint(map, [], { isCommitting: false, identity: shortIdentity(this.#base.identity) });
      this.#replaceMap(map);
      await this.#reclaim();
    });
  }

  #alone(step: () => Promise<void>): Promise<void> {
    this.#check(0, 0);
    return this.#queue.alone(step);
  }

  #find(name: string): SnapshotMap {
    const found = this.#snapshots.find((snapshot) => snapshot.name === name);
    if (found === undefined) throw new StorageError('denied', `there is no snapshot ${name}`);
    return found;
  }

  #replaceMap(map: Uint32Array): void {
    for (const slot of this.#map) if (slot < ZERO) this.#slots.release(slot);
    this.#map.set(map);
  }

  #flush(): MaybeLater {
    if (!this.#isDirty && this.#changed.size === 0 && !this.#disk.isDoubtful) return undefined;
    return this.#record().then(() => this.#reclaim());
  }

  /** Makes all writes and the map durable. */
  async #record(): Promise<void> {
    this.#isDirty = false;
    try {
      if (this.#changed.size === 0) {
        await this.#disk.flush();
        return;
      }
      const changes = new Uint32Array(this.#changed.size * 2);
      let index = 0;
      for (const chunk of this.#changed) {
        changes[index++] = chunk;
        changes[index++] = this.#map[chunk]!;
      }
      if (await this.#disk.writeChanges(changes)) this.#changed.clear();
      else await this.#checkpoint(this.#map, this.#snapshots);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }

  async #checkpoint(
    map: Uint32Array,
    snapshots: SnapshotMap[],
    change?: { isCommitting: boolean; identity?: string },
  ): Promise<void> {
    await this.#disk.writeCheckpoint([{ name: '', runs: encodeRuns(map) }, ...snapshots], change);
    this.#snapshots = snapshots;
    this.#changed.clear();
    this.#isDirty = false;
  }

  /** Slots that no map on the store names any more may be taken again, and their room given back. */
  async #reclaim(): Promise<void> {
    for (const [slot, count] of this.#slots.reclaim()) {
      // Giving room back is a favour: where it fails nothing is lost.
      try {
        await this.#disk.store.discard(this.#slotOffset(slot), count * this.#layout.chunkBytes);
      } catch {}
    }
  }

  #slotOffset(slot: number): number {
    return this.#layout.dataStart + slot * this.#layout.chunkBytes;
  }

  /** Cuts a range where chunks change from base to store, or are not side by side in it. */
  #pieces(offset: number, length: number): Piece[] {
    const { chunkBytes } = this.#layout;
    const pieces: Piece[] = [];
    for (let inRange = 0; inRange < length; ) {
      const chunk = Math.floor((offset + inRange) / chunkBytes);
      const inChunk = offset + inRange - chunk * chunkBytes;
      const take = Math.min(chunkBytes - inChunk, length - inRange);
      const slot = this.#map[chunk]!;
      const last = pieces.at(-1);
      const follows =
        slot < ZERO ? last !== undefined && slot === last.slot + last.chunks : slot === last?.slot;
      if (last !== undefined && follows && last.slot < ZERO === slot < ZERO) {
        last.chunks++;
        last.length += take;
      } else {
        pieces.push({ slot, chunk, chunks: 1, inChunk, inRange, length: take });
      }
      inRange += take;
    }
    return pieces;
  }

  #readPiece({ slot, chunk, inChunk }: Piece, target: Uint8Array): MaybeLater {
    if (slot === ZERO) {
      target.fill(0);
      return undefined;
    }
    if (slot === FROM_BASE) return this.#base.read(chunk * this.#layout.chunkBytes + inChunk, target);
    return this.#disk.store.read(this.#slotOffset(slot) + inChunk, target);
  }

  /** Writes where the chunks are when they are this map's own, else to new places. */
  #writePiece(piece: Piece, source: Uint8Array): MaybeLater {
    const { chunkBytes } = this.#layout;
    const { slot, chunk, chunks, inChunk } = piece;
    let own = slot < ZERO;
    for (let step = 0; step < chunks && own; step++) own = !this.#slots.isShared(slot + step);
    if (own) return this.#disk.store.write(this.#slotOffset(slot) + inChunk, source);

    // New places for runs of whole chunks at once; for a part of a chunk, with the rest of it.
    const steps: (() => MaybeLater)[] = [];
    for (let done = 0; done < source.length; ) {
      const at = chunk * chunkBytes + inChunk + done;
      const first = Math.floor(at / chunkBytes);
      const start = at - first * chunkBytes;
      const room = Math.min(chunkBytes, this.bytes - first * chunkBytes);
      const from = done;
      if (start === 0 && source.length - done >= room) {
        const whole = Math.max(1, Math.floor((source.length - done) / chunkBytes));
        const length = Math.min(whole * chunkBytes, source.length - done);
        steps.push(() => this.#writeWhole(first, source.subarray(from, from + length)));
        done += length;
      } else {
        const length = Math.min(room - start, source.length - done);
        steps.push(() => this.#writePart(first, start, source.subarray(from, from + length), room));
        done += length;
      }
    }
    return inTurn(steps.length, (index) => steps[index]!());
  }

  /** Writes whole chunks to new slots, as many side by side as there are. */
  #writeWhole(first: number, source: Uint8Array): MaybeLater {
    const { chunkBytes } = this.#layout;
    const count = Math.ceil(source.length / chunkBytes);
    const runs: { slot: number; chunk: number; count: number }[] = [];
    try {
      for (let step = 0; step < count; step++) {
        const slot = this.#slots.take();
        const last = runs.at(-1);
        if (last !== undefined && slot === last.slot + last.count) last.count++;
        else runs.push({ slot, chunk: first + step, count: 1 });
      }
    } catch (error) {
      for (const run of runs) this.#giveBack(run.slot, run.count);
      throw error;
    }
    let written = 0;
    const step = (index: number): MaybeLater => {
      const { slot, chunk, count: many } = runs[index]!;
      const from = (chunk - first) * chunkBytes;
      const result = this.#disk.store.write(
        this.#slotOffset(slot),
        source.subarray(from, from + many * chunkBytes),
      );
      return after(result, () => {
        for (let number = 0; number < many; number++) this.#remap(chunk + number, slot + number);
        written++;
        return undefined;
      });
    };
    const failed = (error: unknown): never => {
      for (const run of runs.slice(written)) this.#giveBack(run.slot, run.count);
      throw error;
    };
    try {
      return inTurn(runs.length, step)?.catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** Writes a part of a chunk and, from where it was, the rest of it to a new slot. */
  #writePart(chunk: number, inChunk: number, source: Uint8Array, room: number): MaybeLater {
    const contents = new Uint8Array(room);
    const old: Piece = { slot: this.#map[chunk]!, chunk, chunks: 1, inChunk: 0, inRange: 0, length: room };
    return after(this.#readPiece(old, contents), () => {
      contents.set(source, inChunk);
      return this.#writeWhole(chunk, contents);
    });
  }

  #giveBack(slot: number, count: number): void {
    for (let step = count - 1; step >= 0; step--) this.#slots.giveBack(slot + step);
  }

  #remap(chunk: number, slot: number): void {
    const old = this.#map[chunk]!;
    if (old < ZERO) this.#slots.release(old);
    this.#map[chunk] = slot;
    this.#changed.add(chunk);
  }

  /** Makes the whole chunks inside a range zero. */
  #zeroWhole(offset: number, length: number): undefined {
    const { chunkBytes } = this.#layout;
    const isToEnd = offset + length === this.bytes;
    const end = isToEnd ? this.#map.length : Math.floor((offset + length) / chunkBytes);
    for (let chunk = Math.ceil(offset / chunkBytes); chunk < end; chunk++) {
      if (this.#map[chunk] !== ZERO) this.#remap(chunk, ZERO);
    }
  }

  /** Zeroes a range within one chunk. */
  #zeroPart(start: number, end: number): MaybeLater {
    if (end <= start) return undefined;
    const [piece] = this.#pieces(start, end - start);
    if (piece!.slot === ZERO) return undefined;
    this.#isDirty = true;
    if (piece!.slot < ZERO && !this.#slots.isShared(piece!.slot)) {
      return this.#disk.store.writeZeroes(this.#slotOffset(piece!.slot) + piece!.inChunk, end - start);
    }
    return this.#writePiece(piece!, new Uint8Array(end - start));
  }

  #check(offset: number, length: number): void {
    if (!this.#isOpen) throw new StorageError('io', `${NAME} is closed`);
    checkRange(NAME, this.bytes, offset, length);
  }
}
