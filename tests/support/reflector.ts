import type { FrameLink, FrameListener } from '../../src/network/frame-link.ts';

const MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 1);
const ADDRESS = Uint8Array.of(10, 0, 0, 1);
const TYPE = 12;
const ARP = 0x0806;
const IPV4 = 0x0800;
// Behind the Ethernet header: RFC 826, RFC 791 and RFC 792.
const ARP_OPERATION = 20;
const ARP_SENDER = 22;
const ARP_TARGET_ADDRESS = 38;
const IP_PROTOCOL = 23;
const IP_SOURCE = 26;
const IP_TARGET = 30;
const ICMP_TYPE = 34;
const ICMP_CHECKSUM = 36;

/** A neighbour at 10.0.0.1 that answers ARP and pings at once and remembers nothing: two of them answer alike. */
export class Reflector implements FrameLink {
  onRoom: (() => void) | undefined;
  frames = 0;
  private listener: FrameListener = () => {};

  listen(listener: FrameListener): void {
    this.listener = listener;
  }

  send(frame: Uint8Array): boolean {
    this.frames++;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const type = view.getUint16(TYPE);
    const isAddress = (at: number) => ADDRESS.every((byte, index) => frame[at + index] === byte);
    const reply = frame.slice();
    reply.set(frame.subarray(6, 12), 0);
    reply.set(MAC, 6);
    if (type === ARP && view.getUint16(ARP_OPERATION) === 1 && isAddress(ARP_TARGET_ADDRESS)) {
      reply[ARP_OPERATION + 1] = 2;
      reply.set(frame.subarray(ARP_SENDER, ARP_SENDER + 10), ARP_SENDER + 10);
      reply.set(MAC, ARP_SENDER);
      reply.set(ADDRESS, ARP_SENDER + 6);
      void this.listener(reply);
    } else if (type === IPV4 && frame[IP_PROTOCOL] === 1 && frame[ICMP_TYPE] === 8 && isAddress(IP_TARGET)) {
      reply.set(ADDRESS, IP_SOURCE);
      reply.set(frame.subarray(IP_SOURCE, IP_SOURCE + 4), IP_TARGET);
      reply[ICMP_TYPE] = 0;
      // The type's byte is 8 less, so the sum's complement is 8 << 8 more.
      const sum = view.getUint16(ICMP_CHECKSUM) + 0x800;
      new DataView(reply.buffer).setUint16(ICMP_CHECKSUM, (sum & 0xffff) + (sum >> 16));
      void this.listener(reply);
    }
    return true;
  }
}
