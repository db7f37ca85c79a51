import type { PortCounters, SwitchPort } from '../network/ethernet-switch.ts';
import { formatMac } from '../network/mac-address.ts';
import { createChannel, openReader, openSender } from '../worker/byte-channel.ts';
import { FrameChannel } from '../worker/frame-channel.ts';
import type { NetworkSetup } from '../worker/machine-control.ts';
import type { NetworkPlan } from './networks.ts';
import type { VmInterface } from './types.ts';

/** A VM's network interface, this side of its worker: the cable between a switch and the machine. */
export class PluggedInterface implements VmInterface {
  readonly mac: string;
  /** What the worker is told. */
  readonly setup: NetworkSetup;
  readonly #channel: FrameChannel;
  readonly #port: SwitchPort;

  /** @param shared frames go through shared memory */
  constructor({ network, mac }: NetworkPlan, shared: boolean) {
    const [fromGuest, out] = createChannel(shared);
    const [toGuest, into] = createChannel(shared);
    const channel = new FrameChannel(openSender(toGuest), openReader(fromGuest));
    const port = network.connect((frame) => channel.send(frame));
    channel.onRoom = () => port.drain();
    channel.listen((frame) => port.send(frame));
    this.mac = formatMac(mac);
    this.setup = { mac, mtu: network.mtu, out, in: into };
    this.#channel = channel;
    this.#port = port;
  }

  get counters(): Readonly<PortCounters> {
    return this.#port.counters;
  }

  /** Pulls the cable. */
  close(): void {
    this.#port.close();
    this.#channel.close();
  }
}
