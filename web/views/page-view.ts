import { hostConsoleView } from '../host-console/host-console-view.ts';
import type { App } from '../state/app.ts';
import { strings } from '../strings.ts';
import { h } from './dom.ts';
import { guestsView } from './guests-view.ts';
import { type MachineView, machineView, phaseWord } from './machine-view.ts';
import { snapshotsView } from './snapshots-view.ts';

/** What is under one tab. */
interface Panel {
  tab: HTMLButtonElement;
  element: HTMLElement;
  machine: MachineView | undefined;
}

export interface PageView {
  element: HTMLElement;
  /** The view of a machine by its session's id. */
  machine(id: string): MachineView | undefined;
}

function header(): HTMLElement {
  return h(
    'header',
    {},
    h('h1', {}, strings.title),
    h('p', { className: 'tagline' }, strings.tagline),
    !window.crossOriginIsolated &&
      h('p', { className: 'message isolation', role: 'note' }, strings.notIsolated),
  );
}

/** The whole page: header, tabs, and under them the guests or a machine. */
export function pageView(app: App): PageView {
  const panels = new Map<string, Panel>();
  const tabs = h('div', {
    className: 'tabs',
    role: 'tablist',
    aria: { label: strings.tabList },
    hidden: true,
  });
  const main = h('main');

  const addPanel = (
    key: string,
    id: string | undefined,
    content: HTMLElement,
    machine?: MachineView,
  ): Panel => {
    const tab = h(
      'button',
      {
        type: 'button',
        id: `tab-${key}`,
        role: 'tab',
        onclick: () => app.select(id),
        aria: { controls: `panel-${key}` },
      },
      id === undefined ? strings.guestsTab : '',
    );
    const element = h(
      'div',
      { id: `panel-${key}`, className: 'panel', role: 'tabpanel', aria: { labelledby: `tab-${key}` } },
      content,
    );
    tabs.append(tab);
    main.append(element);
    const panel = { tab, element, machine };
    panels.set(key, panel);
    return panel;
  };
  addPanel('guests', undefined, h('div', {}, guestsView(app), snapshotsView(app), hostConsoleView(app)));

  tabs.onkeydown = (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const all = [...panels.values()];
    const at = all.findIndex(({ tab }) => tab === event.target);
    const next = all[(at + step + all.length) % all.length];
    next?.tab.focus();
    event.preventDefault();
  };

  let shown = '';
  app.view.subscribe(({ sessions, selected }) => {
    for (const session of sessions) {
      if (panels.has(session.id)) continue;
      const machine = machineView(app, session);
      const { tab } = addPanel(session.id, session.id, machine.element, machine);
      const dot = h('span', { className: 'dot' });
      const word = h('span', { className: 'visually-hidden' });
      tab.append(dot, session.name, word);
      session.view.subscribe((view) => {
        dot.dataset.phase = view.phase;
        word.textContent = `, ${phaseWord(view)}`;
      });
    }
    for (const [key, panel] of panels) {
      if (key === 'guests' || sessions.some((session) => session.id === key)) continue;
      panel.machine?.dispose();
      panel.element.remove();
      panel.tab.remove();
      panels.delete(key);
    }
    tabs.hidden = sessions.length === 0;
    const front = selected ?? 'guests';
    for (const [key, panel] of panels) {
      const isFront = key === front;
      panel.tab.setAttribute('aria-selected', String(isFront));
      panel.tab.tabIndex = isFront ? 0 : -1;
      panel.element.hidden = !isFront;
    }
    if (front === shown) return;
    panels.get(shown)?.machine?.show(false);
    panels.get(front)?.machine?.show(true);
    document.body.dataset.view = front === 'guests' ? 'guests' : 'machine';
    // What had the focus may be gone with its machine.
    if (sessions.length === 0 && shown !== '') main.querySelector<HTMLElement>('.preferred button')?.focus();
    else if (front === 'guests' && !document.activeElement?.matches('[role=tab]'))
      panels.get(front)?.tab.focus();
    shown = front;
  });

  const element = h('div', { className: 'page' }, header(), tabs, main);
  return { element, machine: (id) => panels.get(id)?.machine };
}
