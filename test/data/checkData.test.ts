import { checkData, type DataReport, type DataToCheck } from '../../src/data/checkData';
import { sourceIdentity } from '../../src/data/sourceIdentity';
import type { DataCheck, DataFinding, DataRule, RuleSet } from '../../src/domain/dataRules';
import type { InputSpec, ModelSpec, SourceSpec } from '../../src/domain/spec';
import type { ColumnType } from '../../src/domain/table';
import type { ArtifactRef, Manifest, Snapshot, VersionRef } from '../../src/domain/version';
import { classification, embedding, forecast, regression } from '../domain/specs';
import { usePlace, VEGA } from './support';

const place = usePlace();
const NOW = '2026-11-25T12:00:00.000Z';

const films: SourceSpec = { name: 'films', paths: [`${VEGA}/movies.json`], format: 'json', key: ['Title', 'Release Date'] };
const column = (name: string, type?: ColumnType): InputSpec => ({ kind: 'column', name, column: name, ...(type && { type }) });
const report = (check: DataCheck) => place.store.readJson<DataReport>(check.report);
const check = (data: Omit<DataToCheck, 'now'>) => checkData({ now: NOW, ...data }, { store: place.store });
const told = (findings: DataFinding[]) => findings.map(({ level, rule, column: name }) => `${level} ${rule}${name ? ` of ${name}` : ''}`);

describe('the films as they are', () => {
  let snapshot: Snapshot;
  beforeAll(async () => { snapshot = await place.ingest(films); });

  test('have dates after today and numeric titles: both are found, with the rows', async () => {
    const { findings, counts } = await check({ source: films, snapshot });
    const [future, mixed] = ['future', 'mixed'].map((rule) => findings.find((finding) => finding.rule === rule)!);
    expect(future).toMatchObject({ level: 'warn', column: 'Release Date', rows: 16, message: expect.stringContaining('up to 2046-12-31') });
    expect(future!.examples![0]).toEqual({ key: expect.stringMatching(/, 2046-\d\d-\d\d$/), value: '2046-12-31' });
    expect(mixed).toMatchObject({ level: 'warn', column: 'Title', rows: 9, message: expect.stringMatching(/9 of them numbers: "1408"/) });
    expect(mixed!.examples).toHaveLength(5);
    expect(counts).toEqual({ block: 0, warn: findings.length });
  });

  test('break what is declared of the years, and all rows of the wrong century are counted', async () => {
    const rules: DataRule[] = [{ check: 'range', column: 'Release Date', max: '2011-12-31', level: 'block' }];
    const { findings, counts } = await check({ source: { ...films, rules }, snapshot });
    expect(findings[0]).toMatchObject({
      level: 'block', rule: 'range', origin: 'declared', rows: 22, expected: 'at most 2011-12-31',
      message: 'Release Date is not at most 2011-12-31 in 22 of 3,201 rows; it goes from 1928-12-31 to 2046-12-31.',
    });
    expect(counts.block).toBe(1);
  });

  test('have a column that is all but the target: it is a leak', async () => {
    const sql = 'SELECT *, "Worldwide Gross" * 0.7 + 12 AS receipts, "Worldwide Gross" AS again, "Major Genre" AS kind FROM source WHERE "Worldwide Gross" > 0';
    const source = { ...films, sql };
    const leaky = await place.ingest(source);
    const inputs = ['receipts', 'again', 'Production Budget', 'Distributor'].map((name) => column(name));
    const gross = regression({ source: 'films', target: 'Worldwide Gross', scale: 'log10', inputs });
    const found = await check({ source, snapshot: leaky, model: gross });
    const leakage = found.findings.filter(({ rule }) => rule === 'leakage');
    expect(told(leakage).sort()).toEqual(['block leakage of again', 'block leakage of receipts']);
    expect(leakage.find((f) => f.column === 'again')!.message).toMatch(/^again says the same as Worldwide Gross on [\d,]+ training rows: is it known before/);
    expect((await report(found)).leakage.map(({ column: name }) => name)).toEqual(expect.arrayContaining(['Production Budget', 'Distributor']));

    const lenient = { inferred: 'block', leakage: { level: 'warn', warnAt: 0.95, blockAt: 0.999 }, drift: DRIFT, skew: DRIFT } as const;
    expect((await check({ source, snapshot: leaky, model: { ...gross, checks: lenient } })).counts.block).toBe(0);
    const genre = classification({ source: 'films', target: 'Major Genre', inputs: [column('kind'), column('MPAA Rating')] });
    expect(told((await check({ source, snapshot: leaky, model: genre })).findings)).toEqual(['block leakage of kind']);
    const near = embedding({ source: 'films', alike: ['Source', 'Major Genre'], inputs: [column('kind'), column('Title', 'text')] });
    expect(told((await check({ source, snapshot: leaky, model: near })).findings)).toEqual(['block leakage of kind', 'warn mixed of Title']);
  });
});

const DRIFT = { level: 'warn', share: 0.5, distance: 0.1, pValue: 0.05, minRows: 30 } as const;

interface Flat { id: number; size: number | null; city: string | null; built: string; rent: number }
const flats = (rows: number, change: (flat: Flat, i: number) => Partial<Flat> & Record<string, unknown> = () => ({}), from = 0): string =>
  Array.from({ length: rows }, (_, n) => {
    const i = from + n;
    const size = 30 + ((i * 37) % 120);
    const flat: Flat = { id: i, size, city: ['Bern', 'Genf', 'Zug'][i % 3]!, built: `${1950 + (i % 70)}-06-01`, rent: 400 + 18 * size + ((i * 131) % 600) };
    return JSON.stringify({ ...flat, ...change(flat, i) });
  }).join('\n');

describe('a second snapshot', () => {
  const source: SourceSpec = { name: 'things', paths: [], format: 'jsonl', key: ['id'] };
  const rent = regression({ source: 'things', target: 'rent', inputs: ['size', 'city', 'built'].map((name) => column(name)) });
  let files = 0;
  const ingest = async (text: string) => place.ingest({ ...source, paths: [await place.write(`flats-${files++}.jsonl`, text)] });
  const versionOf = async (snapshot: Snapshot): Promise<VersionRef> => ({ model: 'price', id: 'abc', manifest: await place.store.putJson({ snapshot } as Manifest) });

  let first: Snapshot;
  let rules: ArtifactRef;
  let champion: VersionRef;
  beforeAll(async () => {
    first = await ingest(flats(1500));
    const found = await check({ source, snapshot: first, model: rent });
    expect(found.findings).toEqual([]);
    ({ rules } = found);
    champion = await versionOf(first);
  });
  const second = async (text: string, over: Partial<DataToCheck> = {}) => check({ source, snapshot: await ingest(text), model: rent, rules, champion, ...over });

  test('of the same kind is found good, and the rules stay the very ones', async () => {
    const found = await second(flats(1700));
    expect(found).toMatchObject({ findings: [], counts: { block: 0, warn: 0 }, rules });
    expect((await report(found)).drift).toMatchObject({ compared: 4, drifted: 0 });
  });

  test.each<[what: string, text: string, blocked: string, words: RegExp]>([
    ['values a thousand times as large in one row in ten', flats(1700, ({ size }, i) => (i >= 1530 ? { size: size! * 1000 } : {})), 'range of size',
      /^size is not at least -[\d,]+ and at most [\d,]+ in 170 of 1,700 rows \(5% may be\); it goes from 30 to 14\d,\d{3}\.$/],
    ['a column that is nearly all null', flats(1500, (_, i) => (i % 4 ? { city: null } : {})), 'missing of city', /^city is missing in 1,125 of 1,500 rows; at most 50% may be\.$/],
    ['a flood of a category', flats(1500, (_, i) => (i % 3 ? { city: 'Atlantis' } : {})), 'values of city', /in 1,000 of 1,500 rows \(20% may be\): "Atlantis"\.$/],
    ['a number that became text', flats(1500, ({ size }, i) => (i === 3 ? { size: 'large' as never } : { size })), 'type of size', /^size holds text; it should hold numbers\.$/],
    ['half of the rows', flats(700), 'rowChange', /700 rows, 53% fewer than the 1,500 of the champion's snapshot; they may lose 50%\.$/],
    ['the same rows twice', flats(1500, ({ id }) => ({ id: id % 1000 })), 'duplicateKeys', /^500 of 1,500 rows share a key with an earlier row; at most 5% may\.$/],
  ])('with %s is blocked', async (_, text, blocked, words) => {
    const { findings, counts } = await second(text);
    const blocking = findings.filter(({ level }) => level === 'block');
    expect(told(blocking)).toEqual([`block ${blocked}`]);
    expect(blocking[0]!.message).toMatch(words);
    expect(blocking[0]!.origin).toBe('inferred');
    expect(counts.block).toBe(1);
  });

  test('that is only unusual is warned of', async () => {
    const found = await second(flats(1500, (_, i) => (i === 7 ? { size: 260, city: 'Chur', built: '2030-01-01' } : i % 9 ? {} : { city: null })));
    expect(told(found.findings).sort()).toEqual(['warn drift of city', 'warn future of built', 'warn missing of city', 'warn range of size', 'warn values of city']);
    expect(found.findings.find(({ rule }) => rule === 'values')!.examples).toEqual([{ key: '7', value: 'Chur' }]);
    expect(found.rules).toEqual(rules);
  });

  test('that moved says which columns, and blocks only where so declared', async () => {
    const moved = flats(1500, ({ size, rent: was }) => ({ size: size! * 1.3, rent: was * 1.3 }));
    const found = await second(moved);
    expect(told(found.findings)).toEqual(['warn drift', 'warn drift of size', 'warn drift of rent']);
    expect(found.findings[0]!.message).toBe('2 of 4 columns moved since the champion\'s snapshot (from 50% of them it counts as a whole): size, rent.');
    expect(found.findings[1]!.message).toMatch(/^size moved since the champion's snapshot: mean 89\.\d+ -> 11\d\.\d+ \(Wasserstein distance 0\.\d+, above 0\.1, on 1,500 and 1,500 rows\)\.$/);
    const strict = (share: number): ModelSpec => ({ ...rent, checks: { inferred: 'block', leakage: { level: 'block', warnAt: 0.95, blockAt: 0.999 }, drift: { ...DRIFT, level: 'block', share }, skew: DRIFT } });
    expect((await second(moved, { model: strict(0.5) })).counts.block).toBe(1);
    expect((await second(moved, { model: strict(0.6) })).counts).toEqual({ block: 0, warn: 2 });
  });

  test('is compared with a champion only where that can be', async () => {
    const drift = async (over: Partial<DataToCheck>) => (await report(await second(flats(1500), over))).drift;
    expect(await drift({ champion: undefined })).toEqual({ nothing: 'there is no champion yet' });
    expect(await drift({})).toEqual({ nothing: 'the champion was trained on this very snapshot' });
    expect(await drift({ champion: { ...champion, manifest: { ...champion.manifest, sha256: '0'.repeat(64), uri: `objects/00/${'0'.repeat(64)}.json` } } })).toEqual({ nothing: 'the champion\'s snapshot can\'t be read any more' });
    const other = await versionOf({ ...first, columns: first.columns.map((c) => (c.name === 'size' ? { ...c, type: 'text' as const } : c)), data: (await ingest(flats(1400))).data });
    expect((await drift({ champion: other }) as { columns: unknown[] }).columns).toContainEqual({ column: 'size', verdict: 'no verdict', reason: 'it was text and is number', rows: { reference: 0, current: 0 } });
  });

  test('of a source that is read in another way is not held to the old rules', async () => {
    const changed = { ...source, sql: 'SELECT *, size * 100 AS percent FROM source' };
    const found = await second(flats(1500, ({ size }) => ({ size: size! * 1000 })), { source: changed, champion: undefined });
    expect(found.counts.block).toBe(0);
    expect((await report(found)).rulesAnew).toMatch(/sql, format or key was changed/);
    expect(await place.store.readJson<RuleSet>(found.rules)).toMatchObject({ reads: { sql: changed.sql, format: 'jsonl', key: ['id'] } });
  });

  test('for a model with another input gets rules for that one, too', async () => {
    const text = flats(1500, (_, i) => ({ floor: i % 9 }));
    const more = { ...rent, inputs: [...rent.inputs, column('floor')] };
    const found = await second(text, { model: more });
    const columns = (set: RuleSet) => new Set(set.rules.flatMap((rule) => ('column' in rule ? [rule.column] : [])));
    expect(columns(await place.store.readJson<RuleSet>(found.rules))).toEqual(new Set(['size', 'city', 'built', 'rent', 'floor']));
    expect(told((await second(flats(1500, (_, i) => ({ floor: `${i % 9}th` })), { model: more, rules: found.rules })).findings)).toEqual(['block type of floor']);
  });

  test('breaks declared rules of columns that no model reads, and mistaken names are told', async () => {
    const declared: DataRule[] = [
      { check: 'unique', column: 'note', level: 'warn' }, { check: 'range', column: 'sise', max: 3, level: 'block' }, { check: 'range', column: 'city', min: 3, level: 'block' },
      { check: 'fresh', column: 'built', maxAgeMs: 86_400_000, level: 'warn' }, { check: 'range', column: 'built', max: '2019-05-31', level: 'warn' },
    ];
    const text = flats(1500, (_, i) => ({ note: `n${i % 1499}` }));
    const { findings } = await second(text, { source: { ...source, rules: declared, knownLater: ['nots'] } });
    expect(findings.map(({ message }) => message).sort()).toEqual([
      'The newest built is 2019-06-01, 2,735 days ago; it may be 24 hours old.',
      'There is no column nots, which is declared as known later; did you mean note?',
      'There is no column sise, which a rule asks for; did you mean size?',
      'built is not at most 2019-05-31 in 21 of 1,500 rows; it goes from 1950-06-01 to 2019-06-01.',
      'city holds text, so its rule `range` can\'t be checked.',
      'note repeats an earlier value in 1 of 1,500 rows.',
    ]);
    expect(findings.find(({ rule }) => rule === 'unique')!.examples).toEqual([{ key: '0', value: 'n0' }, { key: '1499', value: 'n0' }]);
  });

  test('is compared with recent requests apart from the champion', async () => {
    const served = async (rows: number, change: Parameters<typeof flats>[1]) => place.store.put(Buffer.from(flats(rows, change)), 'jsonl');
    const like = await second(flats(1700), { served: await served(1500, () => ({})) });
    expect((await report(like)).skew).toMatchObject({ compared: 3, drifted: 0 });
    const unlike = await second(flats(1700), { served: await served(1500, ({ size }) => ({ size: size! / 10, city: undefined })) });
    expect(told(unlike.findings)).toEqual(['warn skew', 'warn skew of size', 'warn skew of city']);
    expect(unlike.findings[2]!.message).toMatch(/^city moved between training and recent requests: missing in 100% of the rows, before in 0%/);
    expect((await report(unlike)).drift).toMatchObject({ drifted: 0 });
    const few = await second(flats(1700), { served: await served(20, ({ size }) => ({ size: size! / 10 })) });
    expect(few.findings).toEqual([]);
    expect((await report(few)).skew).toMatchObject({ compared: 0, columns: expect.arrayContaining([expect.objectContaining({ reason: '20 rows are too few for a verdict; 30 are needed' })]) });
  });

  test('finds NaN in columns that no model reads', async () => {
    const csv = ['id,x', ...Array.from({ length: 50 }, (_, i) => `${i},${i === 9 ? 'nan' : `${i}.5`}`)].join('\n');
    const snapshot = await place.ingest({ paths: [await place.write('nan.csv', csv)], key: ['id'] });
    expect((await check({ source: { ...source, format: 'csv' }, snapshot })).findings).toEqual([expect.objectContaining({ rule: 'finite', column: 'x', rows: 1, examples: [{ key: '9', value: 'nan' }] })]);
  });

  test('of a forecast: a plan that is the target itself is a leak', async () => {
    const days = Array.from({ length: 400 }, (_, i) => ({ day: new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10), demand: (i * 37) % 101, plan: (i * 37) % 101, weekday: i % 7 }));
    const snapshot = await place.ingest({ format: 'jsonl', key: ['day'], paths: [await place.write('days.jsonl', days.map((d) => JSON.stringify(d)).join('\n'))] });
    const model = forecast({ source: 'things', time: 'day', frequency: 'day', inputs: [column('plan'), column('weekday')] });
    expect(told((await check({ source: { ...source, key: ['day'] }, snapshot, model })).findings)).toEqual(['block leakage of plan']);
  });

  test('a check says the same each time, in a payload that stays small whatever was found', async () => {
    const wide = (i: number) => Object.fromEntries(Array.from({ length: 60 }, (_, c) => [`column_${'x'.repeat(200)}_${c}`, i % 400 === 0 ? `${i}` : `some text ${(i * 7 + c) % 977} ${'y'.repeat(200)}`]));
    const snapshot = await ingest(Array.from({ length: 1500 }, (_, i) => JSON.stringify({ id: i, ...wide(i) })).join('\n'));
    const found = await check({ source, snapshot });
    expect(await check({ source, snapshot })).toEqual(found);
    expect(found.counts.warn).toBe(60);
    expect(found.findings).toHaveLength(20);
    expect(JSON.stringify(found).length).toBeLessThan(40_000);
    expect((await report(found)).findings).toHaveLength(60);
  });
});

test('rules and what is known later do not change what a source is', async () => {
  const declared = { ...films, rules: [{ check: 'rows', min: 1, level: 'block' }] satisfies DataRule[], knownLater: ['US Gross'] };
  expect(await sourceIdentity(declared)).toEqual(await sourceIdentity(films));
});
