import type { ConfigChange } from '../control/routes.ts';
import { describeFailure, type HandoverError } from '../errors.ts';
import type { Io } from './io.ts';

/** How a command tells a failure: to a person, to a program, or as one more line of the log. */
export type FailureForm = 'text' | 'json' | 'log';

/** Prints a failure, once. */
export function printFailure(error: HandoverError, form: FailureForm, io: Io): void {
  if (form === 'json') return io.out(JSON.stringify(describeFailure(error)));
  if (form === 'log') {
    const { code, what, why, fix } = error;
    const time = new Date().toISOString();
    return io.err(JSON.stringify({ time, level: 'error', event: 'failed', code, what, why, fix }));
  }
  const { code, what, why, fix } = error;
  io.err(`${io.paintError('red', code)}: ${endSentence(`${what}: ${why}`)}\n${endSentence(fix)}`);
}

/** Ends a sentence, unless it ends by itself or with the last lines that a worker wrote. */
function endSentence(text: string): string {
  const trimmed = text.trimEnd();
  return /[.?!]$/.test(trimmed) || trimmed.includes('\n') ? trimmed : `${trimmed}.`;
}

/** What a reload has found changed in the config, one line for what becomes of it each. */
export function describeChange({ changed, overridden, needsRestart }: ConfigChange): string[] {
  const line = (about: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${about}: ${names.join(', ')}.`];
  return [
    ...line('New in the config', changed),
    ...line('Changed in the config without effect, for a flag of run, a reload or the env file says it', overridden),
    ...line(
      'Changed in the config, and only once the supervisor is started again (handover stop, handover run)',
      needsRestart
    )
  ];
}

/** `1 connection`, `2 connections`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** A duration for people: `1.2 ms`, `310 ms`, `3.1 s`, `4 min 10 s`, `3 h 12 min`, `2 d 3 h`. */
export function showMs(ms: number): string {
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return pair(seconds, 3600, 'h', 60, 'min');
  return pair(seconds, 86_400, 'd', 3600, 'h');
}

function pair(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)} ${bigUnit}${rest > 0 ? ` ${rest} ${smallUnit}` : ''}`;
}

export function showBytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** Reasons may quote what a worker wrote; the whole of it is in the error and in the log. */
export function firstLine(text: string): string {
  const [first = '', ...others] = text.split('\n');
  return others.length === 0 ? first : first.replace(/;[^;]*:$/, '');
}

/** A share the way people write it: `5 %`, `0.5 %`. */
export function showShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
