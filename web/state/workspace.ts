import {
  bringToFront,
  type Group,
  groupsOf,
  groupWith,
  type Layout,
  placeTab,
  removeTab,
  resizeSplit,
  type Side,
  splitOff,
} from './layout.ts';
import { Store } from './store.ts';

export interface WorkspaceView {
  layout: Layout;
  /** The group that has the keyboard's attention; what is opened comes there. */
  focused: number;
}

const EMPTY: Group = { kind: 'group', id: 1, tabs: [], front: undefined };

/** The tabs of the page, and how they are laid out. A tab is known by its name: `guests`, `m1`. */
export class Workspace {
  readonly view = new Store<WorkspaceView>({ layout: EMPTY, focused: EMPTY.id });

  /** The group that is in use. */
  get group(): Group {
    const { layout, focused } = this.view.value;
    const groups = groupsOf(layout);
    return groups.find(({ id }) => id === focused) ?? groups[0]!;
  }

  /** The tab that is in use; undefined when none is open. */
  get front(): string | undefined {
    return this.group.front;
  }

  has(tab: string): boolean {
    return groupWith(this.view.value.layout, tab) !== undefined;
  }

  /** Shows a tab: where it is, or else in the group that is in use. */
  open(tab: string): void {
    const { layout } = this.view.value;
    const group = groupWith(layout, tab);
    if (group) this.#set(bringToFront(layout, tab), group.id);
    else this.#set(placeTab(layout, tab, this.group.id), this.group.id);
  }

  close(tab: string): void {
    this.#set(removeTab(this.view.value.layout, tab));
  }

  focus(groupId: number): void {
    this.#set(this.view.value.layout, groupId);
  }

  move(tab: string, groupId: number, before?: string): void {
    this.#set(placeTab(this.view.value.layout, tab, groupId, before), groupId);
  }

  /** Puts a tab into a group of its own at a side of a group (default: of the one that it is in). */
  split(tab: string, side: Side, groupId = groupWith(this.view.value.layout, tab)?.id): void {
    if (groupId === undefined) return;
    const layout = splitOff(this.view.value.layout, tab, groupId, side);
    this.#set(layout, groupWith(layout, tab)?.id);
  }

  /** Puts a tab into the next group, round and round. */
  moveOn(tab: string): void {
    const groups = groupsOf(this.view.value.layout);
    const at = groups.findIndex(({ tabs }) => tabs.includes(tab));
    const next = groups[(at + 1) % groups.length];
    if (at >= 0 && next && groups.length > 1) this.move(tab, next.id);
  }

  resize(splitId: number, share: number): void {
    this.#set(resizeSplit(this.view.value.layout, splitId, share));
  }

  restore(layout: Layout): void {
    this.#set(layout);
  }

  #set(layout: Layout, focused = this.view.value.focused): void {
    const before = this.view.value;
    const groups = groupsOf(layout);
    const group = groups.find(({ id }) => id === focused) ?? groups[0]!;
    if (layout !== before.layout || group.id !== before.focused) this.view.set({ layout, focused: group.id });
  }
}
