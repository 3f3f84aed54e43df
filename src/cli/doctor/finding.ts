import type { Options } from '../../options/options.ts';
import type { Running } from '../find.ts';

/** What was found of one thing. */
export interface Finding {
  readonly check: string;
  /** `unknown`: it could not be looked at, and `what` says why. */
  readonly level: 'ok' | 'warning' | 'wrong' | 'unknown';
  readonly what: string;
  /** What to do about it; null where there is nothing to do. */
  readonly fix: string | null;
}

/** What is looked at. */
export interface Patient {
  readonly folder: string;
  /** Options of the config and of the unit or the running supervisor. */
  readonly options: Options;
  readonly running: Running | null;
  /** The text of the unit, its drop-ins after it; null where none is known. */
  readonly unit: { readonly path: string; readonly text: string } | null;
  /** How long the proxy in front keeps idle connections, where somebody said so. */
  readonly proxyMs: number | null;
}

export const ok = (check: string, what: string): Finding => ({ check, level: 'ok', what, fix: null });
export const warning = (check: string, what: string, fix: string): Finding => ({ check, level: 'warning', what, fix });
export const wrong = (check: string, what: string, fix: string): Finding => ({ check, level: 'wrong', what, fix });
export const unknown = (check: string, what: string): Finding => ({ check, level: 'unknown', what, fix: null });
