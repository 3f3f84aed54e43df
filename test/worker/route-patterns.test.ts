import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldPath, Routes } from '../../src/worker/route-patterns.ts';

test('numbers, ids and hashes are folded, names are not', () => {
  for (const [path, pattern] of [
    ['/', '/'],
    ['', ''],
    ['//a/', '//a/'],
    ['/orders', '/orders'],
    ['/orders/4711', '/orders/…'],
    ['/orders/4711/lines/2', '/orders/…/lines/…'],
    ['/api/v2/oauth2', '/api/v2/oauth2'],
    ['/users/9f8e7d6c-5b4a-4c3d-8e2f-112233445566/edit', '/users/…/edit'],
    ['/assets/app.3f9c21ab.js', '/assets/….js'],
    ['/2026-11-28/news', '/…/news'],
    ['/reset/abcdefghijklmnopqrstuvwxyz', '/reset/…'],
    ['/by/anna@shop.example', '/by/…'],
    ['/search/caf%C3%A9', '/search/…'],
    ['*', '*']
  ] as const)
    assert.equal(foldPath(path), pattern, path);
});

test('a route is a method and a pattern, without the query', () => {
  const routes = new Routes(() => ({}));
  const one = routes.find('GET', '/orders/1?token=hush', 200);
  assert.equal(routes.find('GET', '/orders/2', 500), one);
  assert.notEqual(routes.find('POST', '/orders/1', 200), one);
  assert.deepEqual(
    [...routes.entries()].map(([name]) => name),
    ['GET /orders/…', 'POST /orders/…']
  );
});

test('paths that a stranger tries, and routes beyond the fortieth, are told apart no more', () => {
  const routes = new Routes(() => ({}));
  const stray = routes.find('GET', '/wp-login.php', 404);
  assert.equal(routes.find('GET', '/.env', 403), stray);
  for (let count = 0; count < 100; count += 1)
    routes.find('GET', `/${'x'.repeat((count % 20) + 1)}/${'y'.repeat(Math.floor(count / 20))}`, 200);
  const names = [...routes.entries()].map(([name]) => name);
  assert.equal(names.length, 40);
  assert.ok(names.includes('other'));
  const known = routes.find('GET', '/x/', 200);
  assert.equal(routes.find('GET', '/x/', 404), known); // what is a route stays one, whatever it answers
});
