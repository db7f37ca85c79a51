import { ConsoleFeed } from '../state/console-feed.ts';
import type { MachineSession } from '../state/machine-session.ts';
import { strings } from '../strings.ts';
import { h } from './dom.ts';
import { findBar } from './find-bar.ts';
import { type ConsoleTerminal, createTerminal } from './terminal.ts';

export interface ConsoleView {
  element: HTMLElement;
  console: ConsoleTerminal;
  /** Call when the console comes to the front or leaves it. */
  show(visible: boolean): void;
  dispose(): void;
}

/** Back from the alternate screen, modes and colours as new, on a fresh line: what came before stays to be read. */
const NEW_LIFE = '\x1b[?47l\x1b[!p\x1b[0m\r\n';

/** Latin-1 bytes of a string in which each character is a byte (xterm's binary mouse reports). */
const binaryBytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

/**
 * A machine's serial console.
 * @param leave where the focus goes when the user asks to leave the console
 */
export function consoleView(session: MachineSession, leave: () => void): ConsoleView {
  const console = createTerminal(strings.consoleLabel(session.name));
  const { terminal } = console;
  const screen = h('div', { className: 'screen' });
  const bar = findBar(console);
  const element = h('div', { className: 'console' }, bar.element, screen);

  terminal.onData((data) => session.type(data));
  terminal.onBinary((data) => session.type(binaryBytes(data)));
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
        if (pressed && terminal.hasSelection()) {
          void navigator.clipboard?.writeText(terminal.getSelection()).catch(() => undefined);
        }
        break;
      case 'KeyV':
        return false; // the browser pastes; xterm.js takes its paste event
      default:
        return true;
    }
    event.preventDefault();
    return false;
  });

  const feed = new ConsoleFeed(terminal, strings.outputSkipped);
  const detach = session.onConsole(
    (data) => feed.push(data),
    () => {
      if (terminal.buffer.active.baseY + terminal.buffer.active.cursorY > 0) terminal.write(NEW_LIFE);
    },
  );

  let opened = false;
  const resize = new ResizeObserver(() => console.fit());
  resize.observe(screen);
  return {
    element,
    console,
    show(visible) {
      if (visible && !opened) {
        terminal.open(screen);
        opened = true;
      }
      console.accelerate(visible);
      if (visible) {
        console.fit();
        terminal.focus();
      }
    },
    dispose() {
      resize.disconnect();
      detach();
      terminal.dispose();
    },
  };
}
