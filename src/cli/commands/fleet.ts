import { deploy } from '../fleet/deploy.ts';
import { fleetStatus } from '../fleet/fleet-status.ts';
import { abort, pause, resume, rollback } from '../fleet/turn.ts';
import type { Command } from './command.ts';

export const fleet: Command = {
  name: 'fleet',
  operands: [],
  about: 'Deploy to several machines that agree in an etcd, and look at them.',
  details: `Each machine runs \`handover run ... --etcd http://10.0.0.5:2379 --service shop\`; these commands run anywhere:

  handover fleet deploy 43 --etcd http://10.0.0.5:2379 --service shop --max-unavailable 1
  handover fleet status --watch --etcd http://10.0.0.5:2379 --service shop`,
  flags: () => [],
  parts: [deploy, fleetStatus, rollback, pause, resume, abort],
  async run() {}
};
