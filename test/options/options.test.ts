import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { HandoverError } from '../../src/errors.ts';
import { BAKE_DEFAULTS } from '../../src/options/bake.ts';
import { CANARY_DEFAULTS, CANARY_WANTS } from '../../src/options/canary.ts';
import { OPTIONS, type OptionName } from '../../src/options/options.ts';
import { readOptions } from '../../src/options/read-options.ts';
import type { UserOptions } from '../../src/options/user-options.ts';

const DURATION = 'a duration such as "30s" or "10m", or in code a number of milliseconds';
const longest = 2 ** 31 - 1;

interface Cases {
  readonly fallback: unknown;
  readonly good: readonly (readonly [given: unknown, read: unknown])[];
  readonly bad: readonly unknown[];
  readonly message: string;
}

const ADDRESS =
  'a port, "host:port", "[ipv6]:port", "unix:/path", "systemd" or "systemd:name", and "=3000" after it for the port that the app asks for';

function duration(
  fallback: number,
  wants: string,
  least: 0 | 1,
  more: Partial<Cases> & { written?: string } = {}
): Cases {
  return {
    fallback,
    good: [
      ['30s', 30_000],
      ['1.5s', 1_500],
      ['10m', 600_000],
      [250, 250],
      ['2500', 2_500],
      [longest, longest],
      [least, least],
      ...(more.good ?? [])
    ],
    bad: [
      least - 1,
      '-1s',
      '',
      ' ',
      'soon',
      '30',
      '999',
      '30 s later',
      null,
      true,
      {},
      [],
      Number.NaN,
      longest + 1,
      '9'.repeat(101),
      ...(more.bad ?? [])
    ],
    message: `it must be ${wants}, and it is "soon". Remove it to get the default of ${more.written ?? `${fallback / 1_000}s`}, or correct it.`
  };
}

const migrate = () => {};

function surge(fallback: number, good: Cases['good']): Cases {
  return {
    fallback,
    good,
    bad: [-1, 129, 1.5, '', '%', '-1', '101%', '1.5%', '25 %', true, null, {}, Number.NaN],
    message: `it must be an integer from 0 to 128, or a percentage such as "25%", and it is "soon". Remove it to get the default of ${fallback}, or correct it.`
  };
}

function account(what: 'user' | 'group'): Cases {
  return {
    fallback: null,
    good: [
      ['www-data', 'www-data'],
      ['33', '33']
    ],
    bad: ['', 'a\nb', 33, null],
    message: `it must be the name or the number of a ${what}, and it is 7. Remove it to get the default, or correct it.`
  };
}

function plainCheck(path: string, status: number[] | null): object {
  const times = { attempts: 3, intervalMs: 500, timeoutMs: 5000, whileBaking: false };
  return { path, method: 'GET', headers: {}, body: null, expect: { status, headers: {}, body: null }, ...times };
}

/** Each option: a new one without its cases does not compile. */
const cases: { readonly [N in OptionName]: Cases } = {
  listen: {
    fallback: [],
    good: [
      [80, [{ port: 80, asked: null }]],
      ['80', [{ port: 80, asked: null }]],
      [0, [{ port: 0, asked: null }]],
      ['*:80', [{ port: 80, asked: null }]],
      ['localhost:8080', [{ port: 8080, host: 'localhost', asked: null }]],
      ['127.0.0.1:65535', [{ port: 65_535, host: '127.0.0.1', asked: null }]],
      ['[::1]:80', [{ port: 80, host: '::1', asked: null }]],
      ['unix:/run/app.sock', [{ path: '/run/app.sock', asked: null }]],
      [
        [80, 'unix:app.sock'],
        [
          { port: 80, asked: null },
          { path: 'app.sock', asked: null }
        ]
      ],
      ['80=3000', [{ port: 80, asked: 3000 }]],
      ['[::1]:80=3000', [{ port: 80, host: '::1', asked: 3000 }]],
      ['systemd', [{ systemd: null, asked: null }]],
      ['systemd=3000', [{ systemd: null, asked: 3000 }]],
      ['systemd:web', [{ systemd: 'web', asked: null }]],
      ['systemd:shop.socket=3000', [{ systemd: 'shop.socket', asked: 3000 }]],
      ['unix:/run/app.sock=3000', [{ path: '/run/app.sock', asked: 3000 }]],
      [[], []]
    ],
    bad: [
      65_536,
      -1,
      1.5,
      '',
      'http',
      '::1:80',
      'host:',
      ':80',
      'a b:80',
      '[::1]',
      'unix:',
      'systemd:',
      'systemd:a:b',
      'systemd=x',
      '80=',
      '80=x',
      '80=0',
      '80=65536',
      '=3000',
      '123456',
      null,
      {},
      [80, 'x'],
      [[80]]
    ],
    message: `it must be ${ADDRESS}, and it is "soon". Remove it to get the default, or correct it.`
  },
  listenMode: {
    fallback: null,
    good: [
      ['660', 0o660],
      ['0666', 0o666],
      ['600', 0o600]
    ],
    bad: ['', '66', '888', '06666', 'rw', 660, 0o660, null, true],
    message:
      'it must be a text of three octal digits, such as "660", and it is "soon". Remove it to get the default, or correct it.'
  },
  listenGroup: {
    fallback: null,
    good: [
      ['www-data', 'www-data'],
      ['33', '33']
    ],
    bad: ['', 'a\nb', 33, null],
    message: 'it must be the name or the number of a group, and it is 7. Remove it to get the default, or correct it.'
  },
  user: account('user'),
  group: account('group'),
  supervisorUser: account('user'),
  workers: {
    fallback: 1,
    good: [
      [1, 1],
      [128, 128],
      ['4', 4],
      ['max', availableParallelism()]
    ],
    bad: [0, 129, 1.5, -1, '1e2', '', 'min', null, true, Number.NaN],
    message:
      'it must be an integer from 1 to 128, or "max", and it is "soon". Remove it to get the default of 1, or correct it.'
  },
  name: {
    fallback: null,
    good: [
      ['shop', 'shop'],
      ['@team/shop', '@team/shop'],
      ['a'.repeat(100), 'a'.repeat(100)]
    ],
    bad: ['', 'a'.repeat(101), 'a\nb', 'a\u0000', 7, null],
    message:
      'it must be a text of 1 to 100 characters without control characters, and it is 7. Remove it to get the default, or correct it.'
  },
  socket: {
    fallback: null,
    good: [['/run/app.sock', '/run/app.sock']],
    bad: ['', `/${'a'.repeat(100)}`, `/${'ä'.repeat(50)}`, 7, null],
    message: 'it must be a path of at most 100 bytes, and it is 7. Remove it to get the default, or correct it.'
  },
  ready: {
    fallback: 'listening',
    good: [
      ['listening', 'listening'],
      ['signal', 'signal']
    ],
    bad: ['', 'Signal', 1, null, ['signal']],
    message:
      'it must be "listening" or "signal", and it is "soon". Remove it to get the default of listening, or correct it.'
  },
  check: {
    fallback: [],
    good: [
      ['/health', [plainCheck('/health', null)]],
      ['/health=204', [plainCheck('/health', [204])]],
      [
        ['/a', '/b'],
        [plainCheck('/a', null), plainCheck('/b', null)]
      ],
      [
        {
          path: '/x',
          method: 'POST',
          body: { a: 1 },
          expect: { status: 201 },
          attempts: 1,
          interval: '1s',
          timeout: 200
        },
        [
          {
            ...plainCheck('/x', [201]),
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"a":1}',
            attempts: 1,
            intervalMs: 1000,
            timeoutMs: 200
          }
        ]
      ],
      [{ path: '/x', whileBaking: true }, [{ ...plainCheck('/x', null), whileBaking: true }]],
      [{ path: '/x', method: 'post' }, [{ ...plainCheck('/x', null), method: 'POST' }]],
      ['/x?deep', [plainCheck('/x?deep', null)]],
      ['/x?deep=1', [plainCheck('/x?deep=1', null)]],
      ['/x?deep=1=204', [plainCheck('/x?deep=1', [204])]],
      ['/x?code=200', [plainCheck('/x?code=200', null)]],
      ['/x?a=1&code=200', [plainCheck('/x?a=1&code=200', null)]]
    ],
    bad: [
      'soon',
      'health',
      '/health=99',
      '/health=abc',
      7,
      null,
      {},
      { path: 'x' },
      { path: '/x', pth: 1 },
      { path: '/x', attempts: 0 },
      { path: '/x', whileBaking: 'yes' },
      { path: '/x', expect: { code: 1 } },
      { path: '/x', expect: null },
      { path: '/x', expect: { headers: { a: 1 } } },
      { path: '/x', expect: { body: 7 } },
      { path: '/x', headers: { a: 1 } },
      { path: '/x', method: 1 },
      { path: '/x', method: 'FOO BAR' },
      { path: '/x', expect: { status: [] } },
      { path: '/x', body: null }
    ],
    message: `it must be a path such as "/health" or "/health=200", or in code a function, or { path, method, headers, body, expect: { status, headers, body }, attempts, interval, timeout, whileBaking }, and it is "soon". Begin it with a slash: "/soon". Remove it to get the default, or correct it.`
  },
  warmUp: {
    fallback: null,
    good: [
      ['/', { paths: ['/'], live: false, requests: 200, concurrency: 4, forMs: 5000 }],
      ['live', { paths: [], live: true, requests: Number.POSITIVE_INFINITY, concurrency: 4, forMs: 2000 }],
      [
        { paths: ['/a', '/b'], requests: 10, concurrency: 1, for: '1s' },
        { paths: ['/a', '/b'], live: false, requests: 10, concurrency: 1, forMs: 1000 }
      ]
    ],
    bad: ['soon', 7, null, {}, { path: 'x' }, { path: '/x', requests: 0 }, { path: '/x', times: 3 }],
    message:
      'it must be a path, "live", or in code { path | paths, requests, concurrency, for }, and it is "soon". Begin it with a slash: "/soon". Remove it to get the default, or correct it.'
  },
  strategy: {
    fallback: 'blue-green',
    good: ['blue-green', 'rolling', 'in-place', 'exclusive'].map((name) => [name, name]),
    bad: ['', 'Rolling', 'bluegreen', 7, null, ['rolling']],
    message:
      'it must be one of "blue-green", "rolling", "in-place" and "exclusive", and it is "soon". Remove it to get the default of blue-green, or correct it.'
  },
  maxSurge: surge(1, [
    [1, 1],
    [128, 128],
    ['3', 3],
    ['25%', { share: 0.25 }],
    ['100%', { share: 1 }]
  ]),
  maxUnavailable: surge(0, [
    [0, 0],
    ['2', 2],
    ['0%', { share: 0 }],
    ['33%', { share: 0.33 }]
  ]),
  beforeCutover: {
    fallback: null,
    good: [
      ['npm run migrate', { run: 'npm run migrate', timeoutMs: 60_000 }],
      [migrate, { run: migrate, timeoutMs: 60_000 }],
      [
        { run: 'true', timeout: '5m' },
        { run: 'true', timeoutMs: 300_000 }
      ],
      [{ run: migrate }, { run: migrate, timeoutMs: 60_000 }]
    ],
    bad: ['', '  ', 7, null, {}, { run: '' }, { run: 7 }, { run: 'true', timeout: 0 }, { run: 'true', tiemout: 1 }],
    message:
      'it must be a command for the shell, or in code a function or { run, timeout }, and it is 7. Remove it to get the default, or correct it.'
  },
  readyTimeout: duration(30_000, `${DURATION}, above 0`, 1),
  drainTimeout: duration(30_000, DURATION, 0),
  drainBefore: duration(0, DURATION, 0),
  bake: {
    fallback: BAKE_DEFAULTS,
    good: [
      ['1m', { ...BAKE_DEFAULTS, forMs: 60_000, atMostMs: 60_000 }],
      ['0', { ...BAKE_DEFAULTS, forMs: 0, atMostMs: 0 }],
      [longest, { ...BAKE_DEFAULTS, forMs: longest, atMostMs: longest }],
      [
        { for: '10s', exits: false },
        { ...BAKE_DEFAULTS, forMs: 10_000, atMostMs: 10_000, limits: { ...BAKE_DEFAULTS.limits, exits: null } }
      ]
    ],
    bad: ['soon', '', -1, longest + 1, Infinity, null, true, [], ['30s'], { for: null }, { for: '1s', crashes: 3 }],
    message: `it must be ${DURATION}, 0, or in code { for, and limits by the name of their signal }, and it is "soon". Remove it to get the default of 30s, or correct it.`
  },
  affinity: {
    fallback: null,
    good: [
      ['cookie:connect.sid', { kind: 'cookie', name: 'connect.sid' }],
      ['header:MCP-Session-Id', { kind: 'header', name: 'mcp-session-id' }],
      ['query:sid', { kind: 'query', name: 'sid' }],
      ['ip', { kind: 'ip', header: null }],
      ['ip:x-forwarded-for', { kind: 'ip', header: 'x-forwarded-for' }]
    ],
    bad: ['', 'random', 'connection', 'cookie', 'cookie:', 'cookie:a b', 5, true, null],
    message:
      'it must be "cookie:NAME", "header:NAME" or "query:NAME", "ip" or "ip:HEADER", and it is "soon". Remove it to get the default, or correct it.'
  },
  pin: {
    fallback: [],
    good: [
      ['query:dpl', [{ kind: 'query', name: 'dpl' }]],
      [
        'header:x-deployment-id,cookie:dpl',
        [
          { kind: 'header', name: 'x-deployment-id' },
          { kind: 'cookie', name: 'dpl' }
        ]
      ]
    ],
    bad: ['', 'ip', 'random', 5, null, ['query:dpl', 'ip']],
    message:
      'it must be "cookie:NAME", "header:NAME" or "query:NAME", and it is "soon". Remove it to get the default, or correct it.'
  },
  admin: {
    fallback: null,
    good: [
      ['127.0.0.1:9100', { host: '127.0.0.1', port: 9100 }],
      ['[::1]:9100', { host: '::1', port: 9100 }],
      ['localhost:0', { host: 'localhost', port: 0 }],
      ['unix:/run/shop/admin.sock', { path: '/run/shop/admin.sock' }]
    ],
    bad: ['', '9100', 9100, ':9100', '127.0.0.1', '*:9100', 'unix:', '127.0.0.1:9100=3000', 'systemd', true, null],
    message:
      'it must be "host:port", "[ipv6]:port" or "unix:/path"; a port alone does not say who may connect, and it is "soon". Remove it to get the default, or correct it.'
  },
  agentCheck: {
    fallback: null,
    good: [
      ['10.0.0.5:9101', { host: '10.0.0.5', port: 9101 }],
      ['[::1]:9101', { host: '::1', port: 9101 }]
    ],
    bad: ['', '9101', 9101, '127.0.0.1', 'unix:/run/shop/agent.sock', '127.0.0.1:9101=3000', true, null],
    message:
      'it must be "host:port" or "[ipv6]:port"; a port alone does not say who may connect, and it is "soon". Remove it to get the default, or correct it.'
  },
  adminTokenFile: {
    fallback: null,
    good: [['/etc/shop/token', '/etc/shop/token']],
    bad: ['', 5, null, 'a\0b'],
    message: 'it must be a path, and it is 5. Remove it to get the default, or correct it.'
  },
  etcd: {
    fallback: [],
    good: [
      ['http://10.0.0.5:2379', ['http://10.0.0.5:2379']],
      ['http://a:2379, https://b', ['http://a:2379', 'https://b']],
      [['http://a:2379/'], ['http://a:2379']]
    ],
    bad: ['', '10.0.0.5:2379', 'tcp://a:1', 'http://a/v3', 'http://me:pw@a', 5, null, []],
    message:
      'it must be one or more URLs such as "http://10.0.0.5:2379", with commas between them, and it is 5. Remove it to get the default, or correct it.'
  },
  service: {
    fallback: null,
    good: [
      ['shop', 'shop'],
      ['web-1.eu_2', 'web-1.eu_2']
    ],
    bad: ['', 'a/b', '..', 'a b', 'a'.repeat(64), 5, null],
    message:
      'it must be a text of 1 to 63 letters, digits, dots, dashes and underscores, and it is 5. Remove it to get the default, or correct it.'
  },
  machine: {
    fallback: null,
    good: [
      ['shop', 'shop'],
      ['web-1.eu_2', 'web-1.eu_2']
    ],
    bad: ['', 'a/b', '..', 'a b', 'a'.repeat(64), 5, null],
    message:
      'it must be a text of 1 to 63 letters, digits, dots, dashes and underscores, and it is 5. Remove it to get the default, or correct it.'
  },
  zone: {
    fallback: null,
    good: [
      ['shop', 'shop'],
      ['web-1.eu_2', 'web-1.eu_2']
    ],
    bad: ['', 'a/b', '..', 'a b', 'a'.repeat(64), 5, null],
    message:
      'it must be a text of 1 to 63 letters, digits, dots, dashes and underscores, and it is 5. Remove it to get the default, or correct it.'
  },
  etcdUser: {
    fallback: null,
    good: [['shop', 'shop']],
    bad: ['', 5, null, 'a'.repeat(101)],
    message: 'it must be a text of at most 100 characters, and it is 5. Remove it to get the default, or correct it.'
  },
  etcdPasswordFile: {
    fallback: null,
    good: [['/etc/shop/etcdPasswordFile', '/etc/shop/etcdPasswordFile']],
    bad: ['', 5, null, 'a\0b'],
    message: 'it must be a path, and it is 5. Remove it to get the default, or correct it.'
  },
  etcdCa: {
    fallback: null,
    good: [['/etc/shop/etcdCa', '/etc/shop/etcdCa']],
    bad: ['', 5, null, 'a\0b'],
    message: 'it must be a path, and it is 5. Remove it to get the default, or correct it.'
  },
  etcdCert: {
    fallback: null,
    good: [['/etc/shop/etcdCert', '/etc/shop/etcdCert']],
    bad: ['', 5, null, 'a\0b'],
    message: 'it must be a path, and it is 5. Remove it to get the default, or correct it.'
  },
  etcdKey: {
    fallback: null,
    good: [['/etc/shop/etcdKey', '/etc/shop/etcdKey']],
    bad: ['', 5, null, 'a\0b'],
    message: 'it must be a path, and it is 5. Remove it to get the default, or correct it.'
  },
  oldAssets: {
    fallback: [],
    good: [
      ['/assets', ['/assets']],
      ['/assets,/_next/static', ['/assets', '/_next/static']],
      [
        ['/a', '/b/'],
        ['/a', '/b/']
      ]
    ],
    bad: ['', 'assets', '/a b', '/a?b', 5, null, ['/a', 1]],
    message: 'it must be paths such as "/assets", and it is "soon". Remove it to get the default, or correct it.'
  },
  canary: {
    fallback: CANARY_DEFAULTS,
    good: [
      ['5%', { ...CANARY_DEFAULTS, steps: [0.05] }],
      ['1%,10%,50%', { ...CANARY_DEFAULTS, steps: [0.01, 0.1, 0.5] }],
      [0.25, { ...CANARY_DEFAULTS, steps: [0.25] }],
      [
        'header:X-Beta=1,cookie:team=ours',
        {
          ...CANARY_DEFAULTS,
          always: [
            { kind: 'header', name: 'x-beta', value: '1' },
            { kind: 'cookie', name: 'team', value: 'ours' }
          ]
        }
      ],
      [
        { steps: ['5%'], hold: '1m', by: 'cookie:session', never: 'header:x-bot', minRequests: 10 },
        {
          ...{ steps: [0.05], holdMs: 60_000, by: { kind: 'cookie', name: 'session' }, always: [], minRequests: 10 },
          never: [{ kind: 'header', name: 'x-bot', value: null }]
        }
      ]
    ],
    bad: ['', '5', '50%,10%', '0%', '101%', 'cookie', 5, -1, null, true, [], { steps: '5%', else: 1 }, { by: 'mood' }],
    message: `it must be ${CANARY_WANTS}, and it is "soon". Remove it to get the default of none, or correct it.`
  },
  rollback: {
    fallback: 'auto',
    good: [
      ['auto', 'auto'],
      ['manual', 'manual']
    ],
    bad: ['', 'never', true, false, null],
    message: 'it must be "auto" or "manual", and it is "soon". Remove it to get the default of auto, or correct it.'
  },
  keepWarm: duration(600_000, `${DURATION}, 0 or "forever"`, 0, {
    good: [
      ['forever', Infinity],
      [Infinity, Infinity],
      ['0', 0]
    ],
    bad: ['always', -Infinity],
    written: '10m'
  }),
  handoverBudget: duration(2_000, DURATION, 0, { bad: [Infinity, 'forever'] }),
  ramp: duration(2_000, DURATION, 0),
  upgradeSpread: duration(30_000, DURATION, 0),
  websockets: {
    fallback: 'close',
    good: [
      ['keep', 'keep'],
      ['close', 'close']
    ],
    bad: ['carry', true],
    message: 'it must be "close" or "keep", and it is "soon". Remove it to get the default of close, or correct it.'
  },
  eventStreams: {
    fallback: 'move',
    good: [
      ['keep', 'keep'],
      ['end', 'end']
    ],
    bad: ['close'],
    message:
      'it must be "move", "keep" or "end", and it is "soon". Remove it to get the default of move, or correct it.'
  },
  orphanTimeout: duration(30_000, DURATION, 0),
  hangTimeout: duration(15_000, DURATION, 0),
  maxMemory: {
    fallback: null,
    good: [
      ['512MB', 512 * 1024 ** 2],
      ['1.5 gb', 1.5 * 1024 ** 3],
      ['16384kb', 16 * 1024 ** 2],
      ['16777216B', 16_777_216],
      [100_000_000, 100_000_000]
    ],
    bad: [
      0,
      512,
      '512',
      '1MB',
      '0MB',
      -1,
      '',
      'MB',
      '1TB',
      '1e9',
      'lots of MB',
      '1 MB more',
      null,
      true,
      {},
      [512],
      Number.NaN,
      Infinity
    ],
    message:
      'it must be a size such as "512MB" or "2GB", or a number of bytes, and at least 16MB, and it is "soon". Remove it to get the default, or correct it.'
  },
  standbyMemory: {
    fallback: 0.1,
    good: [
      ['10%', 0.1],
      ['12.5 %', 0.125],
      ['0%', 0],
      ['0', 0],
      ['0.25', 0.25],
      [0, 0],
      [1, 1],
      ['100%', 1]
    ],
    bad: ['101%', 1.1, 10, '10', -0.1, '', '%', 'a few %', null, true, {}, [0.1], Number.NaN],
    message:
      'it must be a share such as "10%" or 0.1, and it is "soon". Remove it to get the default of 10%, or correct it.'
  },
  restarts: {
    fallback: { max: 5, windowMs: 60_000 },
    good: [
      ['5/1m', { max: 5, windowMs: 60_000 }],
      ['0/500ms', { max: 0, windowMs: 500 }],
      [
        { max: 10, within: '30s' },
        { max: 10, windowMs: 30_000 }
      ],
      [{ max: 3 }, { max: 3, windowMs: 60_000 }],
      [{ within: 1_000 }, { max: 5, windowMs: 1_000 }]
    ],
    bad: ['5', '5/', '/1m', '5/1m/2', '-1/1m', '5/0', '1.5/1m', '1001/1m', 5, '', null, [], { max: 5, per: '1m' }],
    message:
      'it must be a number and a duration such as "5/1m", or in code { max, within }, and it is "soon". Remove it to get the default of 5/1m, or correct it.'
  },
  backlog: {
    fallback: 4096,
    good: [
      [1, 1],
      [65_535, 65_535],
      ['511', 511]
    ],
    bad: [0, 65_536, 1.5, '', 'many', null],
    message:
      'it must be an integer from 1 to 65535, and it is "soon". Remove it to get the default of 4096, or correct it.'
  },
  stateFile: {
    fallback: null,
    good: [['/var/lib/app.json', '/var/lib/app.json']],
    bad: ['', 'a\0b', `/${'a'.repeat(4095)}`, 7, null],
    message: 'it must be a path of at most 4095 bytes, and it is 7. Remove it to get the default, or correct it.'
  },
  log: {
    fallback: null,
    good: [
      ['pretty', 'pretty'],
      ['json', 'json']
    ],
    bad: ['', 'JSON', true, null],
    message: 'it must be "pretty" or "json", and it is "soon". Remove it to get the default, or correct it.'
  },
  logFile: {
    fallback: null,
    good: [['/var/log/shop.log', '/var/log/shop.log']],
    bad: ['', 'a\0b', `/${'a'.repeat(4095)}`, 7, null],
    message: 'it must be a path of at most 4095 bytes, and it is 7. Remove it to get the default, or correct it.'
  },
  logSize: {
    fallback: 100 * 1024 ** 2,
    good: [
      ['64KB', 64 * 1024],
      ['1GB', 1024 ** 3],
      ['0', 0],
      [0, 0]
    ],
    bad: ['', '1KB', '63KB', -1, null, true],
    message:
      'it must be a size such as "100MB", or a number of bytes, and at least 64KB, or 0, and it is "soon". Remove it to get the default of 100MB, or correct it.'
  },
  logKeep: {
    fallback: 5,
    good: [
      [0, 0],
      ['10', 10],
      [1000, 1000]
    ],
    bad: ['', -1, 1001, 1.5, null, true],
    message: 'it must be an integer from 0 to 1000, and it is "soon". Remove it to get the default of 5, or correct it.'
  },
  onEvent: {
    fallback: null,
    good: [
      ['./tell.sh --all', { command: './tell.sh --all' }],
      ['https://hooks.example.org/a', { url: 'https://hooks.example.org/a' }],
      [migrate, migrate]
    ],
    bad: ['', '  ', 'ftp://example.org', 'http://', 7, null, {}, ['a']],
    message:
      'it must be a command for the shell, a URL of http or https, or in code a function, and it is 7. Remove it to get the default, or correct it.'
  },
  logBuffer: {
    fallback: 1024 ** 2,
    good: [
      ['1MB', 1024 ** 2],
      ['64kb', 64 * 1024],
      [0, 0],
      ['0', 0]
    ],
    bad: ['', '65MB', -1, 'MB', null, true, [1]],
    message:
      'it must be a size such as "1MB" or "512KB", or a number of bytes, and at most 64MB, and it is "soon". Remove it to get the default of 1MB, or correct it.'
  }
};

function refusal(given: object): HandoverError {
  try {
    readOptions(given as UserOptions);
  } catch (error) {
    assert.ok(HandoverError.is(error));
    return error;
  }
  assert.fail(`${JSON.stringify(given)} was taken`);
}

for (const name of Object.keys(cases) as OptionName[]) {
  const { fallback, good, bad, message } = cases[name];

  test(`${name}: what is not given is the default`, () => {
    assert.deepEqual(readOptions({})[name], fallback);
    assert.deepEqual(OPTIONS[name].fallback, fallback);
  });

  for (const [given, read] of good) {
    test(`${name}: ${JSON.stringify(given) ?? String(given)} is read`, () => {
      assert.deepEqual(readOptions({ [name]: given })[name], read);
    });
  }

  test(`${name}: what cannot be is refused, by name`, () => {
    for (const given of bad) {
      const error = refusal({ [name]: given });
      assert.equal(error.code, 'HANDOVER_ERR_OPTION_INVALID', String(given));
      assert.equal(error.what, `Option "${name}" is not usable`);
    }
  });

  test(`${name}: the refusal says what it must be, what it is, and what to do`, () => {
    const given = /and it is (\S+?)\. (?:Begin .*)?Remove/.exec(message)?.[1] ?? '';
    assert.equal(refusal({ [name]: JSON.parse(given) }).message, `Option "${name}" is not usable: ${message}`);
  });
}

test('every option that is given is read, and the others get their defaults', () => {
  const options = readOptions({ listen: ['80', 'unix:/a'], workers: 'max', keepWarm: 'forever', log: 'json' });

  assert.deepEqual(Object.keys(options), Object.keys(OPTIONS));
  assert.deepEqual(options.listen, [
    { port: 80, asked: null },
    { path: '/a', asked: null }
  ]);
  assert.equal(options.readyTimeout, 30_000);
});

test('an unknown option is refused with the nearest name that exists', () => {
  const near: Record<string, string> = {
    worker: 'workers',
    keepwarm: 'keepWarm',
    'ready-timeout': 'readyTimeout',
    lisen: 'listen'
  };
  for (const [name, nearest] of Object.entries(near)) {
    const error = refusal({ [name]: 1 });
    assert.equal(error.code, 'HANDOVER_ERR_OPTION_UNKNOWN');
    assert.equal(
      error.message,
      `Option "${name}" is not known: the nearest name is "${nearest}". The options are: ${Object.keys(OPTIONS).join(', ')}.`
    );
  }
});

test('an unknown option that is like no other is refused without a guess', () => {
  const { message } = refusal({ autoscaling: true });

  assert.equal(
    message,
    `Option "autoscaling" is not known: no option has a name like it. The options are: ${Object.keys(OPTIONS).join(', ')}.`
  );
});

test('names of the object prototype are no options', () => {
  for (const name of ['toString', 'constructor', '__proto__']) {
    assert.equal(refusal(JSON.parse(`{"${name}":1}`)).code, 'HANDOVER_ERR_OPTION_UNKNOWN');
  }
});

test('every option says what it is about, and how its value is written', () => {
  for (const [name, { about, value, wants }] of Object.entries(OPTIONS)) {
    assert.match(about, /^[A-Z].*\.$/s, name);
    assert.match(value, /^<.+>$/, name);
    assert.ok(wants.length > 0, name);
  }
});

test('a rolling handover that could replace no worker is refused', () => {
  for (const given of [{ maxSurge: 0 }, { maxSurge: '0%', maxUnavailable: 0 }]) {
    const { code, message } = refusal(given);
    assert.equal(code, 'HANDOVER_ERR_OPTION_INVALID');
    assert.match(message, /"maxSurge" and "maxUnavailable" are not usable together: both are 0/);
  }
  assert.equal(readOptions({ maxSurge: 0, maxUnavailable: 1 }).maxSurge, 0);
});
