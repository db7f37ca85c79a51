// Goldfish real-time clock: nanoseconds since 1970 and one alarm.
// Register map: goldfish virtual hardware, "Goldfish RTC".
import type { Stateful, StateReader, StateWriter } from '../core/state-bytes.ts';
import type { InterruptWire, MmioDevice } from './device.ts';

export const RTC_SIZE = 0x1000;
/** Reading it latches TIME_HIGH. */
export const RTC_TIME_LOW = 0x00;
export const RTC_TIME_HIGH = 0x04;
/** Writing it arms the alarm, with ALARM_HIGH written before. */
export const RTC_ALARM_LOW = 0x08;
export const RTC_ALARM_HIGH = 0x0c;
export const RTC_IRQ_ENABLED = 0x10;
export const RTC_CLEAR_ALARM = 0x14;
export const RTC_ALARM_STATUS = 0x18;
export const RTC_CLEAR_INTERRUPT = 0x1c;

const MASK_64 = 0xffffffffffffffffn;

export class GoldfishRtc implements MmioDevice, Stateful {
  readonly name = 'rtc';
  readonly size = RTC_SIZE;
  private readonly hostNanoseconds: () => bigint;
  private readonly wire: InterruptWire;
  private readonly onSet: () => void;
  private offset = 0n;
  private latchedHigh = 0;
  private timeHigh = 0;
  private alarmHigh = 0;
  private alarm: bigint | undefined;
  private lastAlarm = 0n;
  private enabled = false;
  private pending = false;
  readonly stateVersion = 1;

  /**
   * @param hostNanoseconds nanoseconds since 1970, UTC
   * @param onSet called when the alarm or the time was set: poll() may be due at another time than before
   */
  constructor(hostNanoseconds: () => bigint, wire: InterruptWire, onSet: () => void = () => {}) {
    this.hostNanoseconds = hostNanoseconds;
    this.wire = wire;
    this.onSet = onSet;
  }

  /** Nanoseconds until the armed alarm fires; undefined without one. */
  get alarmInNs(): bigint | undefined {
    if (this.alarm === undefined) return undefined;
    const left = this.alarm - this.now();
    return left > 0n ? left : 0n;
  }

  /** Fires the alarm when its time has come. */
  poll(): void {
    if (this.alarm === undefined || this.now() < this.alarm) return;
    this.alarm = undefined;
    this.pending = true;
    this.drive();
  }

  read(offset: number, size: 1 | 2 | 4): number {
    const word = (offset & 3) === 0 ? this.readWord(offset) : 0;
    return size === 4 ? word : word & (size === 2 ? 0xffff : 0xff);
  }

  write(offset: number, size: 1 | 2 | 4, value: number): void {
    if (size !== 4) return;
    const word = value >>> 0;
    switch (offset) {
      case RTC_TIME_HIGH:
        this.timeHigh = word;
        break;
      case RTC_TIME_LOW:
        this.offset = ((BigInt(this.timeHigh) << 32n) | BigInt(word)) - this.hostNanoseconds();
        this.onSet();
        break;
      case RTC_ALARM_HIGH:
        this.alarmHigh = word;
        break;
      case RTC_ALARM_LOW:
        this.lastAlarm = (BigInt(this.alarmHigh) << 32n) | BigInt(word);
        this.alarm = this.lastAlarm;
        this.poll();
        this.onSet();
        break;
      case RTC_IRQ_ENABLED:
        this.enabled = (word & 1) !== 0;
        this.drive();
        break;
      case RTC_CLEAR_ALARM:
        this.alarm = undefined;
        break;
      case RTC_CLEAR_INTERRUPT:
        this.pending = false;
        this.drive();
        break;
    }
  }

  reset(): void {
    this.offset = 0n;
    this.latchedHigh = 0;
    this.timeHigh = 0;
    this.alarmHigh = 0;
    this.alarm = undefined;
    this.lastAlarm = 0n;
    this.enabled = false;
    this.pending = false;
    this.drive();
  }

  /** The time itself is not in it: it is the host's, moved by what the guest has set. */
  saveState(writer: StateWriter): void {
    writer.u64(this.offset);
    writer.u32(this.latchedHigh);
    writer.u32(this.timeHigh);
    writer.u32(this.alarmHigh);
    writer.optional(this.alarm, (alarm) => writer.u64(alarm));
    writer.u64(this.lastAlarm);
    writer.flag(this.enabled);
    writer.flag(this.pending);
  }

  loadState(reader: StateReader): () => void {
    const offset = reader.i64();
    const [latchedHigh, timeHigh, alarmHigh] = [reader.u32(), reader.u32(), reader.u32()];
    const alarm = reader.optional(() => reader.u64());
    const lastAlarm = reader.u64();
    const enabled = reader.flag();
    const pending = reader.flag();
    return () => {
      this.offset = offset;
      this.latchedHigh = latchedHigh;
      this.timeHigh = timeHigh;
      this.alarmHigh = alarmHigh;
      this.alarm = alarm;
      this.lastAlarm = lastAlarm;
      this.enabled = enabled;
      this.pending = pending;
    };
  }

  private readWord(offset: number): number {
    switch (offset) {
      case RTC_TIME_LOW: {
        const now = this.now();
        this.latchedHigh = Number(now >> 32n);
        return Number(now & 0xffffffffn);
      }
      case RTC_TIME_HIGH:
        return this.latchedHigh;
      case RTC_ALARM_LOW:
        return Number(this.lastAlarm & 0xffffffffn);
      case RTC_ALARM_HIGH:
        return this.alarmHigh;
      case RTC_IRQ_ENABLED:
        return this.enabled ? 1 : 0;
      case RTC_ALARM_STATUS:
        return this.alarm === undefined ? 0 : 1;
      default:
        return 0;
    }
  }

  private now(): bigint {
    return (this.hostNanoseconds() + this.offset) & MASK_64;
  }

  private drive(): void {
    this.wire(this.pending && this.enabled);
  }
}
