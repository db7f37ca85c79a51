import type { App } from '../state/app.ts';
import { formatBytes } from '../state/format.ts';
import {
  type Abilities,
  abilities,
  type MachineSession,
  type SessionView,
} from '../state/machine-session.ts';
import { reasonSentence, strings } from '../strings/strings.ts';
import { type ConsoleView, consoleView } from './console-view.ts';
import type { Consoles } from './consoles.ts';
import { h, setText } from './dom.ts';
import { acceptDrops, filesView } from './files-view.ts';
import { metersView } from './meters-view.ts';
import { watch } from './scope.ts';

export interface MachineView {
  element: HTMLElement;
  console: ConsoleView;
}

/** A machine's state in a word, as its badge shows it. */
export function phaseWord(view: SessionView): string {
  switch (view.phase) {
    case 'downloading':
      return strings.downloading;
    case 'starting':
      return strings.starting;
    case 'failed':
      return strings.failed;
    default:
      return strings.states[view.phase];
  }
}

/** Why a machine is not running, in a sentence; empty while there is nothing to say. */
export function phaseDetail(view: SessionView): string {
  if (view.shuttingDown && view.phase === 'running') return strings.shuttingDown;
  if (view.phase !== 'stopped') return view.saved ?? '';
  if (view.recalled) return strings.recalled;
  if (view.switchedOff) return strings.switchedOff;
  return view.reason ? reasonSentence(view.reason) : '';
}

/** What is under way for a machine, how far and how fast it is, and how long it will take. */
function progressView(app: App, session: MachineSession): HTMLElement {
  const bar = h('progress', { max: 1, value: 0 });
  const text = h('span');
  const cancel = h(
    'button',
    { type: 'button', dataset: { control: 'cancel' }, onclick: () => void app.close(session) },
    strings.cancel,
  );
  const element = h('div', { className: 'download', hidden: true }, bar, text, cancel);
  watch(session.view, ({ phase, download, saving }) => {
    const current = phase === 'downloading' ? download : saving;
    element.hidden = !current;
    // A save is short, and the machine's own; only what comes over a line can be left.
    cancel.hidden = phase !== 'downloading';
    if (!current) return;
    const { received, total, rate } = current;
    if (total > 0) bar.value = received / total;
    else bar.removeAttribute('value');
    bar.setAttribute('aria-label', phase === 'downloading' ? strings.downloadLabel : strings.savingLabel);
    const left = rate > 0 && total > 0 ? strings.timeLeft(Math.ceil((total - received) / rate)) : '';
    setText(
      text,
      strings.downloadProgress(formatBytes(received), formatBytes(total), formatBytes(rate), left),
    );
  });
  return element;
}

function controlsView(app: App, session: MachineSession): HTMLElement {
  const button = (name: keyof Abilities, text: string, action: () => void) => {
    const element = h('button', { type: 'button', onclick: action, dataset: { control: name } }, text);
    return { name, element };
  };
  const buttons = [
    button('start', strings.start, () => void session.start()),
    button('pause', strings.pause, () => void session.pause()),
    button('resume', strings.resume, () => void session.resume()),
    button('reset', strings.reset, () => void session.reset()),
    button('shutDown', strings.shutDown, () => void session.shutDown()),
    button('powerOff', strings.powerOff, () => void session.powerOff()),
    button('snapshot', strings.snapshot, () => void session.snapshot().then(() => app.snapshots.load())),
    button('clone', strings.clone, () => void app.clone(session)),
    button('retry', strings.retry, () => void session.boot()),
  ];
  const hints: Partial<Record<keyof Abilities, string>> = {
    shutDown: strings.shutDownHint,
    snapshot: strings.snapshotHint,
    clone: strings.cloneHint,
  };
  for (const { name, element } of buttons) element.title = hints[name] ?? '';
  watch(session.view, (view) => {
    const able = abilities(view);
    for (const { name, element } of buttons) {
      element.disabled = !able[name];
      if (name === 'retry') element.hidden = view.phase !== 'failed';
      if (name === 'start') element.hidden = view.phase !== 'created' && view.phase !== 'stopped';
      if (name === 'pause')
        element.hidden = view.phase === 'paused' || view.phase === 'stopped' || view.phase === 'failed';
      if (name === 'resume') element.hidden = view.phase !== 'paused';
    }
  });
  const close = h(
    'button',
    { type: 'button', dataset: { control: 'close' }, onclick: () => void app.close(session) },
    strings.close,
  );
  return h(
    'div',
    { className: 'controls', role: 'group', aria: { label: strings.controls } },
    ...buttons.map(({ element }) => element),
    close,
  );
}

/** A machine: state, controls, figures, console. */
export function machineView(app: App, consoles: Consoles, session: MachineSession): MachineView {
  const badge = h('span', { className: 'badge' });
  const detail = h('span', { className: 'detail' });
  const alert = h('div', { className: 'message bad', role: 'alert', hidden: true });
  const heading = h('h2');
  watch(session.view, (view) => {
    setText(heading, view.name);
    badge.dataset.phase = view.phase;
    setText(badge, phaseWord(view));
    setText(detail, phaseDetail(view));
    setText(alert, view.error ?? '');
    alert.hidden = view.error === undefined;
  });
  const controls = controlsView(app, session);
  const console = consoleView(app, consoles, session, 0, () => {
    controls.querySelector<HTMLButtonElement>('button:not([disabled]):not([hidden])')?.focus();
  });
  const element = h(
    'section',
    { className: 'machine', dataset: { machine: session.id } },
    h(
      'div',
      { className: 'bar' },
      heading,
      h('p', { className: 'state', role: 'status' }, badge, ' ', detail),
      controls,
    ),
    alert,
    progressView(app, session),
    metersView(session),
    console.element,
    session.drop && filesView(session.drop),
    h('p', { className: 'hint console-hint' }, strings.consoleHint),
  );
  if (session.drop !== undefined) acceptDrops(element, session.drop);
  return { element, console };
}
