import { figure } from '../../src/domain/headline';
import { releaseReport, versionReport, type ReleaseReportData, type VersionReportData } from '../../src/report';
import { classificationDiagnosis, diagnoses, HOSTILE, releaseData, versionData } from './data';
import { all, figureOf, parse, tableOf, textOf, type Tag } from './support';

const TASKS = Object.keys(diagnoses) as (keyof typeof diagnoses)[];
const MEGABYTE = 1_000_000;
/** Words of the data that are no names. */
const CHOICES = ['regression', 'classification', 'forecast', 'embedding', 'lower', 'higher', 'above', 'below', 'log10', 'promoted', 'pass', 'fail', 'inconclusive'];

const ids = (tag: Tag): string[] =>
  [...(tag.attributes.id === undefined ? [] : [tag.attributes.id]), ...tag.children.flatMap((child) => (typeof child === 'string' ? [] : ids(child)))];

const reports: [string, () => Promise<string>][] = [
  ...TASKS.map((task): [string, () => Promise<string>] => [`a version of a ${task}`, () => versionReport(versionData(task))]),
  ['a release', () => releaseReport(releaseData())],
];

describe.each(reports)('the report of %s', (_, make) => {
  let text: string;
  let document: Tag;
  beforeAll(async () => {
    text = await make();
    document = parse(text);
  });

  it('is one small document that loads nothing and runs nothing', () => {
    expect(text.startsWith('<!doctype html>')).toBe(true);
    expect(Buffer.byteLength(text)).toBeLessThan(MEGABYTE);
    expect(text).not.toMatch(/<(script|link|iframe|img|object|embed|use|image)\b/i);
    expect(text).not.toMatch(/\s(src|href|style|on[a-z]+)=/i);
    expect(text).not.toMatch(/url\(|@import|https?:/i);
    expect(all(document, 'meta').map((m) => m.attributes['http-equiv'])).toContain('Content-Security-Policy');
  });

  it('has one main heading, and no level of headings left out', () => {
    const levels = [...text.matchAll(/<h([1-6])[ >]/g)].map(([, level]) => Number(level));
    expect(levels.filter((l) => l === 1)).toHaveLength(1);
    levels.forEach((level, i) => expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1));
    for (const section of all(document, 'section')) expect(ids(document)).toContain(section.attributes['aria-labelledby']);
  });

  it('gives no id twice', () => {
    expect(new Set(ids(document)).size).toBe(ids(document).length);
  });

  it('says of every figure what it shows, in words and as a table', () => {
    const figures = all(document, 'figure');
    expect(figures.length).toBeGreaterThanOrEqual(5);
    for (const one of figures) {
      expect(textOf(all(one, 'h3')[0]!).length).toBeGreaterThan(10);
      const [svg] = all(one, 'svg');
      expect(svg!.attributes.role).toBe('img');
      expect(svg!.attributes['aria-label']!.length).toBeGreaterThan(40);
      const [head, ...rows] = tableOf(all(one, 'details')[0]!);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(row).toHaveLength(head!.length);
    }
  });

  it('draws with the colours of the page only, so that it can be dark', () => {
    for (const svg of all(document, 'svg')) {
      const colours = JSON.stringify(svg).matchAll(/"(?:fill|stroke)":"([^"]*)"/g);
      for (const [, colour] of colours) expect(colour).toMatch(/^(none|transparent|var\(--[a-z]+\))$/);
    }
  });

  it('says no number that is none', () => {
    expect(textOf(document)).not.toMatch(/\bNaN\b|Infinity|undefined|\[object/);
    for (const svg of all(document, 'svg')) expect(JSON.stringify(svg)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a report', () => {
  it('escapes names and values wherever they come', async () => {
    const isName = (text: string): boolean => !CHOICES.includes(text) && !/^\d{4}-/.test(text);
    const poison = <T>(value: T): T => {
      if (typeof value === 'string') return (isName(value) ? `${HOSTILE}${value}` : value) as T;
      if (Array.isArray(value)) return value.map(poison) as T;
      return value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v)])) as T : value;
    };
    for (const [text, clean] of [
      ...await Promise.all(TASKS.map(async (task) => [await versionReport(poison(versionData(task))), await versionReport(versionData(task))] as const)),
      [await releaseReport(poison(releaseData())), await releaseReport(releaseData())] as const,
    ]) {
      const tags = (of: string) => [...new Set([...of.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name))].sort();
      expect(tags(text)).toEqual(tags(clean));
      expect(all(parse(text), 'script')).toHaveLength(0);
      expect(text).not.toMatch(/[\u0000\u202e]/);
      expect(textOf(parse(text))).toContain('<script>alert(1)</script>');
    }
  });

  it('is the same for the same data', async () => {
    expect(await versionReport(versionData('regression'))).toBe(await versionReport(versionData('regression')));
  });

  it('has no section where there is no data', async () => {
    const { slices: _1, drift: _2, suspects: _3, diagnosis: _4, ...rest } = versionData('regression');
    const sections = all(parse(await versionReport(rest as VersionReportData)), 'section').map((s) => s.attributes.id);
    expect(sections).toEqual(['judgement', 'training', 'made-from']);
    const { slices: _5, drift: _6, canary: _7, shares: _8, diagnosis: _9, comparisons: _10, ...bare } = releaseData();
    expect(all(parse(await releaseReport(bare as ReleaseReportData)), 'section').map((s) => s.attributes.id)).toEqual(['chain', 'judgement']);
  });

  it('shows numbers that got lost on the way as none, and draws the rest', async () => {
    const data = versionData('regression');
    const metrics = [{ ...data.metrics[0], value: NaN }, ...data.metrics.slice(1)];
    const training = { ...data.training, curve: { train: [1, NaN, 0.5], validation: [1, 0.7, 0.6] } };
    const lost = JSON.parse(JSON.stringify({ ...data, metrics, training })) as VersionReportData;
    const document = parse(await versionReport(lost));
    expect(tableOf(figureOf(document, 'learning-curve')).slice(1)).toHaveLength(2);
    expect(textOf(document)).toContain('none');
  });
});

describe('the tables of figures', () => {
  let version: Record<string, Tag>;
  let release: Tag;
  beforeAll(async () => {
    version = Object.fromEntries(await Promise.all(TASKS.map(async (task) => [task, parse(await versionReport(versionData(task)))])));
    release = parse(await releaseReport(releaseData()));
  });
  const plain = (text: string): number => Number(text.replace(/,/g, '').replace('−', '-').replace('%', ''));

  it('hold the learning curve epoch by epoch', () => {
    const { curve } = versionData('regression').training;
    const rows = tableOf(figureOf(version.regression!, 'learning-curve')).slice(1);
    expect(rows).toEqual(curve.train.map((train, i) => [String(i + 1), figure(train), figure(curve.validation[i]!)]));
  });

  it('hold every cell of the confusion matrix', () => {
    const d = diagnoses.classification;
    if (d.task !== 'classification') throw new Error();
    const rows = tableOf(figureOf(version.classification!, 'confusion')).slice(1);
    expect(rows.map((row) => row[0])).toEqual(d.classes);
    expect(rows.map((row) => row.slice(1, -2).map(plain))).toEqual(d.confusion);
    const drawn = all(all(figureOf(version.classification!, 'confusion'), 'svg')[0]!, 'text').map(textOf).filter((t) => /^[\d,]+$/.test(t)).map(plain);
    expect(drawn.reduce((a, b) => a + b, 0)).toBe(d.rows);
  });

  it('hold the forecasts with their intervals and the truth', () => {
    const d = diagnoses.forecast;
    if (d.task !== 'forecast') throw new Error();
    const [first] = d.series;
    const rows = tableOf(figureOf(version.forecast!, 'forecast-1')).slice(1);
    const truth = new Map(first!.truth.map((p) => [p.period, p.value]));
    expect(rows).toEqual(first!.forecasts.flatMap((f) => f.periods.map((p) => [p.period, f.origin, figure(p.value), `${figure(p.low!)} to ${figure(p.high!)}`, figure(truth.get(p.period)!)])));
  });

  it('hold the stages\' shares, largest gain first, and the looks of the canary in time', () => {
    const data = releaseData();
    const rows = tableOf(figureOf(release, 'shares')).slice(1);
    expect(rows.map((row) => row[0])).toEqual(['gross', 'genre', 'market', 'title-embedding']);
    expect(plain(rows[0]![4]!)).toBeCloseTo((100 * 0.429) / 0.977, 1);
    const loss = data.canary!.filter((l) => l.check === 'loss');
    expect(tableOf(figureOf(release, 'canary-loss')).slice(1).map((row) => [row[0], plain(row[1]!)])).toEqual(loss.map((l) => [l.at, Number(figure(l.effect))]));
  });

  it('hold drift and suspects as they were given', () => {
    const { drift, suspects } = versionData('regression');
    const rows = tableOf(figureOf(version.regression!, 'drift-columns')).slice(1);
    expect(rows.map((row) => row[0])).toEqual(['distributor', 'budget', 'running_time', 'constant']);
    for (const row of rows) expect(Number(row[2])).toBe(drift!.find((d) => d.column === row[0])!.statistic);
    expect(tableOf(figureOf(version.regression!, 'suspects')).slice(1).map((row) => [row[0], plain(row[1]!)])).toEqual(suspects!.byReason.map((r) => [r.reason, r.rows]));
  });
});

describe('a drawing', () => {
  it('has at most 2,000 points of a scatter plot', async () => {
    const d = diagnoses.regression;
    if (d.task !== 'regression') throw new Error();
    expect([d.rows, d.points.length]).toEqual([2_600, 2_000]);
    const svg = all(figureOf(parse(await versionReport(versionData('regression'))), 'predicted-actual'), 'svg')[0]!;
    expect(all(svg, 'path').length).toBeLessThanOrEqual(2_010);
  });

  it('takes rare classes together', () => {
    const d = classificationDiagnosis(Array.from({ length: 40 }, (_, i) => `class ${i}`));
    if (d.task !== 'classification') throw new Error();
    expect(d.classes).toHaveLength(14);
    expect(d.classes[13]).toBe('all others');
    expect(d.confusion.flat().reduce((a, b) => a + b, 0)).toBe(d.rows);
  });
});
