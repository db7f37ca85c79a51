// Ethernet frames as interfaces and switches pass them on: from the destination to the payload, without the check
// sequence. IEEE 802.3-2018, section 3.
import { MAC_BYTES } from './mac-address.ts';

export const FRAME_DESTINATION = 0;
export const FRAME_SOURCE = MAC_BYTES;
/** Two addresses and a type. */
export const FRAME_HEADER_BYTES = 14;
/** Room for a VLAN tag (IEEE 802.1Q) beside the header. */
const TAG_BYTES = 4;

export const MTU_DEFAULT = 1500;
/** Least that IPv4 wants (RFC 791), and most: a frame's length then fits 16 bits. */
export const MTU_MIN = 68;
export const MTU_MAX = 65_517;

/** Bytes of the longest frame of a network whose packets have at most `mtu` bytes. */
export const longestFrame = (mtu: number) => mtu + FRAME_HEADER_BYTES + TAG_BYTES;
/** Bytes of the longest frame there is. */
export const FRAME_MAX = longestFrame(MTU_MAX);

/**
 * An MTU as it was given, or the default.
 * @throws {RangeError}
 */
export function checkMtu(mtu = MTU_DEFAULT): number {
  if (!Number.isInteger(mtu) || mtu < MTU_MIN || mtu > MTU_MAX) {
    throw new RangeError(`an MTU of ${mtu} bytes; give ${MTU_MIN} to ${MTU_MAX}`);
  }
  return mtu;
}
