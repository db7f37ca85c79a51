// The host console's place in the page: a tab of its own, and the containers in the sidebar.
import type { App } from '../state/app.ts';
import { lookOf } from '../views/consoles.ts';
import { h } from '../views/dom.ts';
import { createTerminal } from '../views/terminal.ts';
import { containerSource } from './container-source.ts';
import './host-console.css';
import { type HostConsole, mountHostConsole } from './host-console.ts';
import { hostConsoleStrings } from './strings.ts';

declare global {
  interface Window {
    /** The host console, once it is open, for tests and for people with the browser's tools. */
    hypertabHost?: { console: HostConsole; text(): string };
  }
}

/** The name of its tab. */
const TAB = 'host';

/** A host console as a part of the page; it begins when it is shown first. */
export function hostConsoleView(app: App): HTMLElement {
  const screen = h('div', { className: 'screen' });
  const element = h('section', { className: 'host-console' }, screen);
  const shown = createTerminal(hostConsoleStrings().label, lookOf(app.settings.view.value));
  const { terminal } = shown;
  let visible = false;
  let opened = false;
  new ResizeObserver(() => {
    const isVisible = screen.offsetParent !== null;
    if (isVisible && !opened) {
      terminal.open(screen);
      opened = true;
      begin(app, shown);
    }
    shown.fit();
    // Whoever goes to the tab wants to type there.
    if (isVisible && !visible) terminal.focus();
    visible = isVisible;
  }).observe(screen);
  app.settings.view.subscribe((settings) => shown.look(lookOf(settings)));
  return element;
}

function begin(app: App, { terminal }: ReturnType<typeof createTerminal>): void {
  const console = mountHostConsole(terminal, {
    hypervisor: app.hypervisor,
    guestsBase: new URL('guests/', document.baseURI),
    guests: async () => {
      const { value } = app.catalogue.store;
      return value.state === 'ready' ? value.guests : [];
    },
    boot: (guest) => void app.boot(guest),
  });
  app.containers.join(
    containerSource(console.engine, (id) => {
      app.workspace.open(TAB);
      terminal.focus();
      const { State, Name } = console.engine()!.inspect(id);
      const name = Name.slice(1);
      if (!console.running)
        console.type(State.Running ? `docker exec -it ${name} sh` : `docker logs ${name}`);
    }),
  );
  // Containers that run end with the page.
  window.addEventListener('beforeunload', (event) => {
    if (console.busy()) event.preventDefault();
  });
  const text = () => {
    const { active } = terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) => active.getLine(row));
    return lines
      .map((line, row) => `${row === 0 || line?.isWrapped ? '' : '\n'}${line?.translateToString(true) ?? ''}`)
      .join('')
      .trimEnd();
  };
  window.hypertabHost = { console, text };
}
