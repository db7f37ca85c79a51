// Medians, spreads and geometric means.

/**
 * @param {number[]} values at least one
 * @returns {number}
 */
export function median(values) {
  const sorted = /** @type {[number, ...number[]]} */ ([...values].sort((a, b) => a - b));
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Distance of the farthest sample from the median, as a share of it. */
export function spread(/** @type {number[]} */ values) {
  const middle = median(values);
  return Math.max(...values.map((value) => Math.abs(value - middle))) / middle;
}

export function geometricMean(/** @type {number[]} */ values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Rows of text as columns, the first to the left, the others to the right. */
export function table(/** @type {string[][]} */ rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
