import type { MetricMeter } from '@temporalio/common';
import type { StageAnswers } from '../domain/prediction';

/** Shoal's own metrics of what serves and delivers; the workflows count runs, verdicts and requests themselves. All come from the SDK's one endpoint. */

/** Buckets of what takes milliseconds to seconds, in seconds. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
export const HISTOGRAMS = { shoal_prediction_seconds: SECONDS, shoal_stage_seconds: SECONDS };

export interface StageMeter {
  /** One stage of a live request. */
  answered(of: { chain: string; stage: string; version: string; seconds: number }): void;
  /** What the stages of a live request said. */
  said(chain: string, answers: StageAnswers): void;
}

export function stageMeter(meter: MetricMeter): StageMeter {
  const seconds = meter.createHistogram('shoal_stage_seconds', 'float', undefined, 'Time that a stage took to answer a request.');
  const rows = meter.createCounter('shoal_stage_rows', undefined, 'Rows that stages answered, by how: model, fallback or skipped.');
  const fallbacks = meter.createCounter('shoal_fallbacks', undefined, 'Rows that a stage\'s fallback answered.');
  return {
    answered: ({ seconds: taken, ...tags }) => seconds.record(taken, tags),
    said: (chain, answers) => {
      for (const [stage, { version, status }] of Object.entries(answers)) {
        const tags = { chain, stage, version };
        for (const how of new Set(status)) {
          const count = status.filter((s) => s === how).length;
          rows.add(count, { ...tags, status: how });
          if (how === 'fallback') fallbacks.add(count, tags);
        }
      }
    },
  };
}

export interface EventMeter { delivered(of: { hook: string; type: string; status: 'delivered' | 'failed' }): void }

export function eventMeter(meter: MetricMeter): EventMeter {
  const deliveries = meter.createCounter('shoal_event_deliveries', undefined, 'Attempts to tell hooks of events.');
  return { delivered: (tags) => deliveries.add(1, tags) };
}
