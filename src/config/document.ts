import { z } from 'zod';
import { EXPRESSION_FUNCTIONS } from '../domain/expressionLibrary';
import { HEADLINE, MAIN_OUTPUT, METRICS, OUTPUTS, TASKS } from '../domain/spec';
import type { Task } from '../domain/spec';
import { DEFAULT_SLICE_CONFIDENCE, DEFAULT_TRAINING, SEASON, defaultContext, defaultGates } from './defaults';
import { documentSchema } from './schema';

/** What editors and people read of the schemas; both are written by `writeDocument`. */
type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema (draft 7) of temporal.yaml, for completion and checking in editors. */
export function jsonSchema(): JsonSchema {
  const { $schema, ...schema } = toJson(({ jsonSchema: node }) => {
    // A value that is no text may also be an environment variable.
    if (node.type === 'number' || node.type === 'integer' || node.type === 'boolean') Object.assign(node, { type: [node.type, 'string'], pattern: '\\$\\{' });
  });
  return { $schema, title: 'Shoal project', ...schema };
}

const toJson = (override: (context: { jsonSchema: JsonSchema }) => void): JsonSchema =>
  z.toJSONSchema(documentSchema, { io: 'input', target: 'draft-7', override });

/** docs/configuration.md */
export function configurationPage(): string {
  const root = toJson(() => undefined);
  const { sources, models, chains, workers, temporal, hooks, retention } = root.properties as Record<string, JsonSchema>;
  const tasks = Object.fromEntries((valueOf(models!).oneOf as JsonSchema[]).map((model) => [String(property(model, 'task').const), model])) as Record<Task, JsonSchema>;
  const gate = property(tasks.regression, 'gates').items as JsonSchema;
  const chain = valueOf(chains!);
  const stage = (valueOf(property(chain, 'stages')).anyOf as JsonSchema[])[0]!;
  return [
    INTRODUCTION,
    '## The project', table(root, ['$schema']),
    '### temporal', table(temporal!),
    '### retention', `${retention!.description} See [retention.md](retention.md).`, ...retentionTables(retention!),
    '### workers', WORKERS, table(workers!.items as JsonSchema),
    '## sources', 'By name. Names are lower-case letters, digits and dashes. Files, or a table of a database: see [data.md](data.md).', table(valueOf(sources!)),
    '### rules', RULES, ...ruleTables(valueOf(sources!)),
    '## models', 'By name. Names are lower-case letters, digits and dashes, because they are part of workflow ids.', outputsTable(),
    '### Settings of every model', commonTable(tasks),
    ...TASKS.flatMap((task) => [`### ${task}`, `${tasks[task].description}`, table(tasks[task], COMMON)]),
    '### inputs', INPUTS,
    '### gates', 'Each gate is', table(gate, ['metric']), metricsTable(), COST_METRICS, DEFAULT_GATES, gatesTable(),
    '### Confidence and slices', SLICES, table(property(gate, 'slice')), SLICE_EXAMPLES,
    '### labels', LABELS, table(property(tasks.classification, 'labels')),
    '### training', 'Expert settings; what is left out has the default of its task.', trainingTable(property(tasks.regression, 'training')),
    '### checks', CHECKS, ...checksTables(property(tasks.regression, 'checks')),
    '### trainer', String(property(tasks.regression, 'trainer').description), table(property(tasks.regression, 'trainer')),
    '### Seasons of a forecast', seasonsTable(),
    '## chains', `By name. ${chain.description} A model that no chain uses has a chain of its own name.`, table(chain),
    '### stages', 'By model. A stage runs once all those it needs have: the models its own reads, and the stages its expressions refer to.', table(stage),
    '### Fallbacks', FALLBACKS,
    '### monitor', MONITOR, table((property(chain, 'monitor').anyOf as JsonSchema[])[1]!), '#### reference', table(property((property(chain, 'monitor').anyOf as JsonSchema[])[1]!, 'reference')),
    '### worth', WORTH, table(property(chain, 'worth')),
    '### servable', `${property(chain, 'servable').description}`, table(property(chain, 'servable')),
    '## hooks', HOOKS, ...(valueOf(hooks!).anyOf as JsonSchema[]).flatMap((hook, i) => [`### ${['A webhook', 'A command'][i]}`, table(hook)]),
    '## Expressions', expressions(),
    '## Environment variables', VARIABLES,
    '## In TypeScript', TYPESCRIPT,
  ].join('\n\n') + '\n';
}

const COMMON = ['task', 'source', 'gates', 'holdout', 'seed', 'training', 'trainer', 'checks', 'approval', 'taskQueue'];

const property = (schema: JsonSchema, name: string): JsonSchema => (schema.properties as Record<string, JsonSchema>)[name]!;
const valueOf = (record: JsonSchema): JsonSchema => record.additionalProperties as JsonSchema;

function table(schema: JsonSchema, without: readonly string[] = []): string {
  const rows = Object.entries(schema.properties as Record<string, JsonSchema>).filter(([name]) => !without.includes(name));
  return markdown(['setting', 'type', 'default', 'meaning'], rows.map(([name, field]) =>
    [`\`${name}\``, typeText(field), schema.required?.includes(name) ? '**required**' : defaultText(field.default), field.description ?? '']));
}

function ruleTables(source: JsonSchema): string[] {
  const [ofColumn, ofTable] = (property(source, 'rules').items as JsonSchema).anyOf as [JsonSchema, JsonSchema];
  return [table(ofColumn), 'Of the rows as a whole:', table(ofTable, ['column'])];
}

const retentionTables = (retention: JsonSchema): string[] =>
  [table(retention), ...['versions', 'releases'].flatMap((name) => [`#### ${name}`, table(property(retention, name))])];

const checksTables = (checks: JsonSchema): string[] =>
  [table(checks), ...['leakage', 'drift', 'skew'].flatMap((name) => [`#### ${name}`, table(property(checks, name))])];

function commonTable(tasks: Record<Task, JsonSchema>): string {
  const rows = COMMON.filter((name) => name !== 'task').map((name) => {
    const fields = TASKS.map((task) => property(tasks[task], name));
    const defaults = [...new Set(fields.map((field) => defaultText(field.default)))];
    const shown = name === 'training' ? '' : defaults.length === 1 ? defaults[0]! : TASKS.map((task, i) => `${task} ${defaultText(fields[i]!.default)}`).join(', ');
    const meanings = [...new Set(fields.map((field) => field.description ?? ''))];
    return [`\`${name}\``, typeText(fields[0]!), tasks.regression.required?.includes(name) ? '**required**' : shown, meanings.join(' For a forecast: ')];
  });
  return markdown(['setting', 'type', 'default', 'meaning'], [['`task`', TASKS.map((task) => `\`${task}\``).join(', '), '**required**', 'What kind of model it is.'], ...rows]);
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return [...new Set((options as JsonSchema[]).map(typeText))].join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items as JsonSchema)}`;
  if (schema.type === 'object') return 'mapping';
  const names: Record<string, string> = { string: 'text', integer: 'whole number', boolean: 'true or false', null: 'nothing' };
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ type })).join(' or ');
  const name = names[String(schema.type)] ?? String(schema.type);
  return name + bounds(schema);
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  const ends = [low === undefined ? '' : `${exclusiveMinimum === undefined ? 'from' : 'above'} ${low}`,
    high === undefined || Math.abs(Number(high)) >= Number.MAX_SAFE_INTEGER ? '' : `${exclusiveMaximum === undefined ? 'to' : 'below'} ${high}`];
  const text = ends.filter(Boolean).join(' ');
  return text && ` ${text}`;
}

/** Nothing for what is explained beside it: mappings, and lists of them. */
function defaultText(value: unknown): string {
  const composed = typeof value === 'object' && (value === null || !Array.isArray(value) || value.length === 0 || typeof value[0] === 'object');
  return value === undefined || composed ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function markdown(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const outputsTable = (): string => markdown(['task', 'outputs', 'a bare name stands for', 'metrics, the headline first'], TASKS.map((task) =>
  [`\`${task}\``, Object.entries(OUTPUTS[task]).map(([name, type]) => `\`${name}\` (${type})`).join(', '), `\`${MAIN_OUTPUT[task]}\``,
    [HEADLINE[task], ...Object.keys(METRICS[task]).filter((metric) => metric !== HEADLINE[task])].map((metric) => `\`${metric}\``).join(', ')]));

const metricsTable = (): string => markdown(['task', '`metric`: higher is better', '`metric`: lower is better'], TASKS.map((task) => {
  const which = (better: string): string => Object.entries(METRICS[task]).filter(([, b]) => b === better).map(([metric]) => `\`${metric}\``).join(', ');
  return [`\`${task}\``, which('higher'), which('lower')];
}));

const gatesTable = (): string => markdown(['task', 'gates'], TASKS.map((task) =>
  [`\`${task}\``, defaultGates(task).map((gate) => `\`{ metric: ${gate.metric}, against: ${gate.against}, min: ${gate.min} }\``).join(', ')]));

function trainingTable(training: JsonSchema): string {
  const rows = Object.entries(training.properties as Record<string, JsonSchema>).map(([name, field]) =>
    [`\`${name}\``, typeText(field), ...TASKS.map((task) => JSON.stringify(DEFAULT_TRAINING[task][name as keyof (typeof DEFAULT_TRAINING)[Task]])), field.description ?? '']);
  return markdown(['setting', 'type', ...TASKS, 'meaning'], rows);
}

const seasonsTable = (): string => markdown(['frequency', 'periods in a season', 'periods it looks back on'],
  Object.entries(SEASON).map(([frequency, season]) => [`\`${frequency}\``, String(season), String(defaultContext(season))]));

const INTRODUCTION = `# Configuration

<!-- Written from the schemas in src/config; do not edit. -->

A project is one file, \`temporal.yaml\`: where rows come from, the small models, and the chains that compose them. \`shoal check\` tells
all mistakes at once, each with its line and column. Editors complete and check it when its first line is

\`\`\`text
# yaml-language-server: $schema=./temporal.schema.json
\`\`\`

The smallest project:

\`\`\`yaml
name: houses
sources:
  sales: { path: sales.csv, key: id }
models:
  price: { task: regression, source: sales, target: price, inputs: [area, rooms, district] }
\`\`\``;

const WORKERS = `A list of worker processes. When absent: one for the workflows, one to train, one to serve. A team can run its own model by itself: a worker
with \`models\` trains and serves those and no others, and nobody else does.`;

const INPUTS = `A list. Each is one of

- \`name\`: the main output of the model of that name where there is one, else the source's column of that name;
- \`model.output\`: that output of that model;
- \`{ column: name, type: text }\`: the column; \`type\` is \`number\`, \`category\`, \`text\`, \`boolean\` or \`date\`, and inferred when absent;
- \`{ model: name, output: label }\`: the model's output, or its main one.

A model and those it reads learn from the same source, except that a forecast may come from another: then its \`at\` names the column that
says for which period. A model trains on its upstream models' out-of-fold outputs, never on what they say of rows they were trained on.`;

const COST_METRICS = `Besides, of every task: \`onnx_bytes\`, the size of the ONNX file (of a chain: of all its models), and \`latency_ms\`, the 95th percentile of the time
that one row takes on warm sessions (of a chain: through all its stages). \`coverage_gap\` is how far the coverage of [low, high] is from the interval's nominal share.
A gate against the champion does not apply while there is none, nor when the champion can't be scored any more: the verdict then says why.`;

const SLICES = `Without \`confidence\` the estimate itself is held against the bounds. With it, what is certain of the estimate is: its one-sided bound, from the
paired bootstrap's standard error and Student's t. \`inDoubt\` says who has to prove something: with \`refuse\` the gate passes only what surely holds,
with \`pass\` it refuses only what surely does not.

On slices the default is \`confidence: ${DEFAULT_SLICE_CONFIDENCE}\` and \`inDoubt: pass\`: slices are small and many, and by chance alone some of them always look worse. The
confidence is the gate's as a whole: of a column with 12 values, each is judged with a 12th of the error (Bonferroni), so that a model that is worse
on none of them is refused in about 5 of 100 cases (measured: 5 with accuracy or MAE; with RMSE, whose squares have long tails, 7 on slices of 30 rows, 6
on slices of 200).`;

const SLICE_EXAMPLES = `<!-- part of flats: models.rent -->
\`\`\`yaml
gates:
  - { metric: rmse, against: baseline, min: 0, confidence: 0.95 }               # surely better than the baseline
  - { metric: r2, against: champion, min: -0.02, slice: { column: city } }      # in no city worse by more than that
  - { metric: coverage_gap, max: 0.1, slice: { where: "size > (SELECT avg(size) FROM source)", name: large } }
  - { metric: latency_ms, max: 20 }
\`\`\`

A slice of an embedding holds the rows that look for those like them, among all rows; one of a forecast holds the periods that are forecast.`;

const HOOKS = `By name. Who is told of what happens, see [events.md](events.md). Take secrets from the environment: \`secret: \${HOOK_SECRET}\`. A hook is either a webhook
or a command.`;

const MONITOR = `Every chain is watched unless \`monitor: false\` says otherwise: a look takes seconds, and nothing where nobody asked. See [monitoring.md](monitoring.md).`;

const WORTH = `A model is worth what it costs when the chain's headline metric is better with it than with its trivial predictor in its place: by \`minGain\` or more, and
by more than chance explains (95%, one-sided). What it costs is told beside it: seconds of training, bytes, milliseconds.`;
const RULES = `Checked in every run before anything is trained. A list; each entry has conditions of one column, or of the rows as a whole:

<!-- part of flats: sources.flats -->
\`\`\`yaml
rules:
  - { column: built, max: 2026-12-31 }
  - { column: condition, values: [good, bad], level: warn }
  - { column: updated, maxAge: 30d }
  - { minRows: 1000, duplicateKeys: 0.01 }
\`\`\`

Without any, data are checked all the same. Built in, and warned of: constant and nearly constant inputs, dates after today, a few numbers
among texts and texts among numbers, NaN and infinities, rows that share a key. Inferred from the first snapshot that came to a version
that passed, with room: that columns are there and keep their type, missing values, ranges, values of short lists, the number of
rows. Of these only clear breakage blocks, the rest warns. What is declared of a column takes the place of what is inferred or built in of
the same kind. A violated rule that blocks ends the run with DATA_REFUSED; nothing has changed by then.`;

const CHECKS = `Beside the rules of its source, a model's data are checked for inputs that know the target (leakage), for columns that moved since the
champion's snapshot (drift), and for a difference between training rows and recent requests (skew). A level is the most that a finding of
the kind can do.`;

const DEFAULT_GATES = 'The gates of a model, or of a chain by the task of its output, when none are given:';

const LABELS = `Of a regression or a classification. Labels are checked by what the model's members say of rows they were not trained on (confident
learning; of a regression, the residuals). Suspects, the worst first and each with its reasons, are a Parquet file in the store, named on
the model's card; the holdout's are listed too, and never touched. Labels that are hard to predict have many suspects, a third of the films'
genres for instance: see how many are usual before you exclude them, or block on their share.

Labels that look shuffled are refused whatever is done with suspects: the new ones when they agree with the predictions far less than
those that the version in the current release was trained on, all of them when nothing of them can be predicted. As both compare a model
with itself, honest labels pass, however hard they are.`;

const FALLBACKS = `- \`baseline\`: what the trivial predictor answers: the mean, the class shares, the mean vector, seasonal naive;
- \`{ model: name }\`: another model of the same task and target (for an embedding, of the same dimensions);
- \`{ value: 120000 }\`: the main output, or with \`{ value: { label: Drama, probabilities: [...] } }\` several by name.`;

const expressions = (): string => `\`when\`, \`with\` and \`output\` are written in CEL, the [Common Expression Language](https://cel.dev), over two names: \`input\`, the request's
row, and \`stages\`, the outputs of earlier stages: \`stages.gross.value\`, \`stages["title-embedding"].vector\`.

- Every number is a double, as in JSON: \`7 / 2\` is 3.5, and \`input.year > 2000\` needs no conversion.
- A column that is null or left out is missing: \`input.budget == null\`, or \`!has(input.budget)\`. Arithmetic with a missing value is missing,
  an order comparison with one is false, and a result that is no finite number is missing.
- Functions: ${list(EXPRESSION_FUNCTIONS.functions)}; \`min\` and \`max\` take up to four numbers or a list.
- Methods: ${list(EXPRESSION_FUNCTIONS.methods)}.
- There is no clock, no randomness and no regular expression, so an expression always gives the same answer, soon.`;

const list = (names: Iterable<string>): string => [...names].map((name) => `\`${name}\``).join(', ');

const VARIABLES = `\`\${NAME}\` in any value stands for the environment variable NAME, \`\${NAME:-default}\` has a default for when it is unset or empty, and
\`$\${\` is a plain \`\${\`. Where a number or a truth value is wanted, the variable's text is read as one. Inside \`[ ]\` and \`{ }\`, put quotes around it:
\`{ address: "\${TEMPORAL_ADDRESS:-localhost:7233}" }\`.`;

const TYPESCRIPT = `The same project, the outputs of each model known to the compiler:

\`\`\`ts
import { defineChain, defineModel, defineProject, defineSource } from 'shoal';

const films = defineSource('films', { path: 'films.parquet', key: 'title' });
const genre = defineModel('genre', { task: 'classification', source: films, target: 'genre', inputs: ['studio', 'rating'] });
const gross = defineModel('gross', { task: 'regression', source: films, target: 'gross', inputs: ['budget', genre.probabilities] });
const boxOffice = defineChain('box-office', { output: { value: \`\${gross.value} * 1.02\`, low: gross.low, high: gross.high } });

export default defineProject({ name: 'films', chains: [boxOffice] });
\`\`\``;
