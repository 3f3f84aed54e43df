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

test('paths that a stranger tries, and routes beyond the hundredth, are told apart no more', () => {
  const routes = new Routes(() => ({}));
  const stray = routes.find('GET', '/wp-login.php', 404);
  assert.equal(routes.find('GET', '/.env', 403), stray);
  for (let count = 0; count < 200; count += 1)
    routes.find('GET', `/${'x'.repeat((count % 20) + 1)}/${'y'.repeat(Math.floor(count / 20))}`, 200);
  const names = [...routes.entries()].map(([name]) => name);
  assert.equal(names.length, 100);
  assert.ok(names.includes('other'));
  const known = routes.find('GET', '/x/', 200);
  assert.equal(routes.find('GET', '/x/', 404), known); // what is a route stays one, whatever it answers
});

test('short ids, parameters, origins and odd signs are folded, and a pattern has an end', () => {
  const patterns: readonly [path: string, pattern: string][] = [
    ['/api/v2/oauth2/i18n', '/api/v2/oauth2/i18n'],
    ['/api/v1.2/users', '/api/v1.2/users'],
    ['/s/x7Fz2', '/s/…'],
    ['/report/2026-11', '/report/…'],
    ['/cart;token=abc', '/…'],
    ['/of/mail@shop.example', '/of/…'],
    ['/caf%C3%A9/caf\u00e9', '/…/…'],
    ['/a\u009b31m', '/…'],
    ['//a//b', '//a//b'],
    ['http://user:word@shop.example/cart', '/cart'],
    ['http://shop.example', '/']
  ];
  for (const [path, pattern] of patterns) assert.equal(foldPath(path), pattern);
  assert.equal(foldPath('/a'.repeat(8_000)).length, 201);
});

test('a path that is always answered 404 is a route when it is asked for again and again, as of an app that lost it', () => {
  const routes = new Routes(() => ({ requests: 0 }));
  for (let times = 0; times < 100; times += 1) routes.find('GET', `/orders/${times}?page=2`, 404).requests += 1;
  assert.deepEqual(
    [...routes.entries()],
    [
      ['other', { requests: 9 }],
      ['GET /orders/…', { requests: 91 }]
    ]
  );
});

test('strangers who try paths take none of the routes, and at most half of them if they go on', () => {
  const routes = new Routes(() => ({ requests: 0 }));
  const word = (index: number) => index.toString(2).replaceAll('0', 'a').replaceAll('1', 'b');
  for (let index = 0; index < 10_000; index += 1) routes.find('GET', `/${word(index)}`, 404);
  assert.deepEqual(
    [...routes.entries()].map(([name]) => name),
    ['other']
  );
  for (let index = 0; index < 10_000; index += 1) routes.find('GET', `/${word(index % 150)}`, 404);
  for (let index = 0; index < 200; index += 1) routes.find('GET', `/app-${word(index)}`, 200);
  const names = [...routes.entries()].map(([name]) => name);
  assert.equal(names.length, 100);
  assert.equal(names.filter((name) => name.startsWith('GET /app-')).length, 50);
});

test('names below one parent are words of somebody where there are many of them, and one route then', () => {
  const routes = new Routes(() => ({ requests: 0 }));
  const word = (index: number) => index.toString(2).replaceAll('0', 'a').replaceAll('1', 'b');
  for (let times = 0; times < 3; times += 1)
    for (let index = 0; index < 200; index += 1) routes.find('GET', `/blog/${word(index)}/comments`, 200).requests += 1;
  const folded = [...routes.entries()].find(([name]) => name === 'GET /blog/…/comments');
  // All but the first of the first round.
  assert.ok((folded?.[1].requests ?? 0) >= 569, `${folded?.[1].requests}`);
  // What is not there makes no crowd, and the first part of a path is never one.
  for (let index = 0; index < 200; index += 1) routes.find('GET', `/shop/${word(index)}`, 404);
  assert.equal(routes.find('GET', '/shop/tea', 200), routes.find('GET', '/shop/tea', 200));
  assert.notEqual(routes.find('GET', '/shop/tea', 200), routes.find('GET', '/shop/coffee', 200));
});
