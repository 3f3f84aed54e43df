import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import Fastify from 'fastify';

const { PORT = '3000', VERSION = '1' } = process.env;
const app = Fastify();

app.addHook('onRequest', async (request, reply) => {
  reply.headers({ 'x-id': request.headers['x-id'], 'x-version': VERSION });
});
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

app.get('/answer', async (request) => `answer to ${request.headers['x-id']}\n`);

app.get('/slow', async (request) => {
  await delay(Number(request.query.ms));
  return `answer to ${request.headers['x-id']}\n`;
});

app.post('/upload', async (request) => {
  let bytes = 0;
  let checksum = 0;
  for await (const chunk of request.body ?? request.raw) {
    bytes += chunk.length;
    checksum = crc32(chunk, checksum);
  }
  return { bytes, crc32: checksum };
});

await app.listen({ port: Number(PORT) });
