import type { GuestEntry, Hypervisor, Snapshot } from 'hypertab';
import { Containers } from './containers.ts';
import type { GuestCatalogue } from './guest-catalogue.ts';
import {
  type MachineChoices,
  type MachineOrigin,
  MachineSession,
  type ResolveGuest,
} from './machine-session.ts';
import type { SettingsStore } from './settings.ts';
import { SnapshotList } from './snapshot-list.ts';
import { patch, Store } from './store.ts';
import { Workspace } from './workspace.ts';

/** What the page works with: the machines in their order. */
export interface AppView {
  sessions: readonly MachineSession[];
}

/** The tab that has the guests to start, and the saved machines. */
export const GUESTS_TAB = 'guests';

/** The name of a console's tab: the machine's own for its serial console, which its panel has. */
export const consoleTab = (session: string, index: number) => (index === 0 ? session : `${session}-${index}`);

/** Which console a tab has; undefined when it has none. */
export function consoleOfTab(tab: string): { session: string; index: number } | undefined {
  const [, session, index] = /^(m\d+)(?:-(\d))?$/.exec(tab) ?? [];
  return session === undefined ? undefined : { session, index: Number(index ?? 0) };
}

/** The page's state, without a pixel. */
export class App {
  readonly view = new Store<AppView>({ sessions: [] });
  readonly workspace = new Workspace();
  readonly containers = new Containers();
  readonly hypervisor: Hypervisor;
  readonly catalogue: GuestCatalogue;
  readonly snapshots: SnapshotList;
  readonly settings: SettingsStore;
  readonly #resolveGuest: ResolveGuest;
  #created = 0;

  constructor(
    hypervisor: Hypervisor,
    catalogue: GuestCatalogue,
    resolveGuest: ResolveGuest,
    settings: SettingsStore,
  ) {
    this.hypervisor = hypervisor;
    this.catalogue = catalogue;
    this.settings = settings;
    this.#resolveGuest = resolveGuest;
    this.snapshots = new SnapshotList(hypervisor);
    // There is always something to see.
    this.workspace.view.subscribe(() => {
      if (this.workspace.front === undefined) this.workspace.open(GUESTS_TAB);
    });
  }

  /** The machine whose tab is in use. */
  get current(): MachineSession | undefined {
    const place = consoleOfTab(this.workspace.front ?? '');
    return place && this.session(place.session);
  }

  /** A machine by its id. */
  session(id: string): MachineSession | undefined {
    return this.view.value.sessions.find((session) => session.id === id);
  }

  /** A new machine of this guest, in front; it downloads and boots by itself. */
  boot(guest: GuestEntry, name = guest.name, choices?: MachineChoices): MachineSession {
    return this.#open(guest, name, { kind: 'boot', choices });
  }

  /** A new machine that goes on from a saved one, in front. */
  restore(snapshot: Snapshot): MachineSession {
    const entry = this.catalogue.find(snapshot.guest);
    const { name, memory } = snapshot;
    return this.#open(entry ?? unknownGuest(name, memory), name, { kind: 'snapshot', snapshot });
  }

  /** A new machine that goes on from where another one is now, in front. */
  clone(session: MachineSession): MachineSession | undefined {
    const { vm } = session;
    return vm && this.#open(session.guest, session.guest.name, { kind: 'clone', vm });
  }

  /** A machine that was there before the page was loaded anew: its name and guest; it is off. */
  recall(id: string, name: string, guestName: string, choices: MachineChoices): MachineSession {
    const guest = this.catalogue.find(guestName) ?? unknownGuest(guestName);
    this.#created = Math.max(this.#created, Number(id.slice(1)) || 0);
    const origin: MachineOrigin = { kind: 'boot', choices };
    const session = new MachineSession(id, name, guest, this.hypervisor, this.#resolveGuest, origin);
    patch(this.view, { sessions: [...this.view.value.sessions, session] });
    session.recall();
    return session;
  }

  #open(guest: GuestEntry, wanted: string, origin: MachineOrigin): MachineSession {
    this.#created++;
    const { sessions } = this.view.value;
    let name = wanted;
    for (let n = 2; sessions.some((session) => session.name === name); n++) name = `${wanted} ${n}`;
    const session = new MachineSession(
      `m${this.#created}`,
      name,
      guest,
      this.hypervisor,
      this.#resolveGuest,
      origin,
    );
    patch(this.view, { sessions: [...sessions, session] });
    this.workspace.open(session.id);
    void session.boot();
    return session;
  }

  /** Closes a machine and its tab. */
  async close(session: MachineSession): Promise<void> {
    const { sessions } = this.view.value;
    if (!sessions.includes(session)) return;
    for (let index = 0; index < session.consoles; index++)
      this.workspace.close(consoleTab(session.id, index));
    patch(this.view, { sessions: sessions.filter((other) => other !== session) });
    await session.close();
  }
}

function unknownGuest(name: string, memory = 0): GuestEntry {
  return { name, title: name, description: '', memory, prepared: true, kind: 'toy' };
}
