// v86 in a Node process of its own: Debian's i386 kernel and busybox, our programs as i386 ELFs with SSE2.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parsePasses } from '../../build/src/guests/workloads.js';

/** @returns {import('./engine-native.mjs').BenchEngine} */
export function v86() {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  const spawn = () =>
    fork(fileURLToPath(new URL('v86-process.mjs', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  /** @returns {Promise<{ text: string, ms: number }>} */
  const ask = (
    /** @type {import('node:child_process').ChildProcess | undefined} */ to,
    /** @type {object} */ message,
  ) =>
    new Promise((resolve, reject) => {
      if (to === undefined) throw new Error('v86 has not been started');
      const ended = (/** @type {number | null} */ code) =>
        reject(new Error(`v86's process ended with ${code}`));
      to.once('exit', ended);
      to.once('message', (/** @type {{ error?: string, text: string, ms: number }} */ answer) => {
        to.off('exit', ended);
        if (answer.error === undefined) resolve(answer);
        else reject(new Error(`v86: ${answer.error}`));
      });
      to.send(message);
    });
  return {
    async start() {
      child = spawn();
      await ask(child, { do: 'boot' });
      await ask(child, { do: 'stop' });
    },
    async suspend() {
      await ask(child, { do: 'stop' });
    },
    async resume() {
      await ask(child, { do: 'run' });
    },
    async stop() {
      if (child?.connected) child.disconnect();
    },
    async run({ name, n }, passes) {
      const { text } = await ask(child, { do: 'command', line: `/bench/${name} ${n} ${passes}` });
      return parsePasses(text, passes);
    },
    async command(line) {
      return (await ask(child, { do: 'command', line })).ms;
    },
    async boot() {
      const other = spawn();
      try {
        return (await ask(other, { do: 'boot' })).ms;
      } finally {
        if (other.connected) other.disconnect();
      }
    },
  };
}
