import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';

const { PORT = '3000', VERSION = '1' } = process.env;
const app = express();

const answering = () => {
  const server = new McpServer({ name: 'answers', version: VERSION });
  server.registerTool('version', { description: 'Which version answers' }, async () => ({
    content: [{ type: 'text', text: VERSION }]
  }));
  return server;
};

// Stateless: every request has a server of its own, so that any version may answer any request.
const answerOnce = async (request, response) => {
  const server = answering();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on('close', () => {
    transport.close();
    server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
};

// With sessions, as the SDK's own example has it: one process knows each of them, and says 404 of another's.
const transports = new Map();
const answerInSession = async (request, response) => {
  const id = request.headers['mcp-session-id'];
  const known = transports.get(id);
  if (known) return known.handleRequest(request, response, request.body);
  if (id !== undefined) return response.sendStatus(404);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (made) => transports.set(made, transport)
  });
  await answering().connect(transport);
  await transport.handleRequest(request, response, request.body);
};

app.post('/mcp', express.json(), process.env.SESSIONS === 'memory' ? answerInSession : answerOnce);

app.all('/mcp', (_request, response) => response.sendStatus(405));

app.get('/answer', (request, response) => {
  const id = String(request.headers['x-id']);
  response.set({ 'x-version': VERSION, 'x-id': id }).send(`answer to ${id}\n`);
});

app.listen(Number(PORT));
