import { Argument, type Command, type Option } from 'commander';
import path from 'node:path';

/** The shell's completion, made from the commands there are. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function addCompletionCommand(program: Command): void {
  program.command('completion')
    .description('print the completion of a shell: `source <(npx shoal completion bash)`, or into a file of its completions')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) => { process.stdout.write(completionOf(shell, program)); });
}

/** What can stand in the place of an argument. */
type Kind = 'models' | 'chains' | 'files' | readonly string[];

interface Known { name: string; description: string; options: readonly Option[]; takes: Kind[]; below: Known[] }

export function completionOf(shell: Shell, program: Command): string {
  const commands = program.commands.filter((c) => !isHidden(c)).map(known);
  const of = { commands, global: program.options, names: `${quoted(process.execPath)} ${quoted(path.join(__dirname, 'names.js'))}` };
  switch (shell) {
    case 'bash': return bash(of);
    case 'zsh': return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(of)}`;
    case 'fish': return fish(of);
  }
}

const isHidden = (command: Command): boolean => (command as unknown as { _hidden?: boolean })._hidden === true;

const known = (command: Command): Known => ({
  name: command.name(),
  description: command.description(),
  options: command.options,
  takes: command.registeredArguments.map((a) => a.argChoices ?? kindOf(a.name())),
  below: command.commands.map(known),
});

function kindOf(argument: string): Kind {
  if (argument === 'model' || argument === 'models') return 'models';
  if (argument === 'chain' || argument === 'name') return 'chains';
  return argument.includes('file') ? 'files' : [];
}

const flags = (options: readonly Option[]): string[] => options.flatMap((o) => [o.short, o.long]).filter((flag) => flag !== undefined);
const takingFiles = (options: readonly Option[]): string[] => flags(options.filter((o) => /<(file|folder)/.test(o.flags)));
const takingText = (options: readonly Option[]): string[] => flags(options.filter((o) => o.required && !/<(file|folder)/.test(o.flags)));
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

interface Of { commands: Known[]; global: readonly Option[]; names: string }

function bash({ commands, global, names }: Of): string {
  const all = commands.flatMap((c) => [c, ...c.below]);
  const options = [...global, ...all.flatMap((c) => c.options)];
  const arms = commands.map((c) => {
    const sub = c.below.map((b) => `        ${b.name}) ${wordsOf(b.takes, flags([...b.options, ...global]), 1)} ;;`);
    const nested = sub.length > 0 ? `\n      case $sub in\n${sub.join('\n')}\n        *) words=${quoted([...c.below.map((b) => b.name), ...flags(c.options)].join(' '))} ;;\n      esac\n      ` : ` ${wordsOf(c.takes, flags([...c.options, ...global]), 0)}`;
    return `    ${c.name})${nested} ;;`;
  });
  return `# Completion of shoal for bash. Made by \`shoal completion bash\`.
_shoal() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local command= sub= project= at=0 words= files= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -p|--project) project=\${COMP_WORDS[i+1]}; i=$((i + 1)) ;;
      ${pattern([...takingText(options), ...takingFiles(options)].filter((f) => f !== '-p' && f !== '--project'))}) i=$((i + 1)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${COMP_WORDS[i]}; else [[ $at == 0 ]] && sub=\${COMP_WORDS[i]}; at=$((at + 1)); fi ;;
    esac
  done
  COMPREPLY=()
  case $prev in
    ${pattern(takingFiles(options))}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${pattern(takingText(options))}) return ;;
  esac
  case $command in
    '') words=${quoted([...commands.map((c) => c.name), ...flags(global), '--help'].join(' '))} ;;
${arms.join('\n')}
  esac
  if [[ -n $files && $cur != -* ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
_shoal_names() { ${names} "$1" \${2:+"$2"} 2>/dev/null; }
complete -F _shoal shoal
`;
}

/** Bash that sets what the next argument can be. \`before\`: arguments that are no argument of the command itself. */
function wordsOf(takes: Kind[], options: string[], before: number): string {
  const fixed = quoted([...options, '--help'].join(' '));
  if (takes.length === 0) return `words=${fixed}`;
  const one = (kind: Kind): string => {
    if (kind === 'files') return `files=1 words=${fixed}`;
    if (kind === 'models' || kind === 'chains') return `words="$(_shoal_names ${kind} "$project") "${fixed}`;
    return `words=${quoted([...kind, ...options, '--help'].join(' '))}`;
  };
  // The last one may be repeated.
  return `case $at in ${takes.slice(0, -1).map((kind, i) => `${i + before}) ${one(kind)} ;; `).join('')}*) ${one(takes.at(-1)!)} ;; esac`;
}

const pattern = (list: string[]): string => (list.length > 0 ? [...new Set(list)].join('|') : '--');

function fish({ commands, global, names }: Of): string {
  const option = (o: Option, condition: string) =>
    `complete -c shoal ${condition} ${o.short ? `-s ${o.short.slice(1)} ` : ''}-l ${o.long!.slice(2)}${o.required ? ' -r' : ''} -d ${quoted(o.description)}`;
  const takes = (c: Known, condition: string) => c.takes.flatMap((kind) => {
    if (kind === 'files') return [`complete -c shoal ${condition} -F`];
    if (kind === 'models' || kind === 'chains') return [`complete -c shoal ${condition} -f -a "(${names} ${kind} 2>/dev/null)"`];
    return kind.length > 0 ? [`complete -c shoal ${condition} -f -a ${quoted(kind.join(' '))}`] : [];
  });
  return `# Completion of shoal for fish. Made by \`shoal completion fish\`.
complete -c shoal -f
${[
    ...global.map((o) => option(o, '')),
    ...commands.flatMap((c) => {
      const seen = `-n '__fish_seen_subcommand_from ${c.name}'`;
      return [
        `complete -c shoal -n __fish_use_subcommand -a ${c.name} -d ${quoted(c.description)}`,
        ...c.options.map((o) => option(o, seen)), ...takes(c, seen), ...c.below.map((b) => `complete -c shoal ${seen} -a ${b.name} -d ${quoted(b.description)}`),
      ];
    }),
  ].join('\n')}
`;
}
