import type { CommandWords, Follows } from './describe-commands.ts';

/** Writes the script that has a shell complete the command. */
export const SCRIPTS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: writeBash,
  zsh: writeZsh,
  fish: writeFish
};

const GENERAL = ['--help', '--version'];

function writeBash(commands: readonly CommandWords[]): string {
  const words = [...commands.map(({ name }) => name), ...GENERAL].join(' ');
  return `# Completion of handover for bash: in ~/.bashrc, source <(handover completion bash)
_handover() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=\${COMP_WORDS[1]} IFS=$'\\n'
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(IFS=' '; compgen -W '${words}' -- "$cur"))
    return
  fi
  case "$command $prev" in
${afterFlags(commands, bashReply)}
  esac
  case "$command" in
${commands
  .map(
    (one) => `    ${one.name})
      if [[ $cur == -* ]]; then
        ${bashReply(one.flags.map(({ flag }) => flag))}
      else
        ${bashReply(one.operand)}
      fi ;;`
  )
  .join('\n')}
  esac
}
complete -o filenames -F _handover handover
`;
}

function bashReply(follows: Follows): string {
  if (follows === 'file') return 'COMPREPLY=($(compgen -f -- "$cur"))';
  if (follows === 'folder') return 'COMPREPLY=($(compgen -d -- "$cur"))';
  if (typeof follows === 'string') return ':';
  return `COMPREPLY=($(IFS=' '; compgen -W '${follows.join(' ')}' -- "$cur"))`;
}

function writeZsh(commands: readonly CommandWords[]): string {
  const describe = (words: readonly (readonly [string, string])[]) =>
    words.map(([word, about]) => quote(`${word.replaceAll(':', '\\:')}:${about}`)).join(' ');
  const reply = (follows: Follows): string => {
    if (follows === 'file') return '_files';
    if (follows === 'folder') return '_files -/';
    return typeof follows === 'string' ? ':' : `compadd -- ${follows.join(' ')}`;
  };
  return `#compdef handover
# Completion of handover for zsh: in ~/.zshrc, source <(handover completion zsh)
_handover() {
  local -a found
  if (( CURRENT == 2 )); then
    found=(${describe(commands.map(({ name, about }) => [name, about]))})
    _describe command found
    return
  fi
  case "$words[2] $words[CURRENT-1]" in
${afterFlags(commands, reply)}
  esac
  case "$words[2]" in
${commands
  .map(
    (one) => `    ${one.name})
      if [[ $words[CURRENT] == -* ]]; then
        found=(${describe(one.flags.map(({ flag, about }) => [flag, about]))})
        _describe option found
      else
        ${reply(one.operand)}
      fi ;;`
  )
  .join('\n')}
  esac
}
if [ "$funcstack[1]" = "_handover" ]; then _handover "$@"; else compdef _handover handover; fi
`;
}

/** The lines of a `case` for what follows a flag, those with the same answer together. */
function afterFlags(commands: readonly CommandWords[], reply: (follows: Follows) => string): string {
  const answers = new Map<string, string[]>();
  for (const { name, flags } of commands) {
    for (const { flag, follows } of flags) {
      if (follows === 'nothing') continue;
      const answer = reply(follows);
      answers.set(answer, [...(answers.get(answer) ?? []), `'${name} ${flag}'`]);
    }
  }
  return [...answers].map(([answer, cases]) => `    ${cases.join(' | ')})\n      ${answer}; return ;;`).join('\n');
}

function writeFish(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, about, flags, operand }) => {
    const here = `complete -c handover -n '__fish_seen_subcommand_from ${name}'`;
    const first = [`complete -c handover -n __fish_use_subcommand -f -a ${name} -d ${quote(about)}`];
    const words = Array.isArray(operand) ? [`${here} -f -a ${quote(operand.join(' '))}`] : [];
    const nothing = operand === 'nothing' ? [`${here} -f`] : [];
    return [
      ...first,
      ...words,
      ...nothing,
      ...flags.map((flag) => `${here} -l ${flag.flag.slice(2)}${fishValue(flag.follows)} -d ${quote(flag.about)}`)
    ];
  });
  return `# Completion of handover for fish: handover completion fish > ~/.config/fish/completions/handover.fish
complete -c handover -n __fish_use_subcommand -f -l help -d 'Print the help'
complete -c handover -n __fish_use_subcommand -f -l version -d 'Print the version'
${lines.join('\n')}
`;
}

function fishValue(follows: Follows): string {
  if (follows === 'nothing') return '';
  if (follows === 'file' || follows === 'folder') return ' -r -F';
  return typeof follows === 'string' ? ' -x' : ` -x -a ${quote(follows.join(' '))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
