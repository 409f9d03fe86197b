import fc from 'fast-check';
import { checkRules, type ColumnFacts, type DataFacts, type Violations } from '../../src/domain/checkRules';
import { rulesInForce, weaker, worstFirst, type DataFinding, type DataRule, type Origin, type RuleInForce } from '../../src/domain/dataRules';
import { builtInRules, extendRules, inferRules } from '../../src/domain/inferRules';

const NOW = '2026-11-25T12:00:00.000Z';
const size: ColumnFacts = {
  name: 'size', type: 'number', rows: 1000, missing: 20, distinct: 120, min: 30, max: 150, quantiles: { '0.01': 31, '0.99': 149 }, top: [{ value: '80', count: 12 }, { value: '81', count: 11 }],
};
const city: ColumnFacts = { name: 'city', type: 'category', rows: 1000, missing: 0, distinct: 3, top: [{ value: 'Zug', count: 400 }, { value: 'Bern', count: 350 }, { value: 'Genf', count: 250 }] };
const built: ColumnFacts = { name: 'built', type: 'date', rows: 1000, missing: 0, distinct: 70, min: '1950-06-01', max: '2019-06-01', top: [{ value: '1950-06-01', count: 20 }, { value: '1951-06-01', count: 19 }] };
const COLUMNS = [size, city, built];
const TABLE = { rows: 1000, duplicateRows: 0 };

const facts = (over: Partial<DataFacts> = {}): DataFacts => ({ columns: COLUMNS, ...TABLE, keyed: true, now: NOW, ...over });
const inForce = (rules: DataRule[], origin: Origin = 'inferred'): RuleInForce[] => rules.map((rule) => ({ ...rule, origin }));
const inferred = () => inForce(inferRules(COLUMNS, TABLE));
const check = (over: Partial<DataFacts> = {}, rules = inferred(), violated: [find: (rule: RuleInForce) => boolean, Violations][] = []) => {
  const violations = new Map(violated.flatMap(([find, violation]) => rules.filter(find).map((rule) => [rule, violation] as const)));
  return checkRules(rules, facts(over), violations);
};
const edited = (column: ColumnFacts, over: Partial<ColumnFacts>): ColumnFacts[] => COLUMNS.map((c) => (c === column ? { ...c, ...over } : c));
const summary = (findings: DataFinding[]) => findings.map(({ level, rule, column }) => [level, rule, column]);

describe('rules inferred from a snapshot', () => {
  test('are kept by that snapshot', () => expect(check()).toEqual([]));

  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const anyColumn = fc.record({ name: fc.string(), type: fc.constantFrom<ColumnFacts['type']>('number', 'category', 'text', 'boolean', 'date', 'vector'), missing: share, distinct: fc.integer({ min: 1, max: 100 }), ends: fc.tuple(fc.integer(), fc.nat()) });
  test('whatever it is like', () => {
    fc.assert(fc.property(fc.uniqueArray(anyColumn, { selector: (c) => c.name }), fc.integer({ min: 0, max: 5000 }), share, (columns, rows, duplicates) => {
      const described = columns.map(({ name, type, missing, distinct, ends: [min, span] }): ColumnFacts =>
        ({ name, type, rows, missing: Math.round(missing * rows), distinct, ...(type === 'number' && { min, max: min + span }), ...(type === 'date' && { min: '2020-01-01', max: '2020-03-01' }) }));
      const duplicateRows = Math.round(duplicates * rows);
      const rules = inForce(inferRules(described, { rows, duplicateRows }));
      expect(checkRules(rules, facts({ columns: described, rows, duplicateRows, before: { rows, what: 'the same' } }), new Map())).toEqual([]);
    }));
  });

  test('block clear breakage: a column that vanished, changed its type, lost half its values, or rows by half', () => {
    expect(check({ columns: [city, built] })).toEqual([expect.objectContaining({ level: 'block', rule: 'present', column: 'size', message: 'There is no column size.' })]);
    expect(check({ columns: [{ ...size, name: 'Size' }, city, built] })[0]!.message).toBe('There is no column size; did you mean Size?');
    expect(check({ columns: edited(size, { type: 'category' }) })).toEqual([expect.objectContaining({ level: 'block', rule: 'type', message: 'size holds text; it should hold numbers.' })]);
    expect(check({ columns: edited(city, { missing: 600 }) })).toEqual([expect.objectContaining({ level: 'block', rule: 'missing', rows: 600, message: 'city is missing in 600 of 1,000 rows; at most 50% may be.' })]);
    expect(summary(check({ columns: edited(city, { missing: 1000, type: 'category', top: [] }) }))).toEqual([['block', 'missing', 'city']]);
    expect(check({ rows: 450, before: { rows: 1000, what: 'the champion\'s snapshot' } })).toEqual([expect.objectContaining({
      level: 'block', rule: 'rowChange', message: 'There are 450 rows, 55% fewer than the 1,000 of the champion\'s snapshot; they may lose 50%.' })]);
  });

  test('warn of what is only beyond what was seen', () => {
    expect(summary(check({ columns: edited(city, { missing: 80 }) }))).toEqual([['warn', 'missing', 'city']]);
    expect(summary(check({ rows: 700, before: { rows: 1000, what: 'x' } }))).toEqual([['warn', 'rowChange', undefined]]);
    expect(summary(check({ rows: 3500, before: { rows: 1000, what: 'x' } }))).toEqual([['warn', 'rowChange', undefined]]);
    expect(check({ columns: edited(city, { type: 'text' }) })).toEqual([]);
  });

  test('have room around what was seen, and let nothing be negative that never was', () => {
    const ranges = inferRules(COLUMNS, TABLE).filter((rule) => rule.check === 'range');
    expect(ranges).toEqual([
      { check: 'range', column: 'size', min: 0, max: 210, level: 'warn' },
      { check: 'range', column: 'size', min: 31 - 1180, max: 149 + 1180, tolerate: 0.05, level: 'block' },
      { check: 'range', column: 'built', min: '1915-12-01', level: 'warn' },
    ]);
    const values = inferRules(COLUMNS, TABLE).filter((rule) => rule.check === 'values');
    expect(values).toEqual([{ check: 'values', column: 'city', values: ['Bern', 'Genf', 'Zug'], level: 'warn' }, { check: 'values', column: 'city', values: ['Bern', 'Genf', 'Zug'], tolerate: 0.2, level: 'block' }]);
    expect(inferRules([{ ...size, rows: 25, missing: 0 }, { ...city, distinct: 21 }], TABLE).some((rule) => rule.check === 'range' || rule.check === 'values')).toBe(false);
  });

  test('have finite ends, whatever the numbers', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }), (a, b) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      for (const rule of inferRules([{ ...size, min, max, quantiles: undefined }], TABLE)) {
        if (rule.check !== 'range') continue;
        expect([rule.min, rule.max].every(Number.isFinite)).toBe(true);
        expect(Number(rule.min) <= min && max <= Number(rule.max)).toBe(true);
      }
    }));
  });

  test('block only when more rows than tolerated are far out; of a warning and a block the block is told', () => {
    const of = (rows: number) => check({}, inferred(), [[(rule) => rule.check === 'values' && rule.column === 'city', { rows, examples: [{ key: '7', value: 'Atlantis' }] }]]);
    expect(of(0)).toEqual([]);
    expect(summary(of(3))).toEqual([['warn', 'values', 'city']]);
    expect(summary(of(200))).toEqual([['warn', 'values', 'city']]);
    expect(of(300)).toEqual([expect.objectContaining({ level: 'block', message: 'city has values that are not allowed in 300 of 1,000 rows (20% may be): "Atlantis".', rows: 300 })]);
  });

  test('are not made anew for columns they know, only for those they do not', () => {
    const rules = inferRules([size], TABLE);
    const extended = extendRules(rules, [{ ...size, max: 9999 }, city]);
    expect(extended.slice(0, rules.length)).toEqual(rules);
    expect(new Set(extended.slice(rules.length).map((rule) => 'column' in rule && rule.column))).toEqual(new Set(['city']));
    expect(extendRules(extended, [size, city])).toEqual(extended);
  });
});

describe('built-in rules', () => {
  const builtIn = (columns: ColumnFacts[], violated: Parameters<typeof check>[2] = [], over: Partial<DataFacts> = {}) => check({ columns, ...over }, inForce(builtInRules(columns, ['target']), 'built in'), violated);
  const flag = (counts: number[], over: Partial<ColumnFacts> = {}): ColumnFacts => ({ ...city, name: 'flag', distinct: counts.length, top: counts.map((count, i) => ({ value: `v${i}`, count })), ...over });

  test('warn of constant and nearly constant inputs, not of targets', () => {
    expect(builtIn([flag([1000])])).toEqual([expect.objectContaining({ level: 'warn', rule: 'varies', origin: 'built in', message: 'flag is constant: "v0" in all 1,000 rows that have it.' })]);
    expect(builtIn([flag([980, 20])])[0]!.message).toBe('flag is nearly constant: "v0" in 98% of the 1,000 rows that have it.');
    expect(builtIn([flag([940, 60])])).toEqual([]);
    expect(builtIn([flag([500, 2, 1], { distinct: 300 })])).toEqual([]);
    expect(builtIn([flag([1000], { name: 'target' })])).toEqual([]);
  });

  test('warn of dates after today with the latest', () => {
    const late = { ...built, max: '2046-12-31' };
    expect(builtIn([late], [[(rule) => rule.check === 'future', { rows: 16, examples: [{ key: 'a', value: '2046-12-31' }] }]])).toEqual([
      expect.objectContaining({ level: 'warn', rule: 'future', rows: 16, message: 'built lies after today (2026-11-25) in 16 of 1,000 rows, up to 2046-12-31.', examples: [{ key: 'a', value: '2046-12-31' }] })]);
  });

  test('warn of a few numbers among texts and a few texts among numbers, not of codes or of halves', () => {
    const title: ColumnFacts = { ...city, name: 'title', type: 'text', distinct: 990 };
    const mixed = (column: ColumnFacts, violation: Violations) => builtIn([column], [[(rule) => rule.check === 'mixed', violation]]).map(({ message }) => message);
    const examples = [{ key: 'k', value: '300' }];
    expect(mixed(title, { rows: 9, kind: 'numbers', examples })).toEqual(['title holds texts, 9 of them numbers: "300".']);
    expect(mixed(title, { rows: 300, kind: 'numbers', examples })).toEqual([]);
    expect(mixed(city, { rows: 9, kind: 'numbers', examples })).toEqual([]);
    expect(mixed(city, { rows: 2, kind: 'texts', examples: [{ key: 'k', value: 'unknown' }] })).toEqual(['city holds numbers, but not in 2 of 1,000 rows: "unknown".']);
  });

  test('warn of duplicated keys, and say so of whole rows where there is no key', () => {
    expect(builtIn([], [], { duplicateRows: 12 })[0]).toMatchObject({ level: 'warn', rule: 'duplicateKeys', rows: 12, message: '12 of 1,000 rows share a key with an earlier row.' });
    expect(builtIn([], [], { duplicateRows: 12, keyed: false })[0]!.message).toBe('12 of 1,000 rows are the same as an earlier row.');
  });
});

describe('declared rules', () => {
  const declared = (rule: DataRule, over: Partial<DataFacts> = {}, violation?: Violations) => check(over, inForce([rule], 'declared'), violation ? [[() => true, violation]] : []);

  test.each<[what: string, rule: DataRule, over: Partial<DataFacts>, violation: Violations | undefined, message: string | undefined]>([
    ['a range kept', { check: 'range', column: 'size', max: 100, level: 'block' }, {}, { rows: 0, examples: [] }, undefined],
    ['a range left', { check: 'range', column: 'size', min: 40, max: 100, level: 'block' }, {}, { rows: 7, examples: [] }, 'size is not at least 40 and at most 100 in 7 of 1,000 rows; it goes from 30 to 150.'],
    ['a range left by dates', { check: 'range', column: 'built', max: '2011-12-31', level: 'block' }, {}, { rows: 1, examples: [] }, 'built is not at most 2011-12-31 in 1 of 1,000 rows; it goes from 1950-06-01 to 2019-06-01.'],
    ['a range left by fewer rows than tolerated', { check: 'range', column: 'size', max: 100, tolerate: 0.01, level: 'block' }, {}, { rows: 10, examples: [] }, undefined],
    ['a range of text', { check: 'range', column: 'city', max: 100, level: 'block' }, {}, undefined, 'city holds text, so its rule `range` can\'t be checked.'],
    ['repeated values', { check: 'unique', column: 'size', level: 'block' }, {}, { rows: 900, examples: [] }, 'size repeats an earlier value in 860 of 1,000 rows.'],
    ['a fresh column', { check: 'fresh', column: 'built', maxAgeMs: 8 * 365 * 86_400_000, level: 'block' }, {}, undefined, undefined],
    ['a stale one', { check: 'fresh', column: 'built', maxAgeMs: 86_400_000, level: 'block' }, {}, undefined, 'The newest built is 2019-06-01, 2,735 days ago; it may be 24 hours old.'],
    ['one without a date', { check: 'fresh', column: 'built', maxAgeMs: 86_400_000, level: 'block' }, { columns: edited(built, { max: null }) }, undefined, 'The newest built is no date at all; it may be 24 hours old.'],
    ['a column that is not there', { check: 'unique', column: 'sise', level: 'block' }, {}, undefined, 'There is no column sise, which a rule asks for; did you mean size?'],
    ['too few rows', { check: 'rows', min: 2000, level: 'block' }, {}, undefined, 'There are 1,000 rows; there must be at least 2,000.'],
    ['enough rows', { check: 'rows', min: 500, max: 1000, level: 'block' }, {}, undefined, undefined],
  ])('%s', (_, rule, over, violation, message) => {
    expect(declared(rule, over, violation).map((found) => found.message)).toEqual(message === undefined ? [] : [message]);
  });

  test('take the place of inferred and built-in ones of the same kind and column, and `off` switches those off', () => {
    const off: DataRule = { check: 'values', column: 'city', values: [], level: 'off' };
    const own: DataRule = { check: 'range', column: 'size', max: 500, level: 'warn' };
    const rules = rulesInForce({ declared: [off, own], inferred: inferRules(COLUMNS, TABLE), builtIn: builtInRules(COLUMNS), cap: 'block' });
    expect(rules.filter((rule) => rule.check === 'values')).toEqual([]);
    expect(rules.filter((rule) => rule.check === 'range' && rule.column === 'size')).toEqual([{ ...own, origin: 'declared' }]);
    expect(rules.some((rule) => rule.check === 'range' && rule.column === 'built' && rule.origin === 'inferred')).toBe(true);
  });

  test('are not weakened by what caps the inferred ones', () => {
    const own: DataRule = { check: 'range', column: 'size', max: 500, level: 'block' };
    const levels = (cap: 'warn' | 'off') => new Set(rulesInForce({ declared: [own], inferred: inferRules(COLUMNS, TABLE), builtIn: [], cap }).map(({ origin, level }) => `${origin} ${level}`));
    expect(levels('warn')).toEqual(new Set(['declared block', 'inferred warn']));
    expect(levels('off')).toEqual(new Set(['declared block']));
    expect([weaker('block', 'warn'), weaker('off', 'block'), weaker('block', 'block')]).toEqual(['warn', 'off', 'block']);
  });
});

test('the worst findings come first', () => {
  const of = (level: 'block' | 'warn', message: string): DataFinding => ({ rule: 'range', level, origin: 'declared', message });
  expect(worstFirst([of('warn', 'a'), of('block', 'b'), of('warn', 'c')]).map(({ message }) => message)).toEqual(['b', 'a', 'c']);
});
