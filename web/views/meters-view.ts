import { formatBytes, formatCount, formatSeconds, formatShare, formatUptime } from '../state/format.ts';
import type { MachineSession, SessionView } from '../state/machine-session.ts';
import { strings } from '../strings.ts';
import { h, setText } from './dom.ts';

type MeterName = keyof typeof strings.meters;

/** The figures as text; what is not known yet is a dash. */
export function meterTexts(view: SessionView): Record<MeterName, string> {
  const { stats, bootMs, phase } = view;
  const running = phase === 'running';
  return {
    mips: stats && running ? stats.mips.toFixed(stats.mips < 10 ? 1 : 0) : strings.nothing,
    cpu: stats && running ? formatShare(stats.cpu) : strings.nothing,
    memory: stats ? formatBytes(stats.memory) : strings.nothing,
    uptime: stats ? formatUptime(stats.elapsedMs) : strings.nothing,
    instructions: stats ? formatCount(stats.instructions) : strings.nothing,
    boot: bootMs === undefined ? strings.nothing : formatSeconds(bootMs),
  };
}

/** Live figures of a machine. */
export function metersView(session: MachineSession): HTMLElement {
  const names = Object.keys(strings.meters) as MeterName[];
  const values = new Map(names.map((name) => [name, h('dd', { dataset: { meter: name } }, strings.nothing)]));
  session.view.subscribe((view) => {
    const texts = meterTexts(view);
    for (const [name, element] of values) setText(element, texts[name]);
  });
  return h(
    'dl',
    { className: 'meters', aria: { label: strings.figures } },
    ...names.map((name) => h('div', {}, h('dt', {}, strings.meters[name]), values.get(name))),
  );
}
