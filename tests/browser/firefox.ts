// Firefox, driven through its own remote agent, which speaks WebDriver BiDi (W3C). Playwright's client wants commands
// that Debian's extended-support release does not have.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const executablePath = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';
/** It has begun to listen by then, or never will. */
const START_MS = 120_000;

/** What a profile of our own sets: nothing that asks, updates or reports. */
const PREFERENCES = {
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

interface Answer {
  id?: number;
  type: 'success' | 'error' | 'event';
  result?: unknown;
  error?: string;
  message?: string;
}

/** A Firefox with one tab. */
export class FirefoxPage {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #id = 0;
  #context = '';

  private constructor(process: ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as Answer));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox has closed the connection'));
    });
  }

  /** Starts Firefox without a window; says which package it is in when it is not there. */
  static async launch(): Promise<FirefoxPage> {
    if (!existsSync(executablePath)) {
      throw new Error(
        `${executablePath} is missing: install the Debian package firefox-esr, or set FIREFOX_PATH.`,
      );
    }
    const profile = mkdtempSync(join(tmpdir(), 'hypertab-firefox-'));
    const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${value});`);
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
    const child = spawn(
      executablePath,
      ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } },
    );
    try {
      const url = await FirefoxPage.#address(child);
      const socket = new WebSocket(`${url}/session`);
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const page = new FirefoxPage(child, socket, profile);
      await page.#send('session.new', { capabilities: {} });
      const { contexts } = (await page.#send('browsingContext.getTree', {})) as {
        contexts: { context: string }[];
      };
      page.#context = contexts[0]!.context;
      return page;
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(profile, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where its remote agent listens, as it says on stderr. */
  static #address(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      let said = '';
      const timer = setTimeout(
        () => reject(new Error(`Firefox did not start to listen:\n${said}`)),
        START_MS,
      );
      child.stderr?.on('data', (data) => {
        said += data;
        const [, url] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new Error(`Firefox ended:\n${said}`));
      });
    });
  }

  goto(url: string): Promise<unknown> {
    return this.#send('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** The value of an expression in the page, which JSON can hold; promises are waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = (await this.#send('script.evaluate', {
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value) ?? 'null')`,
      target: { context: this.#context },
      awaitPromise: true,
    })) as { type: string; result?: { value: string }; exceptionDetails?: { text: string } };
    if (answer.result === undefined || answer.type !== 'success') {
      throw new Error(`${expression}: ${answer.exceptionDetails?.text}`);
    }
    return JSON.parse(answer.result.value) as T;
  }

  /** Types as a keyboard does, into what has the focus. */
  async type(text: string): Promise<void> {
    const actions = [...text].flatMap((value) => {
      // Enter has a code point of its own (WebDriver, keyboard actions).
      const key = value === '\n' ? '\uE007' : value;
      return [
        { type: 'keyDown', value: key },
        { type: 'keyUp', value: key },
      ];
    });
    await this.#send('input.performActions', {
      context: this.#context,
      actions: [{ type: 'key', id: 'keyboard', actions }],
    });
  }

  /** A picture of what is seen, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = (await this.#send('browsingContext.captureScreenshot', { context: this.#context })) as {
      data: string;
    };
    return Buffer.from(data, 'base64');
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    this.#send('browser.close', {}).catch(() => {});
    await ended;
    clearTimeout(timer);
    this.#socket.close();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(method: string, params: object): Promise<unknown> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #receive({ id, type, result, error, message }: Answer): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    if (type === 'error') waiting.reject(new Error(`${error}: ${message}`));
    else waiting.resolve(result);
  }
}
