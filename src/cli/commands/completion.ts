import { HandoverError } from '../../errors.ts';
import { describeCommands, SHELLS } from '../completion/describe-commands.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import type { Command } from './command.ts';

export const completion: Command = {
  name: 'completion',
  operands: ['<shell>'],
  about: 'Print the script that has bash, zsh or fish complete commands, their options and values.',
  details: `  source <(handover completion bash)        in ~/.bashrc
  source <(handover completion zsh)         in ~/.zshrc, after compinit
  handover completion fish > ~/.config/fish/completions/handover.fish`,
  flags: () => [],
  async run({ entry, commands = [] }, io) {
    const write = SCRIPTS[entry ?? ''];
    if (!write) {
      throw new HandoverError('HANDOVER_ERR_OPTION_INVALID', {
        what: '"<shell>" is not usable',
        why: `it must be one of ${SHELLS.join(', ')}, and it is ${JSON.stringify(entry)}`,
        fix: 'Correct it'
      });
    }
    io.out(write(describeCommands(commands)).trimEnd());
  }
};
