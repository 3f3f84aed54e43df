import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Claims } from '../../src/host/claims.ts';
import { MOST_CLAIMS } from '../../src/protocol/claims.ts';

test('a value is known by who claimed it last; where nobody has, by who asks and may', () => {
  const claims = new Claims();
  claims.claim('1.1', ['a', 'b', 7]);
  assert.deepEqual(
    [claims.ask('a', '1.2'), claims.ask('c', null), claims.ask('c', '1.2'), claims.ask('c', '1.1')],
    [...['1.1', '', '1.2', '1.2']]
  );
  claims.claim('1.2', ['a']);
  assert.equal(claims.ask('a', '1.1'), '1.2');
  assert.deepEqual([claims.countOf('1.1'), claims.countOf('1.2'), claims.countOf('1.3')], [1, 2, 0]);
});

test('what a process knew goes with it', () => {
  const claims = new Claims();
  claims.claim('1.1', ['a', 'b']);
  claims.claim('1.2', ['c']);
  assert.deepEqual([claims.drop('1.1'), claims.drop('1.1')], [true, false]);
  assert.deepEqual([claims.ask('a', null), claims.ask('c', null), claims.countOf('1.1')], ['', '1.2', 0]);
});

test('beyond the most, those are forgotten that were not asked for the longest', () => {
  const claims = new Claims();
  for (let at = 0; at < MOST_CLAIMS; at += 1) claims.claim('1.1', [`v${at}`]);
  assert.equal(claims.ask('v0', null), '1.1');
  claims.claim('1.2', ['new']);
  assert.deepEqual([claims.ask('v0', null), claims.ask('v1', null)], ['1.1', '']);
  assert.equal(claims.countOf('1.1'), MOST_CLAIMS - 1);
});
