// Guest RAM for tests of virtio: bytes with a base address, and a record of what devices said they wrote.
import { WorkQueue } from '../../src/devices/work-queue.ts';
import { GuestMemory } from '../../src/virtio/guest-memory.ts';
import type { VirtioHost } from '../../src/virtio/virtio-device.ts';

export const RAM_BASE = 0x8000_0000;

export class TestMemory {
  readonly ram: Uint8Array;
  readonly view: DataView;
  readonly guest: GuestMemory;
  /** A byte that is 1 was reported as written. */
  readonly noted: Uint8Array;

  constructor(bytes: number) {
    // RAM lies within a larger memory, as it does in the core: what is around it must stay as it is.
    const around = new Uint8Array(bytes + 2 * GUARD_BYTES).fill(GUARD);
    this.ram = around.subarray(GUARD_BYTES, GUARD_BYTES + bytes).fill(0);
    this.view = new DataView(this.ram.buffer, this.ram.byteOffset, bytes);
    this.noted = new Uint8Array(bytes);
    this.guest = new GuestMemory({
      ram: this.ram,
      base: RAM_BASE,
      noteRamWritten: (offset, length) => {
        if (offset < 0 || length <= 0 || offset + length > bytes) throw new Error('noted outside RAM');
        this.noted.fill(1, offset, offset + length);
      },
    });
  }

  /** True while the bytes around RAM are untouched. */
  get guarded(): boolean {
    const around = new Uint8Array(this.ram.buffer);
    const end = this.ram.byteOffset + this.ram.length;
    return around.subarray(0, GUARD_BYTES).every(isGuard) && around.subarray(end).every(isGuard);
  }
}

const GUARD = 0xa5;
const GUARD_BYTES = 64;
const isGuard = (byte: number) => byte === GUARD;

/** What a transport wants, over a test's memory. */
export function testHost(memory: TestMemory): VirtioHost & { settle(): void } {
  const work = new WorkQueue();
  return { memory: memory.guest, work, settle: () => work.run(() => false) };
}
