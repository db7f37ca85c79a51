/** Rows as docker prints them: columns at least three spaces apart, and at least ten characters wide. */
export function dockerTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(10, ...rows.map((row) => (row[column] ?? '').length + 3)),
  );
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes in units of 1,024, as `docker stats` has memory: 1.5MiB. */
export function binarySize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`;
}

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in units of 1,000, as docker has everything else: 1.5MB. */
export function decimalSize(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < DECIMAL.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${DECIMAL[unit]}`;
}

/** Cuts a text to a width, with an ellipsis at its end. */
export const shorten = (text: string, width: number) =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text;
