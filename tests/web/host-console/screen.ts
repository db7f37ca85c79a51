import { cellWidth } from '../../../web/host-console/cell-width.ts';

const ESC = '\x1b';
const SEQUENCE = /^\[([\d;]*)([A-Za-z])/;

/** A terminal as far as the line editor speaks to one: text, CR, LF, cursor movements, clearing below. */
export class TestScreen {
  readonly cols: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(cols: number) {
    this.cols = cols;
  }

  write(text: string): void {
    for (let at = 0; at < text.length; ) {
      const sequence = text[at] === ESC ? SEQUENCE.exec(text.slice(at + 1)) : null;
      if (sequence === null) {
        const sign = String.fromCodePoint(text.codePointAt(at)!);
        this.#put(sign);
        at += sign.length;
        continue;
      }
      const [whole, number = '', final = ''] = sequence;
      this.#control(final, number === '' ? undefined : Number(number));
      at += 1 + whole.length;
    }
  }

  /** The lines down to the last with anything on it, without blanks at their ends. */
  get lines(): string[] {
    const lines = this.#rows.map((row) =>
      row
        .map((cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (lines.length > 1 && lines.at(-1) === '') lines.pop();
    return lines;
  }

  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column };
  }

  #put(sign: string): void {
    if (sign === '\r') this.#column = 0;
    else if (sign === '\n') this.#down();
    else {
      const width = cellWidth(sign);
      // The last column is written, and the cursor waits there until something else comes.
      if (this.#column + width > this.cols) {
        this.#column = 0;
        this.#down();
      }
      const row = this.#rows[this.#row]!;
      while (row.length < this.#column) row.push(' ');
      if (width === 0) row[this.#column - 1] = `${row[this.#column - 1] ?? ''}${sign}`;
      else row[this.#column] = sign;
      if (width === 2) row[this.#column + 1] = '';
      this.#column += width;
    }
  }

  #down(): void {
    this.#row++;
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }

  #control(final: string, count = 1): void {
    if (final === 'A') this.#row = Math.max(0, this.#row - count);
    else if (final === 'C') this.#column = Math.min(this.cols - 1, this.#column + count);
    else if (final === 'J') {
      this.#rows.length = this.#row + 1;
      this.#rows[this.#row]!.length = Math.min(this.#rows[this.#row]!.length, this.#column);
    } else throw new Error(`the test's screen knows no CSI ${final}`);
  }
}
