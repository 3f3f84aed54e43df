// The next version of the app, with a mistake that shows only when it starts.
import Fastify from 'fastify';

const app = Fastify();

app.register(async () => {
  throw new Error('cannot connect to the database at db.internal');
});

await app.listen({ port: Number(process.env.PORT ?? 3000) });
