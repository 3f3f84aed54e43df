import { STRATEGIES } from '../../options/strategies.ts';
import { Option } from '../commander.ts';
import type { Command } from '../commands/command.ts';
import { showMs } from '../print.ts';
import { readDeployOrder } from './deploy-order.ts';
import { createFleetFlags } from './fleet-flags.ts';
import { countDeployed } from './fleet-table.ts';
import { answerOrder } from './follow-deploy.ts';
import { openFleet } from './open-fleet.ts';

/** Agreement is by the label. */
const OWN = 'A new build needs a label of its own.';

export const deploy: Command = {
  name: 'deploy',
  operands: ['<label>'],
  about: 'Deploy a release to every machine of a fleet, a few at a time; the first that rejects it stops the rest.',
  details: `What is left out is as in the deploy before. Paths are meant from the folder that each supervisor was started in, and {label}
stands for the label:

  handover fleet deploy 43 --entry 'releases/{label}/server.js' --fetch './fetch.sh {label}'
  handover fleet deploy 44 --canary 1 --bake 5m

Returns when every machine runs it (0), or when it was stopped, rolled back or aborted (1).`,
  flags: () => [
    new Option('--entry <path>', 'The file that starts the app.'),
    new Option('--cwd <folder>', 'In place of it: the folder to start in.'),
    new Option('--fetch <command>', 'What each machine runs first, such as to fetch and build it; within 10 minutes.'),
    new Option('--no-fetch', 'Run nothing first, though the deploy before did.'),
    new Option('--strategy <name>', 'How each machine hands over. Default: as its own options say.').choices(
      STRATEGIES
    ),
    new Option('--no-strategy', 'As its own options say again, though the deploy before named one.'),
    new Option('--max-unavailable <n | percent>', 'How many machines deploy at once. Default: 1.'),
    new Option('--canary <n>', 'How many machines go first, and are watched before the others begin. Default: 0.'),
    new Option('--bake <30s>', 'How long they are watched after their own verdict. Default: 30s.'),
    new Option('--order <host | zone>', 'By what they go one after the other. Default: host.').choices([
      'host',
      'zone'
    ]),
    new Option(
      '--on-failure <rollback | pause>',
      'What follows when a machine has failed: all go back, or nobody else begins. Default: rollback.'
    ).choices(['rollback', 'pause']),
    new Option('--failures <n>', 'How many machines have to fail for that. Default: 1.'),
    new Option('--no-wait', 'Return as soon as it is written down.'),
    ...createFleetFlags()
  ],
  async run({ entry: label, flags }, io) {
    const order = await readDeployOrder(label ?? '', flags);
    const { startDeploy } = await import('../../fleet/rules/goal-changes.ts');
    const fleet = await openFleet(flags);
    try {
      let ranAlready: readonly string[] = [];
      let all = 0;
      const goal = await fleet.observer.change((before, machines) => {
        all = machines.length;
        ranAlready = machines.filter((one) => one.label === label).map(({ machine }) => machine);
        return startDeploy(
          order,
          before,
          machines.map(({ machine: id, zone, label }) => ({ id, zone, label }))
        );
      });
      const { label: to } = goal.release;
      await answerOrder(fleet, goal, io, {
        json: flags.json === true,
        wanted: flags.wait === false ? null : 'done',
        also: { ranAlready },
        tell: (ended) => {
          if (ranAlready.length === all)
            return `Release ${to} runs on every machine already: nothing is handed over. ${OWN}`;
          const some = ranAlready.length > 0 ? ` On ${ranAlready.length} of ${all} it ran already. ${OWN}` : '';
          return ended
            ? `Release ${to} runs on ${countDeployed(ended.picture)}, after ${showMs(ended.tookMs)}.${some}`
            : `Release ${to} is to be deployed; see \`handover fleet status --watch\`.${some}`;
        }
      });
    } finally {
      await fleet.close();
    }
  }
};
