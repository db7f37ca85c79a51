import { isLanguage, type Language, preferredLanguage } from '../strings/strings.ts';
import { patch, Store } from './store.ts';

/** What somebody has chosen for this page, in this browser. */
export interface Settings {
  language: Language;
  theme: 'system' | 'light' | 'dark';
  /** Consoles are dark, for which guests choose their colours, or as the page is. */
  consoleTheme: 'dark' | 'page';
  /** Of consoles, in CSS pixels; 0: what fits the screen. */
  fontSize: number;
  /** Consoles tell a screen reader what they show, line by line. */
  screenReader: boolean;
  /** Keys that a telephone lacks, below consoles: where fingers point, always, never. */
  touchKeys: 'auto' | 'on' | 'off';
}

export const THEMES = ['system', 'light', 'dark'] as const;
export const CONSOLE_THEMES = ['dark', 'page'] as const;
export const TOUCH_KEYS = ['auto', 'on', 'off'] as const;
export const FONT_SIZES = [0, 10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 28, 32] as const;

const KEY = 'hypertab.settings';

const oneOf = <T>(values: readonly T[], value: unknown, otherwise: T): T =>
  values.find((each) => each === value) ?? otherwise;

/** Reads settings as they were stored; what is not one of ours is as if it had never been chosen. */
export function readSettings(stored: string | null, languages: readonly string[]): Settings {
  let value: Partial<Record<keyof Settings, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(stored ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) value = parsed;
  } catch {
    // As new.
  }
  return {
    language: isLanguage(value.language) ? value.language : preferredLanguage(languages),
    theme: oneOf(THEMES, value.theme, 'system'),
    consoleTheme: oneOf(CONSOLE_THEMES, value.consoleTheme, 'dark'),
    fontSize: oneOf<number>(FONT_SIZES, value.fontSize, 0),
    screenReader: value.screenReader === true,
    touchKeys: oneOf(TOUCH_KEYS, value.touchKeys, 'auto'),
  };
}

/** The settings of this browser: kept where it has a place for them, and else as long as the page is open. */
export class SettingsStore {
  readonly view: Store<Settings>;
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;

  constructor(storage: Pick<Storage, 'getItem' | 'setItem'> | undefined, languages: readonly string[]) {
    this.#storage = storage;
    this.view = new Store(readSettings(storage?.getItem(KEY) ?? null, languages));
  }

  set(fields: Partial<Settings>): void {
    patch(this.view, fields);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.view.value));
    } catch {
      // No room: it holds until the page goes.
    }
  }
}
