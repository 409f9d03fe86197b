import fc from 'fast-check';
import { compile, MAX_EXPRESSION_LENGTH } from '../../src/domain/expression';
import type { ExpressionContext } from '../../src/domain/expression';
import { ShoalError } from '../../src/domain/errors';

const context: ExpressionContext = {
  input: { budget: 5_000_000, year: 1999, title: 'Star', missing: null, ratings: [1, 2, 3], flag: true, 'running time': 90 },
  stages: { market: { value: 10 }, genre: null, 'title-embedding': { vector: [0.5, 1] } },
};
const evaluate = (text: string): unknown => compile(text).evaluate(context);

function failure(work: () => unknown): ShoalError {
  try {
    work();
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('numbers are doubles, as in JSON', () => {
  test.each<[string, unknown]>([
    ['input.budget > 1000000', true],
    ['input.budget >= 5000000.0', true],
    ['stages.market.value * 1.1', 11],
    ['stages.market.value * 2 + 1', 21],
    ['7 / 2', 3.5],
    ['input.year % 4', 3],
    ['input.year == 1999', true],
    ['input.year != 1999.0', false],
    ['input.year in [1998, 1999]', true],
    ['input.year > 2000 ? 1 : 2.5', 2.5],
    ['-input.year + 0x10', -1983],
    ['int(input.year / 2) / 2', 499.5],
    ['size(input.ratings) * 1.5', 4.5],
    ['size(input.ratings) == 3 && 3 == size(input.ratings)', true],
    ['size(input.ratings) > 2.5', true],
    ['1.5 - size(input.ratings)', -1.5],
    ['input.ratings[0] + input.ratings[2]', 4],
    ['input["running time"] / 60', 1.5],
    ['stages["title-embedding"].vector[1]', 1],
  ])('%s is %j', (text, expected) => expect(evaluate(text)).toEqual(expected));

  test('an integer that no double holds exactly is refused', () => {
    expect(failure(() => compile('input.x > 9007199254740993')).details).toMatchObject({ offset: 10, reason: expect.stringContaining('9007199254740993') });
  });

  test('any arithmetic on two numbers is what JavaScript computes', () => {
    const operators = { '+': (a: number, b: number) => a + b, '-': (a: number, b: number) => a - b, '*': (a: number, b: number) => a * b, '/': (a: number, b: number) => a / b };
    const finite = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(fc.property(finite, finite, fc.constantFrom(...Object.keys(operators)), (a, b, operator) => {
      const expected = operators[operator as keyof typeof operators](a, b);
      const value = compile(`input.a ${operator} input.b`).evaluate({ input: { a, b } });
      expect(value).toBe(Number.isFinite(expected) ? expected : null);
    }));
  });
});

describe('a column that is null or left out is missing', () => {
  test.each<[string, unknown]>([
    ['input.missing == null', true],
    ['input.gone == null', true],
    ['has(input.gone)', false],
    ['has(input.missing)', false],
    ['has(input.year) && input.year > 1990', true],
    ['has(input.gone) ? input.gone : 100', 100],
    ['input.gone == null ? 100.0 : input.gone', 100],
    ['input.year > 1900 ? null : 1', null],
    ['input.missing * 2 + 1', null],
    ['-input.missing', null],
    ['input.missing + "x"', null],
    ['input.missing > 3', false],
    ['input.missing <= 3', false],
    ['input.missing in ["a"]', false],
    ['input.missing.contains("a")', false],
    ['input.missing.lowerAscii()', null],
    ['log10(input.missing)', null],
    ['max(1, input.missing)', null],
    ['stages.genre.label', null],
    ['stages.absent.value == null', true],
    ['1 / 0', null],
    ['log10(0)', null],
    ['sqrt(-1)', null],
  ])('%s is %j', (text, expected) => expect(evaluate(text)).toEqual(expected));

  test('a column may have the name of anything an object has', () => {
    expect(compile('input.constructor == null && !has(input.toString)').evaluate({ input: {} })).toBe(true);
    expect(compile('input.constructor + 1').evaluate({ input: { constructor: 1 } })).toBe(2);
  });
});

describe('functions', () => {
  test.each<[string, unknown]>([
    ['abs(-2.5)', 2.5], ['min(3, 1, 2)', 1], ['max(input.ratings)', 3], ['round(2.5)', 3], ['floor(2.9)', 2], ['ceil(2.1)', 3], ['sqrt(16)', 4],
    ['log10(1000)', 3], ['exp10(3)', 1000], ['pow(2, 10)', 1024], ['log(exp(1))', 1], ['min(size(input.ratings), 10)', 3],
    ['input.title.startsWith("St") && input.title.size() == 4', true],
    ['input.title.substring(1, 3)', 'ta'],
    ['string(input.year) + "!"', '1999!'],
    ['input.ratings.map(r, r * 2).filter(r, r > 2)', [4, 6]],
    ['input.ratings.exists(r, r > 2) && !input.ratings.all(r, r > 2)', true],
    ['timestamp("2020-03-04T00:00:00Z").getFullYear()', 2020],
    ['timestamp("2020-03-04T00:00:00Z")', '2020-03-04T00:00:00.000Z'],
    ['{"a": size(input.ratings), "b": [1, "x"]}', { a: 3, b: [1, 'x'] }],
    ['cel.bind(t, input.year, t + 1)', 2000],
  ])('%s is %j', (text, expected) => expect(evaluate(text)).toEqual(expected));

  test('a function that is not there is told with the nearest one', () => {
    expect(failure(() => compile('1 + log11(3)')).details).toMatchObject({ offset: 4, suggestion: 'log10' });
    expect(failure(() => compile('input.title.matches("(a+)+")')).message).toContain('there is no function `matches`');
  });

  test('a number function says what it got instead', () => {
    expect(failure(() => evaluate('log10(input.title)')).message).toContain('log10() takes numbers, and got a string');
  });
});

test('what an expression reads is known without running it', () => {
  const { references } = compile('has(input.budget) && stages["title-embedding"].vector[0] > stages.market.value * input["running time"] + input.budget');
  expect(references.map(({ root, path, offset }) => ({ root, path, offset }))).toEqual([
    { root: 'input', path: ['budget'], offset: 4 },
    { root: 'stages', path: ['title-embedding', 'vector'], offset: 21 },
    { root: 'stages', path: ['market', 'value'], offset: 59 },
    { root: 'input', path: ['running time'], offset: 81 },
  ]);
  expect(compile('size(stages) > 0').references).toEqual([{ root: 'stages', path: [], offset: 5 }]);
});

describe('a mistake is told with its place in the text', () => {
  test.each([
    ['input.title +', 13, /unexpected token/],
    ['1 + nothing', 4, /unknown variable: nothing/],
    ['2 * 3 > 1 && "a" + 1 == 2', 13, /no such overload: string \+ double/],
    ['', 0, /unexpected token/],
    ['input.a.map(x, x.map(y, y.map(z, z)))', 24, /nested more than 2/],
    ['1 ? 2 : 3', 0, /must be bool/],
    ['input.?a', 6, /./],
  ])('%j at %d', (text, offset, reason) => {
    const error = failure(() => compile(text));
    expect(error.code).toBe('EXPRESSION');
    expect(error.message).toMatch(reason);
    expect(error.details.offset).toBe(offset);
  });

  test('also when it shows only with the values', () => {
    const error = failure(() => evaluate('100 + 200 > 1 && input.title * 2 > 1'));
    expect(error.details).toMatchObject({ offset: 17, reason: expect.stringMatching(/no such overload/) });
    expect(failure(() => evaluate('input.ratings[7]')).message).toMatch(/index out of bounds/);
  });
});

describe('conditions', () => {
  test('missing is false', () => expect(compile('input.missing').test(context)).toBe(false));
  test('true and false are themselves', () => expect([compile('input.flag').test(context), compile('!input.flag').test(context)]).toEqual([true, false]));
  test('anything else is refused', () => expect(failure(() => compile('input.year').test(context)).message).toContain('must be true or false, and is 1999'));
});

describe('expressions are bounded', () => {
  test.each([
    ['length', '1 + '.repeat(MAX_EXPRESSION_LENGTH / 4) + '1'],
    ['depth', '('.repeat(200) + '1' + ')'.repeat(200)],
    ['nodes', Array(999).fill('1').join('+')],
  ])('in %s', (_, text) => expect(failure(() => compile(text)).code).toBe('EXPRESSION'));
});

test('one expression may be evaluated for any rows in turn, and changes none of them', () => {
  const expression = compile('input.a == null ? stages.s.value : input.a * 2');
  const frozen = Object.freeze({ input: Object.freeze({}), stages: Object.freeze({}) });
  expect([
    expression.evaluate({ input: { a: 1 } }),
    expression.evaluate(frozen),
    expression.evaluate({ input: { a: null }, stages: { s: { value: 5 } } }),
    expression.evaluate({ input: { a: 2 } }),
  ]).toEqual([2, null, 5, 4]);
});

test('any text either compiles or is refused with EXPRESSION', () => {
  const piece = fc.constantFrom('input', '.', 'a', 'stages', '[', ']', '"x"', '(', ')', '+', '*', '==', '?', ':', '1', '2.5', 'null', 'has', ',', '&&', '!', 'size', ' ', '{', '}', 'map', '\n', 'true');
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''))), (text) => {
    try {
      const value = compile(text).evaluate({ input: { a: 1 }, stages: {} });
      expect(JSON.parse(JSON.stringify(value))).toEqual(value);
    } catch (error) {
      expect(error).toBeInstanceOf(ShoalError);
      expect((error as ShoalError).code).toBe('EXPRESSION');
    }
  }), { numRuns: 1_000 });
});
