import { type App, consoleTab } from '../state/app.ts';
import type { MachineSession } from '../state/machine-session.ts';
import { strings } from '../strings/strings.ts';
import type { Consoles, LiveConsole } from './consoles.ts';
import { h } from './dom.ts';
import { findBar } from './find-bar.ts';
import { onEnd, watch } from './scope.ts';
import { touchKeys } from './touch-keys.ts';

export interface ConsoleView {
  element: HTMLElement;
  /** Call when the console comes to the front or leaves it. */
  show(visible: boolean): void;
  focus(): void;
  find(): void;
}

/** Copies what is selected in a console; false when nothing is. */
export function copySelection({ console: { terminal } }: LiveConsole): boolean {
  if (!terminal.hasSelection()) return false;
  void navigator.clipboard?.writeText(terminal.getSelection()).catch(() => undefined);
  return true;
}

/**
 * One of a machine's consoles.
 * @param leave where the focus goes when the user asks to leave the console
 */
export function consoleView(
  app: App,
  consoles: Consoles,
  session: MachineSession,
  index: number,
  leave: () => void,
): ConsoleView {
  const live = consoles.get(session, index);
  if (live === undefined) throw new Error(`${session.id} has no console ${index}`);
  const { console, screen } = live;
  const { terminal } = console;
  const bar = findBar(console);
  const element = h('div', { className: 'console' }, bar.element, screen, touchKeys(app, live));

  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    const pressed = event.type === 'keydown';
    switch (event.code) {
      case 'KeyF':
        if (pressed) bar.open();
        break;
      case 'KeyE':
        if (pressed) leave();
        break;
      case 'KeyC':
        if (pressed) copySelection(live);
        break;
      case 'KeyV':
        return false; // the browser pastes; xterm.js takes its paste event
      case 'KeyK':
        return false; // the command palette's, which listens on the window
      default:
        return true;
    }
    event.preventDefault();
    return false;
  });

  const resize = new ResizeObserver(() => console.fit());
  resize.observe(screen);
  onEnd(() => resize.disconnect());
  watch(session.view, ({ name }) => console.label(strings.consoleLabel(name)));
  const tab = consoleTab(session.id, index);
  return {
    element,
    show(visible) {
      if (visible) live.open();
      console.accelerate(visible);
      if (visible) console.fit();
    },
    focus() {
      if (app.workspace.front === tab) terminal.focus();
    },
    find: () => bar.open(),
  };
}
