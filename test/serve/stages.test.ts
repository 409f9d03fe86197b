import fc from 'fast-check';
import type { Row, StageAnswer } from '../../src/domain/prediction';
import type { StageSpec } from '../../src/domain/spec';
import type { Table } from '../../src/domain/table';
import type { Release, VersionRef } from '../../src/domain/version';
import { Models } from '../../src/serve/models';
import type { Runner } from '../../src/serve/runner';
import { chainColumns, chainOutputs, runStages, runStagesOnTable, tableOutputs } from '../../src/serve/stages';
import { boxOffice, boxOfficeRelease, putVersion, releaseOf, sum, temporaryStore } from './fixtures';

let place: Awaited<ReturnType<typeof temporaryStore>>;
let models: Models;
let office: Awaited<ReturnType<typeof boxOffice>>;
const named: Record<string, VersionRef> = {};

beforeAll(async () => {
  place = await temporaryStore();
  models = new Models({ store: place.store });
  office = await boxOffice(place.store);
  const made = [
    sum('double', { x: 2 }), sum('triple', { x: 3 }), sum('both', { 'double.value': 1, 'triple.value': 1 }),
    sum('other', { x: 100 }), sum('next', { 'double.value': 1 }),
    sum('vast', { x: 1e38 }), sum('broken', { x: 1 }),
  ];
  for (const one of made) {
    const { name } = one.spec;
    named[name] = await putVersion(place.store, name === 'broken' ? { ...one, onnx: new Uint8Array([1, 2, 3]) } : one);
  }
});
afterAll(() => place.remove());

type Stage = Partial<StageSpec> & { model: string };
const release = (stages: Stage[], of: Parameters<typeof releaseOf>[2] = {}): Release => releaseOf(named, stages, of);
const run = (of: Release, rows: Row[], runner: Runner = models): Promise<Record<string, StageAnswer>> =>
  runStages({ release: of, stages: of.spec.stages.map((s) => s.model), rows, earlier: {} }, { models: runner });

/** The models, with `run` in other hands. */
const withRun = (run: Runner['run']): Runner => (
  { manifest: (ref) => models.manifest(ref), warm: (refs) => models.warm(refs), baseline: (ref, table) => models.baseline(ref, table), run }
);

const film = (over: Row = {}): Row => (
  { Title: 'The night of the dead', Source: 'Novel', Budget: 40, Released: '2003-06-13', Sequel: false, ...over }
);

/** Equal but for the last bits of float32: a matrix product adds up in an order that depends on its number of rows. */
function expectNear(found: unknown, expected: unknown): void {
  if (typeof expected === 'number' && typeof found === 'number') {
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected)));
  } else if (typeof expected === 'object' && expected !== null && typeof found === 'object' && found !== null) {
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) expectNear((found as Row)[key], value);
  } else expect(found).toEqual(expected);
}

describe('a chain of four models', () => {
  it('passes each stage what it reads of the row and of the stages before', async () => {
    const answers = await run(boxOfficeRelease(office), [film(), film({ Title: 'Love', Source: 'Comic', Budget: null })]);
    // The same by hand.
    const title = await models.run(office.title, { rows: 1, columns: { Title: { type: 'text', values: ['The night of the dead'] } } });
    const genre = await models.run(
      office.genre, { rows: 1, columns: { title_vector: title.columns.vector!, Source: { type: 'category', values: ['Novel'] } } }
    );
    const days = { type: 'date' as const, values: Float64Array.of(Date.UTC(2003, 5, 13) / 86_400_000) };
    const market = await models.run(office.market, { rows: 1, columns: { Released: days } });
    const gross = await models.run(office.gross, {
      rows: 1,
      columns: {
        Budget: { type: 'number', values: Float64Array.of(40) }, Released: days,
        genre: genre.columns.probabilities!, market: market.columns.value!,
        Sequel: { type: 'boolean', values: Float64Array.of(0) },
      },
    });
    expectNear(answers.gross!.outputs.value![0], gross.columns.value!.values[0]);
    expect(answers.genre!.outputs.label![0]).toBe(genre.columns.label!.values[0]);
    expectNear(answers.title!.outputs.vector![0], Array.from(title.columns.vector!.values as Float32Array));
    expect(answers.gross).toMatchObject({ version: office.gross.id, status: ['model', 'model'] });
    expect(answers.gross!.outputs.value![1]).not.toBe(answers.gross!.outputs.value![0]);
  });

  it('answers a batch as it answers its rows one by one', async () => {
    const of = boxOfficeRelease(
      office, { genre: { when: 'has(input.Title)', fallback: { kind: 'baseline' } }, market: { fallback: { kind: 'baseline' } } }
    );
    const row = fc.record({
      Title: fc.option(fc.constantFrom('The night', 'Day of love', 'x', '')),
      Source: fc.option(fc.constantFrom('Novel', 'Original', 'Never seen')),
      Budget: fc.option(fc.double({ min: 0, max: 500, noNaN: true })),
      Released: fc.option(fc.constantFrom('2001-05-01', '2003-12-24', '2004-02-01', '2009-01-01', '1999-01-01')),
      Sequel: fc.option(fc.boolean()),
    });
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), async (rows) => {
      const batch = await run(of, rows);
      const outputs = chainOutputs(of, rows, batch);
      for (const [i, one] of rows.entries()) {
        const alone = await run(of, [one]);
        expectNear(chainOutputs(of, [one], alone), [outputs[i]]);
        for (const [stage, answer] of Object.entries(alone)) {
          expect(answer.status[0]).toBe(batch[stage]!.status[i]);
          for (const [name, values] of Object.entries(answer.outputs)) expectNear(values[0], batch[stage]!.outputs[name]![i]);
        }
      }
    }), { numRuns: 30 });
  });

  it('answers the same in segments, with JSON between them', async () => {
    const of = boxOfficeRelease(office, { market: { when: 'input.Budget > 50.0' } });
    const rows = [film(), film({ Budget: 60 })];
    const whole = await run(of, rows);
    const first = await runStages({ release: of, stages: ['title', 'market'], rows, earlier: {} }, { models });
    const earlier = JSON.parse(JSON.stringify(first)) as typeof first;
    const second = await runStages({ release: of, stages: ['genre', 'gross'], rows, earlier }, { models });
    expect({ ...first, ...second }).toEqual(whole);
    expect(whole.market!.status).toEqual(['skipped', 'model']);
  });

  it('answers a table as it answers rows', async () => {
    const of = boxOfficeRelease(
      office,
      {
        gross: {
          with: { Budget: 'input.Budget * 2.0' }, when: 'input.Released > "2001-01-01"', fallback: { kind: 'value', value: { value: 1 } },
        },
      },
    );
    const input: Table = {
      rows: 2,
      columns: {
        Title: { type: 'text', values: ['Day of love', null] }, Source: { type: 'category', values: ['Novel', null] },
        Budget: { type: 'number', values: Float64Array.of(5, 50) }, Released: { type: 'date', values: Float64Array.of(12_000, 11_000) },
        Sequel: { type: 'boolean', values: Float64Array.of(1, NaN) },
      },
    };
    const rows = [
      { Title: 'Day of love', Source: 'Novel', Budget: 5, Released: '2002-11-09', Sequel: true }, { Budget: 50, Released: '2000-02-13' },
    ];
    const byRow = await run(of, rows);
    const byTable = await runStagesOnTable({ release: of, input }, { models });
    const outputs = tableOutputs(of, input, byTable);
    expect(outputs.columns.value!.values).toEqual(Float64Array.from(chainOutputs(of, rows, byRow), (o) => o.value as number));
    expect(outputs.columns.genre).toEqual({ type: 'category', values: byRow.genre!.outputs.label });
    expect(byTable.gross!.status).toEqual(['model', 'fallback']);
  });

  it('says which columns it reads', async () => {
    const of = boxOfficeRelease(office, { gross: { with: { Budget: 'input.Cost' } } });
    const { columns, mentioned } = await chainColumns(of, models);
    expect(columns.map(({ column, type }) => `${column}: ${type}`).sort()).toEqual(
      ['Released: date', 'Sequel: boolean', 'Source: category', 'Title: text']
    );
    expect(mentioned).toEqual(['Cost']);
  });

  it.each<[string, Row[], string, string]>([
    ['no rows', [], 'REQUEST_EMPTY', 'no rows'],
    ['a wrong type', [film(), film({ Budget: 'much' })], 'REQUEST_ROW', 'row 1, column Budget: expected a number, found "much"'],
    ['a misspelt column', [{ Title: 'x', Budgt: 3 }], 'COLUMN_MISSING', 'Did you mean Budget?'],
  ])('refuses a request with %s', async (_, rows, code, message) => {
    await expect(run(boxOfficeRelease(office), rows)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it('takes a row with nothing in it', async () => {
    const answers = await run(boxOfficeRelease(office), [{}]);
    expect(answers.market).toMatchObject({ status: ['skipped'], outputs: { value: [null] } });
    expect(answers.market!.fallbackReason).toContain('the date (Released) is missing');
    expect(answers.gross!.status).toEqual(['model']);
  });

  it('refuses a release without a version of a stage', async () => {
    const { gross: _, ...others } = office;
    const of = { ...boxOfficeRelease(office), versions: others };
    await expect(run(of, [film()])).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  });
});

describe('stages', () => {
  it('that do not need each other run at once, the others after those they need', async () => {
    const events: string[] = [];
    let [now, most] = [0, 0];
    let meet!: () => void;
    const together = new Promise<void>((resolve) => { meet = resolve; });
    const runner = withRun(async (ref, table, options) => {
      events.push(`${ref.model} begins`);
      most = Math.max(most, ++now);
      // Neither of the first two ends before the other has begun.
      if (most === 2) meet();
      await together;
      const answers = await models.run(ref, table, options);
      now--;
      events.push(`${ref.model} ends`);
      return answers;
    });
    const answers = await run(release([{ model: 'double' }, { model: 'triple' }, { model: 'both' }]), [{ x: 1 }], runner);
    expect(most).toBe(2);
    expect(events.indexOf('both begins')).toBeGreaterThan(events.indexOf('double ends'));
    expect(events.indexOf('both begins')).toBeGreaterThan(events.indexOf('triple ends'));
    expect(answers.both!.outputs.value).toEqual([5]);
  });

  it('wait for those that their expressions mention', async () => {
    const answers = await run(
      release([{ model: 'double' }, { model: 'triple', when: 'stages.double.value > 5.0', with: { x: 'stages.double.high + 1.0' } }]),
      [{ x: 1 }, { x: 10 }],
    );
    expect(answers.triple).toMatchObject({ status: ['skipped', 'model'], outputs: { value: [null, 66] } });
  });

  it('are given other columns by `with`, for themselves only', async () => {
    const answers = await run(release([{ model: 'double', with: { x: 'input.x + input.y' } }, { model: 'triple' }]), [{ x: 1, y: 4 }]);
    expect(answers.double!.outputs.value).toEqual([10]);
    expect(answers.triple!.outputs.value).toEqual([3]);
  });

  it('fail where `with` gives a value of the wrong type', async () => {
    const failing = run(release([{ model: 'double', with: { x: '"much"' } }]), [{ x: 1 }]);
    await expect(failing).rejects.toMatchObject({ code: 'EXPRESSION' });
    await expect(failing).rejects.toThrow(/expression for x, `"much"`, gives "much" for row 0, where a number is needed/);
  });

  it('do not run their model for rows for which `when` is false', async () => {
    const asked: number[] = [];
    const runner = withRun((ref, table, options) => {
      asked.push(table.rows);
      return models.run(ref, table, options);
    });
    const answers = await run(
      release([{ model: 'double', when: 'input.x > 1.0' }, { model: 'next' }]), [{ x: 1 }, { x: 2 }, { x: 3 }, {}], runner
    );
    expect(asked).toEqual([2, 4]);
    expect(answers.double).toEqual(
      {
        version: named.double!.id, status: ['skipped', 'model', 'model', 'skipped'],
        outputs: { value: [null, 4, 6, null], low: [null, 3, 5, null], high: [null, 5, 7, null] },
      }
    );
    // Missing is 0 to the next model.
    expect(answers.next!.outputs.value).toEqual([0, 4, 6, 0]);
  });

  it('stop when the caller does', async () => {
    const stop = new AbortController();
    const runner = withRun(() => {
      stop.abort(new Error('cancelled'));
      return new Promise(() => {});
    });
    const of = release([{ model: 'double', fallback: { kind: 'baseline' } }]);
    await expect(
      runStages({ release: of, stages: ['double'], rows: [{ x: 1 }], earlier: {} }, { models: runner, signal: stop.signal })
    ).rejects.toThrow('cancelled');
  });

  it('fail when a stage they read is neither among those to run nor answered before', async () => {
    await expect(run(release([{ model: 'next' }]), [{ x: 1 }])).rejects.toThrow('next reads value of double, which has not been run');
  });
});

describe('a fallback', () => {
  const never = withRun(() => new Promise(() => {}));
  const rows = [{ x: 1 }, { x: 2 }];

  it('answers all rows when the model fails: a constant', async () => {
    const answers = await run(release([{ model: 'broken', fallback: { kind: 'value', value: { value: 5 } } }]), rows);
    expect(answers.broken).toMatchObject({ status: ['fallback', 'fallback'], outputs: { value: [5, 5], low: [null, null] } });
    expect(answers.broken!.fallbackReason).toContain('cannot be loaded');
  });

  it('answers all rows when the model is too slow: the baseline', async () => {
    const answers = await run(release([{ model: 'double', timeoutMs: 20, fallback: { kind: 'baseline' } }]), rows, never);
    expect(answers.double).toMatchObject(
      { status: ['fallback', 'fallback'], outputs: { value: [7, 7], low: [6, 6], high: [8, 8] }, fallbackReason: 'timed out after 20 ms' }
    );
  });

  it('drops an answer that comes too late', async () => {
    let late!: (value: never) => void;
    const runner = withRun(() => new Promise((resolve) => { late = resolve; }));
    const answers = await run(
      release([{ model: 'double', timeoutMs: 20, fallback: { kind: 'value', value: { value: 1 } } }]), rows, runner
    );
    late({ rows: 2, columns: {}, refused: new Map() } as never);
    expect(answers.double!.outputs.value).toEqual([1, 1]);
  });

  it('answers all rows when the model fails: another model', async () => {
    const answers = await run(
      release([{ model: 'broken', fallback: { kind: 'model', model: 'other' }, with: { x: 'input.x + 1.0' } }]), rows
    );
    expect(answers.broken).toMatchObject({ status: ['fallback', 'fallback'], outputs: { value: [200, 300] }, version: named.broken!.id });
    expect(answers.broken!.fallbackReason).toContain(`answered by other (version ${named.other!.id})`);
  });

  it('answers the rows whose condition is false', async () => {
    const answers = await run(release([{ model: 'double', when: 'input.x < 2.0', fallback: { kind: 'model', model: 'other' } }]), rows);
    expect(answers.double).toMatchObject({ status: ['model', 'fallback'], outputs: { value: [2, 200] } });
    expect(answers.double!.fallbackReason).toContain('its condition is false');
  });

  it('answers the rows for which the model says nothing finite', async () => {
    const answers = await run(release([{ model: 'vast', fallback: { kind: 'baseline' } }]), [{ x: 1 }, { x: 1e9 }]);
    expect(answers.vast!.status).toEqual(['model', 'fallback']);
    expect(answers.vast!.outputs.value![1]).toBe(7);
    expect(answers.vast!.fallbackReason).toBe('its output is not a finite number');
  });

  it('answers the rows that a forecast refuses, seasonal naive for instance', async () => {
    const of = boxOfficeRelease(office, { market: { fallback: { kind: 'baseline' } } });
    const answers = await run(of, [film(), film({ Released: '2005-03-01' }), film({ Released: '1990-01-01' })]);
    // March 2003 is 124 + the 38 months since 2000; before 2000 nothing is known.
    expect(answers.market!.status).toEqual(['model', 'fallback', 'fallback']);
    expect(answers.market!.outputs.value!.slice(1)).toEqual([100 + 20 + 38, null]);
    expect(answers.market!.fallbackReason).toMatch(/2005-03 is too far ahead.*\(1 row\); .*1990-01 has no history/);
    expect(answers.gross!.status).toEqual(['model', 'model', 'model']);
  });

  it.each<[string, Stage, Runner | undefined, string, string]>([
    ['fails', { model: 'broken' }, undefined, 'ARTIFACT_CORRUPT', 'its ONNX file cannot be loaded'],
    ['is too slow', { model: 'double', timeoutMs: 20 }, never, 'STAGE_FAILED', 'timed out after 20 ms'],
  ])('that is not there: a stage that %s names itself, its version and the cause', async (_, stage, runner, code, cause) => {
    const failing = run(release([stage]), rows, runner);
    await expect(failing).rejects.toMatchObject({ code, details: { stage: stage.model, version: named[stage.model]!.id } });
    await expect(failing).rejects.toThrow(`Stage ${stage.model}, version ${named[stage.model]!.id}: `);
    await expect(failing).rejects.toThrow(cause);
  });

  it('that is not there: an output that is not finite names its row', async () => {
    await expect(run(release([{ model: 'vast' }]), [{ x: 1 }, { x: 1e9 }])).rejects.toThrow('its output is not a finite number (row 1)');
  });

  it('that fails too says both causes', async () => {
    await expect(run(release([{ model: 'double', timeoutMs: 20, fallback: { kind: 'model', model: 'broken' } }]), rows, never))
      .rejects.toThrow(/Stage double, .*timed out after 20 ms; its fallback failed: Model broken: its ONNX file cannot be loaded/);
  });

  it('of the wrong width names its stage and those that read it', async () => {
    const of = boxOfficeRelease(
      office, { genre: { when: 'false', fallback: { kind: 'value', value: { label: 'Drama', probabilities: [0.5, 0.5] } } } }
    );
    await expect(run(of, [film()])).rejects.toThrow(
      /Stage genre, .*is a list of 3 numbers, and the constant has a list of 2.*which gross read/
    );
  });

  it('may leave a vector out: it is missing downstream', async () => {
    const of = boxOfficeRelease(office, { genre: { when: 'input.Budget > 50.0', fallback: { kind: 'value', value: { label: 'Drama' } } } });
    const answers = await run(of, [film(), film({ Budget: 60 })]);
    expect(answers.genre!.outputs.label![0]).toBe('Drama');
    expect(answers.genre!.outputs.probabilities![0]).toBeNull();
    expect(answers.genre!.outputs.probabilities![1]).toHaveLength(3);
    expect(answers.gross!.status).toEqual(['model', 'model']);
  });
});

describe('probabilities of another width than a downstream model was trained on', () => {
  it('are refused, naming both', async () => {
    const of = boxOfficeRelease(office);
    const rows = [film()];
    const earlier = await runStages({ release: of, stages: ['title', 'genre', 'market'], rows, earlier: {} }, { models });
    earlier.genre!.outputs.probabilities = [[0.5, 0.5]];
    await expect(runStages({ release: of, stages: ['gross'], rows, earlier }, { models }))
      .rejects.toThrow(
        /Stage gross: gross \(version \w+\) takes 3 numbers as genre, and probabilities of stage genre \(version \w+\) has 2/
      );
  });
});

describe('given outputs', () => {
  const input: Table = { rows: 3, columns: { x: { type: 'number', values: Float64Array.of(1, 2, 3) } } };
  const given = {
    double: {
      rows: 3,
      columns: Object.fromEntries(
        ['value', 'low', 'high'].map((name) => [name, { type: 'number' as const, values: Float64Array.of(10, NaN, 30) }])
      ),
    },
  };

  it('stand for running the model', async () => {
    const asked: string[] = [];
    const runner = withRun((ref, table, options) => {
      asked.push(ref.model);
      return models.run(ref, table, options);
    });
    const { double, next } = await runStagesOnTable(
      { release: release([{ model: 'double' }, { model: 'next' }]), input, given }, { models: runner }
    );
    expect(asked).toEqual(['next']);
    expect(next!.outputs.columns.value!.values).toEqual(Float64Array.of(10, 0, 30));
    expect(double!.status).toEqual(['model', 'skipped', 'model']);
  });

  it('leave conditions and fallbacks as they are', async () => {
    const of = release([{ model: 'double', when: 'input.x < 3.0', fallback: { kind: 'value', value: { value: 5 } } }, { model: 'next' }]);
    const { double, next } = await runStagesOnTable({ release: of, input, given }, { models });
    expect(double!.status).toEqual(['model', 'fallback', 'fallback']);
    expect(next!.outputs.columns.value!.values).toEqual(Float64Array.of(10, 5, 5));
  });
});

describe('the chain\'s outputs', () => {
  it('are its expressions, row by row; missing where what they read is', async () => {
    const of = release(
      [{ model: 'double', when: 'input.x > 1.0' }],
      { output: { value: 'stages.double.value + 1.0', name: 'input.name', big: 'stages.double.value > 3.0 ? "big" : "small"' } },
    );
    const rows = [{ x: 1, name: 'a' }, { x: 2 }];
    expect(chainOutputs(of, rows, await run(of, rows))).toEqual(
      [{ value: null, name: 'a', big: 'small' }, { value: 5, name: null, big: 'big' }]
    );
  });
});
