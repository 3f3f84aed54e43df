import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const APP = pathToFileURL(fileURLToPath(new URL('../client/app.mjs', import.meta.url))).href;

/** `crashes` before it listens; `ill` answers 500 to whatever it is asked. */
export type Kind = 'good' | 'crashes' | 'ill';

const ENDINGS: Readonly<Record<Kind, string>> = {
  good: `await import('${APP}');`,
  crashes: `console.error('this release is broken'); process.exit(1);`,
  ill: `const { server } = await import('${APP}');
server.removeAllListeners('request');
server.on('request', (request, response) => {
  response.writeHead(500, { 'x-id': request.headers['x-id'] ?? '', 'x-version': process.env.VERSION }).end('broken');
});`
};

/** The releases of a service in a folder: `releases/<label>/app.mjs` answers its label as `x-version`. */
export class Releases {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(join(folder, 'pids'), { recursive: true });
  }

  /** @param only the machine on which it is not good; everywhere, unless one is named */
  add(label: string, kind: Kind = 'good', only: string | null = null): void {
    const folder = join(this.folder, 'releases', label);
    mkdirSync(folder, { recursive: true });
    const [pids, hold] = [join(this.folder, 'pids'), join(this.folder, 'hold-')].map((path) => JSON.stringify(path));
    const text = `import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
process.env.VERSION = '${label}';
writeFileSync(${pids} + '/' + process.pid, '');
while (existsSync(${hold} + process.env.MACHINE + '-${label}')) await delay(20);
if (${only === null ? 'true' : `process.env.MACHINE === '${only}'`}) {
  ${ENDINGS[kind]}
} else {
  ${ENDINGS.good}
}
`;
    writeFileSync(join(folder, 'app.mjs'), text);
  }

  /** A release does not become ready on that machine until it is let go. */
  hold(machine: string, label: string): () => void {
    const path = join(this.folder, `hold-${machine}-${label}`);
    writeFileSync(path, '');
    return () => rmSync(path, { force: true });
  }

  /** Ends workers that no supervisor has ended: only processes that run one of these releases. */
  endLeftovers(): number {
    let count = 0;
    for (const pid of readdirSync(join(this.folder, 'pids'))) {
      const path = `/proc/${pid}/cmdline`;
      if (!existsSync(path) || !readCommand(path).includes(join(this.folder, 'releases'))) continue;
      process.kill(Number(pid), 'SIGKILL');
      count += 1;
    }
    return count;
  }
}

function readCommand(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
