import { createOrderCommand } from '../order-command.ts';

export const retire = createOrderCommand({
  name: 'retire',
  about: 'End the standby now, which gives its memory back: a rollback then has to start it again.',
  order: () => (client) => client.retire(),
  show: ({ retired }) =>
    `Generation ${retired} is retiring; \`handover rollback --to ${retired}\` would start it again.`
});
