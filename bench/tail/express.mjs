// A shop under Express that works a millisecond for each answer.
import express from 'express';

const app = express();
app.disable('x-powered-by');

app.use((_request, response, next) => {
  response.set('x-pid', String(process.pid));
  next();
});
app.get('/answer', (_request, response) => {
  const until = performance.timeOrigin + performance.now() + 1;
  while (performance.timeOrigin + performance.now() < until);
  response.type('text').send('answer');
});
app.listen(Number(process.env.PORT ?? 0));
