// Tabs dragged from one place to another.
import type { Side } from '../state/layout.ts';

/** Of this page only: what another page or program drags is none of it. */
const TYPE = 'application/x-hypertab-tab';
/** The part of a group at each of its sides where a dropped tab makes a group of its own. */
const EDGE = 0.25;

let dragged: string | undefined;

/** Lets a tab's button be dragged; `workspace` is marked meanwhile, so that what lies in it lets drops through. */
export function offerTab(button: HTMLElement, tab: string, workspace: HTMLElement): void {
  button.addEventListener('dragstart', (event) => {
    if (!event.dataTransfer) return;
    dragged = tab;
    event.dataTransfer.setData(TYPE, tab);
    event.dataTransfer.effectAllowed = 'move';
    // Not at once: an element that changes under the pointer ends the drag in Chromium.
    setTimeout(() => workspace.classList.toggle('dragging-tab', dragged !== undefined));
  });
  button.addEventListener('dragend', () => {
    dragged = undefined;
    workspace.classList.remove('dragging-tab');
  });
}

const hasTab = (event: DragEvent) =>
  dragged !== undefined && event.dataTransfer?.types.includes(TYPE) === true;

/** Calls back with a tab that is dropped on an element. */
export function tabDropped(element: HTMLElement, drop: (tab: string, event: DragEvent) => void): void {
  element.addEventListener('dragover', (event) => {
    if (!hasTab(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener('drop', (event) => {
    if (!hasTab(event) || dragged === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    drop(dragged, event);
  });
}

function sideAt(element: HTMLElement, { clientX, clientY }: DragEvent): Side | undefined {
  const box = element.getBoundingClientRect();
  const x = (clientX - box.left) / box.width;
  const y = (clientY - box.top) / box.height;
  const distances: [Side, number][] = [
    ['left', x],
    ['right', 1 - x],
    ['top', y],
    ['bottom', 1 - y],
  ];
  const [side, distance] = distances.reduce((best, each) => (each[1] < best[1] ? each : best));
  return distance < EDGE ? side : undefined;
}

/** As tabDropped, with the side of the element where the tab is dropped; undefined in its middle. */
export function dropTarget(element: HTMLElement, drop: (tab: string, side: Side | undefined) => void): void {
  const unmark = () => delete element.dataset.drop;
  element.addEventListener('dragover', (event) => {
    if (hasTab(event)) element.dataset.drop = sideAt(element, event) ?? 'middle';
  });
  element.addEventListener('dragleave', (event) => {
    if (!(event.relatedTarget instanceof Node && element.contains(event.relatedTarget))) unmark();
  });
  tabDropped(element, (tab, event) => {
    unmark();
    drop(tab, sideAt(element, event));
  });
}
