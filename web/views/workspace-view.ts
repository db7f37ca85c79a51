// Tabs in groups, and groups beside and above each other.
import { groupsOf, type Layout } from '../state/layout.ts';
import type { Workspace } from '../state/workspace.ts';
import { strings } from '../strings/strings.ts';
import { h } from './dom.ts';
import { onEnd, Scope, watch } from './scope.ts';
import { splitterView } from './splitter-view.ts';
import { dropTarget, offerTab, tabDropped } from './tab-drag.ts';

/** What is under a tab. */
export interface TabContent {
  /** What the tab shows. */
  label: Node[];
  element: HTMLElement;
  /** It comes to the front of its group, or leaves it. */
  show?(visible: boolean): void;
  /** It is to have the keyboard. */
  focus?(): void;
  /** Somebody wants another name for it. */
  rename?(): void;
}

interface OpenTab {
  button: HTMLButtonElement;
  panel: HTMLElement;
  content: TabContent;
  scope: Scope;
  shown: boolean;
}

interface GroupElement {
  element: HTMLElement;
  tabs: HTMLElement;
  body: HTMLElement;
}

/** Makes children these, in this order, without touching what is in its place. */
function arrange(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const now = [...parent.children];
  if (now.length === children.length && children.every((child, index) => child === now[index])) return;
  parent.replaceChildren(...children);
}

export interface WorkspaceElement {
  element: HTMLElement;
  /** What is under an open tab. */
  content(tab: string): TabContent | undefined;
  /** Gives the keyboard to the tab that is in use. */
  focus(): void;
}

/**
 * The workspace: every open tab as `make` makes it.
 * @param make builds what is under a tab, in a scope that ends when the tab is closed
 */
export function workspaceView(workspace: Workspace, make: (tab: string) => TabContent): WorkspaceElement {
  const open = new Map<string, OpenTab>();
  const groups = new Map<number, GroupElement>();
  const splits = new Map<number, { element: HTMLElement; splitter: ReturnType<typeof splitterView> }>();
  const element = h('div', { className: 'workspace' });

  const openTab = (tab: string): OpenTab => {
    const scope = new Scope();
    const content = scope.run(() => make(tab));
    const hide = h('span', { className: 'tab-hide', title: strings.hideTab, aria: { hidden: 'true' } });
    hide.onclick = (event) => {
      event.stopPropagation();
      workspace.close(tab);
    };
    const button = h(
      'button',
      {
        type: 'button',
        id: `tab-${tab}`,
        role: 'tab',
        draggable: true,
        onclick: () => select(tab),
        ondblclick: () => content.rename?.(),
        dataset: { tab },
      },
      ...content.label,
      hide,
    );
    offerTab(button, tab, element);
    const panel = h(
      'div',
      { id: `panel-${tab}`, className: 'panel', role: 'tabpanel', aria: { labelledby: `tab-${tab}` } },
      content.element,
    );
    return { button, panel, content, scope, shown: false };
  };

  const select = (tab: string) => {
    workspace.open(tab);
    open.get(tab)?.content.focus?.();
  };

  const onTabKey = (event: KeyboardEvent, tabs: readonly string[]) => {
    const at = tabs.findIndex((tab) => open.get(tab)?.button === event.target);
    const tab = tabs[at];
    if (tab === undefined) return;
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) {
      open.get(tabs[(at + step + tabs.length) % tabs.length]!)?.button.focus();
    } else if (event.key === 'Delete') {
      const next = tabs[at + 1] ?? tabs[at - 1];
      workspace.close(tab);
      if (next) open.get(next)?.button.focus();
    } else if (event.key === 'F2') {
      open.get(tab)?.content.rename?.();
    } else return;
    event.preventDefault();
  };

  const groupElement = (id: number): GroupElement => {
    const known = groups.get(id);
    if (known) return known;
    const tabs = h('div', { className: 'tabs', role: 'tablist', aria: { label: strings.tabList } });
    const body = h('div', { className: 'group-body' });
    const made = { element: h('section', { className: 'group' }, tabs, body), tabs, body };
    const current = () => groupsOf(workspace.view.value.layout).find((group) => group.id === id);
    tabs.onkeydown = (event) => onTabKey(event, current()?.tabs ?? []);
    made.element.addEventListener('focusin', () => workspace.focus(id));
    made.element.addEventListener('pointerdown', () => workspace.focus(id));
    tabDropped(tabs, (tab, event) => {
      const before = (event.target as Element).closest<HTMLElement>('[role=tab]')?.dataset.tab;
      workspace.move(tab, id, before);
      select(tab);
    });
    dropTarget(body, (tab, side) => {
      if (side === undefined) workspace.move(tab, id);
      else workspace.split(tab, side, id);
      select(tab);
    });
    groups.set(id, made);
    return made;
  };

  const build = (layout: Layout): HTMLElement => {
    if (layout.kind === 'group') {
      const { element, tabs, body } = groupElement(layout.id);
      element.classList.toggle('focused', layout.id === workspace.view.value.focused);
      const here = layout.tabs.map((tab) => open.get(tab)!);
      arrange(
        tabs,
        here.map(({ button }) => button),
      );
      arrange(
        body,
        here.map(({ panel }) => panel),
      );
      for (const [index, { button, panel }] of here.entries()) {
        const isFront = layout.tabs[index] === layout.front;
        button.setAttribute('aria-selected', String(isFront));
        button.setAttribute('aria-controls', panel.id);
        button.tabIndex = isFront ? 0 : -1;
        panel.hidden = !isFront;
      }
      return element;
    }
    const { id, direction, share } = layout;
    let split = splits.get(id);
    if (split === undefined) {
      const splitter = splitterView((to) => workspace.resize(id, to));
      split = { element: h('div', {}), splitter };
      splits.set(id, split);
    }
    const [first, second] = [build(layout.first), build(layout.second)];
    split.element.className = `split ${direction}`;
    first.style.flexGrow = String(share);
    second.style.flexGrow = String(1 - share);
    split.splitter.show(direction, share);
    arrange(split.element, [first, split.splitter.element, second]);
    return split.element;
  };

  watch(workspace.view, ({ layout }) => {
    const all = groupsOf(layout);
    const tabs = new Set(all.flatMap((group) => group.tabs));
    const focused = document.activeElement;
    for (const tab of tabs) if (!open.has(tab)) open.set(tab, openTab(tab));
    for (const [tab, gone] of open) {
      if (tabs.has(tab)) continue;
      if (gone.shown) gone.content.show?.(false);
      gone.scope.end();
      gone.panel.remove();
      gone.button.remove();
      open.delete(tab);
    }
    const root = build(layout);
    root.style.flexGrow = '1';
    arrange(element, [root]);
    for (const id of groups.keys()) if (!all.some((group) => group.id === id)) groups.delete(id);
    // What was moved on the page has lost the keyboard.
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected)
      focused.focus();
    const fronts = new Set(all.map(({ front }) => front));
    for (const [tab, each] of open) {
      const shown = fronts.has(tab);
      if (shown === each.shown) continue;
      each.shown = shown;
      each.content.show?.(shown);
    }
  });
  onEnd(() => {
    for (const { content, shown } of open.values()) if (shown) content.show?.(false);
  });
  return {
    element,
    content: (tab) => open.get(tab)?.content,
    focus: () => open.get(workspace.front ?? '')?.content.focus?.(),
  };
}
