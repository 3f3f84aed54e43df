import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatReport } from './format.ts';
import { startLoad } from './load.ts';
import type { LoadOptions } from './model.ts';

const usage = `usage: main.ts (--port <n> [--host <address>] | --path <socket>) [--seconds <n>] [--seed <n>]
               [--clients idle=20,thinking=50,busy=10,...]
Loads a service that answers as app.mjs does, until the time is over or SIGINT; exit code 1 if a request failed.
`;

const options = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  path: { type: 'string' },
  seconds: { type: 'string', default: '10' },
  seed: { type: 'string' },
  clients: {
    type: 'string',
    default: 'idle=20,thinking=50,busy=10,fresh=5,slow=10,uploading=5,pipelining=5,halfHead=5'
  },
  help: { type: 'boolean', default: false }
} as const;

/** Turns "busy=10,idle=20" into counts; startLoad refuses what makes no sense. */
function parseClients(text: string): LoadOptions['clients'] {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [kind = '', count] = part.split('=');
      return [kind, Number(count)];
    })
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help || (values.port === undefined) === (values.path === undefined)) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const load = startLoad({
    target: values.path === undefined ? { host: values.host, port: Number(values.port) } : { path: values.path },
    clients: parseClients(values.clients),
    ...(values.seed !== undefined && { seed: Number(values.seed) })
  });
  const ending = new AbortController();
  const { signal } = ending;
  const timeIsOver = delay(Number(values.seconds) * 1000, undefined, { signal });
  await Promise.race([timeIsOver, once(process, 'SIGINT', { signal })]);
  ending.abort();
  const report = await load.stop();
  process.stdout.write(`${formatReport(report)}\n`);
  process.exitCode = report.failed > 0 ? 1 : 0;
}

await main();
