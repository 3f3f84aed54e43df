import { type App, UNNOTICED } from './model.ts';
import { strict } from './strict.ts';

const LOCAL = '127.0.0.1';

/** Every application that is tested, in the order they run. */
export const APPS: readonly App[] = [
  {
    name: 'Fastify',
    folder: 'fastify',
    packages: ['fastify'],
    about: 'uploads, requests in progress',
    run: ({ port }) => ['server.mjs', '--listen', `${LOCAL}:${port}`],
    clients: ({ port }) => [strict(port, 'slow', 'uploading')],
    expected: UNNOTICED
  }
];
