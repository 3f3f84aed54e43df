import { createOrderCommand } from '../order-command.ts';

export const abort = createOrderCommand({
  name: 'abort',
  about: 'Give up the new generation now, without waiting for its verdict: back to the one before.',
  order: () => (client) => client.abort(),
  last: ({ event }) => event === 'paused' || event === 'failed',
  show: ({ abandoned, reason, active }) =>
    `Generation ${abandoned} is given up: ${reason}; generation ${active} is active.`
});
