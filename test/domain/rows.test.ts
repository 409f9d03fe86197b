import fc from 'fast-check';
import { ShoalError } from '../../src/domain/errors';
import { cellsOf, rowsToTable, toDays, type RowColumn, type RowOptions } from '../../src/domain/rows';
import type { Row } from '../../src/domain/prediction';

const column = (name: string, type: RowColumn['type'], width?: number): RowColumn => ({ name, column: name, type, width });
const ALL: RowColumn[] = [
  column('budget', 'number'), column('sequel', 'boolean'), column('released', 'date'),
  column('genre', 'category'), column('title', 'text'), column('taste', 'vector', 2),
];

function refusal(rows: Row[], columns = ALL, options: RowOptions = {}): ShoalError {
  try {
    rowsToTable(rows, columns, options);
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('request rows', () => {
  it('become typed columns', () => {
    const { rows, columns } = rowsToTable([
      { budget: 1.5, sequel: true, released: '1970-01-02', genre: 'Drama', title: 'Up', taste: [1, 2] },
      { budget: -2, sequel: false, released: '1970-01-01T12:00:00Z', genre: '', title: 'é', taste: [3, 4] },
    ], ALL);
    expect(rows).toBe(2);
    expect(columns).toEqual({
      budget: { type: 'number', values: Float64Array.of(1.5, -2) },
      sequel: { type: 'boolean', values: Float64Array.of(1, 0) },
      released: { type: 'date', values: Float64Array.of(1, 0.5) },
      genre: { type: 'category', values: ['Drama', ''] },
      title: { type: 'text', values: ['Up', 'é'] },
      taste: { type: 'vector', width: 2, values: Float32Array.of(1, 2, 3, 4) },
    });
  });

  it('are missing where null or left out', () => {
    const { columns } = rowsToTable([{ budget: null, genre: null, taste: null }, {}], ALL);
    expect(columns.budget!.values).toEqual(Float64Array.of(NaN, NaN));
    expect(columns.released!.values).toEqual(Float64Array.of(NaN, NaN));
    expect(columns.genre!.values).toEqual([null, null]);
    expect(columns.taste!.values).toEqual(Float32Array.of(NaN, NaN, NaN, NaN));
  });

  it('do not inherit columns', () => {
    expect(rowsToTable([{}], [column('constructor', 'text')]).columns).toEqual({ constructor: { type: 'text', values: [null] } });
  });

  it('may hold a column under several names and types', () => {
    const table = rowsToTable(
      [{ year: 2001 }], [{ name: 'n', column: 'year', type: 'number' }, { name: 'c', column: 'year', type: 'category' }]
    );
    expect(table.columns.n!.values).toEqual(Float64Array.of(2001));
    expect(table.columns.c!.values).toEqual(['2001']);
  });

  it.each<[string, unknown, string, string]>([
    ['budget', '12', 'a number', '"12"'],
    ['budget', true, 'a number', 'true'],
    ['budget', NaN, 'a number', 'NaN'],
    ['budget', Infinity, 'a number', 'Infinity'],
    ['budget', { amount: 1 }, 'a number', '{"amount":1}'],
    ['sequel', 'yes', 'true or false', '"yes"'],
    ['sequel', 1, 'true or false', '1'],
    ['sequel', 'true', 'true or false', '"true"'],
    ['released', 12345, 'an ISO date (2015-03-31)', '12345'],
    ['released', '31/03/2015', 'an ISO date (2015-03-31)', '"31/03/2015"'],
    ['released', '2015-02-29', 'an ISO date (2015-03-31)', '"2015-02-29"'],
    ['genre', ['Drama'], 'a string', '["Drama"]'],
    ['title', {}, 'a string', '{}'],
    ['taste', [1], 'a list of 2 numbers', '[1]'],
    ['taste', [1, 'a'], 'a list of 2 numbers', '[1,"a"]'],
    ['taste', [1, null], 'a list of 2 numbers', '[1,null]'],
    ['title', ['x'.repeat(100)], 'a string', `["${'x'.repeat(35)}...`],
  ])('of a wrong type are refused: %s = %p', (name, value, expected, found) => {
    const error = refusal([{ budget: 1 }, { [name]: value }]);
    expect(error.code).toBe('REQUEST_ROW');
    expect(error.details).toMatchObject({ row: 1, column: name, expected, found, count: 1 });
    expect(error.message).toContain(`row 1, column ${name}: expected ${expected}, found ${found}`);
  });

  it('are refused with the count of the wrong values, and the first few', () => {
    const error = refusal(Array.from({ length: 8 }, (_, i) => ({ budget: `${i}`, title: [] })));
    expect(error.details.count).toBe(16);
    expect(error.details.cells).toHaveLength(5);
    expect(error.message).toContain('16 values');
  });

  it('are named by their key where they have one', () => {
    expect(refusal([{ id: 'tt01', budget: 'much' }], ALL, { key: ['id'] }).message).toContain('row 0 (id "tt01"), column budget');
  });

  it('that are no objects are refused', () => {
    expect(refusal([{ budget: 1 }, 5 as unknown as Row]).message).toContain('Row 1 is 5');
    expect(refusal([[1] as unknown as Row]).code).toBe('REQUEST_ROW');
  });

  it('must be there, and not too many', () => {
    expect(refusal([]).code).toBe('REQUEST_EMPTY');
    const error = refusal([{}, {}, {}], ALL, { limit: 2 });
    expect(error.code).toBe('REQUEST_TOO_LARGE');
    expect(error.message).toMatch(/3 rows; inline it can have 2.*by reference/);
  });

  it('may have columns that nothing reads', () => {
    expect(rowsToTable([{ budget: 1, director: 'X' }], ALL).columns.director).toBeUndefined();
  });

  it('with a misspelt column are refused', () => {
    const error = refusal([{ budgte: 1 }, { Title: 'Up' }]);
    expect(error.code).toBe('COLUMN_MISSING');
    expect(error.message).toContain('Did you mean budget?');
  });

  it('with an unread column near one that is there are not', () => {
    expect(() => rowsToTable([{ budgets: 1, budget: 2 }], [column('budget', 'number')])).not.toThrow();
    expect(() => rowsToTable([{ budgets: 1 }], [column('budget', 'number')], { alsoRead: ['budgets'] })).not.toThrow();
    expect(() => rowsToTable([{ b: 1 }], [column('a', 'number')])).not.toThrow();
  });

  describe('from CSV', () => {
    it('are read from strings', () => {
      const { columns } = rowsToTable(
        [{ budget: ' 12.5 ', sequel: 'TRUE', genre: 7 }, { budget: '', sequel: '0', genre: 'x' }], ALL, { lenient: true }
      );
      expect(columns.budget!.values).toEqual(Float64Array.of(12.5, NaN));
      expect(columns.sequel!.values).toEqual(Float64Array.of(1, 0));
      expect(columns.genre!.values).toEqual(['7', 'x']);
    });

    it('are refused where the string is none', () => {
      expect(refusal([{ budget: 'much' }], ALL, { lenient: true }).details).toMatchObject({ column: 'budget', found: '"much"' });
      expect(refusal([{ sequel: '2' }], ALL, { lenient: true }).details).toMatchObject({ column: 'sequel' });
      expect(refusal([{ budget: 'Infinity' }], ALL, { lenient: true }).code).toBe('REQUEST_ROW');
    });
  });

  it('come back from their columns as they were', () => {
    const cell = fc.record({
      budget: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      sequel: fc.option(fc.boolean()),
      released: fc.option(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((d) => d.toISOString())
      ),
      genre: fc.option(fc.string()),
      title: fc.option(fc.string({ unit: 'grapheme' })),
      taste: fc.option(
        fc.tuple(
          fc.float({ noNaN: true, noDefaultInfinity: true }), fc.float({ noNaN: true, noDefaultInfinity: true })
        ).map((pair) => [...pair])
      ),
    });
    fc.assert(fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), (rows) => {
      const table = rowsToTable(rows, ALL);
      for (const { name } of ALL) {
        const back = cellsOf(table.columns[name]!, rows.length);
        const sent = rows.map((row) => (row as Row)[name]);
        if (name === 'released') expect(back.map(toDays)).toEqual(sent.map(toDays));
        else expect(back).toEqual(sent);
      }
    }));
  });
});

describe('ISO dates', () => {
  it.each([
    ['1970-01-01', 0], ['1970', 0], ['1971', 365], ['2000-03', 11017], ['2000-02-29', 11016], ['1969-12-31', -1],
    ['1970-01-01T06:00', 0.25], ['1970-01-01 06:00:00', 0.25], [
      '1970-01-01T06:00:00.000Z', 0.25,
    ], ['1970-01-01T06:00+06:00', 0], ['1970-01-01T00:00-0600', 0.25],
  ])('%s is day %d', (text, days) => {
    expect(toDays(text)).toBeCloseTo(days, 10);
  });

  it.each(
    ['', 'today', '1970-1-1', '1970-13-01', '1970-00-10', '2001-02-29', '1970-01-01T25:00', '19700101', 'Jan 1, 1970', 0, null, {}]
  )('%p is none', (text) => {
    expect(toDays(text)).toBeUndefined();
  });
});
