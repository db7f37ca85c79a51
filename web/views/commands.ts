// Everything that can be done on the page, by name.
import { type App, consoleTab, GUESTS_TAB } from '../state/app.ts';
import { abilities, type MachineSession } from '../state/machine-session.ts';
import { FONT_SIZES } from '../state/settings.ts';
import { guestWords, LANGUAGES, type Language, languageLabel, strings } from '../strings/strings.ts';
import type { PageView } from './page-view.ts';
import { askName } from './rename.ts';
import { tools } from './tools.ts';

export interface Command {
  /** Stable, for tests and for what was used last. */
  id: string;
  title: string;
  /** Keys that do it without the palette. */
  keys?: string;
  run(): void;
}

/** What the commands need of the page around them. */
export interface CommandContext {
  app: App;
  page: PageView;
  openSettings(): void;
  openNewMachine(): void;
}

function machineCommands({ app, page }: CommandContext, session: MachineSession): Command[] {
  const words = strings.palette;
  const able = abilities(session.view.value);
  const of = (action: string) => words.ofMachine(action, session.name);
  const tab = app.workspace.front ?? session.id;
  const all: (Command & { if?: boolean })[] = [
    { id: 'find', title: strings.find, keys: 'Ctrl+Shift+F', run: () => page.console(tab)?.find() },
    { id: 'start', title: of(strings.start), if: able.start, run: () => void session.start() },
    { id: 'pause', title: of(strings.pause), if: able.pause, run: () => void session.pause() },
    { id: 'resume', title: of(strings.resume), if: able.resume, run: () => void session.resume() },
    { id: 'reset', title: of(strings.reset), if: able.reset, run: () => void session.reset() },
    { id: 'shut-down', title: of(strings.shutDown), if: able.shutDown, run: () => void session.shutDown() },
    { id: 'power-off', title: of(strings.powerOff), if: able.powerOff, run: () => void session.powerOff() },
    {
      id: 'snapshot',
      title: of(strings.snapshot),
      if: able.snapshot,
      run: () => void session.snapshot().then(() => app.snapshots.load()),
    },
    { id: 'clone', title: of(strings.clone), if: able.clone, run: () => void app.clone(session) },
    { id: 'retry', title: of(strings.retry), if: able.retry, run: () => void session.boot() },
    { id: 'rename', title: of(strings.rename), keys: 'F2', run: () => askName(session) },
    { id: 'close', title: of(strings.close), run: () => void app.close(session) },
  ];
  return all.filter((command) => command.if !== false);
}

function tabCommands({ app, page }: CommandContext): Command[] {
  const { workspace } = app;
  const { front } = workspace;
  const words = strings.palette;
  if (front === undefined) return [];
  const then = (action: () => void) => () => {
    action();
    page.focus();
  };
  const all: (Command & { if?: boolean })[] = [
    { id: 'split-right', title: words.splitRight, run: then(() => workspace.split(front, 'right')) },
    { id: 'split-down', title: words.splitDown, run: then(() => workspace.split(front, 'bottom')) },
    {
      id: 'move-tab',
      title: words.moveTab,
      if: workspace.view.value.layout.kind === 'split',
      run: then(() => workspace.moveOn(front)),
    },
    { id: 'hide-tab', title: strings.hideTab, run: then(() => workspace.close(front)) },
  ];
  return all.filter((command) => command.if !== false);
}

function viewCommands({ app, page, openSettings }: CommandContext): Command[] {
  const words = strings.palette;
  const { settings } = app;
  const now = settings.view.value;
  const resize = (step: number) => () => {
    const sizes: number[] = FONT_SIZES.filter((size) => size > 0);
    const at = sizes.indexOf(now.fontSize || 14);
    settings.set({ fontSize: sizes[Math.max(0, Math.min(sizes.length - 1, at + step))]! });
  };
  const languages = (Object.keys(LANGUAGES) as Language[]).filter((language) => language !== now.language);
  return [
    { id: 'font-larger', title: words.fontLarger, run: resize(1) },
    { id: 'font-smaller', title: words.fontSmaller, run: resize(-1) },
    ...(['system', 'light', 'dark'] as const)
      .filter((theme) => theme !== now.theme)
      .map((theme) => ({
        id: `theme-${theme}`,
        title: words.theme(strings.themes[theme]),
        run: () => settings.set({ theme }),
      })),
    {
      id: 'screen-reader',
      title: now.screenReader ? words.screenReaderOff : words.screenReaderOn,
      run: () => settings.set({ screenReader: !now.screenReader }),
    },
    ...languages.map((language) => ({
      id: `language-${language}`,
      title: `${languageLabel()}: ${LANGUAGES[language]}`,
      run: () => settings.set({ language }),
    })),
    { id: 'sidebar', title: strings.toggleSidebar, run: () => page.toggleSidebar() },
    { id: 'settings', title: strings.settings, run: openSettings },
  ];
}

/** What can be done now; what concerns the machine in use comes first. */
export function commands(context: CommandContext): Command[] {
  const { app, page } = context;
  const words = strings.palette;
  const { current } = app;
  const { value: catalogue } = app.catalogue.store;
  const guests = catalogue.state === 'ready' ? catalogue.guests.filter(({ prepared }) => prepared) : [];
  const places = [
    { id: GUESTS_TAB, title: strings.guestsTab },
    ...tools.view.value.map((tool) => ({ id: tool.id, title: tool.title() })),
    ...app.view.value.sessions.flatMap((session) =>
      Array.from({ length: session.consoles }, (_, index) => ({
        id: consoleTab(session.id, index),
        title: index === 0 ? session.name : strings.terminalOf(session.name, index),
      })),
    ),
  ];
  return [
    ...(current ? machineCommands(context, current) : []),
    ...places
      .filter(({ id }) => id !== app.workspace.front)
      .map(({ id, title }) => ({ id: `go-${id}`, title: words.goTo(title), run: () => page.show(id) })),
    ...tabCommands(context),
    ...guests.map((guest) => ({
      id: `boot-${guest.name}`,
      title: strings.bootGuest(guestWords(guest).title),
      run: () => void app.boot(guest),
    })),
    { id: 'new-machine', title: strings.newMachine, run: context.openNewMachine },
    ...viewCommands(context),
  ];
}
