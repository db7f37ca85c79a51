// The host console: a terminal at which docker and hypertab commands are typed, with the engine in this tab.
import type { ContainerEngine, GuestEntry, Hypervisor } from 'hypertab';
import { askedFiles } from './asked-files.ts';
import { CommandTerminal, type Screen } from './command-terminal.ts';
import { type CommandHost, completeLine, runLine } from './commands.ts';
import { CLEAR_SCREEN, LineEditor } from './line-editor.ts';
import { storedHistory } from './stored-history.ts';
import { type HostConsoleStrings, hostConsoleStrings } from './strings.ts';
import { hasPrivateFiles, type TabTask, tabTask } from './tab-engine.ts';

/** What of xterm.js's Terminal a host console needs. */
export interface ConsoleScreen extends Screen {
  onData(listener: (data: string) => void): { dispose(): void };
  readonly buffer: { readonly active: { readonly cursorX: number } };
}

export interface HostConsoleOptions {
  hypervisor: Hypervisor;
  /** The folder of prepared guests. */
  guestsBase: URL;
  /** Guests that can be booted. */
  guests: () => Promise<readonly GuestEntry[]>;
  boot: (guest: GuestEntry) => void;
  strings?: HostConsoleStrings;
}

/** A host console at a terminal. */
export interface HostConsole {
  /** The engine that its commands work with, once there is one. */
  engine(): ContainerEngine | undefined;
  /** Types a line, as if it came from the keyboard. */
  type(line: string): void;
  /** True until the command that was typed last has ended. */
  readonly running: boolean;
  /** True while containers run: they end with the page. */
  busy(): boolean;
  /** The terminal and the engine go on. */
  dispose(): void;
}

/** Joins a terminal with commands of docker's and hypertab's; the terminal stays its owner's. */
export function mountHostConsole(screen: ConsoleScreen, options: HostConsoleOptions): HostConsole {
  const strings = options.strings ?? hostConsoleStrings();
  const history = storedHistory();
  let current: TabTask | undefined;
  let running: CommandTerminal | undefined;
  let typedAhead = '';
  let over = false;

  const tellHostStart = () => void running?.io.stderr(`${strings.startingHost}\n`);
  const task = async () => {
    const guests = options.guestsBase;
    current = await tabTask({ hypervisor: options.hypervisor, guests, strings });
    current.hostStarts.add(tellHostStart);
    return current;
  };
  const host: CommandHost = {
    hypervisor: options.hypervisor,
    strings,
    history,
    task,
    guests: options.guests,
    boot: options.boot,
    clear: () => screen.write(CLEAR_SCREEN),
  };
  const editor = new LineEditor(
    {
      write: (text) => screen.write(text),
      columns: () => screen.cols,
      complete: (before) => completeLine(before, host),
    },
    history,
  );
  const files = askedFiles(strings.noFile);

  const feed = (data: string) => {
    if (running !== undefined) running.feed(data);
    else if (editor.reading) {
      const rest = editor.feed(data);
      typedAhead += rest;
    } else typedAhead += data;
  };
  const listeners = [screen.onData(feed), screen.onResize(() => editor.redraw())];

  void (async () => {
    screen.write(`${strings.banner}\r\n`);
    if (!(await hasPrivateFiles())) screen.write(`${strings.noStorage}\r\n`);
    let status = 0;
    while (!over) {
      const line = editor.read(status === 0 ? '$ ' : `[${status}] $ `);
      const ahead = typedAhead;
      typedAhead = '';
      feed(ahead);
      const text = await line;
      if (over) return;
      if (text === undefined || text.trim() === '') continue;
      const terminal = new CommandTerminal(screen, files);
      running = terminal;
      const left = typedAhead;
      typedAhead = '';
      if (left !== '') terminal.feed(left);
      const ended = await Promise.race([
        runLine(text, host, terminal),
        terminal.abandoned.then(() => undefined),
      ]);
      running = undefined;
      typedAhead = terminal.end() + typedAhead;
      // What was written last may have left a line open.
      await new Promise<void>((resolve) => screen.write('', resolve));
      if (screen.buffer.active.cursorX > 0) screen.write('\r\n');
      if (ended === undefined) screen.write(`${strings.abandoned}\r\n`);
      status = ended ?? 130;
    }
  })();

  return {
    engine: () => current?.engine,
    type: (line) => feed(`${line}\r`),
    get running() {
      return running !== undefined;
    },
    busy: () => (current?.engine.list().length ?? 0) > 0,
    dispose: () => {
      over = true;
      for (const { dispose } of listeners) dispose();
      current?.hostStarts.delete(tellHostStart);
      running?.end();
    },
  };
}
