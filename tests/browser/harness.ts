import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { Hypervisor, VirtualMachine } from 'hypertab';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { createSite, listen } from '../../scripts/serve.mjs';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Starts the browser the tests drive; says which package it is in when it is not there. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `${executablePath} is missing: install the Debian package chromium, or set CHROMIUM_PATH.`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // This machine under a name that the browser does not trust without a certificate.
      '--host-resolver-rules=MAP plain.test 127.0.0.1',
    ],
  });
}

export interface Site {
  url: string;
  close(): Promise<void>;
}

export interface SiteSettings {
  isolated?: boolean;
  /** Folder served as /; default: the built page. */
  page?: string;
  /** Folder served as /guests/; default: those prepared in build/guests. */
  guests?: string;
  /** Answers to matching paths break off after half of what was announced. */
  cut?: RegExp;
}

/** Serves the built page on a free port. */
export async function openSite({ cut, ...options }: SiteSettings = {}): Promise<Site> {
  const site: Server = createSite(options);
  const server =
    cut === undefined
      ? site
      : createServer((request, response) => {
          if (!cut.test(request.url ?? '')) {
            site.emit('request', request, response);
            return;
          }
          response.writeHead(200, { 'Content-Length': 1000 });
          response.write(new Uint8Array(500), () => setTimeout(() => response.destroy(), 100));
        });
  const url = await listen(server, 0);
  return {
    url,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

declare global {
  interface Window {
    /** What the page offers to tests and to people with the developer tools open. */
    hypertab: {
      hypervisor: Hypervisor;
      app: { view: { value: { sessions: readonly { id: string; vm: VirtualMachine | undefined }[] } } };
      consoleText(machine?: string, index?: number): string;
    };
  }
}

/** A tab on the built page, with what it complained about and what it transferred. */
export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** Console errors and uncaught exceptions. */
  complaints: string[];
  /** Bytes on the wire of each response, by path, guests included. */
  transfers: Map<string, number>;
}

/** Opens the page in a context of its own and waits until the guests are listed. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const transfers = new Map<string, number>();
  page.on('console', (message) => {
    // The software renderer of a machine without a graphics card talks about its own speed.
    if (message.text().includes('GL Driver Message')) return;
    // So does xterm.js when a busy computer keeps it waiting.
    if (message.text().includes('task queue exceeded')) return;
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('response', async (response) => {
    // Our server announces every length; the browser's own count leaves workers out.
    const length = Number((await response.headerValue('content-length').catch(() => null)) ?? 0);
    const path = new URL(response.url()).pathname;
    transfers.set(path, Math.max(length, transfers.get(path) ?? 0));
  });
  await page.goto(url);
  await page.locator('.catalogue .card, .catalogue .message').first().waitFor({ state: 'attached' });
  return { page, context, complaints, transfers };
}

/** Ends the worker that the page has in reserve, before there are machines: for tests that look at workers. */
export async function endReserve(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await window.hypertab.hypervisor.ready();
    await window.hypertab.hypervisor.destroyAll();
  });
}

/** The text of the front machine's console. */
export function consoleText(page: Page): Promise<string> {
  return page.evaluate(() => window.hypertab.consoleText());
}

/** Waits until the console's text satisfies a pattern; the error shows what it was instead. */
export async function waitForConsole(page: Page, pattern: RegExp, timeoutMs = 60_000): Promise<string> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const text = await consoleText(page);
    if (pattern.test(text)) return text;
    if (Date.now() > deadline) {
      throw new Error(
        `the console did not show ${pattern} within ${timeoutMs} ms; its end is:\n${text.slice(-1500)}`,
      );
    }
    await page.waitForTimeout(50);
  }
}

/** Waits until the front machine's badge shows a word. */
export async function waitForBadge(page: Page, word: string, timeoutMs = 60_000): Promise<void> {
  await page.locator('.panel:not([hidden]) .badge', { hasText: word }).waitFor({ timeout: timeoutMs });
}

/** A button of the front machine. */
export const control = (page: Page, name: string) =>
  page.locator(`.panel:not([hidden]) [data-control=${name}]`);

/** Writes a picture of the page to build/screenshots/. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir('build/screenshots', { recursive: true });
  await page.screenshot({ path: `build/screenshots/${name}.png` });
}

/** Does what the command palette finds for some letters, by keyboard. */
export async function command(page: Page, letters: string): Promise<void> {
  await page.keyboard.press('Control+Shift+K');
  await page.locator('dialog.palette [role=option]').first().waitFor();
  await page.keyboard.type(letters);
  await page.keyboard.press('Enter');
  await page.locator('dialog.palette').waitFor({ state: 'detached' });
  // What it does begins behind the dialog's end.
  await page.waitForTimeout(50);
}
