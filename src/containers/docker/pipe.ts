/** What is written piece by piece, as something to be read; the writer waits for the reader. */
export async function* pipe(
  produce: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const queue: { bytes: Uint8Array; taken: () => void }[] = [];
  let wake = () => {};
  let over = false;
  let failure: unknown;
  void produce(
    (bytes) =>
      new Promise((taken) => {
        queue.push({ bytes, taken });
        wake();
      }),
  ).then(
    () => {
      over = true;
      wake();
    },
    (error) => {
      failure = error;
      over = true;
      wake();
    },
  );
  for (;;) {
    const next = queue.shift();
    if (next !== undefined) {
      yield next.bytes;
      next.taken();
      continue;
    }
    if (failure !== undefined) throw failure;
    if (over) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
