const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** First and last code points that take two cells of a terminal (Unicode's East Asian Width, coarsely). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

/** Cells of a terminal that a character takes: 0, 1 or 2. */
export function cellWidth(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return 1;
  if (NOTHING.test(character)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Where the cursor stands after a text that begins at the first column, in rows and columns from there. */
export function positionAfter(text: Iterable<string>, columns: number): { row: number; column: number } {
  let [row, column] = [0, 0];
  for (const character of text) {
    const width = cellWidth(character);
    // What does not fit at the end of a row is on the next one, whole.
    if (column + width > columns) [row, column] = [row + 1, 0];
    column += width;
    if (column === columns) [row, column] = [row + 1, 0];
  }
  return { row, column };
}

/** A line broken between words where it is wider than a terminal; what follows its first part begins as far in as `indent`. */
export function breakLine(line: string, columns: number, indent = 2): string {
  const width = (text: string) => [...text].reduce((sum, sign) => sum + cellWidth(sign), 0);
  const rows: string[] = [];
  let row = '';
  for (const piece of line.match(/\s*\S+/g) ?? []) {
    if (row !== '' && width(row + piece) >= columns) {
      rows.push(row);
      row = ' '.repeat(indent) + piece.trimStart();
    } else row += piece;
  }
  return [...rows, row].join('\n');
}
