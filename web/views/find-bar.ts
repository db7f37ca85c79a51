import { strings } from '../strings/strings.ts';
import { h, setText } from './dom.ts';
import { onEnd } from './scope.ts';
import type { ConsoleTerminal } from './terminal.ts';

const decorations = {
  matchBackground: '#5a4a12',
  matchOverviewRuler: '#e6c35c',
  activeMatchBackground: '#8a6d12',
  activeMatchColorOverviewRuler: '#ffffff',
};

/** A small bar that finds text in a console; hidden until opened. */
export function findBar({ terminal, search }: ConsoleTerminal): { element: HTMLElement; open(): void } {
  const input = h('input', { type: 'text', aria: { label: strings.findLabel }, spellcheck: false });
  const count = h('span', { className: 'find-count', role: 'status' });
  const find = (forward: boolean, incremental = false) => {
    if (input.value === '') {
      search.clearDecorations();
      setText(count, '');
    } else if (forward) {
      search.findNext(input.value, { decorations, incremental });
    } else {
      search.findPrevious(input.value, { decorations });
    }
  };
  const results = search.onDidChangeResults(({ resultIndex, resultCount }) => {
    if (input.value === '') setText(count, '');
    else if (resultCount === 0) setText(count, strings.findNone);
    else setText(count, strings.findCount(resultIndex + 1, resultCount));
  });
  onEnd(() => results.dispose());
  const close = () => {
    element.hidden = true;
    search.clearDecorations();
    terminal.focus();
  };
  const button = (text: string, label: string, onclick: () => void) =>
    h('button', { type: 'button', onclick, title: label, aria: { label } }, text);
  input.oninput = () => find(true, true);
  const element = h(
    'div',
    { className: 'find-bar', role: 'search', hidden: true },
    h('label', {}, strings.find, ' ', input),
    count,
    button('↑', strings.findPrevious, () => find(false)),
    button('↓', strings.findNext, () => find(true)),
    button('×', strings.findClose, close),
  );
  element.onkeydown = (event) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && event.target === input) find(!event.shiftKey);
    else return;
    event.preventDefault();
  };
  return {
    element,
    open() {
      element.hidden = false;
      input.focus();
      input.select();
    },
  };
}
