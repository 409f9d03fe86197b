import { ShoalError } from '../../src/domain/errors';
import type { GateSpec } from '../../src/domain/spec';
import type { ArtifactRef, Card, Evaluation, ReleaseEvaluation, SliceResult, TrainedVersion } from '../../src/domain/version';
import type { Store } from '../../src/store/store';
import { training } from '../support/smallProject';
import { attempt, run, trainProject, type Trained } from './fixtures';

jest.setTimeout(180_000);

const MODELS = `
models:
  rent: { task: regression, source: flats, target: rent, inputs: [size, city, built], ${training(60)} }
chains:
  flats: { output: rent }
`;

const CITY: GateSpec = { metric: 'rmse', against: 'champion', min: 0, slice: { column: 'city', minRows: 30 } };
const CHAMPION: GateSpec = { metric: 'rmse', against: 'champion', min: 0 };

let flats: Trained;
/** Does not see the city. */
let blind: TrainedVersion;
beforeAll(async () => {
  flats = await trainProject({ models: MODELS });
  const { inputs } = flats.project.models.rent!;
  blind = await flats.train('rent', { inputs: inputs.filter(({ name }) => name !== 'city') });
});
afterAll(() => flats?.remove());

const evaluate = (newcomer: TrainedVersion, gates: GateSpec[], champion?: TrainedVersion, options: Parameters<Trained['activities']>[0] & { attempt?: number } = {}): Promise<Evaluation> =>
  attempt(options.attempt ?? 1, flats.activities(options).evaluate, { version: newcomer.version, training: newcomer.summary, gates, champion: champion?.version });
const evaluateRelease = (newcomer: TrainedVersion, gates: GateSpec[], current?: TrainedVersion): Promise<ReleaseEvaluation> => {
  const candidate = flats.release(2, { rent: newcomer });
  return run(flats.activities().evaluateRelease, { candidate: { ...candidate, spec: { ...candidate.spec, gates } }, current: current && flats.release(1, { rent: current }) });
};
const onnxOf = async (trained: TrainedVersion): Promise<ArtifactRef> => (await flats.manifest(trained)).onnx;

describe('slices', () => {
  it('refuse a version that is worse on some of them, by name, and history and card hold their scores', async () => {
    const { verdict, slices, card } = await evaluate(blind, [CITY], flats.versions.rent);
    expect(verdict.passed).toBe(false);
    expect(verdict.gates[0]).toMatchObject({ passed: false, slice: expect.stringMatching(/^city = (Bern|Zug|Genf)$/), rows: expect.any(Number), missedBy: expect.any(Number) });
    expect(verdict.reason).toMatch(/^Refused by 1 of 1 gate: rmse for city = \w+ [\d.]+ is worse than the champion's [\d.]+ by [\d.]+ \[[\d.]+, [\d.]+\] on \d+ rows: with 98\.3% confidence/);
    expect(slices!.map(({ slice }) => slice).sort()).toEqual(['city = Bern', 'city = Genf', 'city = Zug']);
    expect((await flats.store.readJson<Card>(card)).slices).toHaveLength(3);
    // They are parts of the whole.
    const whole = await evaluate(blind, [], flats.versions.rent);
    expect(slices!.reduce((sum, { rows }) => sum + rows, 0)).toBe(whole.metrics[0]!.rows);
    const squares = slices!.reduce((sum, s) => sum + s.rows * s.metrics[0]!.value ** 2, 0) / whole.rows;
    expect(Math.sqrt(squares)).toBeCloseTo(whole.metrics[0]!.value, 6);
    expect(whole.slices).toBeUndefined();
  });

  it('on which a metric is not defined are stored as such', async () => {
    const { verdict, slices, card } = await evaluate(blind, [{ ...CITY, metric: 'r2', slice: { column: 'rent', minRows: 1 } }], flats.versions.rent);
    expect(verdict.gates[0]).toMatchObject({ passed: true, reason: expect.stringMatching(/slices on which it is not defined$/) });
    expect(slices!.length).toBeLessThanOrEqual(20);
    const stored = (await flats.store.readJson<Card>(card)).slices!;
    expect(stored.filter(({ rows, metrics }) => rows === 1 && metrics[0]!.value === null).length).toBeGreaterThan(50);
  });

  it('pass the version that is better on all of them', async () => {
    const { verdict } = await evaluate(flats.versions.rent!, [CITY], blind);
    expect(verdict).toMatchObject({ passed: true, reason: expect.stringMatching(/beats the champion's .* \(on all 3 slices by city; this is the closest\)/) });
  });

  it('may be what a condition in SQL is true for, which may look at the other rows', async () => {
    const where = 'size > (SELECT avg(size) FROM source) AND city <> \'Bern\'';
    const { verdict, slices } = await evaluate(blind, [{ ...CITY, slice: { where, name: 'large and not in Bern', minRows: 10 } }], flats.versions.rent);
    expect(verdict.gates[0]).toMatchObject({ passed: false, slice: 'large and not in Bern' });
    expect(slices).toHaveLength(1);
    expect(slices![0]!.rows).toBeGreaterThan(20);
    expect(slices![0]!.rows).toBeLessThan(80);
  });

  it('hold for a release as well', async () => {
    const { verdict, slices, allSlices } = await evaluateRelease(blind, [CITY], flats.versions.rent);
    expect(verdict).toMatchObject({ passed: false, reason: expect.stringMatching(/rmse for city = \w+/) });
    expect(slices).toHaveLength(3);
    expect(allSlices).toBeUndefined();
  });

  it('are too many for a history when a column has many values: the worst are in it, all in the store', async () => {
    const { slices, allSlices } = await evaluateRelease(blind, [{ ...CITY, slice: { column: 'size', minRows: 2 } }], flats.versions.rent);
    expect(slices!.length).toBe(20);
    const all = await flats.store.readJson<SliceResult[]>(allSlices!);
    expect(all.length).toBeGreaterThan(60);
    const gain = (s: SliceResult): number => s.metrics[0]!.champion!.gain.value;
    expect(gain(slices![0]!)).toBe(Math.min(...all.filter(({ metrics }) => metrics.length > 0).map(gain)));
  });

  it.each([
    [{ column: 'ctiy', minRows: 30 }, 'COLUMN_MISSING', /no column 'ctiy'.*Did you mean 'city'/],
    [{ where: 'ctiy = 1', minRows: 30 }, 'COLUMN_MISSING', /names the column 'ctiy'.*Did you mean "city"/],
    [{ where: 'size > ', minRows: 30 }, 'SQL_REFUSED', /The slice of a gate/],
    [{ where: 'size > (SELECT count(*) FROM read_csv(\'/etc/passwd\'))', minRows: 30 }, 'SQL_REFUSED', /reads from read_csv/],
    [{ where: 'random() < 0.5', minRows: 30 }, 'SQL_REFUSED', /answers differently each time/],
    [{ where: 'true) UNION ALL SELECT (1', minRows: 30 }, 'SQL_REFUSED', /more than a condition/],
    [{ where: 'true) GROUP BY (__row', minRows: 30 }, 'SQL_REFUSED', /more than a condition/],
    [{ where: 'true); SELECT (1', minRows: 30 }, 'SQL_REFUSED', /2 statements/],
  ])('that can\'t be cut are found before anything is trained: %j', async (slice, code, message) => {
    const manifest = await flats.manifest(flats.versions.rent!);
    const model = { ...manifest.spec, gates: [{ ...CITY, slice }] };
    await expect(run(flats.activities().validate, { model, source: flats.project.sources.flats!, snapshot: manifest.snapshot, chains: [] })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('certainty', () => {
  it('is asked of the bound, not of the estimate', async () => {
    const { metrics } = await evaluate(flats.versions.rent!, [{ ...CHAMPION, confidence: 0.95 }], blind);
    const { gain } = metrics[0]!.champion!;
    const [bound] = gain.bounds!;
    expect(bound!.low).toBeLessThan(gain.value);
    const between = (bound!.low + gain.value) / 2;
    expect((await evaluate(flats.versions.rent!, [{ ...CHAMPION, min: between }], blind)).verdict.passed).toBe(true);
    const { verdict } = await evaluate(flats.versions.rent!, [{ ...CHAMPION, min: between, confidence: 0.95 }], blind);
    expect(verdict).toMatchObject({ passed: false, reason: expect.stringMatching(/, but with 95% confidence the gain is only at least [\d.]+, and must be at least [\d.]+ \(short by [\d.]+\)/) });
  });
});

describe('size and latency', () => {
  it('are measured when a gate asks, of a version and of its champion', async () => {
    const gates: GateSpec[] = [
      { metric: 'onnx_bytes', against: 'value', max: 10 }, { metric: 'latency_ms', against: 'value', max: 1_000 }, { metric: 'onnx_bytes', against: 'champion', min: -1e6 },
    ];
    const { metrics, verdict } = await evaluate(flats.versions.rent!, gates, blind);
    const costs = Object.fromEntries(metrics.slice(-2).map((m) => [m.metric, m]));
    expect(costs.onnx_bytes).toMatchObject({ value: (await onnxOf(flats.versions.rent!)).bytes, champion: { value: (await onnxOf(blind)).bytes } });
    expect(costs.latency_ms!.value).toBeGreaterThan(0);
    expect(costs.latency_ms).toMatchObject({ rows: 200, better: 'lower' });
    expect(verdict.gates.map(({ passed }) => passed)).toEqual([false, true, true]);
    expect(verdict.reason).toMatch(/onnx_bytes [\d,]+ is not at most 10 \(over by [\d,]+\)/);
  });

  it('are those of all its models and stages for a release', async () => {
    const { metrics } = await evaluateRelease(flats.versions.rent!, [{ metric: 'onnx_bytes', against: 'value', min: 0 }, { metric: 'latency_ms', against: 'champion', min: -1_000 }], blind);
    expect(metrics.find(({ metric }) => metric === 'onnx_bytes')!.value).toBe((await onnxOf(flats.versions.rent!)).bytes);
    expect(metrics.find(({ metric }) => metric === 'latency_ms')!.champion!.value).toBeGreaterThan(0);
  });

  it('are not measured when nobody asks', async () => {
    expect((await evaluate(flats.versions.rent!, [CHAMPION], blind)).metrics.map(({ metric }) => metric)).not.toContain('onnx_bytes');
  });
});

describe.each(['gone', 'corrupt'] as const)('an incumbent whose file is %s', (how) => {
  it('does not block its successor, and the verdict says why it was not scored', async () => {
    const onnx = await onnxOf(flats.versions.rent!);
    const gates = [{ ...CHAMPION, min: how === 'gone' ? 0 : 1e-9 }];
    const { verdict, unscored, metrics } = await flats.damaged(onnx, how, () => evaluate(blind, gates, flats.versions.rent));
    expect(unscored).toMatchObject({ version: flats.versions.rent!.version.id, reason: expect.stringContaining(onnx.sha256) });
    expect(metrics[0]!.champion).toBeUndefined();
    expect(verdict.passed).toBe(true);
    expect(verdict.reason).toMatch(/^Passed its gate: the champion could not be scored in rmse\. The champion, \w{12}, could not be scored: .*(not in the store|not what was stored)/);
    // Mended, it counts again: what was found out while it was broken is not remembered.
    expect((await evaluate(blind, gates, flats.versions.rent)).verdict.passed).toBe(false);
  });

  it('does not block the next release', async () => {
    const onnx = await onnxOf(flats.versions.rent!);
    const { verdict, unscored } = await flats.damaged(onnx, how, () => evaluateRelease(blind, [CHAMPION], flats.versions.rent));
    expect(verdict).toMatchObject({ passed: true, reason: expect.stringMatching(/The champion, release 1, could not be scored: /) });
    expect(unscored!.version).toBe('release 1');
    expect((await evaluateRelease(blind, [CHAMPION], flats.versions.rent)).verdict.passed).toBe(false);
  });
});

describe('a fault that may pass', () => {
  const failing = (error: Error): Store => {
    const onnx = onnxOf(flats.versions.rent!);
    return Object.assign(Object.create(flats.store) as Store, {
      localFile: async (ref: ArtifactRef) => {
        if (ref.sha256 === (await onnx).sha256) throw error;
        return flats.store.localFile(ref);
      },
    });
  };

  it('of the store is no reason to do without the champion', async () => {
    const store = failing(new ShoalError('STORE_UNAVAILABLE', 'no answer'));
    await expect(evaluate(blind, [{ ...CHAMPION, min: 0.1 }], flats.versions.rent, { store, attempt: 9 })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('of an unknown kind is tried again, and then taken to be the champion\'s own', async () => {
    const store = failing(new Error('something native'));
    await expect(evaluate(blind, [{ ...CHAMPION, min: 0.2 }], flats.versions.rent, { store })).rejects.toThrow('something native');
    const { unscored } = await evaluate(blind, [{ ...CHAMPION, min: 0.2 }], flats.versions.rent, { store, attempt: 3 });
    expect(unscored!.reason).toBe('something native');
  });
});

test('a newcomer whose own file is damaged is no pass', async () => {
  await flats.damaged(await onnxOf(blind), 'corrupt', () =>
    expect(evaluate(blind, [{ ...CHAMPION, min: 0.3 }], flats.versions.rent)).rejects.toMatchObject({ code: 'ARTIFACT_CORRUPT' }));
});
