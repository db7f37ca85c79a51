// The host console's place in the page: a part that is opened when it is wanted, and loaded then.
import type { App } from '../state/app.ts';
import { h } from '../views/dom.ts';
import { createTerminal } from '../views/terminal.ts';
import type { HostConsole } from './host-console.ts';
import './host-console.css';
import { hostConsoleStrings } from './strings.ts';

declare global {
  interface Window {
    /** The host console, once it is open, for tests and for people with the browser's tools. */
    hypertabHost?: { console: HostConsole; text(): string };
  }
}

/** A part of the page with a host console in it. */
export function hostConsoleView(app: App): HTMLElement {
  const strings = hostConsoleStrings();
  const screen = h('div', { className: 'screen' });
  const element = h(
    'details',
    { className: 'host-console' },
    h('summary', {}, h('h2', {}, strings.title), h('span', {}, strings.intro)),
    screen,
  );
  let opened = false;
  element.addEventListener('toggle', () => {
    if (!element.open || opened) return;
    opened = true;
    void open(app, screen);
  });
  return element;
}

async function open(app: App, place: HTMLElement): Promise<void> {
  const { mountHostConsole } = await import('./host-console.ts');
  const shown = createTerminal(hostConsoleStrings().label);
  const { terminal } = shown;
  terminal.open(place);
  shown.fit();
  new ResizeObserver(() => shown.fit()).observe(place);
  const console = mountHostConsole(terminal, {
    hypervisor: app.hypervisor,
    guestsBase: new URL('guests/', document.baseURI),
    guests: async () => {
      const { value } = app.catalogue.store;
      return value.state === 'ready' ? value.guests : [];
    },
    boot: (guest) => void app.boot(guest),
  });
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
  terminal.focus();
}
