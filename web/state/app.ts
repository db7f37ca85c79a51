import type { GuestEntry, Hypervisor, Snapshot } from 'hypertab';
import type { GuestCatalogue } from './guest-catalogue.ts';
import { type MachineOrigin, MachineSession, type ResolveGuest } from './machine-session.ts';
import { SnapshotList } from './snapshot-list.ts';
import { Store } from './store.ts';

/** What the page shows: the machines in their order, and which tab is in front (undefined: the guests). */
export interface AppView {
  sessions: readonly MachineSession[];
  selected: string | undefined;
}

/** The page's state, without a pixel. */
export class App {
  readonly view = new Store<AppView>({ sessions: [], selected: undefined });
  readonly hypervisor: Hypervisor;
  readonly catalogue: GuestCatalogue;
  readonly snapshots: SnapshotList;
  readonly #resolveGuest: ResolveGuest;
  #created = 0;

  constructor(hypervisor: Hypervisor, catalogue: GuestCatalogue, resolveGuest: ResolveGuest) {
    this.hypervisor = hypervisor;
    this.catalogue = catalogue;
    this.#resolveGuest = resolveGuest;
    this.snapshots = new SnapshotList(hypervisor);
  }

  /** A new machine of this guest, in front; it downloads and boots by itself. */
  boot(guest: GuestEntry): MachineSession {
    return this.#open(guest, guest.name, { kind: 'boot' });
  }

  /** A new machine that goes on from a saved one, in front. */
  restore(snapshot: Snapshot): MachineSession {
    const entry = this.catalogue.find(snapshot.guest);
    const { name, memory } = snapshot;
    const guest = entry ?? { name, title: name, description: '', memory, prepared: true, kind: 'toy' };
    return this.#open(guest, name, { kind: 'snapshot', snapshot });
  }

  /** A new machine that goes on from where another one is now, in front. */
  clone(session: MachineSession): MachineSession | undefined {
    const { vm } = session;
    return vm && this.#open(session.guest, session.guest.name, { kind: 'clone', vm });
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
    this.view.set({ sessions: [...sessions, session], selected: session.id });
    void session.boot();
    return session;
  }

  select(id: string | undefined): void {
    this.view.set({ ...this.view.value, selected: id });
  }

  /** Closes a machine and shows its neighbour, or the guests. */
  async close(session: MachineSession): Promise<void> {
    const { sessions, selected } = this.view.value;
    const index = sessions.indexOf(session);
    if (index < 0) return;
    const left = sessions.filter((other) => other !== session);
    const next = selected === session.id ? left[Math.min(index, left.length - 1)]?.id : selected;
    this.view.set({ sessions: left, selected: next });
    await session.close();
  }
}
