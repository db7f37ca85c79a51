// The page's entry: state, view, and a handle for tests and for people with the browser's tools open.
import { Hypervisor, resolveGuestHttp } from 'hypertab';
import { wantsBenchmark } from './benchmark/config.ts';
import { BENCHMARK_TAB, benchmarkTool } from './benchmark/tool.ts';
import { compareStrings } from './compare/strings.ts';
import { hostConsoleStrings } from './host-console/strings.ts';
import { App, GUESTS_TAB } from './state/app.ts';
import { GuestCatalogue } from './state/guest-catalogue.ts';
import { recall, remember } from './state/recall.ts';
import { type Settings, SettingsStore } from './state/settings.ts';
import './style.css';
import './workspace.css';
import './dialogs.css';
import './machine.css';
import { strings, useLanguage } from './strings/strings.ts';
import type { CommandContext } from './views/commands.ts';
import { Consoles } from './views/consoles.ts';
import { refuseStrayDrops } from './views/files-view.ts';
import { type PageActions, type PageView, pageView } from './views/page-view.ts';
import { openPalette } from './views/palette.ts';
import { Scope } from './views/scope.ts';
import { onPaletteChord, PALETTE_CHORD } from './views/shortcuts.ts';
import { acceptSnapshotDrops } from './views/snapshots-view.ts';
import { tools } from './views/tools.ts';

/** `window.hypertab`: the hypervisor to play with, and the consoles' text, which a canvas hides from tests. */
export interface PageHandle {
  hypervisor: Hypervisor;
  app: App;
  /** What a machine's console shows, with what has scrolled away; lines joined where the terminal wrapped them. */
  consoleText(machine?: string, index?: number): string;
}

declare global {
  interface Window {
    hypertab: PageHandle;
  }
}

/** Lines above a console's window that a reload of the page keeps. */
const REMEMBERED_LINES = 1000;

/** A store that is forbidden, as in some private windows, is none. */
function storageOf(name: 'localStorage' | 'sessionStorage'): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

const guestsBase = new URL('guests/', document.baseURI);
const resolveGuest = resolveGuestHttp(guestsBase.href);
const hypervisor = new Hypervisor({ resolveGuest });
const settings = new SettingsStore(storageOf('localStorage'), navigator.languages);
const app = new App(hypervisor, new GuestCatalogue(guestsBase), resolveGuest, settings);
const consoles = new Consoles(app);

function consoleText(machine = app.current?.id, index = 0): string {
  const session = machine === undefined ? undefined : app.session(machine);
  const terminal = session && consoles.get(session, index)?.console.terminal;
  if (!terminal) return '';
  const buffer = terminal.buffer.active;
  let text = '';
  for (let row = 0; row < buffer.length; row++) {
    const line = buffer.getLine(row);
    if (!line) continue;
    text += `${row === 0 || line.isWrapped ? '' : '\n'}${line.translateToString(true)}`;
  }
  return text.trimEnd();
}

// What is not needed at first is loaded when it is wanted.
const context = (): CommandContext => ({ app, page, ...actions });
const actions: PageActions = {
  paletteChord: PALETTE_CHORD,
  // At once: what is typed behind the chord must not go to a guest.
  openPalette: () => openPalette(context()),
  openSettings: () => void import('./views/settings-dialog.ts').then(({ openSettings }) => openSettings(app)),
  openNewMachine: () =>
    void import('./views/new-machine.ts').then(({ openNewMachine }) => openNewMachine(app)),
};

let page: PageView;
let scope = new Scope();

/** Builds the page in the language that is chosen; machines and their consoles go on. */
function build(language: Settings['language']): void {
  useLanguage(language);
  document.documentElement.lang = language;
  document.title = strings.title;
  scope.end();
  scope = new Scope();
  page = scope.run(() => pageView(app, consoles, actions));
  document.querySelector('#app')?.replaceChildren(page.element);
}

let language: Settings['language'] | undefined;
settings.view.subscribe((chosen) => {
  document.documentElement.dataset.theme = chosen.theme;
  if (chosen.language === language) return;
  language = chosen.language;
  build(language);
});

tools.add(benchmarkTool(hypervisor));
tools.add({
  id: 'host',
  title: () => hostConsoleStrings().title,
  open: async () => {
    const { hostConsoleView } = await import('./host-console/host-console-view.ts');
    return hostConsoleView(app);
  },
});

tools.add({
  id: 'compare',
  title: () => compareStrings().title,
  open: async () => (await import('./compare/compare-view.ts')).compareView(app),
});

const session = storageOf('sessionStorage');
const isTool = (tab: string) => tab === GUESTS_TAB || tools.get(tab) !== undefined;
/** An address that asks for the benchmark brings it up. */
const followAddress = () => {
  if (wantsBenchmark(location.hash)) app.workspace.open(BENCHMARK_TAB);
};
window.addEventListener('hashchange', followAddress);
void app.catalogue.load().then(() => {
  if (session !== undefined)
    recall(app, session, isTool, (id, text) => {
      const machine = app.session(id);
      if (machine) consoles.get(machine)?.console.terminal.write(text);
    });
  followAddress();
});
void app.snapshots.load();
// A failure is told when a machine is made.
hypervisor.ready().catch(() => {});
acceptSnapshotDrops(app);
refuseStrayDrops();
onPaletteChord(actions.openPalette);

window.addEventListener('pagehide', () => {
  if (session === undefined) return;
  remember(app, session, (id) => {
    const machine = app.session(id);
    return (machine && consoles.get(machine)?.console.serialize(REMEMBERED_LINES)) ?? '';
  });
});
// Ctrl+W deletes a word in the guest's shell, and closes the tab in most browsers.
window.addEventListener('beforeunload', (event) => {
  if (app.view.value.sessions.some(({ isOn }) => isOn)) event.preventDefault();
});

window.hypertab = { hypervisor, app, consoleText };
