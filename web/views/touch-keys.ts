// Keys that a telephone's keyboard lacks.
import type { App } from '../state/app.ts';
import { controlCharacter } from '../state/control-character.ts';
import { strings } from '../strings/strings.ts';
import type { LiveConsole } from './consoles.ts';
import { h } from './dom.ts';
import { onEnd, watch } from './scope.ts';

/** What a terminal sends for keys: as DEC's, where the program has asked for it (DECCKM) with SS3. */
const ARROWS = { up: 'A', down: 'B', right: 'C', left: 'D' } as const;

/** A row of keys below a console: Esc, Tab, Ctrl for the next key that is typed, arrows. */
export function touchKeys(app: App, live: LiveConsole): HTMLElement {
  const { terminal } = live.console;
  let held = false;
  const key = (label: string, name: string, action: () => void) =>
    h(
      'button',
      {
        type: 'button',
        aria: { label: name },
        dataset: { key: name },
        // The console keeps the focus, and so the telephone its keyboard.
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => {
          action();
          terminal.focus();
        },
      },
      label,
    );
  const send = (text: string) => () => {
    hold(false);
    live.type(text);
  };
  const arrow = (name: keyof typeof ARROWS) => () =>
    send(`\x1b${terminal.modes.applicationCursorKeysMode ? 'O' : '['}${ARROWS[name]}`)();
  const names = strings.keys;
  const control = key('Ctrl', names.control, () => hold(!held));
  const hold = (on: boolean) => {
    held = on;
    control.setAttribute('aria-pressed', String(on));
  };
  hold(false);
  const element = h(
    'div',
    { className: 'touch-keys', role: 'toolbar', aria: { label: names.label } },
    control,
    key('Esc', names.escape, send('\x1b')),
    key('Tab', names.tab, send('\t')),
    key('←', names.left, arrow('left')),
    key('↓', names.down, arrow('down')),
    key('↑', names.up, arrow('up')),
    key('→', names.right, arrow('right')),
    key('|', names.pipe, send('|')),
    key('~', names.tilde, send('~')),
    key('/', names.slash, send('/')),
  );
  // What is typed while Ctrl is held is taken before the terminal has it.
  const take = (event: Event) => {
    const character = held ? controlCharacter((event as InputEvent).data?.slice(-1) ?? '') : undefined;
    if (character === undefined) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    send(character)();
  };
  live.screen.addEventListener('beforeinput', take, { capture: true });
  onEnd(() => live.screen.removeEventListener('beforeinput', take, { capture: true }));
  const takeKey = (event: Event) => {
    const { key, ctrlKey, metaKey, altKey } = event as KeyboardEvent;
    const character = held && !ctrlKey && !metaKey && !altKey ? controlCharacter(key) : undefined;
    if (character === undefined) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    send(character)();
  };
  live.screen.addEventListener('keydown', takeKey, { capture: true });
  onEnd(() => live.screen.removeEventListener('keydown', takeKey, { capture: true }));

  const coarse = window.matchMedia('(pointer: coarse)');
  const update = () => {
    const wanted = app.settings.view.value.touchKeys;
    element.hidden = !(wanted === 'on' || (wanted === 'auto' && coarse.matches));
  };
  watch(app.settings.view, update);
  coarse.addEventListener('change', update);
  onEnd(() => coarse.removeEventListener('change', update));
  return element;
}
