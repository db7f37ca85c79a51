import type { App } from '../state/app.ts';
import { CONSOLE_THEMES, FONT_SIZES, type Settings, THEMES, TOUCH_KEYS } from '../state/settings.ts';
import { LANGUAGES, type Language, languageLabel, strings } from '../strings/strings.ts';
import { openDialog } from './dialog.ts';
import { h } from './dom.ts';

/** A choice of one of several values. */
function choice<K extends keyof Settings>(
  app: App,
  name: K,
  label: string,
  values: readonly Settings[K][],
  word: (value: Settings[K]) => string,
): HTMLElement {
  const select = h(
    'select',
    { dataset: { setting: name } },
    ...values.map((value, index) =>
      h('option', { value: String(index), selected: app.settings.view.value[name] === value }, word(value)),
    ),
  );
  select.onchange = () => app.settings.set({ [name]: values[Number(select.value)] });
  return h('label', {}, h('span', {}, label), select);
}

/** The settings of this browser; each holds at once. */
export function openSettings(app: App): void {
  const words = strings.settingWords;
  const checked = app.settings.view.value.screenReader;
  const reader = h('input', { type: 'checkbox', checked, dataset: { setting: 'screenReader' } });
  reader.onchange = () => app.settings.set({ screenReader: reader.checked });
  const language = choice(
    app,
    'language',
    languageLabel(),
    Object.keys(LANGUAGES) as Language[],
    (value) => LANGUAGES[value],
  );
  const dialog = openDialog(
    'small-dialog',
    strings.settings,
    h('h2', {}, strings.settings),
    h(
      'form',
      { method: 'dialog', className: 'settings' },
      language,
      choice(app, 'theme', words.theme, THEMES, (value) => strings.themes[value]),
      choice(app, 'consoleTheme', words.consoleTheme, CONSOLE_THEMES, (value) => words.consoleThemes[value]),
      choice(app, 'fontSize', words.fontSize, FONT_SIZES, (value) =>
        value === 0 ? words.fitting : `${value} px`,
      ),
      choice(app, 'touchKeys', words.touchKeys, TOUCH_KEYS, (value) => words.touchKeyChoices[value]),
      h('label', {}, h('span', {}, words.screenReader), reader),
      h(
        'div',
        { className: 'buttons' },
        h('button', { type: 'submit', className: 'primary' }, strings.close),
      ),
    ),
  );
  language.addEventListener('change', () => {
    dialog.close();
    openSettings(app);
  });
}
