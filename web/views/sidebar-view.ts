// What there is, at the side of the page: tools, machines with their state and meters, containers.
import { type App, consoleTab, GUESTS_TAB } from '../state/app.ts';
import type { MachineSession } from '../state/machine-session.ts';
import { strings } from '../strings/strings.ts';
import { type Child, h, setText } from './dom.ts';
import { phaseWord } from './machine-view.ts';
import { meterTexts } from './meters-view.ts';
import { askName } from './rename.ts';
import { Scope, watch } from './scope.ts';
import { tools } from './tools.ts';

interface Row {
  element: HTMLElement;
  scope: Scope;
}

/** An entry: a button that shows a tab, marked while that tab is in use. */
function entry(app: App, tab: string, open: () => void, ...children: Child[]): HTMLButtonElement {
  const button = h(
    'button',
    { type: 'button', className: 'entry', onclick: open, dataset: { opens: tab } },
    ...children,
  );
  watch(app.workspace.view, () => {
    const isFront = app.workspace.front === tab;
    if (isFront) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  });
  return button;
}

function machineRow(app: App, session: MachineSession, show: (tab: string) => void): HTMLElement {
  const dot = h('span', { className: 'dot' });
  const name = h('span', { className: 'entry-name' });
  const word = h('span', { className: 'entry-state' });
  const meters = h('span', { className: 'entry-meters' });
  const load = h('span', { className: 'load', aria: { hidden: 'true' } });
  watch(session.view, (view) => {
    dot.dataset.phase = view.phase;
    setText(name, view.name);
    setText(word, phaseWord(view));
    const { mips, cpu, memory } = meterTexts(view);
    const running = view.phase === 'running' && view.stats !== undefined;
    setText(meters, running ? strings.rowMeters(mips, cpu, memory) : '');
    load.style.setProperty('--load', running ? String(Math.min(1, view.stats?.cpu ?? 0)) : '0');
  });
  const button = entry(app, session.id, () => show(session.id), dot, name, word, meters, load);
  button.onkeydown = (event) => {
    if (event.key !== 'F2') return;
    event.preventDefault();
    askName(session);
  };
  name.ondblclick = () => askName(session);
  const terminals = Array.from({ length: session.consoles - 1 }, (_, index) => {
    const tab = consoleTab(session.id, index + 1);
    return h(
      'li',
      {},
      entry(app, tab, () => show(tab), strings.terminal(index + 1)),
    );
  });
  return h('li', { dataset: { row: session.id } }, button, terminals.length > 0 && h('ul', {}, ...terminals));
}

function containersView(app: App): HTMLElement {
  const list = h('ul');
  const section = h('section', { hidden: true }, h('h2', {}, strings.containersHeading), list);
  watch(app.containers.view, ({ items }) => {
    section.hidden = items.length === 0;
    list.replaceChildren(
      ...items.map(({ id, name, image, state }) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              type: 'button',
              className: 'entry',
              onclick: () => app.containers.open(id),
              dataset: { container: id },
            },
            h('span', { className: 'dot', dataset: { phase: state } }),
            h('span', { className: 'entry-name' }, name),
            h('span', { className: 'entry-state' }, strings.containerStates[state]),
            h('span', { className: 'entry-meters' }, image),
          ),
        ),
      ),
    );
  });
  return section;
}

/** @param show brings a tab to the front, with the keyboard */
export function sidebarView(app: App, show: (tab: string) => void): HTMLElement {
  const rows = new Map<MachineSession, Row>();
  const list = h('ul');
  const none = h('p', { className: 'muted' }, strings.noMachines);
  watch(app.view, ({ sessions }) => {
    for (const session of sessions) {
      if (rows.has(session)) continue;
      const scope = new Scope();
      rows.set(session, { scope, element: scope.run(() => machineRow(app, session, show)) });
    }
    for (const [session, row] of rows) {
      if (sessions.includes(session)) continue;
      row.scope.end();
      rows.delete(session);
    }
    const elements = sessions.map((session) => rows.get(session)!.element);
    if (
      elements.some((element, index) => list.children[index] !== element) ||
      list.children.length !== elements.length
    )
      list.replaceChildren(...elements);
    none.hidden = sessions.length > 0;
  });
  const toolList = h('ul');
  let toolScope = new Scope();
  watch(tools.view, (all) => {
    toolScope.end();
    toolScope = new Scope();
    const entries = toolScope.run(() =>
      [{ id: GUESTS_TAB, title: () => strings.guestsTab }, ...all].map(({ id, title }) =>
        h(
          'li',
          {},
          entry(app, id, () => show(id), h('span', { className: 'entry-name' }, title())),
        ),
      ),
    );
    toolList.replaceChildren(...entries);
  });
  return h(
    'nav',
    { className: 'sidebar', id: 'sidebar', aria: { label: strings.sidebar } },
    toolList,
    h('section', {}, h('h2', {}, strings.machinesHeading), none, list),
    containersView(app),
  );
}
