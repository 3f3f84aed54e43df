import type { System } from '../model.ts';
import { cluster, clusterCareful } from './cluster.ts';
import { handover } from './handover.ts';
import { haproxyCanary, haproxyDrained, haproxyKept } from './haproxy.ts';
import { kill } from './kill.ts';
import { nginxCanary, nginxCareful, nginxKept, nginxTutorial } from './nginx.ts';
import { pm2, pm2Careful, pm2Default } from './pm2.ts';
import { socket, socketCareful } from './socket.ts';
import { watt, wattLean } from './watt.ts';

/** Every system of the comparison, in the order of the table. */
export const SYSTEMS: readonly System[] = [
  ...handover,
  kill,
  cluster,
  clusterCareful,
  pm2,
  pm2Default,
  pm2Careful,
  nginxTutorial,
  nginxCareful,
  nginxKept,
  nginxCanary,
  haproxyDrained,
  haproxyKept,
  haproxyCanary,
  socket,
  socketCareful,
  watt,
  wattLean
];

/** A short look: bare, PM2, nginx, this. */
export const QUICK: readonly string[] = ['handover', 'kill', 'pm2', 'nginx-careful'];
