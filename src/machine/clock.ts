// A machine's time: ticks of the timebase since power-on, standing still while the machine is paused.
import type { TickSource } from '../devices/clint.ts';
import { TICKS_PER_MS } from './memory-map.ts';

export class MachineClock implements TickSource {
  private readonly hostMs: () => number;
  private originMs: number;
  private suspendedAtMs: number | undefined;
  private latest = 0;

  /** @param hostMs a clock that never runs backwards, in milliseconds */
  constructor(hostMs: () => number = () => performance.now()) {
    this.hostMs = hostMs;
    this.originMs = hostMs();
  }

  /** Whole ticks since power-on. Never less than before, except after set(). */
  now(): number {
    const ms = (this.suspendedAtMs ?? this.hostMs()) - this.originMs;
    this.latest = Math.max(this.latest, Math.floor(ms * TICKS_PER_MS));
    return this.latest;
  }

  /** Moves the time to a number of ticks (CLINT's mtime is writable); beyond 2^53 it stays there. */
  set(ticks: number): void {
    this.latest = Math.min(ticks, Number.MAX_SAFE_INTEGER);
    this.originMs = (this.suspendedAtMs ?? this.hostMs()) - this.latest / TICKS_PER_MS;
  }

  suspend(): void {
    this.suspendedAtMs ??= this.hostMs();
  }

  resume(): void {
    if (this.suspendedAtMs === undefined) return;
    this.originMs += this.hostMs() - this.suspendedAtMs;
    this.suspendedAtMs = undefined;
  }

  /** Power-on: the time is zero again. */
  reset(): void {
    this.latest = 0;
    this.originMs = this.suspendedAtMs ?? this.hostMs();
  }
}
