// One range of a file by HTTP, again and again until it is there or cannot be.
import { changed, checkPin, type HttpPin, ifRangeOf, parseContentRange, pinOf } from './http-pin.ts';
import { StorageError } from './storage-error.ts';

export interface HttpFetchOptions {
  /** Milliseconds without a byte after which an answer is given up. Default 15,000. */
  idleMs?: number;
  /** Tries in all. Default 5. */
  attempts?: number;
  /** Milliseconds before the second try; doubled for each further one. Default 300. */
  retryMs?: number;
  /** Default: the global one. */
  fetch?: typeof fetch;
}

/** A failure that another try may mend. */
class TransientError extends Error {}

/** Requests under way at once; browsers send no more to one server either. */
const CONNECTIONS = 6;

/** Answers after which it makes sense to ask again. */
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Asks for ranges of one file. */
export class HttpRanges {
  readonly url: string;
  readonly #idleMs: number;
  readonly #attempts: number;
  readonly #retryMs: number;
  readonly #fetch: typeof fetch;
  /** Ends what is under way. */
  readonly #stops = new Set<() => void>();
  #isClosed = false;
  /** A body has stalled: from now on each is watched piece by piece. */
  #byPieces = false;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(url: string, options: HttpFetchOptions = {}) {
    this.url = url;
    this.#idleMs = options.idleMs ?? 15_000;
    this.#attempts = options.attempts ?? 5;
    this.#retryMs = options.retryMs ?? 300;
    this.#fetch = options.fetch ?? fetch.bind(globalThis);
  }

  /** Gives up whatever is under way. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
  }

  /**
   * Asks for the start of the file, to learn its size and what identifies this version of it.
   * @throws {StorageError} io, denied or corrupt
   */
  probe(length: number): Promise<{ pin: HttpPin; start: Uint8Array }> {
    return this.#again(async (signal, alive) => {
      const response = await this.#request(`bytes=0-${length - 1}`, undefined, signal);
      const range = this.#rangeOf(response, 0);
      if (range.end !== Math.min(length, range.total) - 1) throw this.#lies(response);
      const start = await this.#readBody(response, range.end + 1, alive);
      return { pin: pinOf(response.headers, range.total), start };
    });
  }

  /**
   * Fetches a range of the version that was pinned.
   * @throws {StorageError} io, denied, or corrupt when the file has changed or the server lies
   */
  get(pin: HttpPin, offset: number, length: number): Promise<Uint8Array> {
    return this.#again(async (signal, alive) => {
      const response = await this.#request(`bytes=${offset}-${offset + length - 1}`, pin, signal);
      // If-Range answers with the whole file when it is another one; 416 when it is shorter now.
      if (response.status === 200 || response.status === 416) throw changed(this.url);
      const range = this.#rangeOf(response, offset);
      checkPin(this.url, pin, pinOf(response.headers, range.total));
      if (range.end !== offset + length - 1) throw this.#lies(response);
      return this.#readBody(response, length, alive);
    });
  }

  async #request(range: string, pin: HttpPin | undefined, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { range };
    const ifRange = pin === undefined ? undefined : ifRangeOf(pin);
    // Another origin would have to allow this header first; there the tags of the answers are compared alone.
    if (ifRange !== undefined && this.#isSameOrigin()) headers['if-range'] = ifRange;
    const response = await this.#fetch(this.url, { headers, signal, cache: 'no-store' }).catch(
      (error: unknown) => {
        throw new TransientError(reasonOf(error));
      },
    );
    const { status } = response;
    if (status === 200 || status === 206 || (status === 416 && pin !== undefined)) return response;
    await response.body?.cancel().catch(() => undefined);
    if (TRANSIENT.has(status)) throw new TransientError(`the server answers HTTP ${status}`);
    const kind = status === 401 || status === 403 ? 'denied' : 'io';
    throw new StorageError(kind, `${this.url}: the server answers HTTP ${status}; check the address`);
  }

  #isSameOrigin(): boolean {
    const { location } = globalThis as { location?: { origin?: string } };
    return location?.origin === undefined || new URL(this.url, location.origin).origin === location.origin;
  }

  /** Checks that an answer is a range that begins where it should. */
  #rangeOf(response: Response, offset: number) {
    if (response.status === 200) {
      throw new StorageError(
        'io',
        `${this.url}: the server cannot send parts of files; use one that answers ranges`,
      );
    }
    const encoding = response.headers.get('content-encoding');
    if (encoding !== null && encoding !== 'identity') {
      throw new StorageError(
        'io',
        `${this.url}: the server compresses parts of files; turn that off for images`,
      );
    }
    const range = parseContentRange(response.headers.get('content-range'));
    if (range === undefined || range.start !== offset) throw this.#lies(response);
    return range;
  }

  #lies(response: Response): StorageError {
    const header = response.headers.get('content-range') ?? 'no Content-Range';
    return new StorageError(
      'corrupt',
      `${this.url}: the server sends another part than was asked for (${header})`,
    );
  }

  /**
   * Reads a body that must have so many bytes. One that says so itself is asked for whole: in a browser, its pieces
   * would be eight turns of the machine's thread for each 512 KiB.
   */
  async #readBody(response: Response, length: number, alive: () => void): Promise<Uint8Array> {
    alive();
    if (!this.#byPieces && response.headers.get('content-length') === String(length)) {
      const whole = await response.arrayBuffer().catch((error: unknown) => {
        throw new TransientError(reasonOf(error));
      });
      if (whole.byteLength !== length) throw this.#cut(whole.byteLength, length);
      return new Uint8Array(whole);
    }
    const target = new Uint8Array(length);
    let done = 0;
    const reader = response.body?.getReader();
    try {
      for (;;) {
        const { value, done: isOver } = (await reader?.read()) ?? { done: true };
        if (isOver || value === undefined) break;
        alive();
        if (done + value.length > target.length) {
          throw new StorageError('corrupt', `${this.url}: the server sends more than it announced`);
        }
        target.set(value, done);
        done += value.length;
      }
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw new TransientError(reasonOf(error));
    } finally {
      await reader?.cancel().catch(() => undefined);
    }
    if (done < length) throw this.#cut(done, length);
    return target;
  }

  #cut(done: number, length: number): TransientError {
    return new TransientError(`the answer ended after ${done} of ${length} bytes`);
  }

  async #again<T>(step: (signal: AbortSignal, alive: () => void) => Promise<T>): Promise<T> {
    if (this.#underWay >= CONNECTIONS) await new Promise<void>((go) => this.#waiting.push(go));
    this.#underWay++;
    try {
      return await this.#tryAgain(step);
    } finally {
      this.#underWay--;
      this.#waiting.shift()?.();
    }
  }

  /** Tries until it works, tries are used up, or the failure is one that stays. */
  async #tryAgain<T>(step: (signal: AbortSignal, alive: () => void) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (this.#isClosed) throw new StorageError('io', `${this.url} is closed`);
      const idle = new AbortController();
      let stalled = false;
      const giveUp = () => {
        stalled = true;
        // It may have been a slow line: one whose bytes come one by one is alive.
        this.#byPieces = true;
        idle.abort();
      };
      let timer = setTimeout(giveUp, this.#idleMs);
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, this.#idleMs);
      };
      const stop = () => idle.abort();
      this.#stops.add(stop);
      try {
        return await step(idle.signal, alive);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        const reason = stalled ? `no byte for ${this.#idleMs / 1000} s` : error.message;
        if (this.#isClosed) throw new StorageError('io', `${this.url} is closed`);
        if (attempt >= this.#attempts) {
          throw new StorageError(
            'io',
            `${this.url} cannot be read: ${reason}; check the network and the server`,
            {
              cause: error,
            },
          );
        }
      } finally {
        clearTimeout(timer);
        this.#stops.delete(stop);
        idle.abort();
      }
      await this.#pause(this.#retryMs * 2 ** (attempt - 1));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer);
        this.#stops.delete(over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      this.#stops.add(over);
    });
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
