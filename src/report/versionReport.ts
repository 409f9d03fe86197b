import { learningCurve } from './charts/learningCurve';
import type { MadeFrom, VersionReportData } from './data';
import { renderTable } from './figure';
import { html } from './html';
import { page, section } from './page';
import { coverageFact, driftSection, facts, headlineFact, judgement, predictions, sliceSection, suspectSection, verdictLine } from './parts';
import { bytes, count, rows } from './words';

/** A version's report: one HTML document that needs nothing else. */
export async function versionReport(data: VersionReportData): Promise<string> {
  const { model, task, version, verdict, metrics, training } = data;
  return page({
    title: `${model} ${version}: version report`,
    head: html`<p class="kind">Version report, ${task}</p>
<h1>${model} <code>${version}</code></h1>
${verdictLine({ passed: verdict.passed, words: verdict.passed ? 'Passed.' : 'Refused.', reason: verdict.reason })}
${facts([
    headlineFact(metrics),
    coverageFact(metrics, data.diagnosis),
    ['trained on', rows(training.rows), training.unlabelledRows > 0 ? `${count(training.unlabelledRows)} without a target left out` : ''],
    ['training', `${training.seconds.toFixed(1)} s`, `${count(training.epochs)} epochs`],
    ['ONNX file', bytes(training.onnxBytes)],
  ])}`,
    sections: [
      await judgement({ metrics, gates: verdict.gates, holdoutRows: data.holdoutRows, scale: data.scale }),
      await predictions(data.diagnosis),
      await sliceSection(data.slices),
      section({ id: 'training', title: 'How it was trained', figures: [await learningCurve(training)], text: trainingInWords(training) }),
      await suspectSection(data.suspects),
      await driftSection(data.drift),
      madeFrom(data.madeFrom),
    ],
    foot: `Shoal, version ${version} of model ${model}.`,
  });
}

const trainingInWords = ({ epochs, bestEpoch, seconds, resumedAtEpoch }: VersionReportData['training']): string =>
  `${count(epochs)} epochs in ${seconds.toFixed(1)} s${bestEpoch < epochs ? `; those after epoch ${count(bestEpoch)} brought nothing` : ''}.`
  + (resumedAtEpoch === undefined ? '' : ` It was interrupted, and went on in epoch ${count(resumedAtEpoch)}.`);

const madeFrom = ({ source, rows: n, snapshot, inputs, upstream, packages }: MadeFrom) => section({
  id: 'made-from',
  title: 'What it was made of',
  more: [
    renderTable({
      caption: 'Data and versions',
      head: ['of', 'which', 'what'],
      rows: [
        ['data', source, html`snapshot <code>${snapshot.slice(0, 12)}</code>, ${rows(n)}`],
        ...upstream.map((u) => ['takes outputs of', u.model, html`version <code>${u.version}</code>`]),
        ...Object.entries(packages).map(([name, version]) => ['made with', name, version]),
      ],
      text: [0, 1, 2],
    }),
    inputs.length > 0 && renderTable({
      caption: `Inputs: ${inputs.length} raw columns`, head: ['input', 'type'], rows: inputs.map((i) => [i.name, i.type]), text: [0, 1],
    }),
  ],
});
