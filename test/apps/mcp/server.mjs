import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';

const { PORT = '3000', VERSION = '1' } = process.env;
const app = express();

// Stateless: every request has a server of its own, so that any version may answer any request.
app.post('/mcp', express.json(), async (request, response) => {
  const server = new McpServer({ name: 'answers', version: VERSION });
  server.registerTool('version', { description: 'Which version answers' }, async () => ({
    content: [{ type: 'text', text: VERSION }]
  }));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on('close', () => {
    transport.close();
    server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
});

app.all('/mcp', (_request, response) => response.sendStatus(405));

app.listen(Number(PORT));
