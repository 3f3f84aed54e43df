import { createServer, type Socket } from 'node:net';
import type { Readiness } from '../core/admission.ts';
import type { AdminAddress } from '../options/admin-options.ts';
import type { AdminPorts } from './admin-ports.ts';
import { listenOn, openWhenFree, showPlace } from './opening.ts';

/** HAProxy asks once in some seconds: more at once is nobody that should be waited for. */
const MOST_CONNECTIONS = 64;
/** How long whoever asks may take to hear the answer. */
const ANSWER_MS = 2_000;
const LONGEST_REASON = 200;

/**
 * Answers HAProxy's agent checks: whoever connects is told in one line whether to send clients here, and how many.
 *
 * @source HAProxy configuration manual, `agent-check`
 */
export class AgentCheck {
  readonly #address: AdminAddress;
  readonly #ports: Pick<AdminPorts, 'readiness' | 'announce'>;
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#answer(socket));
  #isClosed = false;

  constructor(address: AdminAddress, ports: Pick<AdminPorts, 'readiness' | 'announce'>) {
    this.#address = address;
    this.#ports = ports;
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('error', () => {}); // of a listen that failed: whoever called it was told
  }

  /** @throws HANDOVER_ERR_LISTEN_IN_USE, HANDOVER_ERR_LISTEN_PERMISSION, HANDOVER_ERR_LISTEN_ADDRESS */
  async open(): Promise<void> {
    await listenOn(this.#server, this.#address);
    if (this.#isClosed) return this.#server.close() && undefined;
    const address = showPlace(this.#server, this.#address);
    this.#ports.announce({ level: 'info', event: 'agent-check', address });
  }

  openWhenFree(): void {
    const onLate = (reason: string) =>
      this.#ports.announce({ level: 'warn', event: 'agent-check-unavailable', reason });
    openWhenFree(
      () => this.open(),
      () => this.#isClosed,
      onLate
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
  }

  #answer(socket: Socket): void {
    socket.on('error', () => {}); // it asks again
    socket.resume(); // what `agent-send` says is not needed; left unread, it would take the answer with it
    socket.end(writeAnswer(this.#ports.readiness()));
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  }
}

/**
 * Says it in HAProxy's words. `drain`: no new clients, but those that are bound to this machine still come; `down`: nobody
 * answers. `ready` takes a `drain` back, `up` a `down`.
 */
export function writeAnswer({ ready, reason, servingShare }: Readiness): string {
  if (ready) return `up ready ${Math.max(1, Math.round(servingShare * 100))}%\n`;
  if (servingShare > 0) return 'up drain\n';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const why = (reason ?? '').replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, LONGEST_REASON);
  return `down#${why}\n`;
}
