// Which frames a driver wants to hear, and how it says so. Virtio 1.2, sections 5.1.6.5.1 and 5.1.6.5.2.
import type { Stateful, StateReader, StateWriter } from '../../core/state-bytes.ts';
import { FRAME_DESTINATION } from '../../network/ethernet-frame.ts';
import { isGroup, MAC_BYTES, macKey } from '../../network/mac-address.ts';

const BROADCAST = 0xffff_ffff_ffff;

// Section 5.1.6.5.1: commands of VIRTIO_NET_CTRL_RX, each with a byte that is 0 or 1.
export const CTRL_RX_PROMISCUOUS = 0;
export const CTRL_RX_ALL_MULTICAST = 1;
/** Addresses in a table that a driver may send; Linux turns to "all" when its own have no room. */
export const TABLE_ADDRESSES_MAX = 256;
const COUNT_BYTES = 4;

/** The driver's wishes. One that never says anything hears everything, as one without a control queue does. */
export class ReceiveFilter implements Stateful {
  readonly stateVersion = 1;
  #active = false;
  #promiscuous = false;
  #allMulticast = false;
  #own = 0;
  #unicast = new Set<number>();
  #multicast = new Set<number>();

  reset(mac: Uint8Array): void {
    this.#active = false;
    this.#promiscuous = false;
    this.#allMulticast = false;
    this.#own = macKey(mac, 0);
    this.#unicast = new Set();
    this.#multicast = new Set();
  }

  /** The driver's own address. */
  setAddress(mac: Uint8Array): void {
    this.#own = macKey(mac, 0);
  }

  /** A command of VIRTIO_NET_CTRL_RX; false when there is none such. */
  setMode(command: number, on: boolean): boolean {
    if (command === CTRL_RX_PROMISCUOUS) this.#promiscuous = on;
    else if (command === CTRL_RX_ALL_MULTICAST) this.#allMulticast = on;
    else return false;
    this.#active = true;
    return true;
  }

  /** VIRTIO_NET_CTRL_MAC_TABLE_SET: two tables, each behind its count; false when they are none. */
  setTables(data: Uint8Array): boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const unicast = readTable(view, 0);
    if (unicast === undefined) return false;
    const multicast = readTable(view, COUNT_BYTES + unicast.length * MAC_BYTES);
    if (multicast === undefined) return false;
    this.#unicast = new Set(unicast);
    this.#multicast = new Set(multicast);
    this.#active = true;
    return true;
  }

  saveState(writer: StateWriter): void {
    writer.flag(this.#active);
    writer.flag(this.#promiscuous);
    writer.flag(this.#allMulticast);
    writer.count(this.#own);
    for (const table of [this.#unicast, this.#multicast]) {
      writer.list([...table], (address) => writer.count(address));
    }
  }

  loadState(reader: StateReader): () => void {
    const [active, promiscuous, allMulticast] = [reader.flag(), reader.flag(), reader.flag()];
    const own = reader.count(BROADCAST);
    const [unicast, multicast] = [0, 1].map(() =>
      reader.list(TABLE_ADDRESSES_MAX, () => reader.count(BROADCAST)),
    ) as [number[], number[]];
    return () => {
      this.#active = active;
      this.#promiscuous = promiscuous;
      this.#allMulticast = allMulticast;
      this.#own = own;
      this.#unicast = new Set(unicast);
      this.#multicast = new Set(multicast);
    };
  }

  /** True for a frame that the driver is to be given. */
  wants(frame: Uint8Array): boolean {
    if (!this.#active || this.#promiscuous) return true;
    const destination = macKey(frame, FRAME_DESTINATION);
    if (isGroup(frame, FRAME_DESTINATION)) {
      return destination === BROADCAST || this.#allMulticast || this.#multicast.has(destination);
    }
    return destination === this.#own || this.#unicast.has(destination);
  }
}

/** Addresses of a table as numbers; undefined when it is too long for itself or for us. */
function readTable(view: DataView, offset: number): number[] | undefined {
  if (offset + COUNT_BYTES > view.byteLength) return undefined;
  const count = view.getUint32(offset, true);
  const first = offset + COUNT_BYTES;
  if (count > TABLE_ADDRESSES_MAX || first + count * MAC_BYTES > view.byteLength) return undefined;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return Array.from({ length: count }, (_, index) => macKey(bytes, first + index * MAC_BYTES));
}
