import type { MachineSession } from '../state/machine-session.ts';
import { strings } from '../strings/strings.ts';
import { openDialog } from './dialog.ts';
import { h } from './dom.ts';

/** Asks for a machine's new name. Enter takes it, Escape does not. */
export function askName(session: MachineSession): void {
  const input = h('input', { type: 'text', value: session.name, maxLength: 60 });
  const form = h(
    'form',
    { method: 'dialog', onsubmit: () => session.rename(input.value) },
    h('label', {}, strings.newName, ' ', input),
    h(
      'div',
      { className: 'buttons' },
      h('button', { type: 'submit', className: 'primary' }, strings.rename),
      h('button', { type: 'button', onclick: () => dialog.close() }, strings.cancel),
    ),
  );
  const dialog = openDialog('small-dialog', strings.rename, form);
  input.select();
}
