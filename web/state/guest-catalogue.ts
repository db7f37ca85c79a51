import type { GuestEntry } from 'hypertab';
import { strings } from '../strings/strings.ts';
import { Store } from './store.ts';

export type Catalogue =
  | { state: 'loading' }
  | { state: 'failed'; why: string }
  | { state: 'ready'; guests: GuestEntry[]; preferred: GuestEntry | undefined };

/** Guests a newcomer is offered first, best first. */
const PREFERENCE = ['busybox', 'monitor', 'hello'];

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isGuestEntry(value: unknown): value is GuestEntry {
  return (
    isRecord(value) &&
    typeof value.name === 'string' &&
    /^[\w.-]+$/.test(value.name) &&
    typeof value.title === 'string' &&
    typeof value.description === 'string' &&
    typeof value.memory === 'number' &&
    typeof value.prepared === 'boolean' &&
    (value.download === undefined || typeof value.download === 'number') &&
    (value.kind === 'debian' || value.kind === 'toy')
  );
}

async function fetchJson(url: URL): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error('the server does not answer');
  }
  if (!response.ok) throw new Error(`${url.pathname}: status ${response.status}`);
  try {
    return await response.json();
  } catch {
    throw new Error(`${url.pathname} is not JSON`);
  }
}

/** The guests the server offers. */
export class GuestCatalogue {
  readonly store = new Store<Catalogue>({ state: 'loading' });
  readonly #base: URL;

  constructor(base: URL) {
    this.#base = base;
  }

  /** A guest by its name; undefined when the server does not offer it, or has not answered yet. */
  find(name: string | undefined): GuestEntry | undefined {
    const { value } = this.store;
    return value.state === 'ready' ? value.guests.find((guest) => guest.name === name) : undefined;
  }

  /** Reads guests/index.json, again if it has been read. Never rejects: the store says what failed. */
  async load(): Promise<void> {
    this.store.set({ state: 'loading' });
    try {
      const index = await fetchJson(new URL('index.json', this.#base));
      const guests = (Array.isArray(index) ? index : []).filter(isGuestEntry);
      const prepared = guests.filter((guest) => guest.prepared);
      const preferred =
        PREFERENCE.map((name) => prepared.find((guest) => guest.name === name)).find((guest) => guest) ??
        prepared[0];
      this.store.set({ state: 'ready', guests, preferred });
    } catch (error) {
      this.store.set({ state: 'failed', why: error instanceof Error ? error.message : strings.failed });
    }
  }
}
