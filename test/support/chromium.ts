import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import CDP from 'chrome-remote-interface';
import { inTime, until } from './wait.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path)
);

/** Why no Chromium can be run here; false where one can. */
export function cannotRunChromium(): string | false {
  return CHROMIUM === undefined ? 'no Chromium is installed (Debian: apt-get install chromium)' : false;
}

/** One tab of a real Chromium. */
export class Browser {
  /** Errors of scripts, and what the browser refused, such as a script that the page's policy forbids. */
  readonly errors: string[] = [];
  readonly #client: CDP.Client;

  private constructor(client: CDP.Client) {
    this.#client = client;
  }

  static async start(t: TestContext): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'handover-chromium-'));
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--remote-debugging-port=0'
    ];
    const chromium = spawn(CHROMIUM ?? '', [...flags, `--user-data-dir=${folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // With processes of its own, which end with it.
      detached: true
    });
    let said = '';
    chromium.stderr.on('data', (text) => {
      said += String(text);
    });
    const exited = new Promise<void>((done) => chromium.once('exit', () => done()));
    t.after(async () => {
      process.kill(-(chromium.pid ?? 0), 'SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    });
    const [, port] = await until(
      () => /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said),
      () => `Chromium; it said ${said}`
    );
    const client = await inTime(CDP({ port: Number(port) }), 'a tab of Chromium');
    t.after(() => client.close());
    const browser = new Browser(client);
    await browser.#begin();
    return browser;
  }

  async #begin(): Promise<void> {
    const { Page, Runtime, Log } = this.#client;
    await inTime(Promise.all([Page.enable(), Runtime.enable(), Log.enable()]), 'an answer of Chromium');
    Runtime.exceptionThrown(({ exceptionDetails }) =>
      this.errors.push(exceptionDetails.exception?.description ?? exceptionDetails.text)
    );
    Log.entryAdded(({ entry }) => {
      if (entry.level === 'error' && entry.source !== 'network') this.errors.push(entry.text);
    });
  }

  async look({ width, dark = false }: { readonly width: number; readonly dark?: boolean }): Promise<void> {
    const { Emulation } = this.#client;
    await Emulation.setDeviceMetricsOverride({ width, height: 800, deviceScaleFactor: 1, mobile: width < 500 });
    await Emulation.setEmulatedMedia({ features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
  }

  async open(url: string): Promise<void> {
    // It answers when the page before is gone: what is asked of that one may never be answered.
    await inTime(this.#client.Page.navigate({ url }), `the page ${url}`);
    const state = 'document.readyState + " " + location.href';
    await until(async () => (await this.read<string>(state)) === `complete ${url}`, `the page ${url}`);
  }

  /** The value of an expression in the page. */
  async read<T>(expression: string): Promise<T> {
    const evaluated = this.#client.Runtime.evaluate({ expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = await inTime(evaluated, `the value of ${expression}`);
    if (exceptionDetails)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value as T;
  }

  text(id: string): Promise<string> {
    return this.read<string>(`document.getElementById(${JSON.stringify(id)}).textContent`);
  }

  /** Presses a key, as a person without a mouse does. */
  async press(key: 'Tab' | 'Enter'): Promise<void> {
    const { Input } = this.#client;
    const about =
      key === 'Tab'
        ? { code: 'Tab', windowsVirtualKeyCode: 9 }
        : { code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' };
    await Input.dispatchKeyEvent({ type: 'keyDown', key, ...about });
    await Input.dispatchKeyEvent({ type: 'keyUp', key, ...about });
  }

  async type(text: string): Promise<void> {
    await this.#client.Input.insertText({ text });
  }

  /** Presses Tab until that element has the focus. */
  async tabTo(selector: string): Promise<void> {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await this.read<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) === true`)) return;
      await this.press('Tab');
    }
    throw new Error(`${selector} cannot be reached by Tab`);
  }
}
