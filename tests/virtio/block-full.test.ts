// A drive without room, where the guest is to wait for it: virtio-blk has no status for a full disk.
import { describe, expect, it } from 'vitest';
import type { BlockBackend, MaybeLater } from '../../src/storage/block-backend.ts';
import { MemoryBackend } from '../../src/storage/memory-backend.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { BlockDevice } from '../../src/virtio/block/block-device.ts';
import { RAM_BASE, TestMemory, testHost } from './memory.ts';
import { ModelDriver } from './model-driver.ts';
import { pciPort } from './ports.ts';

const SECTOR = 512;
const SIZE = 16;
const AREAS = [RAM_BASE + 0x1000, RAM_BASE + 0x3000, RAM_BASE + 0x4000] as const;
const HEADERS = RAM_BASE + 0x8000;
const READ = 0;
const WRITE = 1;
const OK = 0;
const IOERR = 1;

/** Has room for so many writes, and answers at once or later. */
class SmallBackend implements BlockBackend {
  readonly bytes = 64 * SECTOR;
  readonly readonly = false;
  readonly inner = new MemoryBackend({ bytes: this.bytes });
  room: number;
  kind: 'full' | 'io' = 'full';
  readonly later: boolean;

  constructor(room: number, later: boolean) {
    this.room = room;
    this.later = later;
  }
  #answer(work: () => MaybeLater): MaybeLater {
    return this.later ? Promise.resolve().then(work) : work();
  }
  read(offset: number, target: Uint8Array): MaybeLater {
    return this.#answer(() => this.inner.read(offset, target));
  }
  write(offset: number, source: Uint8Array): MaybeLater {
    return this.#answer(() => {
      if (this.room === 0) throw new StorageError(this.kind, 'no room is left');
      this.room--;
      return this.inner.write(offset, source);
    });
  }
  flush(): MaybeLater {
    return undefined;
  }
  discard(): MaybeLater {
    return undefined;
  }
  writeZeroes(): MaybeLater {
    return undefined;
  }
  close(): MaybeLater {
    return undefined;
  }
}

class Drive {
  readonly memory = new TestMemory(1 << 18);
  readonly host = testHost(this.memory);
  readonly device: BlockDevice;
  readonly errors: unknown[] = [];
  readonly retries: (() => void)[] = [];
  driver!: ModelDriver;
  readonly #port;
  #sent = 0;

  constructor(backend: BlockBackend) {
    this.device = new BlockDevice({
      name: 'drive0',
      backend,
      onError: (error) => this.errors.push(error),
      onFull: (_, retry) => this.retries.push(retry),
    });
    this.#port = pciPort(this.device, this.host);
    this.start();
  }

  /** Resets the device and sets it up. */
  start(): void {
    const port = this.#port;
    for (const status of [0, 3]) port.setStatus(status);
    port.setDriverFeatures(0, 1 << 9);
    port.setDriverFeatures(1, 1);
    port.setStatus(11);
    this.memory.ram.fill(0);
    const [descriptors, available, used] = AREAS;
    port.setUpQueue(0, SIZE, [BigInt(descriptors), BigInt(available), BigInt(used)]);
    port.setStatus(15);
    this.driver = new ModelDriver(this.memory, {
      size: SIZE,
      descriptors,
      available,
      used,
      eventIndex: false,
    });
  }

  /** Asks for a sector to be read, or written full of `value`. Returns where its status will be. */
  async send(type: number, sector: number, value = 0): Promise<number> {
    const header = HEADERS + 0x400 * this.#sent++ - RAM_BASE;
    const { view, ram } = this.memory;
    view.setUint32(header, type, true);
    view.setBigUint64(header + 8, BigInt(sector), true);
    ram.fill(value, header + 32, header + 32 + SECTOR);
    ram[header + 16] = 0xff;
    this.driver.add([
      { address: RAM_BASE + header, length: 16, writable: false },
      { address: RAM_BASE + header + 32, length: SECTOR, writable: type === READ },
      { address: RAM_BASE + header + 16, length: 1, writable: true },
    ]);
    this.driver.publish();
    this.#port.notify(0);
    await this.settle();
    return header + 16;
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) {
      this.host.settle();
      await Promise.resolve();
    }
  }
  status = (at: number) => this.memory.ram[at];
}

describe.each([
  ['at once', false],
  ['later', true],
])('a drive that answers %s', (_, later) => {
  const first = async (backend: SmallBackend, sector: number) => {
    const bytes = new Uint8Array(1);
    await backend.inner.read(sector * SECTOR, bytes);
    return bytes[0];
  };

  it('holds what found no room until it is tried again, and what comes behind', async () => {
    const backend = new SmallBackend(1, later);
    const drive = new Drive(backend);
    const one = await drive.send(WRITE, 1, 0x11);
    const two = await drive.send(WRITE, 2, 0x22);
    const three = await drive.send(READ, 1);
    expect([one, two, three].map(drive.status)).toEqual([OK, 0xff, 0xff]);
    expect(drive.errors).toEqual([]);
    expect(drive.retries).toHaveLength(1);
    backend.room = 5;
    drive.retries.pop()!();
    await drive.settle();
    expect([two, three].map(drive.status)).toEqual([OK, OK]);
    expect(await first(backend, 2)).toBe(0x22);
    let ended = 0;
    while (drive.driver.collect()) ended++;
    expect(ended).toBe(3);
  });

  it('asks again when there still is no room', async () => {
    const backend = new SmallBackend(0, later);
    const drive = new Drive(backend);
    const at = await drive.send(WRITE, 1, 0x11);
    drive.retries.pop()!();
    await drive.settle();
    expect(drive.status(at)).toBe(0xff);
    expect(drive.retries).toHaveLength(1);
    backend.room = 1;
    drive.retries.pop()!();
    await drive.settle();
    expect(drive.status(at)).toBe(OK);
  });

  it('forgets what it holds when it is reset, and takes new requests', async () => {
    const backend = new SmallBackend(0, later);
    const drive = new Drive(backend);
    await drive.send(WRITE, 1, 0x11);
    drive.start();
    backend.room = 5;
    const at = await drive.send(WRITE, 2, 0x22);
    expect(drive.status(at)).toBe(OK);
    const before = Buffer.from(drive.memory.ram);
    drive.retries.pop()!();
    await drive.settle();
    expect(before.equals(drive.memory.ram)).toBe(true);
    expect(await first(backend, 1)).toBe(0);
  });

  it('cannot be saved while it holds something', async () => {
    const backend = new SmallBackend(0, later);
    const drive = new Drive(backend);
    await drive.send(WRITE, 1, 0x11);
    await expect(drive.device.quiesce()).rejects.toThrow(/drive0: there is no room .* make room and resume/);
    backend.room = 1;
    drive.retries.pop()!();
    await drive.settle();
    await drive.device.quiesce();
  });

  it('reports any other failure as an error at once', async () => {
    const backend = new SmallBackend(0, later);
    backend.kind = 'io';
    const drive = new Drive(backend);
    expect(drive.status(await drive.send(WRITE, 1, 0x11))).toBe(IOERR);
    expect([drive.errors.length, drive.retries.length]).toEqual([1, 0]);
  });
});
