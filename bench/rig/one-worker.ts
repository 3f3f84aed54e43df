import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindHandle, type Handle } from '../../src/internals/net.ts';
import { acceptPipes, type MessagePipe } from '../../src/internals/pipes.ts';
import type { ToSupervisor, ToWorker } from '../../src/protocol/messages.ts';
import { parse, seal } from '../../src/protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/versions.ts';
import { SETTINGS_VARIABLE, type WorkerSettings } from '../../src/protocol/worker-settings.ts';

const KEY = 'bench';
let count = 0;

export interface OneWorker {
  readonly port: number;
  readonly child: ChildProcess;
  /** Lets it accept, once it listens. */
  accept(): void;
  send(message: ToWorker): void;
  /** Ends what belongs to it in this process; the worker has ended or will be ended by its starter. */
  close(): void;
}

/**
 * A supervisor reduced to starting one worker and talking to it.
 *
 * @param preload of the build that is measured
 * @param measures whether the worker counts what it does
 */
export function startOneWorker(
  { preload, app, measures }: { readonly preload: string; readonly app: string; readonly measures: boolean },
  onMessage: (message: ToSupervisor) => void
): OneWorker {
  const handle = bindHandle({ address: '127.0.0.1', port: 0, ipv6Only: false });
  if (typeof handle === 'number') throw new Error(`the system gave no port: ${handle}`);
  const out: { port?: number } = {};
  handle.getsockname?.(out);
  const port = out.port ?? 0;
  count += 1;
  const path = join(tmpdir(), `handover-bench-${process.pid}-${count}.link`);
  const settings: WorkerSettings = {
    version: PROTOCOL_VERSION,
    worker: '1.1',
    generation: 1,
    link: { path, secret: '' },
    lent: [{ key: KEY, address: { address: '127.0.0.1', family: 'IPv4', port }, named: true, asked: null }],
    backlog: 4096,
    budgetMs: 2_000,
    upgradeSpreadMs: 30_000,
    websockets: 'close',
    eventStreams: 'move',
    affinity: null,
    rampMs: 0,
    drainMs: 1_000,
    orphanMs: 0,
    measures,
    remembers: false,
    rehearses: false
  };
  let pipe: MessagePipe | null = null;
  const server = acceptPipes(path, (open) => {
    pipe = open({
      onMessage: (raw) => {
        const parsed = parse<ToSupervisor>(raw);
        if ('message' in parsed) onMessage(parsed.message);
      },
      onEnd: () => {}
    });
    rmSync(path);
  });
  if (typeof server === 'number') throw new Error(`no link: ${server}`);
  const child = spawn(process.execPath, ['--require', preload, app], {
    env: { ...process.env, PORT: String(port), [SETTINGS_VARIABLE]: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'inherit', 2]
  });
  return {
    port,
    child,
    accept: () => pipe?.send(seal({ type: 'accept', key: KEY }), handle as Handle),
    send: (message) => pipe?.send(seal(message)),
    close() {
      pipe?.close();
      server.close();
      (handle as Handle).close();
    }
  };
}
