import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { compile } from '../../src/domain/expression';
import type { evaluateExpressions } from './fixtures/expressionWorkflow';

const TEXTS = [
  'input.budget * 1.1 > 1000000 && has(input.year)',
  'stages.market.value == null ? 1 : stages.market.value / 2',
  'input.ratings.map(r, r + 1)',
  'stages["title-embedding"].vector[1] + size(input.ratings)',
  'log10(input.budget) + pow(2, 3)',
  'timestamp("2020-03-04T00:00:00Z").getFullYear()',
  'input.title.contains("a") ? "yes" : "no"',
  'input.title * 2',
];
const CONTEXT = {
  input: { budget: 1e6, ratings: [1, 2, 3], title: 'Star', year: 1999 },
  stages: { market: { value: 7 }, 'title-embedding': { vector: [0.5, 1.5] } },
};

test('expressions give the same answers inside a workflow as outside', async () => {
  const path = process.env.SHOAL_TEMPORAL_BINARY;
  const environment = await TestWorkflowEnvironment.createLocal({ server: path ? { executable: { type: 'existing-path', path } } : {} });
  try {
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'expressions',
      workflowsPath: require.resolve('./fixtures/expressionWorkflow'),
    });
    const inside = await worker.runUntil(environment.client.workflow.execute<typeof evaluateExpressions>('evaluateExpressions', {
      taskQueue: 'expressions', workflowId: 'expressions', args: [TEXTS, CONTEXT],
    }));
    const outside = TEXTS.map((text) => {
      try {
        return compile(text).evaluate(CONTEXT);
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(inside).toEqual(outside);
    expect(inside).toEqual([true, 3.5, [2, 3, 4], 4.5, 14, 2020, 'yes', 'EXPRESSION']);
  } finally {
    await environment.teardown();
  }
});
