import type { SetFile, TreeFile } from 'hypertab';
import type { DropFolder } from '../state/drop-folder.ts';
import { filesOfDrop, filesOfPicker } from '../state/dropped-files.ts';
import { formatBytes } from '../state/format.ts';
import { strings } from '../strings/strings.ts';
import { h, setText } from './dom.ts';
import { saveFile } from './save-file.ts';
import { watch } from './scope.ts';

/** Offers shown; a guest can make any number. */
const SHOWN = 100;

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes('Files') ?? false;

/** Keeps the browser from leaving the page for a file that was dropped beside a console. */
export function refuseStrayDrops(): void {
  for (const type of ['dragover', 'drop'] as const) {
    document.addEventListener(type, (event) => {
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'none';
    });
  }
}

/** Gives the guest what is dropped on an element. */
export function acceptDrops(element: HTMLElement, folder: DropFolder): void {
  const mark = (on: boolean) => element.classList.toggle('dropping', on);
  element.addEventListener('dragover', (event) => {
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    mark(true);
  });
  element.addEventListener('dragleave', (event) => {
    if (!(event.relatedTarget instanceof Node && element.contains(event.relatedTarget))) mark(false);
  });
  element.addEventListener('drop', (event) => {
    mark(false);
    if (!hasFiles(event) || !event.dataTransfer) return;
    event.preventDefault();
    void folder.add(filesOfDrop(event.dataTransfer));
  });
}

/** Hands a file to the browser to save. */
async function save(folder: DropFolder, offer: TreeFile): Promise<void> {
  const blob = await folder.read(offer);
  if (blob === undefined) return;
  saveFile(blob, offer.path.slice(offer.path.lastIndexOf('/') + 1));
}

function picker(label: string, directory: boolean, add: (files: AsyncIterable<SetFile>) => void): Node[] {
  const input = h('input', { type: 'file', multiple: true, hidden: true, aria: { label } });
  input.webkitdirectory = directory;
  input.onchange = () => {
    add(filesOfPicker([...(input.files ?? [])]));
    // The same file may be picked again.
    input.value = '';
  };
  return [h('button', { type: 'button', onclick: () => input.click() }, label), input];
}

/** What the guest offers, a button each. */
function offersView(folder: DropFolder): HTMLElement {
  const heading = h('span', {}, strings.offersHeading);
  const list = h('ul');
  const more = h('span', { className: 'muted' });
  const element = h('div', { className: 'offers', hidden: true }, heading, list, more);
  const sizes = new Map<string, HTMLElement>();
  let shown = '';
  let current = new Map<string, TreeFile>();
  watch(folder.view, ({ offers }) => {
    element.hidden = offers.length === 0;
    const visible = offers.slice(0, SHOWN);
    current = new Map(visible.map((offer) => [offer.path, offer]));
    const names = JSON.stringify([...current.keys()]);
    if (names !== shown) {
      shown = names;
      sizes.clear();
      const focused = document.activeElement;
      const had = focused instanceof HTMLElement && list.contains(focused) ? focused.dataset.file : undefined;
      list.replaceChildren(
        ...visible.map(({ path }) => {
          const size = h('span', { className: 'muted' });
          sizes.set(path, size);
          const onclick = () => {
            const offer = current.get(path);
            if (offer !== undefined) void save(folder, offer);
          };
          const button = h(
            'button',
            { type: 'button', dataset: { file: path }, title: strings.saveFile(path), onclick },
            h('bdi', {}, path),
            ' ',
            size,
          );
          return h('li', {}, button);
        }),
      );
      for (const button of list.querySelectorAll('button')) if (button.dataset.file === had) button.focus();
    }
    for (const { path, size } of visible) setText(sizes.get(path)!, formatBytes(size));
    setText(more, offers.length > SHOWN ? strings.moreOffers(offers.length - SHOWN) : '');
  });
  return element;
}

/** Files in and out of a machine: pickers, what happened to the last drop, and what the guest offers. */
export function filesView(folder: DropFolder): HTMLElement {
  const add = (files: AsyncIterable<SetFile>) => void folder.add(files);
  const status = h('span', { className: 'files-status', role: 'status' }, strings.dropHint);
  const alert = h('div', { className: 'message bad', role: 'alert', hidden: true });
  watch(folder.view, ({ added, adding, waiting, error }) => {
    if (added !== undefined) {
      const what = [added.files, formatBytes(added.bytes)] as const;
      if (adding) setText(status, strings.filesAdding(...what));
      else setText(status, waiting ? strings.filesWaiting(...what) : strings.filesAdded(...what));
    }
    setText(alert, error ?? '');
    alert.hidden = error === undefined;
  });
  return h(
    'div',
    { className: 'files', role: 'group', aria: { label: strings.files } },
    h(
      'div',
      { className: 'files-in' },
      ...picker(strings.addFiles, false, add),
      ...picker(strings.addFolder, true, add),
      status,
    ),
    alert,
    offersView(folder),
  );
}
