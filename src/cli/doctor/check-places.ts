import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { socketFolder } from '../../control/socket-path.ts';
import { systemCode } from '../../errors.ts';
import type { ListenAddress } from '../../options/readers.ts';
import { type Finding, ok, type Patient, unknown, wrong } from './finding.ts';
import { read } from './machine.ts';

/** Whether its addresses are its own, or could be. */
export async function checkPorts({ options, running, unit }: Patient): Promise<Finding> {
  if (running) {
    const addresses = running.status.listeners.map(({ address }) => address).join(', ');
    return ok('ports', addresses === '' ? 'it listens nowhere yet' : `it has ${addresses}`);
  }
  const ports = options.listen.filter((one) => 'port' in one && one.port > 0);
  if (ports.length === 0)
    return unknown(
      'ports',
      'no supervisor of this folder runs, and the app chooses its address itself, or systemd has it'
    );
  for (const one of ports) {
    const why = await tryPort(one);
    if (why === 'EADDRINUSE')
      return wrong(
        'ports',
        `${show(one)} belongs to another program`,
        `See \`ss -ltnp\`, and stop it; PM2: \`pm2 delete\``
      );
    const mayBind = /^AmbientCapabilities=.*CAP_NET_BIND_SERVICE/m.test(unit?.text ?? '');
    if (why === 'EACCES' && !mayBind) {
      const least = read('/proc/sys/net/ipv4/ip_unprivileged_port_start')?.trim() ?? '1024';
      return wrong(
        'ports',
        `this user may not bind ${show(one)}, for it is below ${least}`,
        '`handover install --socket-activation`, AmbientCapabilities=CAP_NET_BIND_SERVICE, or a higher port'
      );
    }
    if (why !== null && why !== 'EACCES')
      return wrong('ports', `${show(one)} cannot be bound (${why})`, 'Name an address of this machine with --listen');
  }
  return ok('ports', `${ports.map(show).join(', ')} can be bound`);
}

function tryPort(address: ListenAddress): Promise<string | null> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', (error) => done(systemCode(error) ?? 'unknown'));
    const where =
      'port' in address ? { port: address.port, ...(address.host === undefined ? {} : { host: address.host }) } : {};
    server.listen({ ...where, exclusive: true }, () => server.close(() => done(null)));
  });
}

function show(address: ListenAddress): string {
  return 'port' in address ? `${address.host ?? '*'}:${address.port}` : '';
}

/** Whether the files that it needs may be read and written. */
export function checkRights({ folder, options, running }: Patient): Finding {
  if (!may(folder, constants.R_OK | constants.X_OK))
    return wrong(
      'rights',
      `this user may not read ${folder}`,
      'Let it: chown or chmod of the folder and those above it'
    );
  const state = options.stateFile === null ? [] : [dirname(resolve(folder, options.stateFile))];
  const sockets = options.listen.flatMap((one) =>
    'path' in one && one.path.startsWith('/') ? [dirname(one.path)] : []
  );
  const own = running || options.socket !== null ? [] : [nearest(socketFolder())];
  for (const place of [...state, ...sockets, ...own]) {
    if (!existsSync(place)) return wrong('rights', `${place} does not exist`, 'Make it, for the user of the service');
    if (!may(place, constants.W_OK | constants.X_OK))
      return wrong('rights', `this user may not write in ${place}`, 'Give the folder to it, or name another one');
  }
  return ok('rights', `what it needs in ${folder} can be read and written by this user`);
}

/** The folder itself, or the one in which it would be made. */
function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
