// 16550A UART with 16-byte FIFOs. National Semiconductor PC16550D data sheet; section 8 of it has the registers.
// Transmission takes no time; reception is paced by the room in the FIFO, with an endless queue behind it.
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import { ByteQueue } from './byte-queue.ts';
import type { InterruptWire, MmioDevice } from './device.ts';

export const UART_SIZE = 0x100;
/** RBR (read), THR (write); with DLAB the low half of the divisor. */
export const UART_RBR = 0;
export const UART_THR = 0;
export const UART_DLL = 0;
export const UART_IER = 1;
export const UART_DLM = 1;
export const UART_IIR = 2;
export const UART_FCR = 2;
export const UART_LCR = 3;
export const UART_MCR = 4;
export const UART_LSR = 5;
export const UART_MSR = 6;
export const UART_SCR = 7;

// IER, section 8.7
export const IER_RECEIVED_DATA = 0x01;
export const IER_THR_EMPTY = 0x02;
export const IER_LINE_STATUS = 0x04;
export const IER_MODEM_STATUS = 0x08;
// IIR, section 8.6, by falling priority
export const IIR_NONE = 0x01;
export const IIR_LINE_STATUS = 0x06;
export const IIR_RECEIVED_DATA = 0x04;
export const IIR_TIME_OUT = 0x0c;
export const IIR_THR_EMPTY = 0x02;
export const IIR_MODEM_STATUS = 0x00;
export const IIR_FIFO = 0xc0;
// FCR, section 8.5
export const FCR_ENABLE = 0x01;
export const FCR_CLEAR_RX = 0x02;
export const LCR_DLAB = 0x80;
// MCR, section 8.8
export const MCR_DTR = 0x01;
export const MCR_RTS = 0x02;
export const MCR_OUT1 = 0x04;
export const MCR_OUT2 = 0x08;
export const MCR_LOOP = 0x10;
// LSR, section 8.4
export const LSR_DATA_READY = 0x01;
export const LSR_OVERRUN = 0x02;
/** Break: the byte that stands first in the FIFO, a zero, is one. */
export const LSR_BREAK = 0x10;
export const LSR_THR_EMPTY = 0x20;
export const LSR_TRANSMITTER_EMPTY = 0x40;
// MSR, section 8.9
export const MSR_DELTA_CTS = 0x01;
export const MSR_DELTA_DSR = 0x02;
export const MSR_TRAILING_RI = 0x04;
export const MSR_DELTA_DCD = 0x08;
export const MSR_CTS = 0x10;
export const MSR_DSR = 0x20;
export const MSR_RI = 0x40;
export const MSR_DCD = 0x80;

export const FIFO_BYTES = 16;
/** In the FIFO: a zero that is a break, whose LSR has not been read. */
const BREAK = 0x100;
/** Breaks that a saved state may have in its queue. */
const BREAKS_MAX = 4096;
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
/** Modem lines of a terminal that is always there. */
const CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD;

export class Uart16550 implements MmioDevice, Stateful {
  readonly name = 'serial';
  readonly size = UART_SIZE;
  private readonly transmit: (byte: number) => void;
  private readonly wire: InterruptWire;
  private readonly queue = new ByteQueue();
  private fifo: number[] = [];
  /** Breaks in the queue, by how many bytes are still to come before each. */
  private breaks: number[] = [];
  private divisor = 1;
  private ier = 0;
  private fcr = 0;
  private lcr = 0;
  private mcr = 0;
  private scratch = 0;
  private overrun = false;
  private msr = CONNECTED;
  /** The THR-empty interrupt: set when the THR empties or the interrupt is enabled, cleared by reading it in IIR. */
  private thrEmpty = false;
  readonly stateVersion = 1;

  constructor(transmit: (byte: number) => void, wire: InterruptWire) {
    this.transmit = transmit;
    this.wire = wire;
  }

  /** Bytes from the terminal; they enter the FIFO as the guest makes room. */
  receive(bytes: Uint8Array): void {
    this.queue.push(bytes);
    this.fill();
    this.drive();
  }

  /** A break on the line, behind what was received before. */
  receiveBreak(): void {
    this.breaks.push(this.queue.length);
    this.fill();
    this.drive();
  }

  /** Bytes received and not yet read by the guest. */
  get inputPending(): number {
    return this.fifo.length + this.queue.length;
  }

  /** Takes the oldest byte received and not yet read, past the registers (SBI's console). */
  takeInput(): number | undefined {
    this.fill();
    let byte = this.fifo.shift();
    this.fill();
    // A console of bytes knows no breaks.
    if (byte === BREAK) byte = this.takeInput();
    this.drive();
    return byte;
  }

  read(offset: number): number {
    const dlab = (this.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case UART_RBR:
        return dlab ? this.divisor & 0xff : this.readReceived();
      case UART_IER:
        return dlab ? this.divisor >> 8 : this.ier;
      case UART_IIR: {
        const cause = this.cause();
        if (cause === IIR_THR_EMPTY) {
          this.thrEmpty = false;
          this.drive();
        }
        return cause | (this.fifoEnabled ? IIR_FIFO : 0);
      }
      case UART_LCR:
        return this.lcr;
      case UART_MCR:
        return this.mcr;
      case UART_LSR: {
        const ready = this.fifo.length > 0 ? LSR_DATA_READY : 0;
        const errors = (this.overrun ? LSR_OVERRUN : 0) | (this.fifo[0] === BREAK ? LSR_BREAK : 0);
        const status = LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY | ready | errors;
        this.overrun = false;
        if (this.fifo[0] === BREAK) this.fifo[0] = 0;
        this.drive();
        return status;
      }
      case UART_MSR: {
        const status = this.msr;
        this.msr &= 0xf0;
        this.drive();
        return status;
      }
      case UART_SCR:
        return this.scratch;
      default:
        return 0;
    }
  }

  write(offset: number, _size: 1 | 2 | 4, value: number): void {
    const byte = value & 0xff;
    const dlab = (this.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case UART_THR:
        if (dlab) this.divisor = (this.divisor & 0xff00) | byte;
        else this.send(byte);
        break;
      case UART_IER:
        if (dlab) {
          this.divisor = (byte << 8) | (this.divisor & 0xff);
        } else {
          if ((byte & ~this.ier & IER_THR_EMPTY) !== 0) this.thrEmpty = true;
          this.ier = byte & 0x0f;
        }
        break;
      case UART_FCR:
        this.writeFifoControl(byte);
        break;
      case UART_LCR:
        this.lcr = byte;
        break;
      case UART_MCR:
        this.mcr = byte & 0x1f;
        this.updateModemStatus();
        this.fill();
        break;
      case UART_SCR:
        this.scratch = byte;
        break;
    }
    this.drive();
  }

  /** Power-on. What was typed and not yet read is gone. */
  reset(): void {
    this.queue.clear();
    this.breaks = [];
    this.fifo = [];
    this.divisor = 1;
    this.ier = 0;
    this.fcr = 0;
    this.lcr = 0;
    this.mcr = 0;
    this.scratch = 0;
    this.overrun = false;
    this.msr = CONNECTED;
    this.thrEmpty = false;
    this.drive();
  }

  /** With what was received and not read; breaks beyond BREAKS_MAX are forgotten. */
  saveState(writer: StateWriter): void {
    writer.u16(this.divisor);
    for (const register of [this.ier, this.fcr, this.lcr, this.mcr, this.scratch, this.msr])
      writer.u8(register);
    writer.flag(this.overrun);
    writer.flag(this.thrEmpty);
    writer.list(this.fifo, (entry) => writer.u16(entry));
    writer.block(this.queue.toBytes());
    writer.list(this.breaks.slice(0, BREAKS_MAX), (place) => writer.u32(place));
  }

  loadState(reader: StateReader): () => void {
    const divisor = reader.u16();
    const [ier, fcr, lcr, mcr] = [reader.u8(0x0f), reader.u8(0xc9), reader.u8(), reader.u8(0x1f)];
    const [scratch, msr] = [reader.u8(), reader.u8()];
    const [overrun, thrEmpty] = [reader.flag(), reader.flag()];
    const fifo = reader.list(FIFO_BYTES, () => reader.u16(BREAK));
    const queued = reader.block();
    let last = 0;
    const breaks = reader.list(BREAKS_MAX, () => {
      const place = reader.u32(queued.length);
      reader.check(place >= last, 'breaks out of order');
      last = place;
      return place;
    });
    return () => {
      Object.assign(this, { divisor, ier, fcr, lcr, mcr, scratch, msr, overrun, thrEmpty, fifo, breaks });
      this.queue.clear();
      this.queue.push(queued);
    };
  }

  private get fifoEnabled(): boolean {
    return (this.fcr & FCR_ENABLE) !== 0;
  }

  private get loopback(): boolean {
    return (this.mcr & MCR_LOOP) !== 0;
  }

  private get capacity(): number {
    return this.fifoEnabled ? FIFO_BYTES : 1;
  }

  private send(byte: number): void {
    if (!this.loopback) this.transmit(byte);
    else if (this.fifo.length < this.capacity) this.fifo.push(byte);
    else {
      // Overrun: the FIFO keeps what it has; without FIFOs the newer byte replaces the older (section 8.4).
      this.overrun = true;
      if (!this.fifoEnabled) this.fifo[0] = byte;
    }
    this.thrEmpty = true;
  }

  private readReceived(): number {
    const byte = (this.fifo.shift() ?? 0) & 0xff;
    this.fill();
    this.drive();
    return byte;
  }

  private writeFifoControl(byte: number): void {
    const toggled = ((byte ^ this.fcr) & FCR_ENABLE) !== 0;
    // Section 8.5: a change of the enable bit clears both FIFOs; other bits count only while it is written as 1.
    if (toggled || (byte & (FCR_ENABLE | FCR_CLEAR_RX)) === (FCR_ENABLE | FCR_CLEAR_RX)) this.fifo = [];
    this.fcr = (byte & FCR_ENABLE) !== 0 ? byte & 0xc9 : 0;
    this.fill();
  }

  /** Moves bytes from the queue into the FIFO; in loopback the receiver is cut off from its input. */
  private fill(): void {
    if (this.loopback) return;
    while (this.fifo.length < this.capacity) {
      if (this.breaks[0] === 0) {
        this.breaks.shift();
        this.fifo.push(BREAK);
        continue;
      }
      const byte = this.queue.shift();
      if (byte === undefined) return;
      for (let index = 0; index < this.breaks.length; index++) this.breaks[index]!--;
      this.fifo.push(byte);
    }
  }

  private updateModemStatus(): void {
    let lines = CONNECTED;
    if (this.loopback) {
      lines =
        (this.mcr & MCR_DTR ? MSR_DSR : 0) |
        (this.mcr & MCR_RTS ? MSR_CTS : 0) |
        (this.mcr & MCR_OUT1 ? MSR_RI : 0) |
        (this.mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    const changed = (this.msr ^ lines) & 0xf0;
    let deltas = this.msr & 0x0f;
    if (changed & MSR_CTS) deltas |= MSR_DELTA_CTS;
    if (changed & MSR_DSR) deltas |= MSR_DELTA_DSR;
    if (changed & MSR_DCD) deltas |= MSR_DELTA_DCD;
    if ((changed & MSR_RI) !== 0 && (lines & MSR_RI) === 0) deltas |= MSR_TRAILING_RI;
    this.msr = lines | deltas;
  }

  /** The interrupt of highest priority, as IIR's low nibble shows it. */
  private cause(): number {
    if ((this.ier & IER_LINE_STATUS) !== 0 && (this.overrun || this.fifo[0] === BREAK))
      return IIR_LINE_STATUS;
    if ((this.ier & IER_RECEIVED_DATA) !== 0 && this.fifo.length > 0) {
      const trigger = this.fifoEnabled ? TRIGGER_LEVELS[this.fcr >> 6]! : 1;
      // No more can be under way once the queue is empty: the character time-out follows at once.
      return this.fifo.length >= trigger ? IIR_RECEIVED_DATA : IIR_TIME_OUT;
    }
    if ((this.ier & IER_THR_EMPTY) !== 0 && this.thrEmpty) return IIR_THR_EMPTY;
    if ((this.ier & IER_MODEM_STATUS) !== 0 && (this.msr & 0x0f) !== 0) return IIR_MODEM_STATUS;
    return IIR_NONE;
  }

  private drive(): void {
    this.wire(this.cause() !== IIR_NONE);
  }
}
