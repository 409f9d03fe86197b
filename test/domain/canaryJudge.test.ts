import { CanaryJudge, judgeCanary, type JudgeOptions } from '../../src/domain/canaryJudge';
import { random } from '../../src/domain/random';
import type { Answered, CanaryCheck, CanaryVerdict, CheckName, Observation } from '../../src/domain/rollout';
import { classification, gauss, regression, type World } from './simulatedCanary';

const options: JudgeOptions = { errorRate: 0.05, tolerance: { loss: 0.1, failures: 0.01, latency: 0.5, output: 0.1 }, minimum: 100, output: 'number' };
const check = (verdict: CanaryVerdict, name: CheckName): CanaryCheck => verdict.checks.find((c) => c.check === name)!;

/** Requests of a world, answered by both up to `shadow`, then by the candidate with a probability of `weight`. */
function requests(world: World, count: number, { shadow = count, weight = 0.5, seed = 1 } = {}): Observation[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, i): Observation => {
    const { candidate, reference } = world(next);
    const id = { request: `r${i}`, knownAt: i };
    if (i < shadow) return { ...id, candidate, reference };
    return next() < weight ? { ...id, weight, candidate } : { ...id, weight, reference };
  });
}

const identical: World = (next) => {
  const answer: Answered = { failed: false, seconds: 0.1, output: gauss(next), loss: Math.abs(gauss(next)) };
  return { candidate: answer, reference: answer };
};

describe('verdicts', () => {
  test('an identical release passes as soon as so few requests can show it', () => {
    const verdict = judgeCanary(requests(identical, 450), options);
    expect(verdict.verdict).toBe('pass');
    expect(verdict.checks.map((c) => c.verdict)).toEqual(['pass', 'pass', 'pass', 'pass']);
    // That fewer than 1 in 100 more fail takes 300 requests without a failure even for a single look (the rule of three).
    expect(judgeCanary(requests(identical, 290), options).verdict).toBe('inconclusive');
  });

  test('no pass before the candidate has answered the minimum', () => {
    const observations = requests(identical, 450);
    expect(judgeCanary(observations, { ...options, minimum: 450 }).verdict).toBe('pass');
    const early = judgeCanary(observations, { ...options, minimum: 451 });
    expect(early).toMatchObject({ verdict: 'inconclusive', reason: 'Not known after 450 requests: it must answer 451.' });
  });

  test('a worse release fails, in words for people', () => {
    const verdict = judgeCanary(requests(regression({ loss: 1.5 }, 'half-normal'), 300), options);
    const loss = check(verdict, 'loss');
    expect(verdict.verdict).toBe('fail');
    expect(loss.verdict).toBe('fail');
    expect(loss.reason).toMatch(
      /^the mean error [\d.]+ is \d+\.\d% above the current release's [\d.]+ \[\d+\.\d%, \d+\.\d%\] on \d+ requests \(tolerated: 10\.0%\)$/);
    expect(verdict.reason).toBe(`Worse than the current release after 300 requests: ${loss.reason}.`);
    expect(loss.effect).toBeGreaterThan(0.3);
    expect(loss.effect).toBeLessThan(0.7);
    expect(loss.low).toBeGreaterThan(0);
    expect(loss.high).toBeGreaterThan(loss.effect!);
    expect(verdict.requests).toEqual({ candidate: 300, reference: 300, both: 300 });
  });

  test('a handful of failures at a small weight is enough', () => {
    const world: World = (next) => ({
      candidate: { failed: next() < 0.5 }, reference: { failed: next() < 0.001 },
    });
    const verdict = judgeCanary(requests(world, 200, { shadow: 0, weight: 0.05 }), options);
    expect(verdict.verdict).toBe('fail');
    expect(verdict.requests.candidate).toBeLessThan(20);
    expect(check(verdict, 'failures').reason).toMatch(/^\d+ of \d+ requests failed against the current release's \d+ of \d+ requests, [\d.]+ points more \[/);
  });

  test('slower, and otherwise distributed answers fail', () => {
    expect(check(judgeCanary(requests(regression({ latency: 2 }, 'half-normal'), 100), options), 'latency')).toMatchObject({ verdict: 'fail' });
    const up = check(judgeCanary(requests(regression({ output: 0.3 }, 'half-normal'), 400), options), 'output');
    const down = check(judgeCanary(requests(regression({ output: -0.3 }, 'half-normal'), 400), options), 'output');
    for (const { verdict, effect, low } of [up, down]) {
      expect(verdict).toBe('fail');
      expect(Math.abs(effect! - 0.3)).toBeLessThan(0.05);
      expect(low).toBeGreaterThan(0.1);
    }
    expect(up.reason).toMatch(/above the current release's with probability 8\d/);
    expect(down.reason).toMatch(/above the current release's with probability [12]\d/);
  });

  test('a class whose share moved is named; classes that nobody knew count', () => {
    const classes: JudgeOptions = { ...options, output: 'class' };
    const moved = check(judgeCanary(requests(classification({ output: 0.3 }), 600), classes), 'output');
    expect(moved).toMatchObject({ verdict: 'fail' });
    expect(moved.reason).toMatch(/^the share of class [01], /);
    expect(Math.abs(moved.effect! - 0.3)).toBeLessThan(0.06);
    const unknown: World = (next) => ({ candidate: { failed: false, output: `new ${Math.floor(next() * 50)}` }, reference: { failed: false, output: 'old' } });
    expect(check(judgeCanary(requests(unknown, 200), classes), 'output').verdict).toBe('fail');
    const same = check(judgeCanary(requests(classification({}), 600), classes), 'output');
    expect(same.verdict).toBe('pass');
  });

  test('worse for sure, but surely less than tolerated: passes', () => {
    const world: World = (next) => {
      const loss = 1 + 0.1 * next();
      return { candidate: { failed: false, loss: 1.03 * loss }, reference: { failed: false, loss } };
    };
    const loss = check(judgeCanary(requests(world, 1500), options), 'loss');
    expect(loss.low).toBeGreaterThan(0);
    expect(loss.high).toBeLessThan(0.1);
    expect(loss.verdict).toBe('pass');
  });

  test('through shadow and steps the requests are one sequence', () => {
    const world = regression({ loss: 0.8 }, 'half-normal');
    const verdict = judgeCanary(requests(world, 3000, { shadow: 500, weight: 0.25 }), options);
    expect(check(verdict, 'failures').requests).toBe(3000);
    expect(check(verdict, 'loss').verdict).toBe('pass');
    expect(Math.abs(check(verdict, 'loss').effect! + 0.2)).toBeLessThan(0.06);
  });
});

describe('what was not measured', () => {
  test('does not hold up a pass: no outcome has come', () => {
    const observations = requests(identical, 450).map(({ candidate, reference, ...rest }) => ({
      ...rest, candidate: { ...candidate!, loss: undefined }, reference: { ...reference!, loss: undefined },
    }));
    const verdict = judgeCanary(observations, options);
    expect(verdict.verdict).toBe('pass');
    expect(check(verdict, 'loss')).toEqual({ check: 'loss', verdict: 'not measured', requests: 0, tolerance: 0.1, reason: 'loss not measured' });
  });

  test('holds it up once it is measured, however little', () => {
    const observations = requests(identical, 450).map(({ candidate, reference, ...rest }, i) => ({
      ...rest, candidate: { ...candidate!, loss: i < 3 ? 1 : undefined }, reference: { ...reference!, loss: i < 3 ? 1 : undefined },
    }));
    const verdict = judgeCanary(observations, options);
    expect(verdict).toMatchObject({ verdict: 'inconclusive', reason: 'Not known after 450 requests: loss measured on 3 requests only.' });
  });
});

describe('odd input', () => {
  test('no request, or none of the candidate', () => {
    expect(judgeCanary([], options)).toMatchObject({ verdict: 'inconclusive', reason: 'The candidate has answered no request yet.' });
    const reference: Answered = { failed: false, seconds: 1, output: 1, loss: 1 };
    const only = Array.from({ length: 500 }, (_, i): Observation => ({ request: `${i}`, knownAt: i, weight: 0.05, reference }));
    expect(judgeCanary(only, options).verdict).toBe('inconclusive');
  });

  test('one side at an unknown chance, or at a sure one, says nothing', () => {
    const candidate: Answered = { failed: true };
    const only = [undefined, 0, 1].flatMap((weight) =>
      Array.from({ length: 100 }, (_, i): Observation => ({ request: `${i}`, knownAt: i, weight, candidate })));
    const verdict = judgeCanary(only, options);
    expect(verdict.checks.map((c) => c.verdict)).toEqual(Array.from({ length: 4 }, () => 'not measured'));
    expect(verdict.verdict).toBe('inconclusive');
  });

  test('what is no number is left out', () => {
    const odd: Answered[] = [
      { failed: false, seconds: NaN, output: NaN, loss: NaN }, { failed: false, seconds: 0, output: Infinity, loss: -1 },
      { failed: false, seconds: Infinity, loss: Infinity }, { failed: false, seconds: -1, output: 'a class' },
    ];
    const observations = requests(identical, 450);
    const among = observations.flatMap((o, i) => [{ request: `odd ${i}`, knownAt: i, candidate: odd[i % 4]!, reference: odd[(i + 1) % 4]! }, o]);
    const clean = judgeCanary(observations, options);
    const verdict = judgeCanary(among, options);
    for (const name of ['latency', 'output', 'loss'] as const) expect(check(verdict, name)).toEqual(check(clean, name));
  });

  test.each([1e3, 1e12])('one error of %d flips nothing', (huge) => {
    const observations = requests(identical, 450);
    observations[200] = { ...observations[200]!, candidate: { ...observations[200]!.candidate!, loss: huge, seconds: huge, output: huge } };
    expect(judgeCanary(observations, options).verdict).toBe('pass');
    const worse = requests(regression({ loss: 1.5 }, 'half-normal'), 300);
    worse[50] = { ...worse[50]!, reference: { ...worse[50]!.reference!, loss: huge } };
    expect(judgeCanary(worse, options).verdict).toBe('fail');
  });

  test('a current release without any loss', () => {
    const without = (loss: number): World => () => ({ candidate: { failed: false, loss }, reference: { failed: false, loss: 0 } });
    expect(check(judgeCanary(requests(without(0), 100), options), 'loss').verdict).toBe('pass');
    expect(check(judgeCanary(requests(without(0), 99), options), 'loss').verdict).toBe('inconclusive');
    expect(check(judgeCanary(requests(without(0.2), 100), options), 'loss').verdict).toBe('fail');
  });

  test('everything constant', () => {
    const answer: Answered = { failed: false, seconds: 0.2, output: 3, loss: 0.4 };
    const verdict = judgeCanary(requests(() => ({ candidate: answer, reference: answer }), 450), options);
    expect(verdict.verdict).toBe('pass');
    for (const { low, high, effect } of verdict.checks) expect(effect === 0 && low! <= 0 && high! >= 0).toBe(true);
  });

  test('is plain JSON', () => {
    const verdict = judgeCanary(requests(regression({}, 'lognormal'), 30), options);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(JSON.parse(JSON.stringify(verdict, (_, value: unknown) => {
      if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      return value;
    })));
  });
});

test('request by request it says what it says of all of them', () => {
  const observations = requests(regression({ loss: 1.15 }, 'half-normal'), 900, { shadow: 300, weight: 0.25 });
  const judge = new CanaryJudge(options);
  observations.forEach((observation, i) => {
    judge.add(observation);
    if (i % 100 === 99) {
      const whole = judgeCanary(observations.slice(0, i + 1), options);
      expect(judge.verdict()).toBe(whole.verdict);
      expect(judge.report()).toEqual(whole);
    }
  });
});

test.each(['number', 'class'] as const)('100,000 requests take no more time for each than 1,000 do (%s)', (output) => {
  const world = output === 'number' ? regression({}, 'half-normal') : classification({});
  const observations = requests(world, 100_000, { shadow: 20_000, weight: 0.25 });
  const micros = (count: number): number => {
    const some = observations.slice(0, count);
    const before = process.cpuUsage();
    judgeCanary(some, { ...options, output });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / count;
  };
  micros(10_000);
  const [few, many] = [Math.min(micros(1000), micros(1000)), micros(100_000)];
  process.stdout.write(`judge, ${output}: ${few.toFixed(1)} us a request of 1,000, ${many.toFixed(1)} us of 100,000\n`);
  expect(many).toBeLessThan(3 * few);
});
