import { patch, Store } from './store.ts';

/** A container as the sidebar shows it. */
export interface ContainerItem {
  id: string;
  name: string;
  image: string;
  state: 'created' | 'running' | 'paused' | 'exited' | 'dead';
}

/** Whoever runs containers in the page tells which there are, and shows one when asked to. */
export interface ContainerSource {
  /** Calls the listener with all containers, now and on every change; returns a function that ends it. */
  watch(listener: (containers: readonly ContainerItem[]) => void): () => void;
  /** Shows a container: its console, or what there is of it. */
  open(id: string): void;
}

/** The containers of the page; none before an engine has joined. */
export class Containers {
  readonly view = new Store<{ items: readonly ContainerItem[] }>({ items: [] });
  #source: ContainerSource | undefined;

  /** Joins an engine; returns a function that parts it again. */
  join(source: ContainerSource): () => void {
    this.#source = source;
    const end = source.watch((items) => patch(this.view, { items }));
    return () => {
      end();
      if (this.#source !== source) return;
      this.#source = undefined;
      patch(this.view, { items: [] });
    };
  }

  open(id: string): void {
    this.#source?.open(id);
  }
}
