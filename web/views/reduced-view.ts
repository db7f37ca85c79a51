import { type Reduction, reductions } from '../state/reductions.ts';
import { strings } from '../strings/strings.ts';
import { h } from './dom.ts';

let found: Promise<Reduction[]> | undefined;
let dismissed = false;

/** What is missing here and what that means, until somebody has read it. */
export function reducedView(): HTMLElement {
  const element = h('div', { className: 'message reduced', role: 'note', hidden: true });
  found ??= reductions();
  void found.then((missing) => {
    if (missing.length === 0 || dismissed) return;
    const list = h(
      'ul',
      {},
      ...missing.map((each) => h('li', { dataset: { missing: each } }, strings.reductions[each])),
    );
    const dismiss = () => {
      dismissed = true;
      element.remove();
    };
    element.replaceChildren(
      h('span', {}, strings.reducedIntro),
      list,
      h('button', { type: 'button', onclick: dismiss }, strings.dismiss),
    );
    element.hidden = false;
  });
  return element;
}
