// Ethernet addresses. IEEE 802-2014, section 8.

export const MAC_BYTES = 6;
/** Section 8.2: the address is a group's, and: it is locally administered. */
const GROUP_BIT = 0x01;
const LOCAL_BIT = 0x02;

/**
 * Reads six bytes in hexadecimal with colons or dashes: 02:00:00:12:34:56.
 * @throws {RangeError} when it is none, or no address that one interface can have
 */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    throw new RangeError(`'${text}' is no MAC address; give six bytes like 02:00:00:12:34:56`);
  }
  const mac = Uint8Array.from(text.split(/[:-]/), (byte) => Number.parseInt(byte, 16));
  if (isGroup(mac, 0)) {
    throw new RangeError(`the MAC address ${text} is a group's; make its first byte even`);
  }
  if (mac.every((byte) => byte === 0)) throw new RangeError(`the MAC address ${text} is nobody's`);
  return mac;
}

/** As ifconfig shows it: 02:00:00:12:34:56. */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** A locally administered address of one interface; 46 random bits keep it apart from others. */
export function randomMac(): Uint8Array {
  const mac = crypto.getRandomValues(new Uint8Array(MAC_BYTES));
  mac[0] = (mac[0]! & ~GROUP_BIT) | LOCAL_BIT;
  return mac;
}

/** True when the address at `offset` is a group's: multicast or broadcast. */
export function isGroup(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & GROUP_BIT) !== 0;
}

/** The address at `offset` as a number of 48 bits. */
export function macKey(bytes: Uint8Array, offset: number): number {
  const high = bytes[offset]! * 0x100 + bytes[offset + 1]!;
  const low =
    ((bytes[offset + 2]! << 24) |
      (bytes[offset + 3]! << 16) |
      (bytes[offset + 4]! << 8) |
      bytes[offset + 5]!) >>>
    0;
  return high * 2 ** 32 + low;
}
