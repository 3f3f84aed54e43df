import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_APP } from '../scenarios/service.ts';
import { formUploads, openPages, pages, visitors } from './http-clients.ts';
import { mcpClients } from './mcp-clients.ts';
import { type App, type Place, UNNOTICED } from './model.ts';
import { haproxy, isMissing, nginx } from './proxies.ts';
import { ioClients, nestMessages, webSockets } from './socket-clients.ts';
import { strict, strictBehindProxy } from './strict.ts';

const HOST = '127.0.0.1';
const listen = ({ port }: Place) => ['--listen', `${HOST}:${port}`];
/** Not the half minutes of the defaults: what is closed one by one, and what stays with a version, is to be seen to move on. */
const SOON = ['--drain-timeout', '1s', '--upgrade-spread', '1s'];

const SOCKETS = 5;
const IN_MEMORY = `sessions in memory: ${SOCKETS} clients, strangers after each of 4 cutovers`;
const CLOSED = `WebSockets are closed with 1012, and come back: ${SOCKETS} clients, 4 cutovers`;

/** Every application that is tested, in the order they run. */
export const APPS: readonly App[] = [
  {
    name: 'Fastify',
    folder: 'fastify',
    packages: ['fastify'],
    about: 'uploads, requests in progress',
    run: (place) => ['server.mjs', ...listen(place)],
    clients: ({ port }) => [strict(port, 'slow', 'uploading')],
    expected: UNNOTICED
  },
  {
    name: 'Express, sessions in files',
    folder: 'express',
    packages: ['express', 'express-session', 'session-file-store', 'multer'],
    about: 'two workers, sessions outside of them, forms with files',
    env: ({ folder }) => ({ SESSIONS: join(folder, 'sessions') }),
    run: (place) => ['server.mjs', ...listen(place), '--workers', '2'],
    clients: ({ port }) => [strict(port, 'slow'), visitors(port, { clients: SOCKETS }), formUploads(port)],
    expected: UNNOTICED
  },
  {
    name: 'Express, sessions in memory',
    folder: 'express',
    packages: ['express', 'express-session', 'session-file-store', 'multer'],
    about: "express-session's default store",
    run: (place) => ['server.mjs', ...listen(place)],
    clients: ({ port }) => [strict(port), visitors(port, { clients: SOCKETS })],
    expected: { failed: 0, reconnects: 4 * SOCKETS, why: IN_MEMORY }
  },
  {
    name: 'Express, memory and affinity',
    folder: 'express',
    packages: ['express', 'express-session', 'session-file-store', 'multer'],
    about: "express-session's default store, in two workers",
    run: (place) => ['server.mjs', ...listen(place), '--workers', '2', '--affinity', 'cookie:connect.sid'],
    clients: ({ port }) => [strict(port), visitors(port, { clients: SOCKETS, stays: true })],
    deploys: 1,
    expected: UNNOTICED
  },
  {
    name: 'Next, standalone',
    folder: 'next',
    packages: ['next', 'react', 'react-dom'],
    about: '`output: standalone`; route handlers and streams',
    build: [['next', 'build']],
    env: () => ({ HOSTNAME: HOST, NEXT_TELEMETRY_DISABLED: '1' }),
    run: (place) => ['.next/standalone/server.js', ...listen(place)],
    clients: ({ port }) => [strict(port, 'slow', 'streaming')],
    expected: UNNOTICED
  },
  {
    name: 'Nest, hybrid',
    folder: 'nest',
    packages: [
      '@nestjs/common',
      '@nestjs/core',
      '@nestjs/microservices',
      '@nestjs/platform-express',
      'reflect-metadata',
      'rxjs',
      'typescript',
      '@types/node'
    ],
    about: 'a TCP microservice that listens before the public port',
    build: [['tsc']],
    env: ({ secondPort }) => ({ MICROSERVICE_PORT: String(secondPort) }),
    run: (place) => ['build/main.js', ...listen(place)],
    clients: (place) => [strict(place.port, 'slow'), nestMessages(place)],
    expected: UNNOTICED
  },
  {
    name: 'Nitro',
    folder: 'nitro',
    packages: ['nitro'],
    about: 'the server under Nuxt',
    build: [['nitro', 'build']],
    run: (place) => ['.output/server/index.mjs', ...listen(place)],
    clients: ({ port }) => [strict(port, 'slow')],
    expected: UNNOTICED
  },
  {
    name: 'Node-RED',
    folder: 'node-red',
    packages: ['node-red'],
    about: 'a flow that answers HTTP',
    run: (place) => [
      'node_modules/node-red/red.js',
      ...listen(place),
      '--check',
      '/answer',
      '--',
      '--userDir',
      '.',
      '-s',
      'settings.js'
    ],
    clients: ({ port }) => [strict(port)],
    expected: UNNOTICED
  },
  {
    name: 'tsx',
    folder: 'tsx',
    packages: ['tsx'],
    about: 'TypeScript that Node alone does not run',
    run: (place) => ['server.ts', ...listen(place), '--node-option=--import=tsx'],
    clients: ({ port }) => [strict(port, 'slow')],
    expected: UNNOTICED
  },
  {
    name: 'MCP server',
    folder: 'mcp',
    packages: ['@modelcontextprotocol/sdk', 'express', 'zod'],
    about: 'streamable HTTP, stateless',
    run: (place) => ['server.mjs', ...listen(place)],
    clients: (place) => [mcpClients(place, { clients: SOCKETS })],
    expected: UNNOTICED
  },
  {
    name: 'MCP server, sessions',
    folder: 'mcp',
    packages: ['@modelcontextprotocol/sdk', 'express', 'zod'],
    about: 'streamable HTTP, a session for each client in the memory of one of two workers',
    env: () => ({ SESSIONS: 'memory' }),
    run: (place) => ['server.mjs', ...listen(place), '--workers', '2', '--affinity', 'header:mcp-session-id'],
    clients: (place) => [strict(place.port), mcpClients(place, { clients: SOCKETS, stays: true })],
    deploys: 1,
    expected: UNNOTICED
  },
  {
    name: 'ws',
    folder: 'ws',
    packages: ['ws'],
    about: 'WebSockets beside HTTP',
    run: (place) => ['server.mjs', ...listen(place), ...SOON],
    clients: (place) => [strict(place.port), webSockets(place, SOCKETS)],
    expected: { failed: 0, reconnects: [SOCKETS, 4 * SOCKETS], why: CLOSED }
  },
  {
    name: 'Socket.IO, websocket',
    folder: 'socket.io',
    packages: ['socket.io', 'socket.io-client'],
    about: 'messages with acknowledgement',
    run: (place) => ['server.mjs', ...listen(place), ...SOON],
    clients: (place) => [strict(place.port), ioClients(place, 'websocket', { clients: SOCKETS })],
    expected: { failed: 0, reconnects: [SOCKETS, 4 * SOCKETS], why: CLOSED }
  },
  {
    name: 'Socket.IO, polling',
    folder: 'socket.io',
    packages: ['socket.io', 'socket.io-client'],
    about: 'messages with acknowledgement',
    run: (place) => ['server.mjs', ...listen(place), ...SOON],
    clients: (place) => [strict(place.port), ioClients(place, 'polling', { clients: SOCKETS })],
    expected: { failed: 0, reconnects: [SOCKETS, 4 * SOCKETS], why: IN_MEMORY }
  },
  {
    name: 'Socket.IO, polling, affinity',
    folder: 'socket.io',
    packages: ['socket.io', 'socket.io-client'],
    about: 'each client is known to one of two workers alone',
    run: (place) => ['server.mjs', ...listen(place), '--workers', '2', '--affinity', 'query:sid'],
    clients: (place) => [strict(place.port), ioClients(place, 'polling', { clients: SOCKETS })],
    deploys: 1,
    expected: UNNOTICED
  },
  {
    name: 'serve',
    folder: 'serve',
    packages: ['serve'],
    about: 'static files, and it asks whether its port is free',
    release({ folder }, version) {
      const headers = [{ source: '**', headers: [{ key: 'x-version', value: version }] }];
      mkdirSync(join(folder, 'public'), { recursive: true });
      writeFileSync(join(folder, 'serve.json'), JSON.stringify({ public: 'public', headers }));
    },
    run: (place) => ['node_modules/serve/build/main.js', ...listen(place), '--', '-L', '-p', String(place.port)],
    clients: ({ port }) => [pages('a page', port, '/', ({ version }) => version)],
    expected: UNNOTICED
  },
  {
    name: 'Vite, two builds',
    folder: 'vite',
    packages: ['vite'],
    about: 'pages that stay open over a deploy, and assets with a hash in their names',
    build: ['1', '2'].map((version) => [
      'vite',
      'build',
      '--mode',
      `release-${version}`,
      '--outDir',
      `dist/${version}`
    ]),
    run: (place) => ['server.mjs', ...listen(place), '--old-assets', '/assets'],
    clients: ({ port }) => [openPages(port)],
    deploys: 1,
    expected: UNNOTICED
  },
  {
    name: 'OpenTelemetry',
    folder: 'opentelemetry',
    packages: ['@opentelemetry/api', '@opentelemetry/sdk-metrics', '@opentelemetry/exporter-prometheus'],
    about: "a preloaded agent that serves Prometheus's metrics on a port of its own",
    env: ({ secondPort }) => ({ METRICS_PORT: String(secondPort), NODE_OPTIONS: '--require=./preloaded.cjs' }),
    run: (place) => ['server.mjs', ...listen(place)],
    clients: ({ port, secondPort }) => [
      strict(port),
      pages('a scrape', secondPort, '/metrics', ({ body }) => /app_version\{version="(\w+)"/.exec(body)?.[1] ?? 'none')
    ],
    expected: UNNOTICED
  },
  {
    name: 'nginx in front',
    packages: [],
    about: 'kept-alive connections to the app',
    missing: () => isMissing('nginx', '-v', 'apt-get install nginx'),
    front: nginx,
    run: (place) => [LOAD_APP, ...listen(place)],
    clients: ({ secondPort }) => [strictBehindProxy(secondPort, 'slow', 'uploading', 'streaming')],
    expected: UNNOTICED
  },
  {
    name: 'HAProxy in front',
    packages: [],
    about: 'kept-alive connections to two workers',
    missing: () => isMissing('haproxy', '-v', 'apt-get install haproxy'),
    front: haproxy,
    run: (place) => [LOAD_APP, ...listen(place), '--workers', '2'],
    clients: ({ secondPort }) => [strictBehindProxy(secondPort, 'slow', 'uploading', 'streaming')],
    expected: UNNOTICED
  }
];
