import { interpolate } from '../../src/config/environment';
import { parseProject } from '../../src/config/load';

const env = { NAME: 'x', EMPTY: '', SEED: '5', HALF: '0.5', WORD: 'abc' };
const project = (model: string, temporal = '{}'): string => `name: p
temporal: ${temporal}
sources: { s: { path: a.csv } }
models:
  m:
    task: regression
    source: s
    target: y
    inputs: [x]
    ${model}
`;
const parse = (text: string, variables: Record<string, string> = env) => parseProject(text, { file: '/project/temporal.yaml', env: variables });

test.each([
  ['a ${NAME} b', 'a x b'],
  ['${NAME}${NAME}', 'xx'],
  ['${GONE:-standard}', 'standard'],
  ['${EMPTY:-standard}', 'standard'],
  ['${NAME:-standard}', 'x'],
  ['${GONE:-}', ''],
  ['${EMPTY}', ''],
  ['$${NAME}', '${NAME}'],
  ['$NAME, $1, $$quoted$$', '$NAME, $1, $$quoted$$'],
])('%s becomes %j', (text, expected) => expect(interpolate(text, env)).toMatchObject({ text: expected, mistakes: [] }));

test.each([
  ['a ${GONE}', 2, 'GONE is not set'],
  ['${NAME', 0, 'no reference'],
  ['${}', 0, 'no reference'],
  ['${NA ME}', 0, 'no reference'],
])('%s is a mistake at %d', (text, offset, message) => {
  expect(interpolate(text, env).mistakes).toEqual([expect.objectContaining({ offset, message: expect.stringContaining(message) })]);
});

test('a variable is a number or text as the setting wants it, quoted or not', () => {
  expect(parse(project('seed: ${SEED}')).models.m!.seed).toBe(5);
  expect(parse(project('seed: "${SEED}"')).models.m!.seed).toBe(5);
  expect(parse(project('holdout: ${HALF}')).models.m!.holdout).toBe(0.5);
  expect(parse(project('training: { hidden: ["${SEED}", 3] }')).models.m!.training.hidden).toEqual([5, 3]);
  expect(parse(project('taskQueue: ${SEED}')).models.m!.taskQueue).toBe('5');
  expect(parse(project('{}', '{ address: "${HOST:-localhost}:${PORT:-7233}" }').replace('    {}\n', '')).temporal.address).toBe('localhost:7233');
});

test('what comes from a variable is text, never YAML', () => {
  const { temporal } = parse(project('seed: 1', '{ namespace: "${NAME}" }'), { NAME: 'a, address: b }\nstore: /elsewhere' });
  expect(temporal).toEqual({ namespace: 'a, address: b }\nstore: /elsewhere', taskQueue: 'shoal' });
});

test('a variable put in through an alias counts for each place', () => {
  const text = project('seed: &seed ${SEED}') + '  n: { task: regression, source: s, target: y, inputs: [x], seed: *seed }\n';
  expect(parse(text).models.n!.seed).toBe(5);
});

test('a variable that is no number where one is wanted, or is not set, is a mistake at its place', () => {
  expect(() => parse(project('seed: ${WORD}'))).toThrow(/temporal\.yaml:10:11 models\.m\.seed: wrong type; expected a number; found `abc`/);
  expect(() => parse(project('seed: ${GONE}'))).toThrow(/1 mistake in .*\n\n.*:10:11 models\.m\.seed: the environment variable GONE is not set\n.*\n.*\^\^\^\^\^\^\^\n.*\$\{GONE:-default\}/);
  expect(() => parse(project('taskQueue: a-${NAME}-${GONE}'))).toThrow(/:10:26 models\.m\.taskQueue/);
  expect(() => parse(project('training: { folds: ${SEED} }'))).toThrow(/put quotes around/);
});
