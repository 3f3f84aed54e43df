import { setTimeout as delay } from 'node:timers/promises';
import { defineHandler } from 'nitro/h3';

export default defineHandler(async (event) => {
  const id = event.req.headers.get('x-id');
  event.res.headers.set('x-id', id);
  event.res.headers.set('x-version', process.env.VERSION);
  await delay(Number(event.url.searchParams.get('ms')));
  return `answer to ${id}\n`;
});
