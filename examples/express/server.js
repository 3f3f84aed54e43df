// An Express app as its own guide writes it.
import express from 'express';

const app = express();

app.get('/', (_request, response) => {
  response.type('text/plain').send(`hello from process ${process.pid}\n`);
});

app.post('/upload', async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  response.type('text/plain').send(`${bytes} bytes received by process ${process.pid}\n`);
});

app.listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error;
});
