// The same run in Node and in Chromium, bit for bit: the built library's machine on a page of its own.
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen } from '../../scripts/serve.mjs';
import { Core } from '../../src/core/core.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { Engine, MachineConfig } from '../../src/machine/machine-types.ts';
import { launchBrowser } from '../browser/harness.ts';
import { linuxGuest } from '../determinism/linux.ts';
import { buildProgram } from '../determinism/program.ts';
import { type Ending, runToEnd } from '../determinism/run-machine.mjs';
import { coreModule } from '../support/core.ts';
import { runPast, type SavedState, saveMachine, testMachine } from '../support/saved-machine.ts';

const ROOT = new URL('../../', import.meta.url);
/** What the page may load: the built library, and the runner that Node uses too. */
const SERVED =
  /^\/(build\/(src|assembly)\/[\w./-]+\.js|build\/core\.wasm|tests\/determinism\/run-machine\.mjs)$/;
const TYPES: Readonly<Record<string, string>> = {
  wasm: 'application/wasm',
  js: 'text/javascript',
  mjs: 'text/javascript',
};

/** Files of a machine by name, as the page asks for them. */
const files = new Map<string, Uint8Array>();
let browser: Browser;
let server: Server;
let page: Page;

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? '/';
    const file = fileURLToPath(new URL(`.${path}`, ROOT));
    const bytes = files.get(path.slice(1));
    if (path === '/')
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>run</title>');
    else if (bytes) response.writeHead(200).end(bytes);
    else if (SERVED.test(path) && !path.includes('..') && existsSync(file)) {
      response.writeHead(200, { 'Content-Type': TYPES[path.split('.').at(-1) ?? ''] ?? '' });
      createReadStream(file).pipe(response);
    } else response.writeHead(404).end();
  });
  const url = await listen(server, 0);
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(url);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  server?.closeAllConnections();
});

/** The files of a machine, and the rest of its configuration. */
interface Subject {
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  readonly settings: Partial<MachineConfig>;
}

const fixed = { clock: 'instructions', seed: 3 } as const;

const inNode = (subject: Subject, engine: Engine): Promise<Ending> => {
  const settings = { memory: 128 << 20, ...subject.settings, ...subject.files, ...fixed };
  return runToEnd(Machine, Core, { core: coreModule(), engine, ...settings }, () => 8);
};

/** The page's side of a machine that goes on from the files `state` and `pages`. */
const RESTORE = `(machine) => {
  for (const [index, page] of state.pages.entries()) {
    machine.ram.set(pages.subarray(index * 4096, (index + 1) * 4096), page * 4096);
  }
  machine.ramWritten(0, machine.ram.length);
  machine.restoreState(state.sections.map(({ bytes, ...rest }) => ({ ...rest, bytes: Uint8Array.from(bytes) })));
}`;

/** @param saved what the machine goes on from; absent: it boots */
async function inChromium(subject: Subject, engine: Engine, saved?: SavedState): Promise<Ending> {
  for (const [name, bytes] of Object.entries(subject.files)) files.set(name, bytes);
  const settings = { memory: 128 << 20, ...subject.settings, ...fixed, engine, standby: saved !== undefined };
  if (saved) {
    const sections = saved.sections.map(({ bytes, ...rest }) => ({ ...rest, bytes: Array.from(bytes) }));
    const state = JSON.stringify({ sections, pages: [...saved.pages.keys()] });
    files.set('state', new TextEncoder().encode(state));
    files.set('pages', Buffer.concat([...saved.pages.values()]));
  }
  const names = Object.keys(subject.files);
  // A string, so that nothing that the test runner puts into functions gets into the page.
  return page.evaluate(`(async () => {
    const { Machine } = await import('/build/src/machine/machine.js');
    const { Core } = await import('/build/src/core/core.js');
    const { runToEnd } = await import('/tests/determinism/run-machine.mjs');
    const config = ${JSON.stringify(settings)};
    config.core = await WebAssembly.compileStreaming(fetch('/build/core.wasm'));
    for (const name of ${JSON.stringify(names)}) config[name] = new Uint8Array(await (await fetch('/' + name)).arrayBuffer());
    if (!config.standby) return runToEnd(Machine, Core, config, () => 8);
    const state = await (await fetch('/state')).json();
    const pages = new Uint8Array(await (await fetch('/pages')).arrayBuffer());
    return runToEnd(Machine, Core, config, () => 8, ${RESTORE});
  })()`);
}

const same = (ending: Ending): unknown => [ending.reason, ending.output, ending.hash, ending.instructions];

test('a bare-metal program with timers and alarms ends in the same state in Node and in Chromium', async () => {
  const subject = { files: { bios: buildProgram() }, settings: { memory: 16 << 20 } };
  const node = await inNode(subject, 'interpreter');
  expect(node.reason).toBe('{"kind":"poweroff"}');
  for (const engine of ['interpreter', 'translator'] as const)
    expect(same(await inChromium(subject, engine))).toEqual(same(node));
});

test('Linux boots and works to the same state in Node and in Chromium, and when it moves there on its way', async () => {
  const { kernel, initrd, append } = linuxGuest();
  const subject = { files: { kernel, initrd }, settings: { append } };
  const node = await inNode(subject, 'auto');
  expect(node.reason, node.output).toBe('{"kind":"poweroff"}');
  expect(same(await inChromium(subject, 'auto'))).toEqual(same(node));
  // Saved on its way in Node, it comes to the same end in Chromium.
  const config: MachineConfig = {
    core: coreModule(),
    memory: 128 << 20,
    engine: 'auto',
    ...subject.settings,
    ...fixed,
  };
  const made = testMachine({ ...config, kernel, initrd });
  await runPast(made, node.instructions / 2);
  const saved = await saveMachine(made);
  const ending = await inChromium(subject, 'auto', saved);
  expect(same({ ...ending, output: made.output + ending.output })).toEqual(same(node));
});
