import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentRequests } from '../../src/worker/recent-requests.ts';

test('the most frequent are told first, 20 of them, and what only one client could ask is not', () => {
  const recent = new RecentRequests();
  for (let path = 1; path <= 30; path += 1)
    for (let count = 0; count < path; count += 1) recent.add({ method: 'GET', url: `/${path}`, headers: {} });
  recent.add({ method: 'GET', url: '/inner', originalUrl: '/outer/inner', headers: { host: 'x' } });
  for (const odd of [
    { method: 'POST', url: '/post' },
    { method: 'GET', url: '/cookie', headers: { cookie: 'a=1' } },
    { method: 'GET', url: '/auth', headers: { authorization: 'x' } },
    { method: 'GET', url: '/body', headers: { 'content-length': '4' } },
    { method: 'GET', url: '/chunked', headers: { 'transfer-encoding': 'chunked' } },
    { method: 'GET', url: 'http://proxy.example/' },
    { method: 'GET', url: `/${'x'.repeat(3_000)}` }
  ])
    for (let count = 0; count < 99; count += 1) recent.add(odd);
  assert.deepEqual(
    recent.list(),
    Array.from({ length: 20 }, (_, index) => `GET /${30 - index}`)
  );
});

test('of more than 500, the one that was not asked for the longest is forgotten', () => {
  const recent = new RecentRequests();
  for (let path = 0; path < 501; path += 1) recent.add({ method: 'HEAD', url: `/${path}` });
  for (let count = 0; count < 2; count += 1) recent.add({ method: 'HEAD', url: '/0' });
  assert.equal(recent.list()[0], 'HEAD /0');
});
