import type { App } from '../state/app.ts';
import { formatBytes } from '../state/format.ts';
import type { MachineChoices } from '../state/machine-session.ts';
import { guestWords, strings } from '../strings/strings.ts';
import { openDialog } from './dialog.ts';
import { h, setText } from './dom.ts';

const MIB = 2 ** 20;
const SIZES = [32, 64, 128, 192, 256, 384, 512, 1024, 2048];
const ENGINES = ['auto', 'translator', 'interpreter'] as const;
const SHARES = [1, 0.75, 0.5, 0.25, 0.1];

/** Makes a machine with every option there is. */
export function openNewMachine(app: App): void {
  const words = strings.newMachineWords;
  const { value: catalogue } = app.catalogue.store;
  const guests = catalogue.state === 'ready' ? catalogue.guests.filter(({ prepared }) => prepared) : [];
  const option = (value: string, text: string) => h('option', { value }, text);
  const select = (name: string, ...options: HTMLOptionElement[]) =>
    h('select', { dataset: { choice: name } }, ...options);
  const guest = select('guest', ...guests.map((each) => option(each.name, guestWords(each).title)));
  const name = h('input', { type: 'text', maxLength: 60, dataset: { choice: 'name' } });
  const memory = select('memory');
  const cpus = select('cpus', ...SHARES.map((share) => option(String(share), `${share * 100} %`)));
  const consoles = select(
    'consoles',
    ...[0, 1, 2, 3, 4].map((count) => option(String(count), String(count))),
  );
  const engine = select('engine', ...ENGINES.map((each) => option(each, strings.engines[each])));
  const chosen = () => guests.find((each) => each.name === guest.value);
  const follow = () => {
    const entry = chosen();
    if (entry === undefined) return;
    name.placeholder = entry.name;
    memory.replaceChildren(
      option('', words.asGuest(formatBytes(entry.memory))),
      // Less than it asks for does not boot it.
      ...SIZES.filter((size) => size * MIB > entry.memory).map((size) =>
        option(`${size}M`, formatBytes(size * MIB)),
      ),
    );
  };
  guest.onchange = follow;
  const field = (label: string, control: HTMLElement) => h('label', {}, h('span', {}, label), control);
  const note = h('p', { className: 'muted' });
  setText(note, guests.length === 0 ? strings.noGuests : '');
  const boot = () => {
    const entry = chosen();
    if (entry === undefined) return;
    const choices: MachineChoices = {};
    if (memory.value !== '') choices.memory = memory.value;
    if (cpus.value !== '1') choices.cpus = Number(cpus.value);
    if (consoles.value !== '0') choices.consoles = Number(consoles.value);
    if (engine.value !== 'auto') choices.engine = ENGINES.find((each) => each === engine.value);
    app.boot(entry, name.value.trim() || entry.name, choices);
  };
  const dialog = openDialog(
    'small-dialog',
    strings.newMachine,
    h('h2', {}, strings.newMachine),
    h(
      'form',
      // Behind the dialog's end: the console takes the keyboard.
      { method: 'dialog', className: 'settings', onsubmit: () => void setTimeout(boot) },
      field(words.guest, guest),
      field(words.name, name),
      field(words.memory, memory),
      field(strings.shareOfCore, cpus),
      field(words.terminals, consoles),
      field(words.engine, engine),
      note,
      h(
        'div',
        { className: 'buttons' },
        h('button', { type: 'submit', className: 'primary', disabled: guests.length === 0 }, strings.boot),
        h('button', { type: 'button', onclick: () => dialog.close() }, strings.cancel),
      ),
    ),
  );
  follow();
  guest.focus();
}
