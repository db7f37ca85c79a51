// A view that compares programs as machines of their own and as containers, and shows what came out.
import { compare } from 'hypertab';
import { hostConsoleStrings } from '../host-console/strings.ts';
import { tabTask } from '../host-console/tab-engine.ts';
import type { App } from '../state/app.ts';
import { h } from '../views/dom.ts';
import './compare.css';
import { comparisonTable } from './comparison-table.ts';
import { compareStrings } from './strings.ts';

/** A button, what is under way, and the table. */
export function compareView(app: App): HTMLElement {
  const strings = compareStrings();
  const status = h('p', { className: 'status', role: 'status' });
  const result = h('div');
  let cancel: AbortController | undefined;
  const button = h('button', { type: 'button', dataset: { control: 'compare' } }, strings.start);
  const run = async () => {
    cancel = new AbortController();
    button.textContent = strings.stop;
    status.textContent = strings.preparing;
    try {
      const guests = new URL('guests/', document.baseURI);
      const task = await tabTask({ hypervisor: app.hypervisor, guests, strings: hostConsoleStrings() });
      const comparison = await compare({
        ...{ hypervisor: app.hypervisor, engine: task.engine, images: task.images, runs: 1 },
        ...{ guestBytes: task.guestBytes, signal: cancel.signal },
        fetchImage: (name) => task.fetchImage(name, quiet),
        onProgress: ({ program, side, run: number, runs }) => {
          status.textContent = strings.running(program, strings[side], number, runs);
        },
      });
      result.replaceChildren(comparisonTable(comparison, strings));
      status.textContent = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      status.textContent = cancel.signal.aborted ? strings.stopped : strings.failed(why);
    } finally {
      cancel = undefined;
      button.textContent = strings.start;
    }
  };
  button.onclick = () => {
    if (cancel === undefined) void run();
    else cancel.abort();
  };
  return h(
    'section',
    { className: 'compare' },
    h('h2', {}, strings.title),
    h('p', {}, strings.intro),
    button,
    status,
    result,
  );
}

const nothing = () => {};
const noFile = () => Promise.reject(new Error('there are no files here'));
/** Nobody reads what fetching an image says. */
const quiet = {
  ...{ stdout: nothing, stderr: nothing, stdin: async function* () {} },
  ...{ stdinIsTerminal: false, stdoutIsTerminal: false, size: () => undefined },
  ...{ onResize: () => nothing, raw: () => nothing, onSignal: () => nothing },
  ...{
    absolutePath: (path: string) => path,
    readText: noFile,
    writeText: noFile,
    environment: () => undefined,
  },
};
