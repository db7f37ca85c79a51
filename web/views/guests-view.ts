import type { GuestEntry } from 'hypertab';
import type { App } from '../state/app.ts';
import { formatBytes } from '../state/format.ts';
import type { Catalogue } from '../state/guest-catalogue.ts';
import { guestWords, strings } from '../strings/strings.ts';
import { h } from './dom.ts';
import { watch } from './scope.ts';

/** What a guest costs and whether it can start, as a line of small facts. */
function facts(guest: GuestEntry): HTMLElement {
  const items = [
    h(
      'li',
      { className: guest.prepared ? 'good' : 'muted' },
      guest.prepared ? strings.ready : strings.notPrepared,
    ),
  ];
  if (guest.download !== undefined) {
    items.push(h('li', {}, strings.download(formatBytes(guest.download))));
  }
  items.push(h('li', {}, strings.memory(formatBytes(guest.memory))));
  return h('ul', { className: 'facts' }, ...items);
}

function guestCard(app: App, guest: GuestEntry, preferred: boolean): HTMLElement {
  const { title, description } = guestWords(guest);
  const heading = h(preferred ? 'h3' : 'h4', {}, title);
  const text = h('div', { className: 'card-text' }, heading, h('p', {}, description), facts(guest));
  if (!guest.prepared) {
    text.append(
      h(
        'p',
        { className: 'hint' },
        `${strings.prepareHint} `,
        h('code', {}, strings.prepareCommand(guest.name)),
      ),
    );
  }
  const card = h(
    'article',
    { className: preferred ? 'card preferred' : 'card', dataset: { guest: guest.name } },
    text,
  );
  if (guest.prepared) {
    card.append(
      h(
        'button',
        {
          type: 'button',
          className: preferred ? 'primary big' : 'primary',
          aria: { label: strings.bootGuest(title) },
          onclick: () => app.boot(guest),
        },
        strings.boot,
      ),
    );
  }
  return card;
}

function catalogueBody(app: App, catalogue: Catalogue): Node[] {
  if (catalogue.state === 'loading') return [h('p', { className: 'muted' }, strings.loadingGuests)];
  const again = h('button', { type: 'button', onclick: () => void app.catalogue.load() }, strings.reloadList);
  if (catalogue.state === 'failed') {
    return [
      h('div', { className: 'message bad', role: 'alert' }, strings.catalogueFailed(catalogue.why)),
      again,
    ];
  }
  const { guests, preferred } = catalogue;
  if (!preferred) {
    return [
      h('div', { className: 'message', role: 'status' }, strings.noGuests),
      again,
      ...otherGuests(app, guests),
    ];
  }
  const nodes: Node[] = [];
  if (preferred.kind === 'toy')
    nodes.push(h('div', { className: 'message', role: 'status' }, strings.noDebian));
  nodes.push(guestCard(app, preferred, true));
  nodes.push(
    ...otherGuests(
      app,
      guests.filter((guest) => guest !== preferred),
    ),
  );
  return nodes;
}

function otherGuests(app: App, guests: GuestEntry[]): Node[] {
  if (guests.length === 0) return [];
  const sorted = [...guests].sort((a, b) => Number(b.prepared) - Number(a.prepared));
  return [
    h('h3', { className: 'others' }, strings.otherGuests),
    h('div', { className: 'cards' }, ...sorted.map((guest) => guestCard(app, guest, false))),
  ];
}

/** The list of guests with a Boot button each; the default guest's is the big one. */
export function guestsView(app: App, openNewMachine: () => void): HTMLElement {
  const body = h('div', { className: 'catalogue' });
  watch(app.catalogue.store, (catalogue) => body.replaceChildren(...catalogueBody(app, catalogue)));
  return h(
    'section',
    { className: 'guests' },
    h('h2', {}, strings.guestsHeading),
    h('p', { className: 'muted' }, strings.guestsIntro),
    body,
    h('p', {}, h('button', { type: 'button', onclick: openNewMachine }, strings.newMachine)),
  );
}
