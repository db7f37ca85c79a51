import { search } from '../state/palette-search.ts';
import { strings } from '../strings/strings.ts';
import { type CommandContext, commands } from './commands.ts';
import { openDialog } from './dialog.ts';
import { h, setText } from './dom.ts';

/** The command palette: type a few letters of what is wanted, Enter does it. */
export function openPalette(context: CommandContext): void {
  const all = commands(context);
  let found = all;
  let at = 0;
  const words = strings.palette;
  const input = h('input', {
    type: 'text',
    placeholder: words.hint,
    spellcheck: false,
    autocomplete: 'off',
    role: 'combobox',
    aria: { label: words.label, expanded: 'true', controls: 'palette-list', autocomplete: 'list' },
  });
  const list = h('ul', { id: 'palette-list', role: 'listbox', aria: { label: strings.commands } });
  const none = h('p', { className: 'muted', role: 'status' });
  const dialog = openDialog('palette', strings.commands, input, list, none);

  const mark = () => {
    for (const [index, option] of [...list.children].entries()) {
      option.setAttribute('aria-selected', String(index === at));
      if (index === at) option.scrollIntoView({ block: 'nearest' });
    }
    const chosen = found[at];
    if (chosen) input.setAttribute('aria-activedescendant', `command-${chosen.id}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const show = () => {
    found = search(input.value, all);
    at = 0;
    list.replaceChildren(
      ...found.map((command, index) =>
        h(
          'li',
          {
            id: `command-${command.id}`,
            role: 'option',
            dataset: { command: command.id },
            onpointermove: () => {
              if (at === index) return;
              at = index;
              mark();
            },
            onclick: () => {
              at = index;
              run();
            },
          },
          h('span', {}, command.title),
          command.keys !== undefined && h('kbd', {}, command.keys),
        ),
      ),
    );
    list.hidden = found.length === 0;
    setText(none, found.length === 0 ? words.none : '');
    mark();
  };
  const run = () => {
    const command = found[at];
    if (command === undefined) return;
    dialog.close();
    // Behind the dialog's end, which gives the keyboard back to where it was.
    setTimeout(() => command.run());
  };
  input.oninput = show;
  input.onkeydown = (event) => {
    const last = found.length - 1;
    if (event.key === 'ArrowDown') at = at >= last ? 0 : at + 1;
    else if (event.key === 'ArrowUp') at = at <= 0 ? Math.max(0, last) : at - 1;
    else if (event.key === 'PageDown') at = Math.min(Math.max(0, last), at + 8);
    else if (event.key === 'PageUp') at = Math.max(0, at - 8);
    else if (event.key === 'Enter' && !event.isComposing) run();
    else return;
    event.preventDefault();
    mark();
  };
  show();
  input.focus();
}
