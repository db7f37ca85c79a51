/**
 * How well a query fits a title: its letters in their order, in whatever case. Higher is better: letters that follow one
 * another, and those at the beginning of a word.
 * @returns undefined when it does not fit
 */
export function fitness(query: string, title: string): number | undefined {
  const wanted = [...query.toLowerCase()].filter((letter) => letter.trim() !== '');
  const text = [...title.toLowerCase()];
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    if (next === at + 1) score += 3;
    if (next === 0 || /[\s:/(]/.test(text[next - 1]!)) score += 2;
    score -= Math.min(2, (next - at - 1) / 20);
    at = next;
  }
  return score;
}

/** Those whose titles fit, best first; all, in their order, for an empty query. */
export function search<T extends { title: string }>(query: string, all: readonly T[]): T[] {
  if (query.trim() === '') return [...all];
  return all
    .map((item, index) => ({ item, index, score: fitness(query, item.title) }))
    .filter((found): found is { item: T; index: number; score: number } => found.score !== undefined)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ item }) => item);
}
