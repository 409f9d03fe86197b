import { parseProject } from '../../src/config';
import { DEFAULT_CHECKS } from '../../src/domain/dataRules';
import type { ShoalError } from '../../src/domain/errors';

const project = (source: string, model = '') => parseProject(`
name: p
sources:
  s:
    path: s.csv
    key: id
    ${source}
models:
  m: { task: regression, source: s, target: y, inputs: [x, z]${model} }
`, { file: 'temporal.yaml', env: {} });
const rulesOf = (...entries: string[]) => project(`rules:\n${entries.map((entry) => `      - ${entry}`).join('\n')}`).sources.s!.rules;
const mistake = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    expect((error as ShoalError).code).toBe('CONFIG');
    return (error as ShoalError).message;
  }
  throw new Error('no mistake was found');
};

describe('rules', () => {
  test('become one check each, and block unless they say otherwise', () => {
    expect(rulesOf(
      '{ column: x, type: number, missing: 0.1, min: 0, max: 9.5, tolerate: 0.01 }',
      '{ column: day, min: 1990-01-01, max: 2011-12-31, maxAge: 12h, level: warn }',
      '{ column: code, values: [1, A, true], unique: true }',
      '{ minRows: 10, maxFall: 0.3, maxGrowth: 4, duplicateKeys: 0 }',
    )).toEqual([
      { check: 'type', column: 'x', type: 'number', tolerate: 0.01, level: 'block' },
      { check: 'missing', column: 'x', max: 0.1, tolerate: 0.01, level: 'block' },
      { check: 'range', column: 'x', min: 0, max: 9.5, tolerate: 0.01, level: 'block' },
      { check: 'range', column: 'day', min: '1990-01-01', max: '2011-12-31', level: 'warn' },
      { check: 'fresh', column: 'day', maxAgeMs: 12 * 3_600_000, level: 'warn' },
      { check: 'values', column: 'code', values: ['1', 'A', 'true'], level: 'block' },
      { check: 'unique', column: 'code', level: 'block' },
      { check: 'rows', min: 10, level: 'block' },
      { check: 'rowChange', fall: 0.3, growth: 4, level: 'block' },
      { check: 'duplicateKeys', max: 0, level: 'block' },
    ]);
  });

  test('that say something is right switch its check off', () => {
    expect(rulesOf('{ column: due, future: true, mixed: false, constant: true }')).toEqual([
      { check: 'future', column: 'due', level: 'off' }, { check: 'mixed', column: 'due', level: 'block' }, { check: 'varies', column: 'due', level: 'off' }]);
  });

  test('are no part of a project that has none', () => expect(project('').sources.s).toEqual({ name: 's', paths: [expect.any(String)], format: 'csv', key: ['id'] }));

  test.each([
    ['a key that is none', '{ column: x, maxx: 3 }', /rules\[0\]\.maxx: unknown key `maxx`[^]*did you mean `max`/],
    ['a condition on rows beside a column', '{ column: x, minRows: 3 }', /rules\[0\]\.minRows: .*`minRows`/],
    ['nothing asked for', '{ column: x }', /rules\[0\]: a rule that asks for nothing; expected a condition, such as `max` or `values`/],
    ['nothing asked for of the rows', '{ level: warn }', /rules\[0\]: a rule that asks for nothing; expected `column`, or a condition/],
    ['a share of more than all', '{ column: x, missing: 40 }', /rules\[0\]\.missing: too large; expected at most 1/],
    ['a date that is none', '{ column: x, max: yesterday }', /rules\[0\]\.max: neither a number nor a date; expected such as 3\.5 or 2010-01-31; found `yesterday`/],
    ['a year in quotes', '{ column: x, max: "2011" }', /rules\[0\]\.max: not a whole date/],
    ['two ends of two kinds', '{ column: x, min: 3, max: 2011-12-31 }', /rules\[0\]: one end is a number, the other a date/],
    ['an empty range', '{ column: x, min: 3, max: 2 }', /rules\[0\]: nothing is at least 3 and at most 2/],
    ['an age without a unit', '{ column: x, maxAge: 30 }', /rules\[0\]\.maxAge: .*such as 12h, 30d or 4w/],
    ['a level that is none', '{ column: x, max: 2, level: fail }', /rules\[0\]\.level: .*expected block, warn or off; found `fail`/],
  ])('with %s are refused with their place', (_, rule, words) => expect(mistake(() => rulesOf(rule))).toMatch(words));
});

describe('what is known later', () => {
  test('can be predicted, and read by no model', () => {
    expect(project('knownLater: [y, w]').sources.s!.knownLater).toEqual(['y', 'w']);
    expect(mistake(() => project('knownLater: [y, z]'))).toMatch(/models\.m\.inputs\[1\]: z is known later \(sources\.s\.knownLater\): m would not have it when it is asked/);
  });
});

describe('checks', () => {
  const checks = (text: string) => project('', `, checks: ${text}`).models.m!.checks;
  test('have the defaults where they say nothing, and are absent where there are none', () => {
    expect(checks('{}')).toEqual(DEFAULT_CHECKS);
    expect(checks('{ inferred: warn, drift: { level: block, share: 0.3 }, leakage: { blockAt: 2 } }')).toEqual({
      ...DEFAULT_CHECKS, inferred: 'warn', drift: { ...DEFAULT_CHECKS.drift, level: 'block', share: 0.3 }, leakage: { ...DEFAULT_CHECKS.leakage, blockAt: 2 } });
    expect(project('').models.m).not.toHaveProperty('checks');
  });
  test('are refused with their place', () => {
    expect(mistake(() => checks('{ drift: { levle: warn } }'))).toMatch(/models\.m\.checks\.drift\.levle: unknown key `levle`[^]*did you mean `level`/);
    expect(mistake(() => checks('{ skew: { share: 0 } }'))).toMatch(/models\.m\.checks\.skew\.share: too small/);
  });
});

describe('a source in a database', () => {
  const parse = (source: string) => parseProject(`
name: p
sources:
  s: ${source}
models:
  m: { task: regression, source: s, target: y, inputs: [x, z] }
`, { file: 'temporal.yaml', env: {} });

  test('is a table or a query, and the name of the variable that holds the address', () => {
    expect(parse('{ postgres: WAREHOUSE, table: public.sales, key: id }').sources.s).toEqual({ name: 's', postgres: 'WAREHOUSE', table: 'public.sales', key: ['id'] });
    expect(parse('{ postgres: WAREHOUSE, query: SELECT 1 AS y, sql: SELECT * FROM source }').sources.s).toEqual({ name: 's', postgres: 'WAREHOUSE', query: 'SELECT 1 AS y', sql: 'SELECT * FROM source', key: [] });
  });

  test.each([
    ['{ key: id }', /sources\.s: it is not said where its rows are/],
    ['{ postgres: WAREHOUSE }', /sources\.s: it is not said which rows of the database/],
    ['{ postgres: WAREHOUSE, table: sales, query: SELECT 1 }', /sources\.s\.query: both `table` and `query` are given/],
    ['{ postgres: WAREHOUSE, table: a.b.c }', /sources\.s\.table: it is not the name of a table; expected `table` or `schema\.table`/],
    ['{ postgres: WAREHOUSE, table: sales, path: s.csv }', /sources\.s\.path: `path` is of files, and this source is in a database/],
    ['{ postgres: WAREHOUSE, table: sales, format: csv }', /sources\.s\.format: `format` is of files/],
    ['{ path: s.csv, table: sales }', /sources\.s\.table: `table` is of a database, and this source has a `path`/],
  ])('%s is a mistake', (source, message) => expect(mistake(() => parse(source))).toMatch(message));

  test('an address in the place of a variable is a mistake, and its password is not repeated', () => {
    const said = mistake(() => parse('{ postgres: "postgresql://shop:hunter2@host/shop", table: sales }'));
    expect(said).toMatch(/sources\.s\.postgres: it is not the name of an environment variable/);
    expect(said).toContain('postgresql://shop:*******@host/shop');
    expect(said).not.toContain('hunter2');
  });
});
