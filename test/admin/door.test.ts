import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Door, readToken } from '../../src/admin/door.ts';

const folder = mkdtempSync(join(tmpdir(), 'handover-door-'));
after(() => rmSync(folder, { recursive: true }));
const TOKEN = '0123456789abcdef0123456789abcdef';
const BEARER = { host: '127.0.0.1:9100', authorization: `Bearer ${TOKEN}` };

function write(text: string, mode = 0o600): string {
  const path = join(folder, 'token');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

for (const [what, text, mode, why] of [
  ['too short a one', 'secret', 0o600, /too few for 128 bits/],
  ['hex that is half as long', '0123456789abcdef01234567', 0o600, /too few/],
  ['one sign over and over', 'a'.repeat(64), 0o600, /made of 1 different characters, too few/],
  ['two lines', `${TOKEN}\n${TOKEN}`, 0o600, /more than one line/],
  ['what everybody can read', TOKEN, 0o644, /everybody on this machine can read it/],
  ['nothing', '', 0o600, /too few/]
] as const) {
  test(`a token is refused: ${what}`, () => {
    assert.throws(() => readToken(write(text, mode)), why);
  });
}

test('a file that is not there is refused with how to make it', () => {
  assert.throws(() => readToken(join(folder, 'none')), /ENOENT.*openssl rand -hex 16/s);
});

test('a token may end with a line break', () => assert.equal(readToken(write(`${TOKEN}\n`)), TOKEN));

test('without a token, nobody gives orders', () => {
  assert.equal(new Door(null, false).refuseOrder(BEARER)?.status, 403);
});

test('with the right token an order is taken, with a wrong one or none it is not', () => {
  const door = new Door(write(TOKEN), false);
  assert.equal(door.refuseOrder(BEARER), null);
  assert.equal(door.refuseOrder({ ...BEARER, authorization: `Bearer ${TOKEN}0` })?.status, 401);
  assert.equal(door.refuseOrder({ host: BEARER.host })?.status, 401);
});

test('a page of another site cannot give orders, whatever it sends', () => {
  const door = new Door(write(TOKEN), false);
  assert.equal(door.refuseOrder({ ...BEARER, origin: 'http://evil.example' })?.status, 403);
  assert.equal(door.refuseOrder({ ...BEARER, origin: 'null' })?.status, 403);
  assert.equal(door.refuseOrder({ ...BEARER, 'sec-fetch-site': 'cross-site' })?.status, 403);
  assert.equal(door.refuseOrder({ ...BEARER, origin: 'http://127.0.0.1:9100', 'sec-fetch-site': 'same-origin' }), null);
});

test('whoever guesses is slowed down, and whoever has the token is not kept out by that', () => {
  const door = new Door(write(TOKEN), false);
  const statuses = Array.from(
    { length: 15 },
    () => door.refuseOrder({ host: 'localhost', authorization: 'Bearer no' })?.status
  );
  assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
  assert.equal(door.refuseOrder(BEARER), null);
});

test('not more than 20 orders a minute are taken', () => {
  const door = new Door(write(TOKEN), false);
  const taken = Array.from({ length: 30 }, () => door.refuseOrder(BEARER)).filter((refusal) => refusal === null);
  assert.equal(taken.length, 20);
});

test('a token that was changed holds from the next order on', () => {
  const path = write(TOKEN);
  const door = new Door(path, false);
  write(TOKEN.replaceAll('0', 'f'));
  assert.equal(door.refuseOrder(BEARER)?.status, 401);
});

test('a token that cannot be read any more is no reason to tell anybody where it is', () => {
  const path = write(TOKEN);
  const door = new Door(path, false);
  chmodSync(path, 0o644);
  const refusal = door.refuseOrder(BEARER);
  assert.equal(refusal?.status, 403);
  assert.ok(!JSON.stringify(refusal).includes(path));
});

test('the page is shown under addresses and names of this machine, and no others', () => {
  const door = new Door(null, false);
  for (const host of ['127.0.0.1:9100', '[::1]:9100', 'localhost:9100', 'LOCALHOST', '192.0.2.7', `${hostname()}:1`])
    assert.equal(door.refuseHost({ host }, true), null, host);
  for (const host of ['evil.example', 'evil.example:9100', '127.0.0.1.evil.example', 'localhost.evil.example', ''])
    assert.equal(door.refuseHost({ host }, true)?.status, 421, host);
});

test('a scraper may use any name, a browser may not', () => {
  const door = new Door(null, false);
  assert.equal(door.refuseHost({ host: 'shop.internal:9100' }, false), null);
  assert.equal(door.refuseHost({ host: 'evil.example', 'sec-fetch-site': 'cross-site' }, false)?.status, 421);
});

test('over a unix socket a name says nothing', () => {
  assert.equal(new Door(null, true).refuseHost({ host: 'evil.example' }, true), null);
});
