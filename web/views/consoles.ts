// The terminals of the machines. They outlive the views that show them: a change of language, or of the layout.
import type { App } from '../state/app.ts';
import { ConsoleFeed } from '../state/console-feed.ts';
import type { MachineSession } from '../state/machine-session.ts';
import type { Settings } from '../state/settings.ts';
import { strings } from '../strings/strings.ts';
import { h } from './dom.ts';
import { type ConsoleTerminal, createTerminal, type TerminalLook } from './terminal.ts';
import { terminalThemes } from './terminal-themes.ts';

/** Back from the alternate screen, modes and colours as new, on a fresh line: what came before stays to be read. */
const NEW_LIFE = '\x1b[?47l\x1b[!p\x1b[0m\r\n';

/** Latin-1 bytes of a string in which each character is a byte (xterm's binary mouse reports). */
const binaryBytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);

const isDark = () => window.matchMedia('(prefers-color-scheme: dark)').matches;
const NARROW = '(max-width: 600px)';

/** How consoles look with these settings, here and now. */
/** How consoles look, by the settings and the screen. */
export function lookOf({ theme, consoleTheme, fontSize, screenReader }: Settings): TerminalLook {
  const pageIsDark = theme === 'dark' || (theme === 'system' && isDark());
  const colours = consoleTheme === 'dark' || pageIsDark ? 'dark' : 'light';
  const fitting = window.matchMedia(NARROW).matches ? 12 : 14;
  return { theme: terminalThemes[colours], fontSize: fontSize || fitting, screenReader };
}

/** One console: its terminal in an element of its own, joined with the machine. */
export interface LiveConsole {
  readonly console: ConsoleTerminal;
  readonly screen: HTMLElement;
  /** Puts the terminal into its element, once that is on the page. */
  open(): void;
  /** Types, as the keys of a keyboard do. */
  type(text: string): void;
  dispose(): void;
}

function liveConsole(session: MachineSession, index: number, look: TerminalLook): LiveConsole {
  const console = createTerminal(strings.consoleLabel(session.name), look);
  const { terminal } = console;
  const screen = h('div', { className: 'screen' });
  terminal.onData((data) => session.type(data, index));
  terminal.onBinary((data) => session.type(binaryBytes(data), index));
  terminal.onResize(({ cols, rows }) => session.resize(index, cols, rows));
  const feed = new ConsoleFeed(terminal, () => strings.outputSkipped);
  const detach = session.onConsole(
    index,
    (data) => feed.push(data),
    () => {
      if (terminal.buffer.active.baseY + terminal.buffer.active.cursorY > 0) terminal.write(NEW_LIFE);
      session.resize(index, terminal.cols, terminal.rows);
    },
  );
  // A machine that has just begun to run does not know the size yet.
  const endSize = session.view.subscribe(({ phase }) => {
    if (phase === 'running') session.resize(index, terminal.cols, terminal.rows);
  });
  let opened = false;
  return {
    console,
    screen,
    open() {
      if (!opened) terminal.open(screen);
      opened = true;
    },
    type: (text) => session.type(text, index),
    dispose() {
      endSize();
      detach();
      terminal.dispose();
      screen.remove();
    },
  };
}

/** All consoles of the page, by machine and number. */
export class Consoles {
  readonly #live = new Map<MachineSession, LiveConsole[]>();
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
    app.view.subscribe(({ sessions }) => this.#follow(sessions));
    const refresh = () => {
      const look = lookOf(app.settings.view.value);
      for (const { console } of this.#all()) console.look(look);
    };
    app.settings.view.subscribe(refresh);
    for (const query of ['(prefers-color-scheme: dark)', NARROW]) {
      window.matchMedia(query).addEventListener('change', refresh);
    }
  }

  get(session: MachineSession, index = 0): LiveConsole | undefined {
    return this.#live.get(session)?.[index];
  }

  #all(): LiveConsole[] {
    return [...this.#live.values()].flat();
  }

  #follow(sessions: readonly MachineSession[]): void {
    for (const session of sessions) {
      if (this.#live.has(session)) continue;
      const look = lookOf(this.#app.settings.view.value);
      const all = Array.from({ length: session.consoles }, (_, index) => liveConsole(session, index, look));
      this.#live.set(session, all);
    }
    for (const [session, consoles] of this.#live) {
      if (sessions.includes(session)) continue;
      for (const each of consoles) each.dispose();
      this.#live.delete(session);
    }
  }
}
