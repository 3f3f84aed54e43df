import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { EtcdOptions } from '../../src/fleet/etcd/etcd.ts';
import { atEnd } from './end.ts';
import { freePort, makeFolder } from './service.ts';
import { until } from './wait.ts';

const PROGRAM = '/usr/bin/etcd';

/** Why a test that needs etcd is skipped, or false. */
export const skipWithoutEtcd = existsSync(PROGRAM) ? false : 'there is no /usr/bin/etcd (Debian: etcd-server)';

/** The user that may read and write what machines agree on, where passwords are asked for. */
export const USER = { name: 'shop', password: 'let me in' };

export interface EtcdWanted {
  /** Whether everybody has to say a password. */
  readonly password?: boolean;
  /** Whether it speaks TLS, and asks for a certificate. */
  readonly tls?: boolean;
  /** The address that it is asked at. Default: 127.0.0.1. */
  readonly host?: string;
}

/** An etcd of a test, alone, with its data in a folder of its own. It ends with the test. */
export interface RunningEtcd {
  readonly endpoint: string;
  /** What a machine has to know of it. */
  readonly options: EtcdOptions;
  /** The files of the certificates, where it speaks TLS. */
  readonly files: Certificates | null;
  readonly pid: () => number;
  /** Starts it again over the same data. */
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export async function startEtcd(
  t: TestContext,
  { password = false, tls = false, host = '127.0.0.1' }: EtcdWanted = {}
): Promise<RunningEtcd> {
  const folder = makeFolder(t);
  const files = tls ? makeCertificates(folder) : null;
  const [client, peer] = [await freePort(), await freePort()];
  const endpoint = `${tls ? 'https' : 'http'}://${host}:${client}`;
  const own = `http://127.0.0.1:${peer}`;
  const words = [
    ...['--data-dir', join(folder, 'data'), '--log-level', 'error', '--logger', 'zap', '--bcrypt-cost', '4'],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint, '--listen-peer-urls', own],
    ...['--initial-advertise-peer-urls', own, '--initial-cluster', `default=${own}`],
    // It elects itself: there is nobody to wait for.
    ...['--heartbeat-interval', '20', '--election-timeout', '200'],
    ...(files ? ['--cert-file', files.server.cert, '--key-file', files.server.key] : []),
    ...(files ? ['--trusted-ca-file', files.ca, '--client-cert-auth'] : [])
  ];
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path, 'utf8'));
  const secrets = { ca: read(files?.ca), cert: read(files?.client.cert), key: read(files?.client.key) };
  const who = password ? { user: USER.name, password: USER.password } : { user: null, password: null };
  let running: ReturnType<typeof spawn> | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    running?.kill(signal);
    await ended;
    running = null;
  };
  const start = async () => {
    if (isOver) throw new Error('the test has ended');
    const child = spawn(PROGRAM, words, { stdio: 'ignore' });
    running = child;
    ended = once(child, 'exit');
    await until(
      () =>
        post(endpoint, '/v3/kv/range', { key: 'AA==' }, secrets).then(
          ({ status }) => status < 500 && status !== 404,
          () => false
        ),
      `etcd never answered on ${endpoint}`
    );
  };
  let isOver = false;
  atEnd(t, async () => {
    isOver = true;
    await kill();
  });
  await start();
  if (password) await askForPasswords(endpoint, secrets);
  const options = { endpoints: [endpoint], ...who, ...secrets };
  return { endpoint, options, files, pid: () => running?.pid ?? 0, start, kill };
}

type Secrets = Pick<EtcdOptions, 'ca' | 'cert' | 'key'>;

/** Everything below /handover/ is for one user; etcd itself wants a root to be there. */
async function askForPasswords(endpoint: string, secrets: Secrets): Promise<void> {
  const order = async (path: string, body: object) => {
    const { status, text } = await post(endpoint, path, body, secrets);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  };
  const [key, range_end] = ['/handover/', '/handover0'].map((text) => Buffer.from(text).toString('base64'));
  await order('/v3/auth/user/add', { name: 'root', password: 'root' });
  await order('/v3/auth/role/add', { name: 'root' });
  await order('/v3/auth/user/grant', { user: 'root', role: 'root' });
  await order('/v3/auth/user/add', { name: USER.name, password: USER.password });
  await order('/v3/auth/role/add', { name: 'fleet' });
  await order('/v3/auth/role/grant', { name: 'fleet', perm: { permType: 'READWRITE', key, range_end } });
  await order('/v3/auth/user/grant', { user: USER.name, role: 'fleet' });
  await order('/v3/auth/enable', {});
}

/** Says something to etcd without the code under test. */
export function post(endpoint: string, path: string, body: object, secrets: Partial<Secrets> = {}, token?: string) {
  const { ca, cert, key } = secrets;
  const tls = ca && cert && key ? { ca, cert, key } : {};
  const headers = token ? { authorization: token } : {};
  const client = endpoint.startsWith('https') ? https : http;
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = client.request(
      endpoint + path,
      { method: 'POST', agent: false, headers, ...tls },
      async (answer) => {
        let text = '';
        for await (const chunk of answer.setEncoding('utf8')) text += chunk;
        resolve({ status: answer.statusCode ?? 0, text });
      }
    );
    request.on('error', reject).end(JSON.stringify(body));
  });
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly server: Pair;
  readonly client: Pair;
  /** A client that has a name of its own. */
  readonly named: Pair;
}

/** An authority, and what it says of the server on 127.0.0.1 and of a client. */
function makeCertificates(folder: string): Certificates {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const make = (name: string, subject: string, ...words: readonly string[]): Pair => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
    const files = ['-subj', subject, '-out', cert, '-keyout', key];
    execFileSync('openssl', ['req', '-x509', ...kind, ...files, ...words], { stdio: 'ignore' });
    return { cert, key };
  };
  const ca = make('authority', '/CN=authority');
  const signed = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=critical,CA:false'];
  // The gateway asks etcd itself, and shows it the certificate of the server: so that is one of a client too.
  const server = make(
    'server',
    '/CN=server',
    ...signed,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-addext',
    'extendedKeyUsage=serverAuth,clientAuth'
  );
  const ofClient = [...signed, '-addext', 'extendedKeyUsage=clientAuth'];
  const client = make('client', '/O=shop', ...ofClient);
  return { ca: ca.cert, server, client, named: make('named', '/CN=shop', ...ofClient) };
}
