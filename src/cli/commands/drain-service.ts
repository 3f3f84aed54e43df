import { DURATION } from '../../options/fields.ts';
import { Option } from '../commander.ts';
import { createOrderCommand } from '../order-command.ts';
import { invalid } from '../release-flags.ts';
import { showMoment } from '../view.ts';

export const drain = createOrderCommand({
  name: 'drain',
  about: 'Take this machine out of its load balancers; whoever comes all the same is served.',
  details: `\`/ready\` of --admin says 503 from now on, and the agent check \`drain\`, until \`handover undrain\` or the end of --for. A reload,
an upgrade of the supervisor or its end change nothing about it; a stop ends it.`,
  flags: () => [
    new Option(
      '--for <30s>',
      'Put it back by itself after that time, 24 days at the most. Default: with `handover undrain`.'
    ),
    new Option(
      '--close-idle',
      "Say `Connection: close` in each answer, so that a proxy's pooled connections move to other machines."
    )
  ],
  order: ({ flags }) => {
    const time = flags.for as string | undefined;
    if (time !== undefined && DURATION.read(time) === undefined)
      throw invalid('--for', `it must be ${DURATION.wants}, and it is ${JSON.stringify(time)}`);
    const order = { ...(time === undefined ? {} : { for: time }), closeIdle: flags.closeIdle === true };
    return (client) => client.drain(order);
  },
  show: ({ until, closeIdle }) => {
    const end = until === null ? 'until `handover undrain`' : `until ${showMoment(until)}`;
    const closing = closeIdle ? ', and its answers end their connections' : '';
    return `Drained ${end}: load balancers are told to send nobody here. Whoever comes is served${closing}.`;
  }
});

export const undrain = createOrderCommand({
  name: 'undrain',
  about: 'Put this machine back into its load balancers.',
  order: () => (client) => client.undrain(),
  show: ({ wasDrained }) =>
    wasDrained ? 'Not drained any more: load balancers are told to send clients here.' : 'It was not drained.'
});
