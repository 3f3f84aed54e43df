import { appendFileSync } from 'node:fs';
import { ControlClient } from '../control/client.ts';
import type { ReloadDone } from '../control/routes.ts';
import { HandoverError } from '../errors.ts';
import { count, showMs, showShare } from './print.ts';

/** The file that GitHub Actions shows as the summary of a job. */
const FILE = 'GITHUB_STEP_SUMMARY';

/**
 * Gives an order, and writes what became of it into the summary of the job that it is given in, if it is one.
 *
 * @throws what the order throws
 */
export async function summarize(
  find: () => Promise<string>,
  order: (socket: string) => Promise<ReloadDone>
): Promise<ReloadDone> {
  if (!process.env[FILE]) return order(await find());
  const startedAt = performance.now();
  const tookMs = () => performance.now() - startedAt;
  let socket: string | null = null;
  try {
    socket = await find();
    const done = await order(socket);
    append(summarizeDone(await nameService(socket), done, tookMs()));
    return done;
  } catch (error) {
    append(summarizeFailure(await nameService(socket), HandoverError.from(error), tookMs()));
    throw error;
  }
}

/** A service and its versions, by their names. */
export interface Named {
  readonly app: string;
  labelOf(generation: number): string | null;
}

async function nameService(socket: string | null): Promise<Named> {
  const client = socket === null ? null : new ControlClient(socket);
  try {
    const { app, history } = (await client?.status()) ?? { app: 'handover', history: [] };
    return { app, labelOf: (id) => history.find(({ generation }) => generation === id)?.label ?? null };
  } catch {
    return { app: 'handover', labelOf: () => null }; // it does not answer any more: the summary has no names then
  } finally {
    await client?.close();
  }
}

/** What became of a reload, as Markdown. */
export function summarizeDone({ app, labelOf }: Named, done: ReloadDone, tookMs: number): string {
  const { from, to, bootMs, cutoverMs, handedOver, gapMs, verdict, canary } = done;
  const isWanted = verdict?.decision === 'roll back';
  const show = (generation: number) => {
    const label = labelOf(generation);
    return label === null ? String(generation) : `${generation} (${label})`;
  };
  const title = canary
    ? `generation ${show(to)} answers ${showShare(canary.share)} beside generation ${show(from)}`
    : isWanted
      ? `generation ${show(to)} should be rolled back`
      : `handed over from generation ${show(from)} to ${show(to)}`;
  return page(`${isWanted ? '⚠️' : '✅'} ${app}: ${title}`, [
    ['ready in', showMs(bootMs)],
    ...(canary ? [] : [['cutover', showMs(cutoverMs)] as const, ['moved', count(handedOver, 'connection')] as const]),
    ...(gapMs === undefined ? [] : [['nobody served for', showMs(gapMs)] as const]),
    ...(verdict ? [['verdict', `${verdict.decision}: ${verdict.reason}`] as const] : []),
    ...(canary ? [['next', canary.next] as const] : []),
    ['took', showMs(tookMs)]
  ]);
}

/** Why a reload failed, as Markdown. */
export function summarizeFailure(
  { app }: Pick<Named, 'app'>,
  { code, what, why, fix }: HandoverError,
  tookMs: number
): string {
  const [first = '', ...words] = why.split('\n');
  const last = words.length === 0 ? '' : `\n${fence(words.join('\n'))}\n`;
  const rows = [
    ['error', `\`${code}\``],
    ['why', first],
    ['what to do', fix],
    ['took', showMs(tookMs)]
  ] as const;
  return `${page(`❌ ${app}: ${what}`, rows)}${last}`;
}

function page(title: string, rows: readonly (readonly [string, string])[]): string {
  return `### ${plain(title)}\n\n| | |\n| --- | --- |\n${rows.map(([name, value]) => `| ${name} | ${plain(value)} |\n`).join('')}`;
}

/** What an app wrote must not become markup. */
function plain(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/[<>&|]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** The last lines of a worker, which may have fences of their own. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = '`'.repeat(longest + 1);
  return `${ticks}\n${text.trimEnd()}\n${ticks}`;
}

function append(text: string): void {
  const path = process.env[FILE];
  if (!path) return;
  try {
    appendFileSync(path, `${text}\n`);
  } catch {
    // The reload is what it is, whether it can be told there or not.
  }
}
