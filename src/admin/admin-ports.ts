import type { Readiness } from '../core/admission.ts';
import type { EventLine, LogLine } from '../core/log-line.ts';
import type { Status } from '../core/status.ts';

/** What one worker did since it was last asked, about a second ago. Durations are pairs of bucket and count. */
export interface Beat {
  readonly role: Role;
  /** Such as `7.1`. */
  readonly id: string;
  readonly requests: number;
  readonly redirected: number;
  readonly refused: number;
  readonly failed: number;
  readonly cut: number;
  readonly uncaught: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly latency: readonly number[];
  readonly loop: readonly number[];
}

/** The part that a generation plays. */
export type Role = 'active' | 'candidate' | 'standby' | 'retiring';

/** What a person may ask for on the page. */
export const ORDERS = ['reload', 'rollback', 'promote', 'abort'] as const;
export type OrderName = (typeof ORDERS)[number];

/** The last lines that workers wrote, and those that come. */
export interface AdminLogs {
  last(query: { readonly kind: 'output'; readonly lines: number }): readonly LogLine[];
  /** @returns a function that ends the subscription */
  watch(listener: (piece: { readonly lines: readonly LogLine[] }) => void): () => void;
}

/** What the admin address shows, and can ask for. */
export interface AdminPorts {
  readonly app: string;
  readonly version: string;
  status(): Promise<Status>;
  readiness(): Readiness;
  readonly logs: AdminLogs;
  /** How many connections have moved to another process, by kind. */
  arrived(): Readonly<Record<string, number>>;
  /** @returns a function that ends the subscription */
  watch(listener: (event: EventLine) => void): () => void;
  /** @returns a function that ends the subscription */
  onBeat(listener: (beat: Beat) => void): () => void;
  order(name: OrderName): Promise<object>;
  announce(notice: { level: 'info' | 'warn' | 'error'; event: string; address?: string; reason?: string }): void;
}
