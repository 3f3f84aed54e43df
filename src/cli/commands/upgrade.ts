import { Option } from '../commander.ts';
import { createOrderCommand } from '../order-command.ts';

export const upgrade = createOrderCommand({
  name: 'upgrade',
  about: 'Replace the supervisor by one of what is on the disk now; the app is not touched.',
  details: `The next supervisor is started beside this one: the handover that is installed now, with the Node that is given and, after
\`--\`, other arguments of \`run\`, all of them. It takes over the listening sockets, the workers, the standby and the history, and this
one leaves. If it fails, or does not have everything within 10 s, this one goes on as before (exit code 1).

  handover upgrade --node /opt/node-24/bin/node
  handover upgrade -- server.js --listen 80 --workers 4      (the workers change with the next reload)`,
  flags: () => [new Option('--node <path>', 'Another Node binary for the supervisor.')],
  order: ({ flags, app }) => {
    const order = { ...(flags.node ? { node: String(flags.node) } : {}), ...(app ? { args: app } : {}) };
    return (client) => client.upgrade(order);
  },
  last: () => true,
  show: ({ active, from, to }) =>
    `Upgraded the supervisor: pid ${to} took over from pid ${from}; generation ${active} served all the time.`
});
