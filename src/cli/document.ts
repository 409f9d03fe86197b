import type { Command, Option } from 'commander';
import { ERRORS, ShoalError, type ErrorCode } from '../domain/errors';
import { ERROR_WORDS } from '../domain/errorWords';
import { EXIT, exitCodeOf } from '../domain/exitCodes';

/** docs/cli.md, from the commands as they are. */
export function cliPage(program: Command): string {
  return `# The command line

<!-- Made by \`npm run document\`: edit src/cli, not this page. -->

\`npx shoal <command>\` in the folder of temporal.yaml, or with \`--project\`. On a terminal it draws what is under way; without one, as in a pipe or a log, it
prints plain lines and no colours (\`NO_COLOR=1\` does the same on a terminal). Results go to standard output, errors and progress to standard error.

Tables fit the terminal: long names are cut with …, reasons are wrapped. Nothing is cut in a pipe, unless \`COLUMNS\` says how wide it is.

## Everywhere

${optionTable(program.options)}

With \`--json\`, standard output is one JSON document: the answer, or \`{"error": {"code", "message", "details"}}\`. The codes are in [errors.md](errors.md).

## Exit codes

| code | |
|---|---|
${Object.values(EXIT).map(({ code, says }) => `| ${code} | ${says} |`).join('\n')}

\`train\` and \`import\` end with 1 when a run failed and with 3 when a version was refused, unless \`--no-wait\` was given.

A worker's process ends with the same codes, and with 0 when it is asked to end (SIGTERM, SIGINT). \`up\` says why a worker could not start, and ends with
the worker's code.

## Completion

<!-- not run: it changes the shell it is run in -->
\`\`\`sh
source <(npx shoal completion bash)      # in ~/.bashrc; zsh and fish likewise
\`\`\`

completes commands, options, and the names of models and chains of the temporal.yaml that is there.

## Commands

${program.commands.map((c) => commandSection(c)).join('\n\n')}
`;
}

function commandSection(command: Command, parent = ''): string {
  const name = `${parent}${command.name()}`;
  const usage = command.registeredArguments.map((a) => (a.required ? `<${a.name()}${a.variadic ? '...' : ''}>` : `[${a.name()}${a.variadic ? '...' : ''}]`)).join(' ');
  return [
    `### ${name}`,
    '',
    `\`shoal ${[name, usage].filter(Boolean).join(' ')}\`: ${command.description()}.`,
    ...(command.options.length > 0 ? ['', optionTable(command.options)] : []),
    ...command.commands.flatMap((c) => ['', commandSection(c, `${name} `)]),
  ].join('\n');
}

const optionTable = (options: readonly Option[]): string => [
  '| option | | default |', '|---|---|---|',
  ...options.map((o) => `| \`${o.flags}\` | ${o.description}${o.mandatory ? ' (needed)' : ''} | ${defaultOf(o)} |`),
].join('\n');

const defaultOf = ({ defaultValue, envVar }: Option): string => [
  ...(defaultValue === undefined || typeof defaultValue === 'boolean' ? [] : [`\`${String(defaultValue)}\``]),
  ...(envVar ? [`$${envVar}`] : []),
].join(', or ');

/** docs/errors.md */
export const errorPage = (): string => `# Errors

<!-- Made by \`npm run document\`: edit src/domain/errorWords.ts, not this page. -->

Every error of the client is a \`ShoalError\`: \`code\`, a \`message\` for people, \`remedy\` (what to do), \`details\` (plain JSON) and \`retryable\`: whether the same
again, unchanged, can help. In Temporal the code is the failure's type. On the command line it is in \`--json\`, and decides the exit code.

| code | means | try again | exit code |
|---|---|---|---|
${(Object.keys(ERRORS) as ErrorCode[]).map((code) => `| ${code} | ${ERROR_WORDS[code]} | ${ERRORS[code].retryable ? 'yes' : ''} | ${exitCodeOf(new ShoalError(code, ''))} |`).join('\n')}
`;
