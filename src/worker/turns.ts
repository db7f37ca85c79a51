const pending: (() => void)[] = [];
let channel: MessageChannel | undefined;

/**
 * Resolves after the event loop has served the messages that wait now.
 *
 * A browser's setTimeout(0) is held to 4 ms once nested, which would cost a busy guest most of its time; a
 * message to oneself is not. Node has setImmediate for this.
 */
export function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => pending.shift()?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    pending.push(resolve);
    port2.postMessage(null);
  });
}
