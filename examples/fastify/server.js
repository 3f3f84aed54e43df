// A Fastify app. It listens once its plugins are ready, and only then can it become active.
import Fastify from 'fastify';

const app = Fastify();

app.register(async (plugin) => {
  plugin.decorate('prices', new Map([['tea', 3]]));
  plugin.get('/', async () => `hello from process ${process.pid}\n`);
  plugin.get('/price/:of', async (request) => ({ price: plugin.prices.get(request.params.of) ?? null }));
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
