// A line that is typed at a terminal: the keys of a shell's editor, history, completion.
import { cellWidth, positionAfter } from './cell-width.ts';

export interface LineEditorHost {
  write(text: string): void;
  columns(): number;
  /** Words that may stand at the cursor; `start` is where the one begins that they take the place of. */
  complete(before: string): Promise<{ start: number; candidates: readonly string[] }>;
}

/** Lines that were typed before, the oldest first. */
export interface LineHistory {
  lines(): readonly string[];
  add(line: string): void;
}

const ESC = '\x1b';
/** Empties the terminal, with what has scrolled away. */
export const CLEAR_SCREEN = '\x1b[H\x1b[2J\x1b[3J';
/** Sequences of keys behind ESC: parameters and a letter, SS3, or Alt with a letter. */
const SEQUENCE = /^(?:\[([\d;]*)([A-Za-z~])|O([A-Z])|([bdf\x7f]))/;
const DELETE = '\x7f';
/** Ctrl with a letter, as it is typed. */
const ctrl = (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 64);
const isPlain = (sign: string) => sign >= ' ' && sign !== DELETE;

/** Edits one line after the other. */
export class LineEditor {
  readonly #host: LineEditorHost;
  readonly #history: LineHistory;
  #prompt = '';
  #text: string[] = [];
  #cursor = 0;
  /** Row of the cursor below the prompt's, as it was drawn. */
  #row = 0;
  /** Place in the history; the line that is being typed is after the last. */
  #place = 0;
  #typed: string[] = [];
  #killed: string[] = [];
  #completions: Promise<unknown> = Promise.resolve();
  #tabs = 0;
  #done: ((line: string | undefined) => void) | undefined;

  /** What keys do: control characters, and sequences by the names that nameOf gives them. */
  readonly #keys: Readonly<Record<string, () => void>> = {
    '\r': () => this.#finish(this.#text.join('')),
    '\n': () => this.#finish(this.#text.join('')),
    '\t': () => this.#complete(this.#tabs > 1),
    [ctrl('C')]: () => this.#giveUp(),
    [ctrl('D')]: () => this.#erase(this.#cursor, this.#cursor + 1),
    [ctrl('A')]: () => this.#move(0),
    [ctrl('E')]: () => this.#move(this.#text.length),
    [ctrl('B')]: () => this.#move(this.#cursor - 1),
    [ctrl('F')]: () => this.#move(this.#cursor + 1),
    [ctrl('P')]: () => this.#recall(-1),
    [ctrl('N')]: () => this.#recall(1),
    [ctrl('H')]: () => this.#erase(this.#cursor - 1, this.#cursor),
    [DELETE]: () => this.#erase(this.#cursor - 1, this.#cursor),
    [ctrl('K')]: () => this.#kill(this.#cursor, this.#text.length),
    [ctrl('U')]: () => this.#kill(0, this.#cursor),
    [ctrl('W')]: () => this.#kill(this.#wordStart(/\s/), this.#cursor),
    [ctrl('Y')]: () => this.#insert(this.#killed),
    [ctrl('L')]: () => this.#clear(),
    up: () => this.#recall(-1),
    down: () => this.#recall(1),
    right: () => this.#move(this.#cursor + 1),
    left: () => this.#move(this.#cursor - 1),
    home: () => this.#move(0),
    end: () => this.#move(this.#text.length),
    delete: () => this.#erase(this.#cursor, this.#cursor + 1),
    'word left': () => this.#move(this.#wordStart(/\W/)),
    'word right': () => this.#move(this.#wordEnd()),
    'kill word': () => this.#kill(this.#cursor, this.#wordEnd()),
    'kill word before': () => this.#kill(this.#wordStart(/\W/), this.#cursor),
  };

  constructor(host: LineEditorHost, history: LineHistory) {
    this.#host = host;
    this.#history = history;
  }

  get reading(): boolean {
    return this.#done !== undefined;
  }

  /** Resolves with the next line, or undefined when it was given up with Ctrl-C. */
  read(prompt: string): Promise<string | undefined> {
    this.#prompt = prompt;
    this.#set([], 0);
    this.#row = 0;
    this.#place = this.#history.lines().length;
    this.#draw();
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  /** Takes what was typed or pasted; what comes behind the end of a line is answered, for the next. */
  feed(data: string): string {
    let rest = data;
    while (rest !== '' && this.#done !== undefined) {
      const plain = plainStart(rest);
      let key = rest[0]!;
      if (plain !== '') {
        key = '';
        this.#insert([...plain]);
        rest = rest.slice(plain.length);
      } else {
        const sequence = key === ESC ? SEQUENCE.exec(rest.slice(1)) : null;
        rest = rest.slice(1 + (sequence?.[0].length ?? 0));
        if (sequence !== null) key = nameOf(sequence);
        // A line break that was pasted may be two characters.
        if (key === '\r' && rest.startsWith('\n')) rest = rest.slice(1);
      }
      this.#tabs = key === '\t' ? this.#tabs + 1 : 0;
      this.#keys[key]?.();
    }
    return rest;
  }

  /** Draws the line anew: the terminal has another size, or something was written over it. */
  redraw(): void {
    if (this.#done === undefined) return;
    this.#row = 0;
    this.#host.write('\r');
    this.#draw();
  }

  #giveUp(): void {
    this.#move(this.#text.length);
    this.#host.write('^C');
    this.#finish(undefined);
  }

  #clear(): void {
    this.#host.write(CLEAR_SCREEN);
    this.#row = 0;
    this.#draw();
  }

  #finish(line: string | undefined): void {
    if (line !== undefined) this.#move(this.#text.length);
    this.#host.write('\r\n');
    if (line !== undefined && line.trim() !== '') this.#history.add(line);
    const done = this.#done;
    this.#done = undefined;
    done?.(line);
  }

  #recall(step: number): void {
    const lines = this.#history.lines();
    const place = this.#place + step;
    if (place < 0 || place > lines.length) return;
    if (this.#place === lines.length) this.#typed = this.#text;
    this.#place = place;
    const text = place === lines.length ? this.#typed : [...lines[place]!];
    this.#set(text, text.length);
    this.#draw();
  }

  #complete(list: boolean): void {
    const before = this.#text.slice(0, this.#cursor).join('');
    const wanted = this.#host.complete(before).then(({ start, candidates }): void => {
      // Whoever has typed on meanwhile wants something else.
      if (this.#done === undefined || this.#text.slice(0, this.#cursor).join('') !== before) return;
      const [first] = candidates;
      if (first === undefined) return;
      const common = candidates.reduce(commonStart);
      const word = candidates.length === 1 ? `${first} ` : common;
      const typed = before.slice(start);
      if (word.length > typed.length || candidates.length === 1) {
        const text = [...before.slice(0, start), ...word];
        this.#set([...text, ...this.#text.slice(this.#cursor)], text.length);
        this.#draw();
      } else if (list) {
        this.#show(candidates);
      }
    });
    this.#completions = this.#completions.then(() => wanted).catch(() => {});
  }

  /** Resolves when what was asked for with Tab is there. */
  get settled(): Promise<unknown> {
    return this.#completions;
  }

  #show(candidates: readonly string[]): void {
    const cursor = this.#cursor;
    this.#move(this.#text.length);
    const width =
      Math.max(...candidates.map((word) => [...word].reduce((sum, sign) => sum + cellWidth(sign), 0))) + 2;
    const perRow = Math.max(1, Math.floor(this.#host.columns() / width));
    let text = '\r\n';
    for (let at = 0; at < candidates.length; at += perRow) {
      text += `${candidates
        .slice(at, at + perRow)
        .map((word) => word.padEnd(width))
        .join('')
        .trimEnd()}\r\n`;
    }
    this.#host.write(text);
    this.#row = 0;
    this.#cursor = cursor;
    this.#draw();
  }

  #wordStart(gap: RegExp): number {
    let at = this.#cursor;
    while (at > 0 && gap.test(this.#text[at - 1]!)) at--;
    while (at > 0 && !gap.test(this.#text[at - 1]!)) at--;
    return at;
  }

  #wordEnd(): number {
    let at = this.#cursor;
    while (at < this.#text.length && /\W/.test(this.#text[at]!)) at++;
    while (at < this.#text.length && /\w/.test(this.#text[at]!)) at++;
    return at;
  }

  #insert(signs: readonly string[]): void {
    this.#set(
      [...this.#text.slice(0, this.#cursor), ...signs, ...this.#text.slice(this.#cursor)],
      this.#cursor + signs.length,
    );
    this.#draw();
  }

  #erase(from: number, to: number): void {
    if (from < 0 || from >= this.#text.length || from === to) return;
    this.#set([...this.#text.slice(0, from), ...this.#text.slice(to)], from);
    this.#draw();
  }

  #kill(from: number, to: number): void {
    if (to > from) this.#killed = this.#text.slice(from, to);
    this.#erase(from, to);
  }

  #move(to: number): void {
    this.#cursor = Math.max(0, Math.min(this.#text.length, to));
    this.#draw();
  }

  #set(text: readonly string[], cursor: number): void {
    this.#text = [...text];
    this.#cursor = cursor;
  }

  #draw(): void {
    const columns = Math.max(2, this.#host.columns());
    const shown = [...this.#prompt, ...this.#text];
    const end = positionAfter(shown, columns);
    const at = positionAfter(shown.slice(0, [...this.#prompt].length + this.#cursor), columns);
    let text = this.#row > 0 ? `\x1b[${this.#row}A` : '';
    text += `\r\x1b[J${shown.join('')}`;
    // At the end of a row the cursor waits on it: what comes next would be on the next one.
    if (end.column === 0 && end.row > 0) text += '\r\n';
    if (end.row > at.row) text += `\x1b[${end.row - at.row}A`;
    text += at.column > 0 ? `\r\x1b[${at.column}C` : '\r';
    this.#row = at.row;
    this.#host.write(text);
  }
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

/** The text before the first key. */
function plainStart(text: string): string {
  let end = 0;
  while (end < text.length && isPlain(text[end]!)) end++;
  return text.slice(0, end);
}

const NAMES: Readonly<Record<string, string>> = {
  ...{ A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end' },
  ...{ '1~': 'home', '7~': 'home', '4~': 'end', '8~': 'end', '3~': 'delete' },
  ...{ b: 'word left', f: 'word right', d: 'kill word', [DELETE]: 'kill word before' },
};

/** The name of the key that sent a sequence; empty for one that does nothing here. */
function nameOf([, parameters = '', final = '', single = '', meta = '']: RegExpExecArray): string {
  const [first = '', modifier = '1'] = parameters.split(';');
  const name = NAMES[final === '~' ? `${first}~` : final || single || meta] ?? '';
  const isModified = modifier !== '1' && (name === 'left' || name === 'right');
  return isModified ? `word ${name}` : name;
}
