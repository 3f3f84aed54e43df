import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { Browser, cannotRunChromium } from '../support/chromium.ts';
import { until } from '../support/wait.ts';
import { TestService } from './service.ts';

// The page of the admin address in a real Chromium.

const skip = cannotRunChromium();
const TOKEN = '0123456789abcdef0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'handover-page-'));
const adminTokenFile = join(folder, 'token');
writeFileSync(adminTokenFile, TOKEN, { mode: 0o600 });
after(() => rmSync(folder, { recursive: true }));

async function open(
  t: TestContext,
  options: object = {}
): Promise<{ service: TestService; browser: Browser; url: string }> {
  const service = new TestService({ admin: '127.0.0.1:0', workers: 2, keepWarm: 'forever', ...options });
  t.after(() => service.end());
  await service.started();
  const { address } = await service.line('admin');
  const browser = await Browser.start(t);
  const url = `http://${String(address)}/`;
  await browser.look({ width: 1_200 });
  await browser.open(url);
  await until(async () => /generation 1/.test(await browser.text('summary')), 'the status on the page');
  return { service, browser, url };
}

test('a reload is seen as it happens, and the page needs nothing that its policy forbids', { skip }, async (t) => {
  const { service, browser } = await open(t);
  assert.equal(await browser.read('document.getElementById("orders").hidden'), true, 'without a token it only shows');
  assert.match(await browser.text('generations'), /active: 1/);
  service.version = '2';
  await service.client.reload();
  await until(async () => /generation 2/.test(await browser.text('summary')), 'the new generation');
  await until(async () => /standby: 1/.test(await browser.text('generations')), 'the standby');
  assert.match(await browser.text('phases'), /starting \(2\).*ready \(2\).*cutover \(2\)/);
  assert.match(await browser.text('log'), /cutover/);
  await until(async () => /reload/.test(await browser.text('history')), 'the history');
  assert.equal(await browser.read('document.querySelectorAll("#workers tr").length'), 4);
  assert.equal(await browser.read('document.querySelectorAll(".uplot canvas").length'), 3, 'three charts are drawn');
  assert.deepEqual(browser.errors, []);
});

test('what an app says is shown as text, and never read as HTML', { skip }, async (t) => {
  const app = join(folder, 'rude.mjs');
  const tag = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  writeFileSync(
    app,
    `import { createServer } from 'node:http';\ncreateServer((q, r) => r.end()).listen(3000);\nconsole.log(${JSON.stringify(tag)});`
  );
  const { browser } = await open(t, { entry: app, listen: '127.0.0.1:0=3000', label: tag });
  await until(async () => (await browser.text('log')).includes(tag), 'the line in the log');
  assert.equal(await browser.read('document.querySelectorAll("main img, main script").length'), 0);
  assert.match(await browser.read('document.title'), /handover/);
});

test('with the keyboard alone: the token, a rollback, and the answer of the dialog', { skip }, async (t) => {
  const { service, browser } = await open(t, { adminTokenFile });
  service.version = '2';
  await service.client.reload();
  await browser.tabTo('#token');
  await browser.type('wrong');
  await browser.tabTo('button[value=rollback]');
  await browser.press('Enter');
  await until(() => browser.read<boolean>('document.getElementById("confirm").open'), 'the question');
  assert.equal(await browser.read('document.activeElement.value'), 'no', 'No is what Enter says first');
  await browser.tabTo('dialog button[value=yes]');
  await browser.press('Enter');
  await until(async () => /token is missing or wrong/.test(await browser.text('order-result')), 'the refusal');
  assert.equal((await service.client.status()).active?.generation, 2);
  await browser.read('document.getElementById("token").focus(), document.getElementById("token").select()');
  await browser.type(TOKEN);
  await browser.tabTo('button[value=rollback]');
  await browser.press('Enter');
  await until(() => browser.read<boolean>('document.getElementById("confirm").open'), 'the question again');
  await browser.tabTo('dialog button[value=yes]');
  await browser.press('Enter');
  await until(async () => /rollback: done/.test(await browser.text('order-result')), 'the answer');
  assert.equal((await service.client.status()).active?.generation, 1);
  assert.deepEqual(browser.errors, []);
});

test('on a phone nothing is wider than the screen, in the light and in the dark', { skip }, async (t) => {
  const { browser, url } = await open(t, { adminTokenFile });
  for (const dark of [false, true]) {
    await browser.look({ width: 375, dark });
    await browser.open(url);
    await until(async () => /generation 1/.test(await browser.text('summary')), 'the status on the page');
    assert.ok((await browser.read<number>('document.documentElement.scrollWidth')) <= 375);
    const small = await browser.read(
      '[...document.querySelectorAll("button, input")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44).length'
    );
    assert.equal(small, 0, 'buttons are large enough for a finger');
  }
});

test('the page finds the next supervisor by itself', { skip }, async (t) => {
  const { service, browser, url } = await open(t);
  service.process.kill('SIGKILL');
  await service.exited();
  await until(async () => /does not answer/.test(await browser.text('link')), 'that nobody answers');
  const env = { ...process.env, VERSION_FILE: join(service.folder, 'version') };
  const next = new TestService({ admin: new URL(url).host, socket: service.socket, workers: 2, env });
  t.after(() => next.end());
  await next.started();
  await until(
    async () => (await browser.text('link')).includes(`pid ${next.process.pid},`),
    'the next supervisor on the page'
  );
});
