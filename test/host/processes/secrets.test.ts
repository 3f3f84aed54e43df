import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets } from '../../../src/host/processes/secrets.ts';

test('values of variables that look like secrets are hidden', () => {
  const env = {
    ...{ API_TOKEN: 'abcd1234', DB_PASSWORD: 'hunter22', DATABASE_URL: 'postgres://u:p@h/db', STRIPE_KEY: 'sk_live_1' },
    ...{ HOME: '/home/shop', NODE_ENV: 'production', MONKEY: 'banana', AUTH: 'abc', EMPTY_SECRET: '' }
  };
  const said = 'abcd1234 hunter22 hunter22 postgres://u:p@h/db sk_live_1 /home/shop production banana abc';

  assert.equal(
    hideSecrets(said, env),
    '[API_TOKEN] [DB_PASSWORD] [DB_PASSWORD] [DATABASE_URL] [STRIPE_KEY] /home/shop production banana abc'
  );
});

test('a secret is hidden wherever it stands, also where it looks like a pattern', () => {
  assert.equal(hideSecrets('x=a.*b$&(c', { MY_SECRET: 'a.*b$&(c' }), 'x=[MY_SECRET]');
  assert.equal(hideSecrets('x', { SOME_TOKEN: undefined }), 'x');
});

test('a secret that is part of another does not leave the rest of it', () => {
  assert.equal(hideSecrets('abcdefgh', { A_TOKEN: 'abcd', B_TOKEN: 'abcdefgh' }), '[B_TOKEN]');
});

test('the password of a URL is hidden, wherever it comes from', () => {
  const said =
    'cannot reach postgres://shop:hunter2@db:5432/shop, nor redis://:pa:ss@cache, but http://localhost:80/a@b';

  assert.equal(
    hideSecrets(said, {}),
    'cannot reach postgres://shop:[password]@db:5432/shop, nor redis://:[password]@cache, but http://localhost:80/a@b'
  );
});
