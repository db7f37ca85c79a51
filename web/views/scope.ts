// What a view has to end when it goes: subscriptions, timers, observers.
import type { Store } from '../state/store.ts';

let current: Scope | undefined;

/** Collects what views begin while they are built, so that it can be ended with them. */
export class Scope {
  readonly #ends = new Set<() => void>();
  readonly #parent = current;
  readonly #leave = () => this.end();

  /** A scope that is made while another one builds ends with that one at the latest. */
  constructor() {
    this.#parent?.onEnd(this.#leave);
  }

  /** Runs what builds a view; what it watches belongs to this scope. */
  run<T>(build: () => T): T {
    const before = current;
    current = this;
    try {
      return build();
    } finally {
      current = before;
    }
  }

  onEnd(end: () => void): void {
    this.#ends.add(end);
  }

  end(): void {
    if (this.#parent) this.#parent.#ends.delete(this.#leave);
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}

/** Has something done when the view that is being built goes. */
export function onEnd(end: () => void): void {
  if (current === undefined) throw new Error('a view is built outside of a scope');
  current.onEnd(end);
}

/**
 * Calls the listener now and on every change, as long as the view that is being built is there. What the listener builds
 * belongs to that view; what it builds again and again wants a scope of its own each time.
 */
export function watch<T>(store: Store<T>, listener: (value: T) => void): void {
  const scope = current;
  if (scope === undefined) throw new Error('a view is built outside of a scope');
  scope.onEnd(store.subscribe((value) => scope.run(() => listener(value))));
}

/** Listens to an event as long as the view that is being built is there. */
export function listen(target: EventTarget, type: string, listener: (event: Event) => void): void {
  target.addEventListener(type, listener);
  onEnd(() => target.removeEventListener(type, listener));
}
