// Tabs that are neither guests nor machines: what a part of the page adds to it.
import { Store } from '../state/store.ts';

/** A tool of the page, which has a tab once somebody opens it. */
export interface Tool {
  /** The name of its tab: lower-case letters. */
  id: string;
  /** In the language that is chosen now. */
  title(): string;
  /** Makes what is under its tab, the first time it is opened; it stays as long as the page does. */
  open?(): HTMLElement | Promise<HTMLElement>;
  /** Instead: gets what builds it anew each time it is opened, and when the language changes. */
  view?(): Promise<() => HTMLElement>;
  /** It is to have the keyboard. */
  focus?(): void;
}

class Tools {
  readonly view = new Store<readonly Tool[]>([]);

  add(tool: Tool): void {
    this.view.set([...this.view.value, tool]);
  }

  get(id: string): Tool | undefined {
    return this.view.value.find((tool) => tool.id === id);
  }
}

/** The tools that the page has. */
export const tools = new Tools();
