// The console device: terminals that the guest knows as /dev/hvc0 and so on, and channels of bytes. Virtio 1.2,
// section 5.3.
import type { StateReader, StateWriter } from '../../core/state-bytes.ts';
import { VIRTIO_ID_CONSOLE, type VirtioDevice, type VirtioLink } from '../virtio-device.ts';
import {
  CONSOLE_DEVICE_READY,
  CONSOLE_FEATURES,
  CONSOLE_PORT_OPEN,
  CONSOLE_PORT_READY,
  CONTROL_BYTES,
  CONTROL_RECEIVE,
  CONTROL_TRANSMIT,
  consoleConfig,
  isTransmit,
  portOf,
  receiveQueue,
  setConfigSize,
  VIRTIO_CONSOLE_F_MULTIPORT,
  VIRTIO_CONSOLE_F_SIZE,
} from './console-config.ts';
import { ConsolePort, type PortHost } from './console-port.ts';

const QUEUE_SIZE = 64;
/** Ports of one device: each has two queues. */
export const CONSOLE_PORTS_MAX = 16;
/** Bytes given to one chain of the guest's at a time. */
const INPUT_BYTES = 1 << 16;
/** Bytes taken from one chain. Linux sends at most 32 KiB; a chain can be said to have 4 GiB, all of them one page. */
const OUTPUT_BYTES = 1 << 20;

/** Terminals and then channels, one a port. A driver without VIRTIO_CONSOLE_F_MULTIPORT has port 0 alone. */
export class ConsoleDevice implements VirtioDevice {
  readonly name = 'console';
  readonly deviceId = VIRTIO_ID_CONSOLE;
  readonly features = CONSOLE_FEATURES;
  readonly queueSizes: readonly number[];
  readonly config: Uint8Array;
  readonly ports: readonly ConsolePort[];
  readonly stateVersion = 1;
  #link: VirtioLink | undefined;

  /** @param terminals and @param channels how many; 1 to CONSOLE_PORTS_MAX together */
  constructor(terminals: number, channels = 0) {
    const ports = terminals + channels;
    if (!Number.isInteger(ports) || ports < 1 || ports > CONSOLE_PORTS_MAX) {
      throw new RangeError(`a console device of ${ports} ports; give 1 to ${CONSOLE_PORTS_MAX}`);
    }
    this.queueSizes = Array.from({ length: 2 * ports + 2 }, () => QUEUE_SIZE);
    this.config = consoleConfig(ports);
    this.ports = Array.from({ length: ports }, (_, index) =>
      index < terminals
        ? this.#makePort(index, `hypertab.console${index + 1}`, true)
        : this.#makePort(index, `hypertab.channel${index - terminals}`, false),
    );
  }

  attach(link: VirtioLink): void {
    this.#link = link;
  }

  serve(queue: number): boolean {
    const link = this.#link;
    if (!link) return false;
    if (queue === CONTROL_RECEIVE) return this.#tell(link);
    if (queue === CONTROL_TRANSMIT) return this.#listen(link);
    const port = this.ports[portOf(queue)];
    if (port === undefined) return false;
    return isTransmit(queue) ? this.#output(link, port, queue) : this.#input(link, port, queue);
  }

  reset(): void {
    for (const port of this.ports) port.reset();
  }

  saveState(writer: StateWriter): void {
    writer.u8(this.ports.length);
    for (const port of this.ports) port.saveState(writer);
  }

  loadState(reader: StateReader): () => void {
    reader.match(reader.u8(), this.ports.length, 'consoles');
    const ports = this.ports.map((port) => port.loadState(reader));
    return () => {
      for (const takeOver of ports) takeOver();
      const size = this.ports[0]?.size;
      if (size) setConfigSize(this.config, size);
    };
  }

  #makePort(index: number, name: string, terminal: boolean): ConsolePort {
    const host: PortHost = {
      typed: () => this.#link?.wake(receiveQueue(index)),
      news: () => this.#link?.wake(CONTROL_RECEIVE),
      resized: (size) => {
        // Section 5.3.4: the configuration tells the size of the one port of a driver that knows of no others.
        if (index !== 0) return;
        setConfigSize(this.config, size);
        const link = this.#link;
        if (link?.live && link.has(VIRTIO_CONSOLE_F_SIZE) && !link.has(VIRTIO_CONSOLE_F_MULTIPORT)) {
          link.configChanged();
        }
      },
    };
    return new ConsolePort(index, name, host, terminal);
  }

  /** One chain that the guest wrote. */
  #output(link: VirtioLink, port: ConsolePort, queue: number): boolean {
    const chain = link.queue(queue).pop();
    if (!chain) return false;
    const bytes = new Uint8Array(Math.min(OUTPUT_BYTES, chain.readableBytes));
    chain.read(0, bytes);
    chain.finish(0);
    if (bytes.length > 0) port.onOutput(bytes);
    return true;
  }

  /** One chain that the guest wants to read what was typed into. */
  #input(link: VirtioLink, port: ConsolePort, queue: number): boolean {
    // Linux drops what comes for a channel before a program has opened it.
    if (port.inputPending === 0 || !(port.terminal || port.open)) return false;
    const chain = link.queue(queue).pop();
    if (!chain) return false;
    const bytes = new Uint8Array(Math.min(INPUT_BYTES, port.inputPending, chain.writableBytes));
    port.input.shiftInto(bytes);
    chain.finish(chain.write(0, bytes));
    return true;
  }

  /** Section 5.3.6.2: one message to the driver. */
  #tell(link: VirtioLink): boolean {
    if (!link.has(VIRTIO_CONSOLE_F_MULTIPORT)) return false;
    for (const port of this.ports) {
      const { message } = port;
      if (message === undefined) continue;
      const chain = link.queue(CONTROL_RECEIVE).pop();
      if (!chain) return false;
      // A buffer too small for a message comes back empty, and the message waits for another.
      if (chain.writableBytes < message.length) chain.finish(0);
      else {
        chain.finish(chain.write(0, message));
        port.told();
      }
      return true;
    }
    return false;
  }

  /** One message of the driver's; one that means nothing is passed over. */
  #listen(link: VirtioLink): boolean {
    const chain = link.queue(CONTROL_TRANSMIT).pop();
    if (!chain) return false;
    const message = new Uint8Array(CONTROL_BYTES);
    const length = chain.read(0, message);
    chain.finish(0);
    if (length < CONTROL_BYTES || !link.has(VIRTIO_CONSOLE_F_MULTIPORT)) return true;
    const view = new DataView(message.buffer);
    const event = view.getUint16(4, true);
    const value = view.getUint16(6, true);
    if (event === CONSOLE_DEVICE_READY) {
      if (value === 1) for (const port of this.ports) port.announce();
      return true;
    }
    const port = this.ports[view.getUint32(0, true)];
    if (event === CONSOLE_PORT_READY && value === 1) port?.becomeReady();
    else if (event === CONSOLE_PORT_OPEN) port?.setOpen(value === 1);
    return true;
  }
}
