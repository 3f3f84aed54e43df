import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Agent, fetch } from 'undici';
import { type LoopOptions, loops } from './loops.ts';
import type { Clients, Place } from './model.ts';

interface McpClient {
  connect(transport: unknown): Promise<void>;
  callTool(tool: { readonly name: string }): Promise<{ readonly content: readonly { readonly text: string }[] }>;
  close(): Promise<void>;
}
interface Sdk {
  Client: new (about: { readonly name: string; readonly version: string }) => McpClient;
  StreamableHTTPClientTransport: new (url: URL, options: { readonly fetch: unknown }) => unknown;
}

/** Clients of an MCP server over streamable HTTP, each with one kept connection. */
export function mcpClients({ folder, port }: Place, options: LoopOptions): Clients {
  return loops('an MCP client', options, async (reconnected) => {
    const { resolve } = createRequire(join(folder, 'package.json'));
    const paths = ['index.js', 'streamableHttp.js'].map((name) => resolve(`@modelcontextprotocol/sdk/client/${name}`));
    const parts = await Promise.all(paths.map((path) => import(pathToFileURL(path).href) as Promise<Partial<Sdk>>));
    const { Client, StreamableHTTPClientTransport } = Object.assign({}, ...parts) as Sdk;
    const dispatcher = new Agent({ connections: 1 });
    let connections = 0;
    dispatcher.on('connect', () => {
      connections++;
      if (connections > 1) reconnected('the connection was closed');
    });
    const client = new Client({ name: 'tests', version: '1' });
    const withAgent = (url: string, init: object) => fetch(url, { ...init, dispatcher });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), { fetch: withAgent })
    );
    return {
      async ask() {
        const { content } = await client.callTool({ name: 'version' });
        return content[0]?.text ?? 'no version';
      },
      async end() {
        await client.close();
        await dispatcher.close();
      }
    };
  });
}
