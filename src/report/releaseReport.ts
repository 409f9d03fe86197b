import { chainGraph } from './charts/chainGraph';
import { shares } from './charts/shares';
import type { ReleaseReportData, Rival } from './data';
import { html } from './html';
import { page, section } from './page';
import { canarySection, coverageFact, driftSection, facts, headlineFact, judgement, predictions, sliceSection, verdictLine } from './parts';
import { bytes, count, figure } from './words';

const STATUS_WORDS = { candidate: 'Passed its gates.', promoted: 'Promoted.', refused: 'Refused.', 'rolled back': 'Rolled back.' };

/** A release's report: one HTML document that needs nothing else. */
export async function releaseReport(data: ReleaseReportData): Promise<string> {
  const { chain, number, status, verdict, metrics, stages, outputStage } = data;
  const passed = verdict.passed && status !== 'refused' && status !== 'rolled back';
  return page({
    title: `${chain}, release ${number}: release report`,
    head: html`<p class="kind">Release report</p>
<h1>${chain}, release ${number}</h1>
${verdictLine({ passed, words: verdict.passed ? STATUS_WORDS[status] : 'Refused.', reason: verdict.reason })}
${facts([
    headlineFact(metrics),
    coverageFact(metrics, data.diagnosis),
    ['models', count(stages.length), `${bytes(stages.reduce((sum, s) => sum + s.onnxBytes, 0))} of ONNX`],
    ...(data.comparisons ?? []).map((rival) => rivalFact(rival, metrics[0]?.metric)),
  ])}`,
    sections: [
      section({
        id: 'chain', title: 'The chain',
        figures: [await chainGraph({ stages, outputStage, shares: data.shares }), data.shares && (await shares(data.shares))],
      }),
      await judgement({
        metrics, gates: verdict.gates, holdoutRows: data.holdoutRows, scale: data.scale,
        rivals: data.comparisons?.map((r) => ({ model: r.model, values: new Map(r.metrics.map((m) => [m.metric, m.value])) })),
      }),
      await predictions(data.diagnosis),
      await sliceSection(data.slices),
      await driftSection(data.drift),
      await canarySection(data.canary),
    ],
    foot: `Shoal, release ${number} of chain ${chain}.`,
  });
}

function rivalFact({ model, metrics, onnxBytes }: Rival, metric: string | undefined): [string, string, string] | undefined {
  const found = metrics.find((m) => m.metric === metric);
  return found && [`${metric} of ${model}`, figure(found.value), `no part of the chain, ${bytes(onnxBytes)}`];
}
