import type { Waiting } from '../../protocol/messages.ts';
import { type Family, observe, type Seen } from './observe.ts';
import { suggestRun } from './suggest-run.ts';

/** Why a worker is not what it should be, and what helps where that is known. */
export interface Reason {
  readonly why: string;
  readonly fix: string | null;
}

const COMMAND_LENGTH = 100;
const MOST_CHILDREN = 4;

/**
 * Why a worker that runs has not listened, in words that follow "is running but".
 *
 * @param waiting what it says itself, or null where it did not answer
 * @param folder where the app was started
 */
export function explainSilence(pid: number, waiting: Waiting | null, answerMs: number, folder: string): Reason {
  const family = observe(pid);
  const children = family?.children ?? [];
  const own = family?.self?.listens ?? waiting?.listens ?? [];
  if (own.length > 0) return explainElsewhere(own, waiting);
  const started = {
    why: `never listened itself: it started ${describeChildren(children)}`,
    fix: adviseRun(children, folder)
  };
  if (children.some(({ listens }) => listens.length > 0)) return started;
  if (waiting === null) return explainBlocked(family, answerMs);
  if (children.length > 0) return started;
  const connecting = (family?.self?.connecting ?? []).map((to) => `a connection to ${to} that is not open yet`);
  const waits = connecting.length === 0 ? waiting.waits : [...connecting, ...waiting.waits.filter(isNoConnection)];
  if (waits.length === 0) return { why: 'never listened', fix: null };
  const fix = 'Look whether what it waits for comes, let it call listen(), or raise readyTimeout';
  return { why: `never listened: it waits for ${join(waits)}`, fix };
}

/** What a worker left that ended before it listened, in words that follow "it left"; null where there is nothing. */
export function explainLeft(pid: number, folder: string): Reason | null {
  const children = observe(pid)?.children ?? [];
  return children.length === 0 ? null : { why: describeChildren(children), fix: adviseRun(children, folder) };
}

function explainElsewhere(own: readonly string[], waiting: Waiting | null): Reason {
  const where = join(own.map(showPlace));
  const isMain = (place: string) => waiting?.listens.some((one) => place === one || place.endsWith(`:${one}`));
  if (waiting !== null && !own.some(isMain)) {
    return {
      why: `only a worker thread of it listens, on ${where}`,
      fix: "Let the main thread listen, and as many processes as you need do so with --workers: a thread's own port cannot be shared"
    };
  }
  return {
    why: `listens on ${where} only, which is its own and cannot be shared`,
    fix: 'Let it listen on process.env.PORT or another fixed port, without `exclusive`, `reusePort` or a descriptor of its own'
  };
}

function describeChildren(children: readonly Seen[]): string {
  const shown = children.slice(0, MOST_CHILDREN).map(showChild);
  const more = children.length > shown.length ? `, and ${children.length - shown.length} more` : '';
  return `${children.length === 1 ? 'a child process' : 'child processes'}, ${shown.join(', ')}${more}`;
}

function adviseRun(children: readonly Seen[], folder: string): string {
  const serving = children.filter(({ listens }) => listens.length > 0);
  const command = [...serving, ...[...children].reverse()]
    .map((child) => suggestRun(child, folder))
    .find((one) => one !== null);
  return command === undefined
    ? 'Run the file that listens itself, without a program that starts it as a child process'
    : `Run the file that listens itself: \`${command}\``;
}

function showChild({ pid, argv, listens }: Seen): string {
  const line = argv.join(' ');
  const command = line.length > COMMAND_LENGTH ? `${line.slice(0, COMMAND_LENGTH)}...` : line;
  const where = listens.length === 0 ? '' : `, which listens on ${join(listens.map(showPlace))}`;
  return `pid ${pid} (\`${command}\`)${where}`;
}

function explainBlocked(family: Family | null, answerMs: number): Reason {
  const { state } = family?.self ?? {};
  if (state === 'T' || state === 't') {
    return { why: 'is stopped, by SIGSTOP or a debugger', fix: 'Let it go on (`kill -CONT`), and try again' };
  }
  const children = family?.children.map(showChild) ?? [];
  const busy =
    state === 'R'
      ? ': it computes'
      : children.length > 0
        ? `: it waits, it seems, for ${join(children)}`
        : ', by a call that waits';
  return {
    why: `its event loop is blocked (no answer within ${answerMs} ms)${busy}`,
    fix: 'Look for synchronous work before listen(), or raise readyTimeout'
  };
}

function isNoConnection(wait: string): boolean {
  return !/^a connection .*not open yet$/.test(wait);
}

function showPlace(place: string): string {
  return place.startsWith(':') ? `port ${place.slice(1)}` : /^\d+$/.test(place) ? `port ${place}` : place;
}

function join(all: readonly string[]): string {
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
