import { type Child, h } from './dom.ts';

/** Shows a dialog over the page; when it closes, the keyboard goes back to where it was. */
export function openDialog(className: string, label: string, ...children: Child[]): HTMLDialogElement {
  const back = document.activeElement;
  const dialog = h('dialog', { className, aria: { label } }, ...children);
  dialog.onclose = () => {
    dialog.remove();
    if (back instanceof HTMLElement && back.isConnected && document.activeElement === document.body)
      back.focus();
  };
  // A click beside it closes it, as Escape does.
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
