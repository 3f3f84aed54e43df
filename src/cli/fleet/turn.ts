import type { By, Goal } from '../../fleet/rules/goal.ts';
import { Option } from '../commander.ts';
import type { Command } from '../commands/command.ts';
import { showMs } from '../print.ts';
import { createFleetFlags } from './fleet-flags.ts';
import { showGoal } from './fleet-table.ts';
import { answerOrder } from './follow-deploy.ts';
import { openFleet, signOrder } from './open-fleet.ts';

type Change = 'pause' | 'resume' | 'abort' | 'rollBack';

/** Makes a command that turns the deploy in progress another way. */
function createTurn(name: string, change: Change, about: string, details: string): Command {
  const waits = change === 'rollBack';
  return {
    name,
    operands: [],
    about,
    details,
    flags: () => [
      ...(waits ? [new Option('--no-wait', 'Return as soon as it is written down.')] : []),
      ...createFleetFlags()
    ],
    async run({ flags }, io) {
      const changes: Readonly<Record<Change, (goal: Goal, by: By) => Goal>> = await import(
        '../../fleet/rules/goal-changes.ts'
      );
      const { assertMachines, refuse } = await import('../../fleet/rules/goal-changes.ts');
      const fleet = await openFleet(flags);
      try {
        const goal = await fleet.observer.change((before, machines) => {
          if (before && waits) assertMachines(machines);
          if (before) return changes[change](before, signOrder(name));
          throw refuse(
            `Cannot ${change === 'rollBack' ? 'roll back' : name}`,
            'nothing was deployed to this fleet yet',
            'See `handover fleet deploy --help`'
          );
        });
        await answerOrder(fleet, goal, io, {
          json: flags.json === true,
          wanted: waits && flags.wait !== false ? 'rolled-back' : null,
          tell: (ended) =>
            ended
              ? `Rolled back from release ${goal.release.label} to ${goal.previous?.label ?? 'what each machine ran before'} in ${showMs(ended.tookMs)}.`
              : showGoal(fleet.observer.picture)
        });
      } finally {
        await fleet.close();
      }
    }
  };
}

export const rollback = createTurn(
  'rollback',
  'rollBack',
  'Bring every machine back to what the fleet ran before.',
  'Machines that keep it warm go back at once, all together; others deploy it, a few at a time. Also after a deploy that is done.'
);

export const pause = createTurn(
  'pause',
  'pause',
  'Let nobody else begin; machines that deploy now come to their end.',
  'It goes on with `handover fleet resume`.'
);

export const resume = createTurn(
  'resume',
  'resume',
  'Go on with a deploy that is paused or was stopped.',
  'Where it was stopped, machines that failed try again.'
);

export const abort = createTurn(
  'abort',
  'abort',
  'End a deploy as it is: candidates are given up, nobody else begins, nobody goes back.',
  'Machines that have the release keep it. Another deploy, or `handover fleet rollback`, may follow.'
);
