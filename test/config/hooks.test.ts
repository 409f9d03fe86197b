import { parseProject } from '../../src/config';
import type { LocatedProblem } from '../../src/config';
import { ShoalError } from '../../src/domain/errors';
import { EVENT_TYPES } from '../../src/domain/events';
import { HIDDEN, hookNames, shownProject, withoutSecrets } from '../../src/domain/hooks';

const SECRET = `whsec_${'A'.repeat(32)}`;
const project = (more: string, env: Record<string, string> = { SECRET, TOKEN: 'Bearer abc' }) => parseProject(`
name: houses
sources: { sales: { path: sales.csv, key: id } }
models: { price: { task: regression, source: sales, target: price, inputs: [area] } }
${more}`, { file: '/projects/temporal.yaml', env });

function mistakes(more: string, env?: Record<string, string>): { text: string; problems: LocatedProblem[] } {
  try {
    project(more, env);
  } catch (error) {
    if (error instanceof ShoalError) return { text: error.message + JSON.stringify(error.details), problems: error.details.problems as LocatedProblem[] };
  }
  throw new Error('no mistake was found');
}

describe('hooks', () => {
  it('are webhooks with secrets of the environment, and commands; told of everything unless they say of what', () => {
    const { hooks } = project(`hooks:
  audit: { url: "https://example.org/in?key=1", secret: "\${SECRET}", headers: { authorization: "\${TOKEN}" } }
  page: { command: [./page.sh, --now], events: [degraded, recovered], timeout: 2m }`);
    expect(hooks).toEqual({
      audit: { kind: 'webhook', name: 'audit', url: 'https://example.org/in?key=1', secret: SECRET, headers: { authorization: 'Bearer abc' }, events: [...EVENT_TYPES], timeoutMs: 10_000 },
      page: { kind: 'command', name: 'page', command: ['./page.sh', '--now'], folder: '/projects', events: ['degraded', 'recovered'], timeoutMs: 120_000 },
    });
    expect(hookNames(hooks)).toEqual([{ name: 'audit', events: [...EVENT_TYPES] }, { name: 'page', events: ['degraded', 'recovered'] }]);
  });

  it('are not there in a project without any, so that its workflows are told the same as before', () => {
    expect(project('')).not.toHaveProperty('hooks');
    expect(hookNames(undefined)).toBeUndefined();
  });

  it('are shown without what opens anything', () => {
    const shown = JSON.stringify(shownProject(project('hooks: { a: { url: "https://example.org/key-in-path", secret: "${SECRET}", headers: { x: "${TOKEN}" } }, b: { command: [run, --token=abcdefghijkl] } }')));
    for (const secret of [SECRET, 'key-in-path', 'Bearer abc', 'abcdefghijkl']) expect(shown).not.toContain(secret);
    expect(shown).toContain(`https://example.org/${HIDDEN}`);
  });

  it('leave no secret in a text, the longest first', () => {
    const { hooks } = project('hooks: { a: { url: "https://example.org/k", secret: "${SECRET}" } }');
    expect(withoutSecrets(`to https://example.org/k with ${SECRET} or ${'A'.repeat(32)}`, hooks!.a!)).toBe(`to ${HIDDEN} with ${HIDDEN} or ${HIDDEN}`);
  });

  it.each([
    ['hooks: { a: { url: "ftp://example.org", secret: "${SECRET}" } }', 'hooks.a.url', /http:\/\/ or https:\/\//],
    ['hooks: { a: { url: "https://ann:pw@example.org", secret: "${SECRET}" } }', 'hooks.a.url', /http/],
    ['hooks: { a: { url: "https://example.org" } }', 'hooks.a.secret', /missing/],
    ['hooks: { a: { url: "https://example.org", secret: "${SECRET}", timeout: 6m } }', 'hooks.a.timeout', /5m at most/],
    ['hooks: { a: { url: "https://example.org", secret: "${SECRET}", headers: { Webhook-Id: x } } }', 'hooks.a.headers.Webhook-Id', /.*/],
    ['hooks: { a: { command: [x], events: [promoted] } }', 'hooks.a.events[0]', /release\.promoted/],
    ['hooks: { a: { command: [] } }', 'hooks.a.command', /empty/],
    ['hooks: { a: { command: [x], secret: y } }', 'hooks.a.secret', /secret/],
  ])('that are wrong are refused: %s', (text, at, message) => {
    const { problems, text: told } = mistakes(text);
    expect(problems.map(({ path }) => path)).toContain(at);
    expect(told).toMatch(message);
  });

  it.each([
    ['hooks: { a: { url: "https://example.org", secret: "${SECRET}" } }', 'not-a-secret-but-secret'],
    ['hooks: { a: { url: "https://example.org", secret: "${SECRET}" } }', 'whsec_dG9vIHNob3J0'],
    ['hooks: { a: { url: "https://example.org", secret: x, events: ["${SECRET}"] } }', SECRET],
    [`hooks: { a: { url: "https://example.org", secret: ${SECRET}, evnts: [drift] } }`, SECRET],
  ])('say what is wrong without the secret: %s', (text, secret) => {
    expect(mistakes(text, { SECRET: secret }).text).not.toContain(secret);
  });
});

describe('a worker\'s metrics', () => {
  const worker = (...metrics: (string | number)[]) => `workers:\n${metrics.map((m, i) => `  - { name: w${i}, roles: [serve], metrics: "${m}" }`).join('\n')}`;

  it.each([
    [9464, '127.0.0.1:9464'], ['0.0.0.0:9464', '0.0.0.0:9464'], ['localhost:9464', '127.0.0.1:9464'], ['[::]:9464', '[::]:9464'],
  ])('are read at %s', (written, address) => {
    expect(project(worker(written)).workers[0]!.metrics).toBe(address);
  });

  it.each(['70000', 'example.org:9464', '9464/metrics', '127.0.0.1'])('are not read at %s', (written) => {
    expect(mistakes(worker(written)).problems[0]).toMatchObject({ path: 'workers[0].metrics', expected: expect.stringMatching(/port/) as string });
  });

  it.each([[9464, '127.0.0.1:9464'], ['10.0.0.1:9464', '0.0.0.0:9464']])('are not those of two workers: %s and %s', (one, other) => {
    expect(mistakes(worker(one, other)).problems).toMatchObject([{ path: 'workers[1].metrics', message: expect.stringMatching(/9464.*workers\[0\]/) as string }]);
    expect(project(worker('10.0.0.1:9464', '10.0.0.2:9464')).workers).toHaveLength(2);
  });
});
