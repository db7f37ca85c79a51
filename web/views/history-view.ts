import type { MachineSession } from '../state/machine-session.ts';
import { strings } from '../strings/strings.ts';
import { h, setText } from './dom.ts';
import { watch } from './scope.ts';

/** Figures come twice a second: a minute of them. */
const SAMPLES = 120;
const SVG = 'http://www.w3.org/2000/svg';

/** A machine's speed in the last minute, as a line. */
export function historyView(session: MachineSession): HTMLElement {
  const samples: number[] = [];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${SAMPLES - 1} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'polyline');
  svg.append(line);
  const caption = h('figcaption');
  let last: unknown;
  watch(session.view, ({ stats }) => {
    if (stats === undefined || stats === last) return;
    last = stats;
    samples.push(stats.mips);
    if (samples.length > SAMPLES) samples.shift();
    const highest = Math.max(1, ...samples);
    const begin = SAMPLES - samples.length;
    const points = samples.map(
      (mips, index) => `${begin + index},${(100 - (mips / highest) * 98).toFixed(1)}`,
    );
    line.setAttribute('points', points.join(' '));
    setText(caption, strings.history(highest.toFixed(0)));
  });
  const figure = h('figure', { className: 'history' }, caption);
  figure.prepend(svg);
  return figure;
}
