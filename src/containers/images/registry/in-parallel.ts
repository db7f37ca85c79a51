/** Runs an action for each item, at most `limit` at once; after a failure no more are begun, and it is thrown. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  action: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const run = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        await action(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const runs = Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, run);
  const results = await Promise.allSettled(runs);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
