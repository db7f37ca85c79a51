import { ClipboardAddon } from '@xterm/addon-clipboard';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

/** Dark in both colour schemes: guests choose their colours for a dark console. */
const theme = {
  background: '#10161a',
  foreground: '#dfe7ea',
  cursor: '#5fd6b4',
  cursorAccent: '#10161a',
  selectionBackground: '#3d5a66',
  black: '#20292f',
  brightBlack: '#7c8b93',
  red: '#ff8080',
  brightRed: '#ff9d9d',
  green: '#6fd38a',
  brightGreen: '#93e6a8',
  yellow: '#e6c35c',
  brightYellow: '#f5d98a',
  blue: '#7fb2ff',
  brightBlue: '#a5caff',
  magenta: '#d69bf0',
  brightMagenta: '#e7bdf8',
  cyan: '#66d0dd',
  brightCyan: '#93e3ec',
  white: '#d5dee2',
  brightWhite: '#ffffff',
};

export interface ConsoleTerminal {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  fit(): void;
  /** Drawing on the graphics processor, where there is one; a page has few such contexts, so only while shown. */
  accelerate(on: boolean): void;
}

/** An xterm.js terminal with everything a console wants; not attached to the page yet. */
export function createTerminal(label: string): ConsoleTerminal {
  const narrow = window.matchMedia('(max-width: 600px)').matches;
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const terminal = new Terminal({
    allowProposedApi: true, // unicode versions and search decorations
    cursorBlink: !calm,
    fontFamily: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: narrow ? 12 : 14,
    scrollback: 5000,
    theme,
    minimumContrastRatio: 4.5,
  });
  const fitAddon = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fitAddon);
  terminal.loadAddon(search);
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
  return {
    terminal,
    search,
    fit() {
      if (terminal.element?.offsetParent) fitAddon.fit();
      terminal.textarea?.setAttribute('aria-label', label);
    },
    accelerate(on) {
      if (!on) {
        webgl?.dispose();
        webgl = undefined;
      } else if (!webgl && !webglFailed && terminal.element) {
        try {
          const addon = new WebglAddon();
          addon.onContextLoss(() => {
            addon.dispose();
            webgl = undefined;
            webglFailed = true;
          });
          terminal.loadAddon(addon);
          webgl = addon;
        } catch {
          webglFailed = true; // no WebGL 2: the DOM renderer stays
        }
      }
    },
  };
}
