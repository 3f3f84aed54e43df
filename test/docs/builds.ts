/** Starts the app that stands at the top, from wherever the build of a framework puts its server. */
const up = (levels: number) => `import('${'../'.repeat(levels)}server.js');\n`;
const command = (levels: number) => `#!/usr/bin/env node\n${up(levels)}`;

/** TypeScript that is more than erased. */
const TYPED = `import { createServer } from 'node:http';
enum Status { Ok = 200 }
createServer((request, response) => response.writeHead(Status.Ok).end()).listen(process.env.PORT ?? 3000);
`;

/** The layout that the builds of the frameworks leave, and what the packages beside them are to Node. */
export const BUILDS: Readonly<Record<string, string>> = {
  '.env': 'STAGE=local\n',
  '.next/standalone/server.js': up(2),
  '.output/server/index.mjs': up(2),
  'dist/main.js': up(1),
  'build/index.js': up(1),
  'build/server/index.js': '',
  'dist/server/entry.mjs': up(2),
  'bin/www': command(1),
  'node_modules/.bin/next': command(2),
  'node_modules/.bin/react-router-serve': command(2),
  'node_modules/.bin/remix-serve': command(2),
  'server.ts': TYPED,
  'src/package.json': '{ "type": "commonjs" }\n',
  'src/server.ts': up(1),
  'node_modules/ts-node/register.js': "require.extensions['.ts'] = require.extensions['.js'];\n",
  'node_modules/dotenv/config.js': ''
};
