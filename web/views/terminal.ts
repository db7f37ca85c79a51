import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { SerializeAddon } from '@xterm/addon-serialize';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import type { WebglAddon } from '@xterm/addon-webgl';
import { type ITheme, Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { terminalThemes } from './terminal-themes.ts';

/** Lines that a console keeps above its window. */
const SCROLLBACK = 5000;

/** How a terminal looks; see terminal-look.ts for what the settings say. */
export interface TerminalLook {
  theme: ITheme;
  /** CSS pixels. */
  fontSize: number;
  screenReader: boolean;
}

export interface ConsoleTerminal {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  fit(): void;
  look(look: TerminalLook): void;
  /** Names it for screen readers. */
  label(text: string): void;
  /** What it shows, and the last `lines` above that, as text with escape sequences that bring it back. */
  serialize(lines: number): string;
  /** Drawing on the graphics processor, where there is one; a page has few such contexts, so only while shown. */
  accelerate(on: boolean): void;
}

const DEFAULT_LOOK: TerminalLook = { theme: terminalThemes.dark, fontSize: 14, screenReader: false };

/** An xterm.js terminal with everything a console wants; not attached to the page yet. */
export function createTerminal(label: string, look: TerminalLook = DEFAULT_LOOK): ConsoleTerminal {
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const terminal = new Terminal({
    allowProposedApi: true, // unicode versions and search decorations
    cursorBlink: !calm,
    fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: look.fontSize,
    scrollback: SCROLLBACK,
    screenReaderMode: look.screenReader,
    theme: look.theme,
    minimumContrastRatio: 4.5,
  });
  const fitAddon = new FitAddon();
  const search = new SearchAddon();
  const serializer = new SerializeAddon();
  terminal.loadAddon(fitAddon);
  terminal.loadAddon(search);
  terminal.loadAddon(serializer);
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.loadAddon(new WebLinksAddon());
  terminal.loadAddon(
    new ClipboardAddon(undefined, {
      // A guest may offer text for the clipboard; what is in it is none of its business.
      readText: () => '',
      writeText: (selection, text) =>
        selection === 'c' ? navigator.clipboard.writeText(text).catch(() => undefined) : undefined,
    }),
  );

  let webgl: WebglAddon | undefined;
  let webglFailed = false;
  let wanted = false;
  /** Loaded when the first console is shown; the DOM renderer draws until then, and where there is no WebGL 2. */
  const draw = async () => {
    try {
      const { WebglAddon } = await import('@xterm/addon-webgl');
      if (!wanted || webgl || webglFailed || !terminal.element) return;
      const addon = new WebglAddon();
      addon.onContextLoss(() => {
        addon.dispose();
        webgl = undefined;
        webglFailed = true;
      });
      terminal.loadAddon(addon);
      webgl = addon;
    } catch {
      webglFailed = true;
    }
  };
  return {
    terminal,
    search,
    fit() {
      if (terminal.element?.offsetParent) fitAddon.fit();
      this.label(label);
    },
    label(text) {
      label = text;
      terminal.textarea?.setAttribute('aria-label', text);
    },
    look({ theme, fontSize, screenReader }) {
      terminal.options.theme = theme;
      terminal.options.fontSize = fontSize;
      terminal.options.screenReaderMode = screenReader;
      this.fit();
    },
    serialize: (lines) =>
      serializer.serialize({ scrollback: lines, excludeModes: true, excludeAltBuffer: true }),
    accelerate(on) {
      wanted = on;
      if (on) void draw();
      else {
        webgl?.dispose();
        webgl = undefined;
      }
    },
  };
}
