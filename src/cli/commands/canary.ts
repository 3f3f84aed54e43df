import { SHARE } from '../../options/fields.ts';
import { createOrderCommand } from '../order-command.ts';
import { showShare } from '../print.ts';
import { invalid } from '../release-flags.ts';

export const canary = createOrderCommand({
  name: 'canary',
  operands: ['<share>'],
  about: 'Give the new version that answers beside the active one another share, such as 25%.',
  details: `\`handover reload --canary 5%\` starts one. Whoever is answered by it stays with it when the share grows. \`handover promote\`
gives it the rest, \`handover abort\` ends it, and \`handover status\` shows what both do.`,
  order: ({ entry }) => {
    const share = SHARE.read(entry) as string | undefined;
    if (share === undefined)
      throw invalid('<share>', `it must be a share such as 25%, and it is ${JSON.stringify(entry)}`);
    return (client) => client.canary(share);
  },
  show: ({ generation, share, next }) => `Generation ${generation} answers ${showShare(share)} now; next: ${next}.`
});
