import { CanaryJudge } from '../../src/domain/canaryJudge';
import { NaiveJudge } from './naiveJudge';
import { play, printed, type Played, type Scenario } from './simulatedCanaries';
import { classification, regression } from './simulatedCanary';

const tolerance = { loss: 0.1, failures: 0.01, latency: 0.5, output: 0.1 };
const ERROR_RATE = 0.05;
const CANARIES = 1000;
/** The error rate, and three standard deviations of how often it would happen in so many canaries: 7.1%. */
const ALLOWED = ERROR_RATE + 3 * Math.sqrt((ERROR_RATE * (1 - ERROR_RATE)) / CANARIES);

/** What may not happen more often than that. Between no harm and the tolerated one either ending is right. */
const scenarios: (Scenario & { wrong?: 'promoted' | 'rolled back' })[] = [
  { name: 'no difference', world: regression({}, 'half-normal'), wrong: 'rolled back' },
  { name: 'no difference, lognormal errors', world: regression({}, 'lognormal'), wrong: 'rolled back' },
  { name: 'errors 10% smaller', world: regression({ loss: 0.9 }, 'half-normal'), wrong: 'rolled back' },
  { name: 'errors 5% larger: half of what is tolerated', world: regression({ loss: 1.05 }, 'half-normal'), cap: 1000 },
  { name: 'errors 10% larger: as tolerated', world: regression({ loss: 1.1 }, 'half-normal'), wrong: 'promoted' },
  { name: 'errors 10% larger, lognormal', world: regression({ loss: 1.1 }, 'lognormal'), wrong: 'promoted' },
  { name: 'errors 20% larger', world: regression({ loss: 1.2 }, 'half-normal'), wrong: 'promoted' },
  { name: 'errors 50% larger', world: regression({ loss: 1.5 }, 'half-normal'), wrong: 'promoted' },
  { name: '1.3% fail rather than 0.3%: as tolerated', world: regression({ failures: 0.01 }, 'half-normal'), wrong: 'promoted' },
  { name: '10% fail rather than 0.3%', world: regression({ failures: 0.1 }, 'half-normal'), wrong: 'promoted' },
  { name: '50% slower: as tolerated', world: regression({ latency: 1.5 }, 'half-normal'), wrong: 'promoted' },
  { name: 'answers moved: as tolerated', world: regression({ output: 0.1 }, 'half-normal'), cap: 1000, wrong: 'promoted' },
  { name: 'answers moved thrice that', world: regression({ output: 0.3 }, 'half-normal'), wrong: 'promoted' },
  { name: 'classes: no difference', output: 'class', world: classification({}), cap: 800, wrong: 'rolled back' },
  { name: 'classes: 33% wrong rather than 30%', output: 'class', world: classification({ loss: 1.1 }), cap: 800, wrong: 'promoted' },
  { name: 'classes: 45% wrong', output: 'class', world: classification({ loss: 1.5 }), wrong: 'promoted' },
];

const played: Played[] = [];

afterAll(() => process.stdout.write(printed(played, CANARIES)));

describe(`in ${CANARIES} canaries, shadow, 5%, 25%, 50%, looked at after every 25 requests`, () => {
  test.each(scenarios)('$name', (scenario) => {
    const judge = (): CanaryJudge =>
      new CanaryJudge({ errorRate: ERROR_RATE, tolerance, minimum: 100, output: scenario.output ?? 'number' });
    const endings = play(scenario, judge, CANARIES);
    played.push(endings);
    if (scenario.wrong) expect(endings[scenario.wrong] / CANARIES).toBeLessThanOrEqual(ALLOWED);
  });
});

test('great harm is found in nearly every canary, and a better release nearly never taken back: the judge does not merely wait', () => {
  const of = (name: string): Played => played.find((p) => p.name === name)!;
  for (const name of ['errors 50% larger', '10% fail rather than 0.3%', 'answers moved thrice that', 'classes: 45% wrong']) {
    expect(of(name)['rolled back'] / CANARIES).toBeGreaterThan(0.99);
  }
  expect(of('errors 10% smaller').promoted / CANARIES).toBeGreaterThan(0.5);
});

test('a t-test that is looked at as often does not hold the error rate: these simulations can fail', () => {
  const endings = play(scenarios[0]!, () => new NaiveJudge(tolerance.loss), CANARIES);
  played.push({ ...endings, name: 'no difference, by repeated t-tests' });
  expect(endings['rolled back'] / CANARIES).toBeGreaterThan(ALLOWED);
});
