import { stringify } from 'yaml';
import type { Proposal, ProposedPlace } from '../domain/proposal';

/** temporal.yaml of a proposal, with the reasons as comments. */
export function projectText({ name, place, survey, decision, columns, model, feeding, forecast, notes }: Proposal, options: { bare?: boolean } = {}): string {
  const { bare = true } = options;
  const names = new Set([model, ...(feeding ? [feeding.name] : [])]);
  const input = (column: string, type?: string): string => {
    const plain = bare && /^[a-z][a-z0-9_]*$/i.test(column) && !names.has(column) && type !== 'text';
    return plain ? column : `{column: ${scalar(column)}${type === 'text' ? ', type: text' : ''}}`;
  };
  const typeOf = (column: string): string | undefined => columns.find((c) => c.column === column)?.type;
  const inputs = columns.filter(({ role }) => role === 'input');
  const later = columns.filter(({ role }) => role === 'known later');
  const left = columns.filter(({ role }) => role === 'left out');
  const key = survey.key.map(scalar);
  const source = name;
  return [
    '# yaml-language-server: $schema=./node_modules/shoal/temporal.schema.json',
    `# Written by \`shoal init\` from ${survey.rows} rows. Change what you know better, then: shoal check, shoal up.`,
    `name: ${name}`,
    '',
    'sources:',
    `  ${source}:`,
    ...placeLines(place),
    ...(key.length > 0 ? [`    key: ${key.length === 1 ? key[0]! : `[${key.join(', ')}]`}   # names a row`] : ['    # No column names a row, so that its whole content does: give `key` if some do.']),
    ...(later.length > 0 ? [
      '    # Seem to be known only after the fact, so that no model may read them; take out what is known in time.',
      '    knownLater:',
      ...later.map(({ column, reason }) => `      - ${scalar(column)}   # ${reason}`),
    ] : []),
    '',
    'models:',
    ...(feeding ? [
      `  # ${feeding.reason}.`,
      `  ${feeding.name}:`,
      '    task: classification',
      `    source: ${source}`,
      `    target: ${scalar(feeding.target)}`,
      '    inputs:',
      ...feeding.inputs.map((column) => `      - ${input(column, typeOf(column))}`),
      '',
    ] : []),
    ...decision.reasons.map((reason) => `  # ${reason}.`),
    `  ${model}:`,
    `    task: ${decision.task}`,
    `    source: ${source}`,
    `    target: ${scalar(decision.target)}`,
    ...(forecast ? [
      `    time: ${scalar(forecast.time)}`,
      `    frequency: ${forecast.frequency}`,
      `    horizon: ${forecast.horizon}   # periods ahead`,
      ...(forecast.series ? [`    series: ${scalar(forecast.series)}`] : []),
    ] : []),
    ...(decision.scale === 'log10' ? ['    scale: log10'] : []),
    ...(forecast ? [] : [
      '    inputs:',
      ...inputs.map(({ column, reason, type }) => (column === feeding?.target
        ? `      - ${feeding.name}.probabilities   # of the model above, in place of the column ${column}`
        : `      - ${input(column, type)}   # ${reason}`)),
    ]),
    ...(forecast ? [] : left.map(({ column, reason }) => `      # ${column}: left out, ${reason}`)),
    ...(feeding ? ['', 'chains:', `  ${name}:`, '    stages:', `      ${feeding.name}: {fallback: baseline}`, `    output: ${model}`] : []),
    ...notes.flatMap((note, i) => [...(i === 0 ? [''] : []), `# ${note}`]),
    '',
  ].join('\n');
}

function placeLines(place: ProposedPlace): string[] {
  if ('postgres' in place) return [`    postgres: ${place.postgres}   # the environment variable with the database's address`, `    table: ${scalar(place.table)}`];
  return [`    path: ${place.paths.length === 1 ? scalar(place.paths[0]!) : `[${place.paths.map(scalar).join(', ')}]`}`];
}

/** As YAML takes it for a text, on one line. */
function scalar(text: string): string {
  const written = stringify(text, { lineWidth: 0 }).trimEnd();
  // Inside brackets more has to be quoted than elsewhere.
  return /[[\]{},#&*!|>'"%@`\n\\:]/.test(text) ? JSON.stringify(text).replaceAll('${', '$${') : written;
}
