import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseOnly, placeOf, type Running } from '../../src/cli/find.ts';
import { socketFolder } from '../../src/control/socket-path.ts';

const running = (app: string) => ({ socket: `/run/${app}.sock`, status: { app } }) as Running;

test('a socket that was named counts before a name', () => {
  assert.equal(placeOf({ name: 'shop', socket: '/s' }), '/s');
});

test('a name leads to the socket of that app', () => {
  assert.equal(placeOf({ name: '@my/shop' }), join(socketFolder(), '%40my%2Fshop.sock'));
});

test('nothing said leads nowhere', () => {
  assert.equal(placeOf({}), null);
});

test('a name that cannot be one is wrong usage', () => {
  assert.throws(() => placeOf({ name: '' }), { code: 'HANDOVER_ERR_OPTION_INVALID' });
});

test('the only one that answers is meant', () => {
  assert.equal(chooseOnly([running('shop')]), '/run/shop.sock');
});

test('of several none is guessed: they are listed', () => {
  assert.throws(() => chooseOnly([running('shop'), running('blog')]), {
    code: 'HANDOVER_ERR_OPTION_AMBIGUOUS',
    exitCode: 2,
    why: '2 run: shop (/run/shop.sock), blog (/run/blog.sock)',
    fix: 'Choose one with --name, or with --socket'
  });
});

test('with none there is nobody to ask', () => {
  assert.throws(() => chooseOnly([]), { code: 'HANDOVER_ERR_CONTROL_UNREACHABLE', exitCode: 4 });
});
