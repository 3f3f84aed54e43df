import { createOrderCommand } from '../order-command.ts';

export const promote = createOrderCommand({
  name: 'promote',
  about: 'Keep the new generation now, without waiting for its verdict.',
  order: () => (client) => client.promote(),
  show: ({ active, standby, reason }) => {
    const back = standby === null ? 'there is no standby' : `generation ${standby} is the standby`;
    return `Generation ${active} is kept: ${reason}; ${back}.`;
  }
});
