import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import session from 'express-session';
import multer from 'multer';
import createFileStore from 'session-file-store';

const { PORT = '3000', VERSION = '1', SESSIONS } = process.env;
const FileStore = createFileStore(session);
const store = SESSIONS ? new FileStore({ path: SESSIONS, logFn: () => {} }) : undefined;
const app = express();

app.use((request, response, next) => {
  response.set('x-version', VERSION);
  if (request.headers['x-id']) response.set('x-id', request.headers['x-id']);
  next();
});

app.get('/answer', (request, response) => response.send(`answer to ${request.headers['x-id']}\n`));

app.get('/slow', async (request, response) => {
  await delay(Number(request.query.ms));
  response.send(`answer to ${request.headers['x-id']}\n`);
});

const options = { secret: 'scratch', resave: false, saveUninitialized: true, ...(store && { store }) };
app.get('/visits', session(options), (request, response) => {
  request.session.visits = (request.session.visits ?? 0) + 1;
  response.json({ visits: request.session.visits });
});

app.post('/files', multer({ storage: multer.memoryStorage() }).single('file'), (request, response) => {
  response.json({ name: request.body.name, sha256: createHash('sha256').update(request.file.buffer).digest('hex') });
});

app.listen(Number(PORT));
