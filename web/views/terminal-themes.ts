import type { ITheme } from '@xterm/xterm';

/** For guests that choose their colours for a dark console, as most do. */
const dark: ITheme = {
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

const light: ITheme = {
  background: '#fbfdfc',
  foreground: '#17211e',
  cursor: '#17604f',
  cursorAccent: '#fbfdfc',
  selectionBackground: '#bfe3d8',
  black: '#17211e',
  brightBlack: '#5b6a65',
  red: '#a3201d',
  brightRed: '#c0392b',
  green: '#1c6b33',
  brightGreen: '#227a3d',
  yellow: '#7a5a00',
  brightYellow: '#8a6800',
  blue: '#1f4fae',
  brightBlue: '#2b62cc',
  magenta: '#7d2f9c',
  brightMagenta: '#9540b5',
  cyan: '#0f6674',
  brightCyan: '#147a8a',
  white: '#50605a',
  brightWhite: '#2b3733',
};

export const terminalThemes = { dark, light };
