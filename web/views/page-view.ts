import { type App, consoleOfTab, GUESTS_TAB } from '../state/app.ts';
import { strings } from '../strings/strings.ts';
import { type ConsoleView, consoleView } from './console-view.ts';
import type { Consoles } from './consoles.ts';
import { h } from './dom.ts';
import { guestsView } from './guests-view.ts';
import { machineView, phaseWord } from './machine-view.ts';
import { reducedView } from './reduced-view.ts';
import { askName } from './rename.ts';
import { listen, onEnd, Scope, watch } from './scope.ts';
import { sidebarView } from './sidebar-view.ts';
import { snapshotsView } from './snapshots-view.ts';
import { type Tool, tools } from './tools.ts';
import { type TabContent, workspaceView } from './workspace-view.ts';

export interface PageView {
  element: HTMLElement;
  /** The console of a tab that is open. */
  console(tab: string): ConsoleView | undefined;
  /** Brings a tab to the front and gives it the keyboard. */
  show(tab: string): void;
  /** Gives the keyboard to the tab that is in use. */
  focus(): void;
  toggleSidebar(): void;
}

/** What somebody can have done from the header, and views that are loaded when they are wanted. */
export interface PageActions {
  openPalette(): void;
  openSettings(): void;
  openNewMachine(): void;
  /** The chord that opens the palette, as it is written here. */
  paletteChord: string;
}

const NARROW = '(max-width: 800px)';

/** What tools have made that outlives this view of the page. */
const toolElements = new Map<Tool, Promise<HTMLElement>>();

/** The element of a tool: the one that it has, or one that is built in this scope. */
async function toolElement(tool: Tool, scope: Scope): Promise<HTMLElement> {
  if (tool.view) {
    const build = await tool.view();
    return scope.run(build);
  }
  let made = toolElements.get(tool);
  if (made === undefined) {
    made = Promise.resolve(tool.open?.() ?? h('div'));
    toolElements.set(tool, made);
    made.catch(() => toolElements.delete(tool));
  }
  return made;
}

function toolContent(tool: Tool): TabContent {
  const element = h('div', { className: 'tool' }, h('p', { className: 'muted' }, strings.loading));
  toolElement(tool, new Scope()).then(
    (content) => element.replaceChildren(content),
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      element.replaceChildren(h('div', { className: 'message bad', role: 'alert' }, strings.toolFailed(why)));
    },
  );
  return { label: [new Text(tool.title())], element, focus: () => tool.focus?.() };
}

/** The whole page: header, sidebar, and the workspace with its tabs. */
export function pageView(app: App, consoles: Consoles, actions: PageActions): PageView {
  const consoleViews = new Map<string, ConsoleView>();

  const machineContent = (tab: string): TabContent | undefined => {
    const place = consoleOfTab(tab);
    const session = place && app.session(place.session);
    if (!place || !session) return undefined;
    const { index } = place;
    const dot = h('span', { className: 'dot' });
    const name = h('span');
    const word = h('span', { className: 'visually-hidden' });
    watch(session.view, (view) => {
      dot.dataset.phase = view.phase;
      name.textContent = index === 0 ? view.name : strings.terminalOf(view.name, index);
      word.textContent = `, ${phaseWord(view)}`;
    });
    const leave = () => document.getElementById(`tab-${tab}`)?.focus();
    const machine = index === 0 ? machineView(app, consoles, session) : undefined;
    const view = machine?.console ?? consoleView(app, consoles, session, index, leave);
    consoleViews.set(tab, view);
    onEnd(() => consoleViews.delete(tab));
    return {
      label: [dot, name, word],
      element: machine?.element ?? h('section', { className: 'machine' }, view.element),
      show: (visible) => view.show(visible),
      focus: () => view.focus(),
      rename: () => askName(session),
    };
  };
  const content = (tab: string): TabContent => {
    if (tab === GUESTS_TAB) {
      return {
        label: [new Text(strings.guestsTab)],
        element: h('div', {}, guestsView(app, actions.openNewMachine), snapshotsView(app)),
      };
    }
    const tool = tools.get(tab);
    const made = tool ? toolContent(tool) : machineContent(tab);
    if (made === undefined) throw new Error(`there is no tab ${tab}`);
    return made;
  };
  const workspace = workspaceView(app.workspace, content);

  const isNarrow = () => window.matchMedia(NARROW).matches;
  const toggle: HTMLButtonElement = h(
    'button',
    {
      type: 'button',
      className: 'icon',
      title: strings.toggleSidebar,
      aria: { label: strings.toggleSidebar, controls: 'sidebar' },
      onclick: () => showSidebar(page.classList.contains('no-sidebar')),
    },
    '☰',
  );
  const show = (tab: string) => {
    app.workspace.open(tab);
    if (isNarrow()) showSidebar(false);
    workspace.focus();
  };
  // On a small screen the sidebar lies over the rest, which puts it away when it is touched.
  const putAway = () => {
    if (isNarrow()) showSidebar(false);
  };
  const main = h('main', { onpointerdown: putAway }, workspace.element);
  const page: HTMLDivElement = h(
    'div',
    { className: 'page' },
    h(
      'header',
      {},
      toggle,
      h('h1', {}, strings.title),
      h('p', { className: 'tagline' }, strings.tagline),
      h(
        'button',
        {
          type: 'button',
          className: 'quiet',
          dataset: { open: 'palette' },
          onclick: () => actions.openPalette(),
        },
        strings.commands,
        ' ',
        h('kbd', {}, actions.paletteChord),
      ),
      h(
        'button',
        {
          type: 'button',
          className: 'quiet',
          dataset: { open: 'settings' },
          onclick: () => actions.openSettings(),
        },
        strings.settings,
      ),
    ),
    reducedView(),
    h('div', { className: 'middle' }, sidebarView(app, show), main),
  );
  const showSidebar = (visible: boolean) => {
    page.classList.toggle('no-sidebar', !visible);
    toggle.setAttribute('aria-expanded', String(visible));
  };
  const toggleSidebar = () => showSidebar(page.classList.contains('no-sidebar'));
  showSidebar(!isNarrow());
  listen(window.matchMedia(NARROW), 'change', () => showSidebar(!isNarrow()));

  let front: string | undefined;
  let machines = 0;
  watch(app.workspace.view, () => {
    const before = front;
    front = app.workspace.front;
    if (front === before) return;
    document.body.dataset.view = front !== undefined && consoleOfTab(front) ? 'machine' : 'page';
    if (before === undefined) return;
    // What was opened has the keyboard; what had it may be gone.
    const tab = document.getElementById(`tab-${front}`);
    if (document.activeElement?.matches('[role=tab], .entry, dialog *')) return;
    if (consoleOfTab(front ?? '')) workspace.focus();
    else if (document.activeElement === document.body) tab?.focus();
  });
  watch(app.view, ({ sessions }) => {
    const before = machines;
    machines = sessions.length;
    if (machines === 0 && before > 0) page.querySelector<HTMLElement>('.preferred button')?.focus();
  });

  return {
    element: page,
    console: (tab) => consoleViews.get(tab),
    show,
    focus: () => workspace.focus(),
    toggleSidebar,
  };
}
