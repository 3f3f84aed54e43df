import type { EventLine, OutputLine } from '../../core/log-line.ts';
import type { Point } from '../recorder.ts';
import { Charts } from './charts.ts';
import { find, say } from './elements.ts';
import { addLog, type HistoryEntry, type Shown, showHistory, showPhases, showStatus } from './show.ts';

interface Hello {
  readonly app: string;
  readonly takesOrders: boolean;
  readonly points: readonly Point[];
  readonly events: readonly EventLine[];
  readonly output: readonly OutputLine[];
}

interface Output {
  readonly lines: readonly OutputLine[];
  readonly leftOut: number;
}

const TOKEN = 'handover-token';
const KEPT_EVENTS = 200;
const WHAT: Readonly<Record<string, string>> = {
  reload: 'Start what is on the disk now, and hand over to it?',
  rollback: 'Make the version before active again?',
  promote: 'Keep the new version, without waiting for the verdict?',
  abort: 'Give the new version up, and go back to the one before?'
};

const charts = new Charts();
let events: EventLine[] = [];
follow();
takeOrders();

/** Follows the service. The browser connects again by itself where that breaks off, and is told everything anew. */
function follow(): void {
  const source = new EventSource('stream');
  const on = <T>(name: string, show: (data: T) => void) =>
    source.addEventListener(name, (message) => show(JSON.parse((message as MessageEvent<string>).data) as T));
  source.onerror = () => {
    say(find('link'), 'the supervisor does not answer; trying again', 'bad');
    // After an answer that is no stream the browser gives up.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2_000);
  };
  on<Hello>('hello', (hello) => {
    document.title = `${hello.app} - handover`;
    find('app').textContent = hello.app;
    find('orders').hidden = !hello.takesOrders;
    charts.set(hello.points);
    events = [...hello.events];
    find('log').replaceChildren();
    addLog([...events, ...hello.output].sort((one, other) => one.time.localeCompare(other.time)));
    showPhases(events);
  });
  on<Point>('point', (point) => charts.add(point));
  on<Shown>('status', showStatus);
  on<readonly HistoryEntry[]>('history', showHistory);
  on<Output>('output', ({ lines, leftOut }) => {
    addLog(lines);
    const time = new Date().toISOString();
    if (leftOut > 0) addLog([{ time, level: 'warn', event: `${leftOut} more lines; handover logs has them` }]);
  });
  on<EventLine>('log', (event) => {
    events = [...events, event].slice(-KEPT_EVENTS);
    addLog([event]);
    showPhases(events);
  });
}

/** The buttons. The token stays in this tab, and goes in a header. */
function takeOrders(): void {
  const form = find<HTMLFormElement>('order-form');
  const token = find<HTMLInputElement>('token');
  token.value = sessionStorage.getItem(TOKEN) ?? '';
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = (event.submitter as HTMLButtonElement | null)?.value;
    if (name !== undefined && token.value !== '') void confirm(name, token.value, form);
  });
}

async function confirm(name: string, token: string, form: HTMLFormElement): Promise<void> {
  const dialog = find<HTMLDialogElement>('confirm');
  find('confirm-text').textContent = WHAT[name] ?? name;
  dialog.returnValue = 'no';
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener('close', done, { once: true }));
  if (dialog.returnValue === 'yes') await give(name, token, form);
}

async function give(name: string, token: string, form: HTMLFormElement): Promise<void> {
  const result = find('order-result');
  const buttons = [...form.querySelectorAll('button')];
  for (const button of buttons) button.disabled = true;
  say(result, `${name} …`);
  try {
    const answer = await fetch(`orders/${name}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const body = (await answer.json()) as Record<string, unknown>;
    if (answer.ok) sessionStorage.setItem(TOKEN, token);
    const said = [body.what, body.why, body.fix].filter((text) => text !== undefined).join('. ');
    say(result, answer.ok ? `${name}: done` : `${name}: ${said}`, answer.ok ? 'good' : 'bad');
  } catch (error) {
    say(result, `${name}: no answer (${(error as Error).message}); look below what serves`, 'bad');
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}
