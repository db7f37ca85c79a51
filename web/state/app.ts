import type { GuestEntry, Hypervisor } from 'hypertab';
import type { GuestCatalogue } from './guest-catalogue.ts';
import { MachineSession, type ResolveGuest } from './machine-session.ts';
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
  readonly #resolveGuest: ResolveGuest;
  #created = 0;

  constructor(hypervisor: Hypervisor, catalogue: GuestCatalogue, resolveGuest: ResolveGuest) {
    this.hypervisor = hypervisor;
    this.catalogue = catalogue;
    this.#resolveGuest = resolveGuest;
  }

  /** A new machine of this guest, in front; it downloads and boots by itself. */
  boot(guest: GuestEntry): MachineSession {
    this.#created++;
    const sameGuest = this.view.value.sessions.filter((session) => session.guest.name === guest.name);
    let name = guest.name;
    for (let n = 2; sameGuest.some((session) => session.name === name); n++) name = `${guest.name} ${n}`;
    const session = new MachineSession(`m${this.#created}`, name, guest, this.hypervisor, this.#resolveGuest);
    this.view.set({ sessions: [...this.view.value.sessions, session], selected: session.id });
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
