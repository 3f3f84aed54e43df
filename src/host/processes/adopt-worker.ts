import type { Worker } from '../../core/state/state.ts';
import type { Adopted } from '../../core/take-over.ts';
import type { Hello, ToSupervisor } from '../../protocol/messages.ts';
import { parse } from '../../protocol/parse.ts';
import { PROTOCOL_VERSION } from '../../protocol/versions.ts';
import type { WorkerRecord } from './worker-record.ts';

const ORDERS = ['accept', 'pause', 'hold', 'drain'] as const;

/** What a worker has said and still holds. What is no message is left out. */
function statementsOf({ statements }: Hello): ToSupervisor[] {
  return statements.flatMap((raw) => {
    const parsed = parse<ToSupervisor>({ v: PROTOCOL_VERSION, ...(raw as object) });
    return 'message' in parsed ? [parsed.message] : [];
  });
}

/** What the core has to know of a worker that is taken over. @param saved what the earlier supervisor noted of it */
export function describeAdopted(hello: Hello, saved: Worker | undefined): Adopted {
  const said = statementsOf(hello);
  const has = (type: ToSupervisor['type']) => said.some((one) => one.type === type);
  const told = ORDERS.find((order) => order === hello.told) ?? null;
  const isEnding = !hello.isActive && saved?.whileActive !== undefined && saved.whileActive !== 'off';
  return {
    told,
    ready: told !== null || (saved !== undefined && saved.phase !== 'starting'),
    accepting: has('accepting'),
    paused: has('paused'),
    quiet: told === null || has('quiet') || (told !== 'accept' && (saved?.quiet ?? false)),
    handed: has('handed'),
    drained: has('drained'),
    whileActive: hello.isActive ? 'on' : isEnding && !has('inactive') ? 'ending' : 'off'
  };
}

/** Notes what a worker that is taken over has said before. */
export function fillRecord(record: WorkerRecord, hello: Hello, { told, ready, accepting }: Adopted): void {
  for (const message of statementsOf(hello)) {
    if (message.type === 'listening')
      record.keys.set(message.key, { secure: message.secure, preloaded: message.preloaded });
    if (message.type === 'rehearsed') record.rehearsed = true;
    if (message.type === 'carries') record.carries = true;
    if (message.type === 'signal') record.signalled = true;
  }
  const serving = told === 'accept';
  Object.assign(record, { ready, serving, served: told !== null, accepted: serving && accepting });
}
