// The page's entry: state, view, and a handle for tests and for people with the browser's tools open.
import { Hypervisor, resolveGuestHttp } from 'hypertab';
import { App } from './state/app.ts';
import { GuestCatalogue } from './state/guest-catalogue.ts';
import './style.css';
import './machine.css';
import { refuseStrayDrops } from './views/files-view.ts';
import { type PageView, pageView } from './views/page-view.ts';
import { acceptSnapshotDrops } from './views/snapshots-view.ts';

/** `window.hypertab`: the hypervisor to play with, and the consoles' text, which a canvas hides from tests. */
export interface PageHandle {
  hypervisor: Hypervisor;
  app: App;
  /** What a machine's console shows, with what has scrolled away; lines joined where the terminal wrapped them. */
  consoleText(machine?: string): string;
}

declare global {
  interface Window {
    hypertab: PageHandle;
  }
}

function consoleText(app: App, page: PageView, machine = app.view.value.selected): string {
  const terminal = machine === undefined ? undefined : page.machine(machine)?.console.console.terminal;
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

const guestsBase = new URL('guests/', document.baseURI);
const resolveGuest = resolveGuestHttp(guestsBase.href);
const hypervisor = new Hypervisor({ resolveGuest });
const app = new App(hypervisor, new GuestCatalogue(guestsBase), resolveGuest);
const page = pageView(app);
document.querySelector('#app')?.replaceWith(page.element);
void app.catalogue.load();
void app.snapshots.load();
// A failure is told when a machine is made.
hypervisor.ready().catch(() => {});
acceptSnapshotDrops(app);
refuseStrayDrops();

// Ctrl+W deletes a word in the guest's shell, and closes the tab in most browsers.
window.addEventListener('beforeunload', (event) => {
  const on = app.view.value.sessions.some(({ view }) => ['running', 'paused'].includes(view.value.phase));
  if (on) event.preventDefault();
});

window.hypertab = { hypervisor, app, consoleText: (machine) => consoleText(app, page, machine) };
