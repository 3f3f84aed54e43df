import net from 'node:net';
import { activeHandles } from '../internals/handles.ts';
import type { Waiting } from '../protocol/messages.ts';

/** Names for kinds of `process.getActiveResourcesInfo()`; others are not shown. */
const KINDS: Readonly<Record<string, string>> = {
  Timeout: 'timer',
  Immediate: 'immediate',
  GetAddrInfoReqWrap: 'DNS lookup',
  QueryReqWrap: 'DNS lookup',
  FSReqCallback: 'file operation',
  FSReqPromise: 'file operation',
  FSEventWrap: 'file watcher',
  StatWatcher: 'file watcher',
  UDPWrap: 'UDP socket',
  MessagePort: 'worker thread or message port',
  CloseReq: 'file operation'
};

const MOST = 4;

/** What keeps the event loop of this process going, which an app that is not ready may wait for. */
export function describeWaiting(): Waiting {
  const handles = activeHandles();
  const listens = handles.flatMap((handle) => (handle instanceof net.Server ? addressOf(handle) : []));
  const sockets = handles.flatMap((handle) => (handle instanceof net.Socket ? connectionOf(handle) : []));
  return { listens, waits: [...shorten(sockets), ...countKinds()] };
}

/** The port or path of a private server; shared ones are known to the supervisor. */
function addressOf(server: net.Server): string[] {
  const address = server.address();
  if (address === null) return [];
  return [typeof address === 'string' ? address : String(address.port)];
}

function connectionOf(socket: net.Socket): string[] {
  const { connecting, remoteAddress, remotePort, autoSelectFamilyAttemptedAddresses: tried } = socket;
  if (connecting) return [`a connection${tried?.length ? ` to ${tried.join(' and ')}` : ''} that is not open yet`];
  // Pipes and files have no address: stdin, the channel to the supervisor.
  return remoteAddress === undefined ? [] : [`a connection to ${remoteAddress}:${remotePort}`];
}

function countKinds(): string[] {
  const counts = new Map<string, number>();
  for (const resource of process.getActiveResourcesInfo()) {
    const kind = KINDS[resource];
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => (count === 1 ? `a ${kind}` : `${count} ${kind}s`));
}

function shorten(all: readonly string[]): readonly string[] {
  return all.length <= MOST ? all : [...all.slice(0, MOST), `${all.length - MOST} more connections`];
}
