// Features, configuration and headers of the network device. Virtio 1.2, section 5.1; sections below are its.
import { MAC_BYTES } from '../../network/mac-address.ts';
import { featureBit } from '../virtio-device.ts';

// Section 5.1.3.
export const VIRTIO_NET_F_MTU = 3;
export const VIRTIO_NET_F_MAC = 5;
export const VIRTIO_NET_F_MRG_RXBUF = 15;
export const VIRTIO_NET_F_STATUS = 16;
export const VIRTIO_NET_F_CTRL_VQ = 17;
export const VIRTIO_NET_F_CTRL_RX = 18;
export const VIRTIO_NET_F_CTRL_MAC_ADDR = 23;

export const NET_FEATURES = [
  VIRTIO_NET_F_MTU,
  VIRTIO_NET_F_MAC,
  VIRTIO_NET_F_MRG_RXBUF,
  VIRTIO_NET_F_STATUS,
  VIRTIO_NET_F_CTRL_VQ,
  VIRTIO_NET_F_CTRL_RX,
  VIRTIO_NET_F_CTRL_MAC_ADDR,
].reduce((features, bit) => features | featureBit(bit), 0n);

/** Section 5.1.2, with one pair of queues. */
export const RECEIVE = 0;
export const TRANSMIT = 1;
export const CONTROL = 2;

/** Section 5.1.4: struct virtio_net_config up to the MTU. */
const CONFIG_STATUS = MAC_BYTES;
const CONFIG_PAIRS = 8;
const CONFIG_MTU = 10;
const CONFIG_BYTES = 12;
const STATUS_LINK_UP = 1;

/** A device's configuration with the link up. */
export function netConfig(mac: Uint8Array, mtu: number): Uint8Array {
  const config = new Uint8Array(CONFIG_BYTES);
  const view = new DataView(config.buffer);
  config.set(mac);
  view.setUint16(CONFIG_STATUS, STATUS_LINK_UP, true);
  view.setUint16(CONFIG_PAIRS, 1, true);
  view.setUint16(CONFIG_MTU, mtu, true);
  return config;
}

/** Sets the link's state in a configuration; false when it was so already. */
export function setLink(config: Uint8Array, up: boolean): boolean {
  const before = config[CONFIG_STATUS]!;
  config[CONFIG_STATUS] = up ? before | STATUS_LINK_UP : before & ~STATUS_LINK_UP;
  return config[CONFIG_STATUS] !== before;
}

/** Section 5.1.6: struct virtio_net_hdr, which precedes each frame. Without offloads only num_buffers has a meaning. */
export const NET_HEADER_BYTES = 12;
export const NET_HEADER_BUFFERS = 10;
