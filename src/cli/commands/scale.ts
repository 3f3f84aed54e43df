import { WORKERS } from '../../options/fields.ts';
import { createOrderCommand } from '../order-command.ts';
import { count } from '../print.ts';
import { invalid } from '../release-flags.ts';

export const scale = createOrderCommand({
  name: 'scale',
  operands: ['<workers>'],
  about: 'More or fewer workers of the active generation; connections of those that leave move to those that stay.',
  order: ({ entry }) => {
    const workers = readWorkers(entry);
    return (client) => client.scale(workers);
  },
  last: () => true,
  show: ({ active, to, from }) => `Generation ${active} has ${count(to, 'worker')} now; it had ${from}.`
});

function readWorkers(given: string | null): number {
  const workers = WORKERS.read(given);
  if (workers !== undefined) return workers;
  throw invalid('<workers>', `it must be ${WORKERS.wants}, and it is ${JSON.stringify(given)}`);
}
