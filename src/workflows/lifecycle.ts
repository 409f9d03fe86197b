import { condition, isCancellation, log, patched, proxyActivities, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { DataActivities, TrainingActivities } from '../activities';
import type { DataCheck } from '../domain/dataRules';
import { headline } from '../domain/headline';
import { inBrief } from '../domain/labelCheck';
import { reportLink } from '../domain/reportNames';
import { upstreamOf } from '../domain/spec';
import type { ArtifactRef, Evaluation, LabelCheck, TrainedVersion, VersionRef } from '../domain/version';
import { around } from './around';
import { requireRun } from './asked';
import { reasonOf, refuse } from './failures';
import { hear } from './hear';
import { UPSTREAM_ANSWER } from './messageShapes';
import { lifecycleDetails, warningsInWords } from './details';
import { madeHow, takeVersion } from './takeVersion';
import { describeLifecycle, upstreamAnswered, LIFECYCLE_STEPS, type LifecycleInput, type LifecycleResult, type Step, type StepName, type UpstreamAnswer } from './messages';
import { SHOAL_VERDICT, SHOAL_VERSION } from './searchAttributes';

/** A run that began with an earlier release of Shoal has none of the check in its history. */
type Checked = Omit<Awaited<ReturnType<DataActivities['validate']>>, keyof DataCheck> & Partial<DataCheck>;

/**
 * One run of a model: ingest, validate, wait for the upstream models' versions, train, check the labels, evaluate, report. It ends in a
 * version and its verdict; bad data fails it, with nothing changed. Every result it decides on is in its history.
 */
export async function lifecycle(input: LifecycleInput): Promise<LifecycleResult> {
  requireRun(input);
  const { run, definition, champion, request, rules } = input;
  const { model, source } = definition;
  const asked = { run, trigger: request.trigger, reason: request.reason, by: request.by, at: workflowInfo().startTime.toISOString() };
  const labels = model.labels?.check ? model.labels : undefined;
  const reweighs = labels?.suspects === 'exclude' || labels?.suspects === 'downweight';
  const steps: Step[] = LIFECYCLE_STEPS.filter((name) => (name !== 'labels' || labels) && (name !== 'retrain' || reweighs)).map((name) => ({ name, status: 'waiting' }));
  const needs = upstreamOf(model);
  let upstream: UpstreamAnswer | undefined = needs.length === 0 ? { versions: {} } : undefined;

  setHandler(describeLifecycle, () => ({ steps }));
  hear(upstreamAnswered, UPSTREAM_ANSWER, (answer) => { upstream = answer; });
  const show = () => setCurrentDetails(lifecycleDetails(model, request, steps));

  async function step<T>(name: StepName, work: () => Promise<T>, note: (result: T) => string, warnings?: (result: T) => string[]): Promise<T> {
    const entry = steps.find((s) => s.name === name)!;
    const started = Date.now();
    Object.assign(entry, { status: 'running', startedAt: new Date(started).toISOString() });
    show();
    try {
      const result = await around(`step ${name}`, { 'shoal.model': model.name }, work);
      Object.assign(entry, { status: 'done', note: note(result), warnings: warnings?.(result) });
      return result;
    } catch (error) {
      entry.status = 'failed';
      throw error;
    } finally {
      entry.seconds = (Date.now() - started) / 1000;
      show();
    }
  }

  /** Decides nothing, so its failure is only noted. */
  async function report({ version, evaluation }: { version: VersionRef; evaluation: Evaluation }): Promise<ArtifactRef | undefined> {
    // Runs that began before there were reports end without one.
    if (!patched('report')) return undefined;
    const draw = proxyActivities<DataActivities>({
      taskQueue: definition.dataQueue,
      scheduleToCloseTimeout: '5 minutes',
      heartbeatTimeout: '30 seconds',
      retry: { initialInterval: '1 second', maximumAttempts: 3 },
      summary: `draw the report of ${model.name} ${version.id}`,
    });
    try {
      return await step('report',
        () => draw.reportVersion({ version, card: evaluation.card }),
        () => reportLink(definition.reports, { model: model.name, version: version.id }) ?? 'drawn');
    } catch (error) {
      if (isCancellation(error)) throw error;
      steps.find((s) => s.name === 'report')!.note = reasonOf(error);
      show();
      log.warn('the report could not be drawn', { reason: reasonOf(error) });
      return undefined;
    }
  }

  const activities = (summary: string, taskQueue = definition.dataQueue) => proxyActivities<DataActivities & TrainingActivities>({
    taskQueue,
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 50 },
    summary,
  });

  const snapshot = await step('ingest',
    () => activities(`copy ${source.name}`).ingest({ source }),
    (s) => `${s.rows} rows, ${s.columns.length} columns, snapshot ${s.data.sha256.slice(0, 12)}`);

  const checked = await step('validate',
    (): Promise<Checked> => activities(`check ${model.name}'s data`).validate({ model, source, snapshot, rules, champion, chains: definition.chains }),
    (v) => [`${v.usableRows} usable rows`, ...v.notes, ...warningsInWords(v)].join('; '),
    (v) => (v.findings ?? []).map(({ rule, origin, message }) => `${rule} (${origin}): ${message}`));

  const versions = await step('upstream',
    async () => {
      await condition(() => upstream !== undefined);
      if ('refusal' in upstream!) throw refuse('ARTIFACT_MISSING', upstream.refusal);
      return upstream!.versions;
    },
    (v) => Object.values(v).map((ref) => `${ref.model} ${ref.id}`).join(', ') || 'takes no other model\'s outputs');

  const train = (weights?: ArtifactRef) => {
    const job = { model, snapshot, upstream: versions, weights };
    return model.trainer || request.file
      ? takeVersion({ definition, request, job }, activities(`take in a version of ${model.name}`))
      : activities(`train ${model.name}${weights ? ' with suspect labels put aside' : ''}`, definition.trainQueue).train(job);
  };
  const inWords = ({ version, summary }: TrainedVersion) => `version ${version.id}, ${madeHow(summary)}${summary.reused ? ' (made before)' : ''}`;
  let trained = await step('train', () => train(), inWords);

  const labelled = labels && (await step('labels', () => usableLabels(trained), (c) => [inBrief(c), ...c.notes].join('; ')));
  if (reweighs) {
    const first = trained;
    trained = await step('retrain',
      async () => (labelled?.weights ? train(labelled.weights) : first),
      (again) => (labelled?.weights ? `${inWords(again)}, ${suspectsAside(labelled, again)}` : 'not needed: no suspects'));
  }
  upsertSearchAttributes([{ key: SHOAL_VERSION, value: trained.version.id }]);

  // What is made for a cascade is judged as a set, end to end: alone it need not be as good as the champion.
  const rival = request.trigger === 'cascade' ? undefined : champion;
  const evaluation = await step('evaluate',
    () => activities(`evaluate ${model.name} ${trained.version.id}`).evaluate({ version: trained.version, training: trained.summary, gates: model.gates, champion: rival, labels: labelled, asked }),
    (e) => `${headline(e.metrics)}: ${e.verdict.reason}`);

  const status = evaluation.verdict.passed ? 'made' : 'refused';
  upsertSearchAttributes([{ key: SHOAL_VERDICT, value: status }]);
  const drawn = await report({ version: trained.version, evaluation });
  const { curve: _curve, ...training } = trained.summary;
  return {
    status,
    made: {
      version: trained.version,
      upstream: Object.fromEntries(Object.entries(versions).map(([name, ref]) => [name, ref.id])),
      task: model.task,
      metrics: evaluation.metrics,
      verdict: evaluation.verdict,
      training,
      labels: labelled,
      rules: checked.rules,
      report: drawn,
    },
  };

  async function usableLabels({ version }: TrainedVersion): Promise<LabelCheck> {
    const check = await activities(`check the labels of ${model.name}`).checkLabels({ version, labels: labels!, champion });
    if (check.verdict.passed) return check;
    upsertSearchAttributes([{ key: SHOAL_VERDICT, value: 'refused' }]);
    throw refuse('LABELS_REFUSED', `Model ${model.name}: ${check.verdict.reason}${check.list ? ` All suspects are listed in ${check.list.uri} of the store.` : ''} `
      + 'Mend the labels in the source; if they are right, see `labels` of the model in temporal.yaml.');
  }
}

const suspectsAside = ({ suspects }: LabelCheck, { summary }: TrainedVersion): string =>
  (summary.excludedRows ? `${suspects} suspects left out` : `${suspects} suspects count less`);
