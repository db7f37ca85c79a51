// The control queue of the network device. Virtio 1.2, section 5.1.6.5.
import { isGroup, MAC_BYTES } from '../../network/mac-address.ts';
import type { Chain } from '../chain.ts';
import { type ReceiveFilter, TABLE_ADDRESSES_MAX } from './receive-filter.ts';

export const CTRL_CLASS_RX = 0;
export const CTRL_CLASS_MAC = 1;
export const CTRL_MAC_TABLE_SET = 0;
export const CTRL_MAC_ADDR_SET = 1;
export const CTRL_OK = 0;
export const CTRL_ERROR = 1;
/** class and command. */
const COMMAND_BYTES = 2;
/** The longest there is: two full tables. */
const DATA_BYTES_MAX = 2 * (4 + TABLE_ADDRESSES_MAX * MAC_BYTES);

/** Does what a control command says and answers it. `setAddress` is given the driver's new MAC address. */
export function answerControl(
  chain: Chain,
  filter: ReceiveFilter,
  setAddress: (mac: Uint8Array) => void,
): void {
  const request = new Uint8Array(Math.min(chain.readableBytes, COMMAND_BYTES + DATA_BYTES_MAX));
  chain.read(0, request);
  const done = obey(request, filter, setAddress);
  chain.finish(chain.write(0, Uint8Array.of(done ? CTRL_OK : CTRL_ERROR)));
}

function obey(request: Uint8Array, filter: ReceiveFilter, setAddress: (mac: Uint8Array) => void): boolean {
  if (request.length < COMMAND_BYTES) return false;
  const [kind, command] = request;
  const data = request.subarray(COMMAND_BYTES);
  if (kind === CTRL_CLASS_RX) return data.length >= 1 && filter.setMode(command!, data[0] !== 0);
  if (kind !== CTRL_CLASS_MAC) return false;
  if (command === CTRL_MAC_TABLE_SET) return filter.setTables(data);
  if (command !== CTRL_MAC_ADDR_SET || data.length < MAC_BYTES || isGroup(data, 0)) return false;
  setAddress(data.slice(0, MAC_BYTES));
  return true;
}
