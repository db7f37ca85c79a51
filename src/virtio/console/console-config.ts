// Features, configuration and control messages of the console device. Virtio 1.2, section 5.3; sections below are its.
import { featureBit } from '../virtio-device.ts';

// Section 5.3.3.
export const VIRTIO_CONSOLE_F_SIZE = 0;
export const VIRTIO_CONSOLE_F_MULTIPORT = 1;
export const CONSOLE_FEATURES = featureBit(VIRTIO_CONSOLE_F_SIZE) | featureBit(VIRTIO_CONSOLE_F_MULTIPORT);

// Section 5.3.2: port 0 has the first two queues, then come those of control, then two for each port.
export const CONTROL_RECEIVE = 2;
export const CONTROL_TRANSMIT = 3;
export const receiveQueue = (port: number) => (port === 0 ? 0 : 2 * port + 2);
export const transmitQueue = (port: number) => receiveQueue(port) + 1;
/** Which port a queue is of. */
export const portOf = (queue: number) => (queue < 2 ? 0 : (queue >> 1) - 1);
/** True for a queue that the driver sends on. */
export const isTransmit = (queue: number) => (queue & 1) === 1;

/** Section 5.3.4: cols, rows, max_nr_ports, emerg_wr. */
const CONFIG_BYTES = 12;
const CONFIG_PORTS = 4;

// Section 5.3.6.2: events of struct virtio_console_control.
export const CONSOLE_DEVICE_READY = 0;
export const CONSOLE_DEVICE_ADD = 1;
export const CONSOLE_PORT_READY = 3;
export const CONSOLE_CONSOLE_PORT = 4;
export const CONSOLE_RESIZE = 5;
export const CONSOLE_PORT_OPEN = 6;
export const CONSOLE_PORT_NAME = 7;
/** id, event, value; a message may follow. */
export const CONTROL_BYTES = 8;

/** A terminal's size in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** Columns and rows are 16 bits wide. */
export const TERMINAL_SIZE_MAX = 0xffff;

export function consoleConfig(ports: number): Uint8Array {
  const config = new Uint8Array(CONFIG_BYTES);
  new DataView(config.buffer).setUint32(CONFIG_PORTS, ports, true);
  return config;
}

export function setConfigSize(config: Uint8Array, { columns, rows }: TerminalSize): void {
  const view = new DataView(config.buffer);
  view.setUint16(0, columns, true);
  view.setUint16(2, rows, true);
}

/** A control message, with what may follow its header. */
export function controlMessage(port: number, event: number, value: number, more?: Uint8Array): Uint8Array {
  const message = new Uint8Array(CONTROL_BYTES + (more?.length ?? 0));
  const view = new DataView(message.buffer);
  view.setUint32(0, port, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  if (more) message.set(more, CONTROL_BYTES);
  return message;
}

/** Columns come first (section 5.3.6.2), and Debian's kernel reads them so; Linux had them the other way round before 2025. */
export function resizeMessage(port: number, { columns, rows }: TerminalSize): Uint8Array {
  const size = new Uint8Array(4);
  const view = new DataView(size.buffer);
  view.setUint16(0, columns, true);
  view.setUint16(2, rows, true);
  return controlMessage(port, CONSOLE_RESIZE, 0, size);
}
