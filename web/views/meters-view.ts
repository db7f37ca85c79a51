import type { VirtualMachine, VmStats } from 'hypertab';
import { formatBytes, formatCount, formatSeconds, formatShare, formatUptime } from '../state/format.ts';
import type { MachineSession, SessionView } from '../state/machine-session.ts';
import { strings } from '../strings/strings.ts';
import { h, setText } from './dom.ts';
import { historyView } from './history-view.ts';
import { watch } from './scope.ts';

type MeterName = keyof typeof strings.meters;
type MoreName = keyof typeof strings.moreMeters;

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

/** Shares of the time since start(): guest code, devices and the run loop, nothing to do. */
function timeShares({ elapsedMs, hostMs, busyMs }: VmStats): string {
  const total = Math.max(elapsedMs, hostMs, 1);
  const guest = Math.min(busyMs, hostMs);
  return strings.timeShares(
    ...([guest, hostMs - guest, total - hostMs].map((ms) => formatShare(ms / total)) as [
      string,
      string,
      string,
    ]),
  );
}

/** The figures that are shown when somebody asks for more. */
export function moreMeterTexts({ stats }: SessionView): Record<MoreName, string> {
  if (stats === undefined) {
    const names = Object.keys(strings.moreMeters) as MoreName[];
    return Object.fromEntries(names.map((name) => [name, strings.nothing])) as Record<MoreName, string>;
  }
  const rates = (one: number, other: number) => strings.perSecond(formatBytes(one), formatBytes(other));
  const counts = (one: number, other: number) => strings.pair(formatCount(one), formatCount(other));
  return {
    resident: formatBytes(stats.residentBytes),
    code: formatBytes(stats.codeBytes),
    throttled: formatSeconds(stats.throttledMs),
    disk: rates(stats.driveReadRate, stats.driveWriteRate),
    network: rates(stats.receiveRate, stats.transmitRate),
    exits: strings.exitCounts(
      formatCount(stats.mmio),
      formatCount(stats.sbiCalls),
      formatCount(stats.wfiExits),
    ),
    translated: formatShare(stats.translatedInstructions / Math.max(1, stats.instructions)),
    time: timeShares(stats),
    tlb: counts(stats.tlbMisses, stats.pageWalks),
    traps: counts(stats.traps, stats.interrupts),
  };
}

/** A list of figures with their names, and how to show new ones. */
function figures<N extends string>(label: string, titles: Record<N, string>) {
  const names = Object.keys(titles) as N[];
  const values = new Map(names.map((name) => [name, h('dd', { dataset: { meter: name } }, strings.nothing)]));
  const element = h(
    'dl',
    { className: 'meters', aria: { label } },
    ...names.map((name) => h('div', {}, h('dt', {}, titles[name]), values.get(name))),
  );
  const show = (texts: Record<N, string>) => {
    for (const [name, value] of values) setText(value, texts[name]);
  };
  return { element, show };
}

/** Shares of a core that can be chosen, in percent. */
const SHARES = [100, 75, 50, 25, 10];

/** Lets somebody choose what share of a core the machine may use; a machine that is made anew has it again. */
function shareView(session: MachineSession): HTMLElement {
  const now = session.vm?.limits.cpus ?? session.choices.cpus ?? 1;
  const select = h(
    'select',
    { dataset: { control: 'share' } },
    ...SHARES.map((share) =>
      h('option', { value: String(share), selected: share / 100 === now }, formatShare(share / 100)),
    ),
  );
  let limited: VirtualMachine | undefined;
  const apply = () => {
    const { vm } = session;
    const share = Number(select.value) / 100;
    if (vm === undefined || (share === 1 && vm !== limited)) return;
    limited = vm;
    // A machine that ends meanwhile needs no limit.
    vm.update({ cpus: share }).catch(() => {});
  };
  select.addEventListener('change', apply);
  watch(session.view, () => {
    if (session.vm !== limited) apply();
  });
  return h('label', {}, strings.shareOfCore, ' ', select);
}

/** Live figures of a machine: the first ones, and more behind a word. */
export function metersView(session: MachineSession): HTMLElement {
  const first = figures(strings.figures, strings.meters);
  const more = figures(strings.moreFigures, strings.moreMeters);
  const details = h(
    'details',
    { className: 'more-figures' },
    h('summary', {}, strings.moreFigures),
    more.element,
    historyView(session),
    shareView(session),
  );
  watch(session.view, (view) => {
    first.show(meterTexts(view));
    // What nobody looks at is not written.
    if (details.open) more.show(moreMeterTexts(view));
  });
  details.addEventListener('toggle', () => {
    if (details.open) more.show(moreMeterTexts(session.view.value));
  });
  return h('div', { className: 'meters-view' }, first.element, details);
}
