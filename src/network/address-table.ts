// Which port a station was last heard at. IEEE 802.1Q-2018, section 8.8: the filtering database.

interface Entry<P> {
  port: P;
  heardAt: number;
}

/** Stations by their address; old ones are forgotten, and each port may teach only so many. */
export class AddressTable<P> {
  readonly #entries = new Map<number, Entry<P>>();
  readonly #taught = new Map<P, number>();
  readonly #ageMs: number;
  readonly #perPort: number;
  #sweptAt = -Infinity;

  /** @param ageMs how long a silent station is remembered @param perPort stations remembered at one port */
  constructor(ageMs: number, perPort: number) {
    this.#ageMs = ageMs;
    this.#perPort = perPort;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A station was heard at a port, where it is from now on. `now` in milliseconds. */
  learn(station: number, port: P, now: number): void {
    const entry = this.#entries.get(station);
    if (entry?.port === port) {
      entry.heardAt = now;
      return;
    }
    if (this.#count(port) >= this.#perPort) this.#sweep(now);
    // A port that is full teaches no more: its other stations are reached by flooding, and other ports keep theirs.
    if (this.#count(port) >= this.#perPort) return;
    if (entry !== undefined) this.#taught.set(entry.port, this.#count(entry.port) - 1);
    this.#entries.set(station, { port, heardAt: now });
    this.#taught.set(port, this.#count(port) + 1);
  }

  /** Where a station is; undefined when nobody knows. */
  find(station: number, now: number): P | undefined {
    const entry = this.#entries.get(station);
    return entry === undefined || now - entry.heardAt > this.#ageMs ? undefined : entry.port;
  }

  /** A port is gone, and its stations with it. */
  forget(port: P): void {
    for (const [station, entry] of this.#entries) if (entry.port === port) this.#entries.delete(station);
    this.#taught.delete(port);
  }

  #count(port: P): number {
    return this.#taught.get(port) ?? 0;
  }

  /** At most once a second, so that a port that invents stations does not make every frame a sweep. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < 1000) return;
    this.#sweptAt = now;
    for (const [station, { port, heardAt }] of this.#entries) {
      if (now - heardAt <= this.#ageMs) continue;
      this.#entries.delete(station);
      this.#taught.set(port, this.#count(port) - 1);
    }
  }
}
