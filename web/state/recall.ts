// What a reload of the page must not take away: which machines there were, what their consoles showed, and the tabs.
import { type App, consoleOfTab } from './app.ts';
import { type Layout, readLayout } from './layout.ts';
import type { MachineChoices } from './machine-session.ts';

const KEY = 'hypertab.recall';
const VERSION = 1;
/** Characters of all consoles together: a browser has five million or more for a site. */
const MAX_TEXT = 1_500_000;
const MAX_MACHINES = 64;

interface Remembered {
  id: string;
  name: string;
  guest: string;
  choices: MachineChoices;
  /** The serial console's text, with escape sequences. */
  text: string;
}

/** Keeps it for this tab's next page. `textOf`: what a machine's console shows. */
export function remember(app: App, storage: Storage, textOf: (id: string) => string): void {
  const { sessions } = app.view.value;
  let room = MAX_TEXT;
  const machines: Remembered[] = [];
  for (const { id, name, guest, choices } of sessions.slice(0, MAX_MACHINES)) {
    const text = textOf(id);
    const kept = text.length <= room ? text : '';
    room -= kept.length;
    machines.push({ id, name, guest: guest.name, choices, text: kept });
  }
  try {
    if (machines.length === 0) storage.removeItem(KEY);
    else
      storage.setItem(
        KEY,
        JSON.stringify({ version: VERSION, machines, layout: app.workspace.view.value.layout }),
      );
  } catch {
    // No room: the next page begins anew.
  }
}

/** What was chosen for a machine, as far as somebody may have. */
function readChoices(value: unknown): MachineChoices {
  if (typeof value !== 'object' || value === null) return {};
  const { memory, cpus, consoles, engine } = value as Record<string, unknown>;
  const choices: MachineChoices = {};
  if (typeof memory === 'string' && /^\d{1,5}M$/.test(memory)) choices.memory = memory;
  if (typeof cpus === 'number' && cpus > 0 && cpus <= 1) choices.cpus = cpus;
  if (typeof consoles === 'number' && [1, 2, 3, 4].includes(consoles)) choices.consoles = consoles;
  if (engine === 'translator' || engine === 'interpreter') choices.engine = engine;
  return choices;
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, guest, text } = value as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    /^m\d{1,6}$/.test(id) &&
    typeof name === 'string' &&
    typeof guest === 'string' &&
    /^[\w.-]+$/.test(guest) &&
    typeof text === 'string'
  );
}

/** Reads what was stored; what is not as we write it is as if nothing had been. */
export function readRemembered(stored: string | null): { machines: Remembered[]; layout: unknown } {
  try {
    const value: unknown = JSON.parse(stored ?? 'null');
    if (typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION) {
      const { machines, layout } = value as { machines?: unknown; layout?: unknown };
      const read = (Array.isArray(machines) ? machines : []).filter(isRemembered).slice(0, MAX_MACHINES);
      const isFirst = ({ id }: Remembered, index: number) =>
        read.findIndex((other) => other.id === id) === index;
      const kept = read.filter(isFirst).map((each) => ({ ...each, choices: readChoices(each.choices) }));
      return { machines: kept, layout };
    }
  } catch {
    // Not ours.
  }
  return { machines: [], layout: undefined };
}

/** Brings back what the last page in this tab had. `show`: gives a machine's console its text. */
export function recall(
  app: App,
  storage: Storage,
  isTool: (tab: string) => boolean,
  show: (id: string, text: string) => void,
): void {
  const { machines, layout } = readRemembered(storage.getItem(KEY));
  storage.removeItem(KEY);
  if (machines.length === 0) return;
  for (const { id, name, guest, choices, text } of machines) {
    app.recall(id, name, guest, choices);
    show(id, text);
  }
  const isTab = (tab: string) => {
    const place = consoleOfTab(tab);
    return place ? place.index < (app.session(place.session)?.consoles ?? 0) : isTool(tab);
  };
  const read: Layout | undefined = readLayout(layout, isTab);
  if (read) app.workspace.restore(read);
}
