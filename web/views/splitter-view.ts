import { MIN_SHARE } from '../state/layout.ts';
import { strings } from '../strings/strings.ts';
import { h } from './dom.ts';

/** What an arrow key moves it by. */
const STEP = 0.05;

/** The bar between two parts of a split: dragged, or moved by the arrow keys. `resize` is told the first part's share. */
export function splitterView(resize: (share: number) => void) {
  let row = true;
  let share = 0.5;
  const element = h('div', {
    className: 'splitter',
    role: 'separator',
    tabIndex: 0,
    aria: {
      label: strings.splitter,
      valuemin: String(MIN_SHARE * 100),
      valuemax: String((1 - MIN_SHARE) * 100),
    },
  });
  element.onkeydown = (event) => {
    const { key } = event;
    const back = row ? 'ArrowLeft' : 'ArrowUp';
    const on = row ? 'ArrowRight' : 'ArrowDown';
    if (key !== back && key !== on) return;
    event.preventDefault();
    resize(share + (key === on ? STEP : -STEP));
  };
  element.onpointerdown = (event) => {
    event.preventDefault();
    element.focus();
    element.setPointerCapture(event.pointerId);
    element.onpointermove = ({ clientX, clientY }) => {
      const box = element.parentElement?.getBoundingClientRect();
      if (!box) return;
      resize(row ? (clientX - box.left) / box.width : (clientY - box.top) / box.height);
    };
  };
  element.onpointerup = () => {
    element.onpointermove = null;
  };
  return {
    element,
    show(direction: 'row' | 'column', now: number): void {
      row = direction === 'row';
      share = now;
      element.setAttribute('aria-orientation', row ? 'vertical' : 'horizontal');
      element.setAttribute('aria-valuenow', String(Math.round(now * 100)));
    },
  };
}
