import type { Snapshot } from 'hypertab';
import { type App, GUESTS_TAB } from '../state/app.ts';
import { formatBytes } from '../state/format.ts';
import { strings } from '../strings/strings.ts';
import { h, setText } from './dom.ts';
import { saveFile } from './save-file.ts';
import { watch } from './scope.ts';

const SUFFIX = '.htvm';
const isSaved = (file: File) => file.name.endsWith(SUFFIX);

function row(app: App, snapshot: Snapshot): HTMLElement {
  const button = (text: string, action: () => void) =>
    h('button', { type: 'button', onclick: action, aria: { label: `${text}: ${snapshot.name}` } }, text);
  const exportIt = async () => {
    const blob = await app.snapshots.export(snapshot);
    const stamp = snapshot.created.toISOString().slice(0, 19).replaceAll(':', '-');
    if (blob !== undefined) saveFile(blob, `${snapshot.name} ${stamp}${SUFFIX}`);
  };
  return h(
    'li',
    { className: 'snapshot', dataset: { snapshot: snapshot.id } },
    h('strong', {}, snapshot.name),
    h(
      'time',
      { dateTime: snapshot.created.toISOString() },
      snapshot.created.toLocaleString(app.settings.view.value.language),
    ),
    h('span', { className: 'muted' }, formatBytes(snapshot.bytes)),
    button(strings.snapshotRestore, () => app.restore(snapshot)),
    button(strings.snapshotExport, () => void exportIt()),
    button(strings.snapshotRemove, () => void app.snapshots.remove(snapshot)),
  );
}

/** The machines that are saved in this browser, and a way for files of them to come in. */
export function snapshotsView(app: App): HTMLElement {
  const list = h('ul', { className: 'snapshots' });
  const none = h('p', { className: 'muted' }, strings.noSnapshots);
  const status = h('p', { className: 'snapshots-status', role: 'status' });
  const alert = h('div', { className: 'message bad', role: 'alert', hidden: true });
  const bar = h('progress', { hidden: true, aria: { label: strings.snapshotBusy } });
  const input = h('input', {
    type: 'file',
    accept: SUFFIX,
    multiple: true,
    className: 'visually-hidden',
    tabIndex: -1,
    aria: { label: strings.snapshotImport },
    onchange: () => {
      void app.snapshots.import([...(input.files ?? [])]);
      input.value = '';
    },
  });
  let shown: readonly Snapshot[] | undefined;
  watch(app.snapshots.view, ({ snapshots, news, busy, error }) => {
    bar.hidden = busy !== true || news === undefined;
    if (snapshots !== shown) list.replaceChildren(...snapshots.map((snapshot) => row(app, snapshot)));
    shown = snapshots;
    none.hidden = snapshots.length > 0;
    setText(status, news ?? '');
    setText(alert, error ?? '');
    alert.hidden = error === undefined;
  });
  const choose = h('button', { type: 'button', onclick: () => input.click() }, strings.snapshotImport);
  return h(
    'section',
    { className: 'saved' },
    h('h2', {}, strings.snapshotsHeading),
    none,
    list,
    h('p', {}, choose, ' ', h('span', { className: 'muted' }, strings.snapshotDropHint), input),
    status,
    bar,
    alert,
  );
}

/** Takes in saved machines that are dropped anywhere on the page but on a console. */
export function acceptSnapshotDrops(app: App): void {
  document.addEventListener('drop', (event) => {
    if (event.defaultPrevented || !event.dataTransfer) return;
    const files = [...event.dataTransfer.files].filter(isSaved);
    if (files.length === 0) return;
    event.preventDefault();
    app.workspace.open(GUESTS_TAB);
    void app.snapshots.import(files);
  });
  document.addEventListener('dragover', (event) => {
    const items = [...(event.dataTransfer?.items ?? [])];
    // Names are not told before the drop.
    if (event.defaultPrevented || !event.dataTransfer || !items.some(({ kind }) => kind === 'file')) return;
    if (app.workspace.front !== GUESTS_TAB) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
}
