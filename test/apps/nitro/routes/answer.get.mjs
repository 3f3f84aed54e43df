import { defineHandler } from 'nitro/h3';

export default defineHandler((event) => {
  const id = event.req.headers.get('x-id');
  event.res.headers.set('x-id', id);
  event.res.headers.set('x-version', process.env.VERSION);
  return `answer to ${id}\n`;
});
