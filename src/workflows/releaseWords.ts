import { headline } from '../domain/headline';
import type { ReleaseEvaluation } from '../domain/version';
import type { Look, Rollout } from './messages';
import type { ReleaseState } from './releaseState';

/** What a chain is at, in one line for people. */
export function activityOf(state: ReleaseState): string {
  const { rollout, bake, current, settled } = state.data;
  const place = current ? `release ${current.number} is in place` : undefined;
  if (rollout) return `${place ? `${place}; ` : ''}${rolloutInWords(rollout)}`;
  if (bake) return `release ${bake.release} is in place, watched until ${bake.until.slice(0, 16).replace('T', ' ')}${bake.look ? `: ${bake.look.verdict.reason}` : ''}`;
  const next = state.next();
  if (next.kind === 'waiting' || next.kind === 'missing') {
    const named = (models: string[]) => models.map((model) => (settled[model]?.refusal ? `${model} (${settled[model].refusal})` : model)).join(', ');
    if (next.kind === 'missing') return `waiting for ${named(next.models)} to have a version`;
    return place ? `${place}; waiting for ${named(next.for)}` : `waiting for ${named(next.for)} to have a version`;
  }
  return place ?? (state.data.decisions.length > 0 ? 'the last candidate was refused' : 'waiting for its models');
}

function rolloutInWords(rollout: Rollout): string {
  const { candidate: { number, spec: { rollout: plan } }, look, paused } = rollout;
  const held = paused ? `, paused by ${paused.by} (${paused.reason})` : '';
  const name = `candidate ${number}`;
  switch (rollout.phase) {
    case 'judging': return `judging ${name} end to end${held}`;
    case 'servable': return `trying whether ${name} can be served${held}`;
    case 'replay': return `${name} answers recorded requests${held}`;
    case 'approval': return `${name} waits for approval${held}`;
    case 'shadow': return `${name} answers unseen: ${look?.unseen ?? 0} of ${plan.shadow} requests${seen(look)}${held}`;
    case 'canary': return `${name} answers ${percent(rollout.weight)} of the requests: ${look?.live ?? 0} of ${plan.requests}${seen(look)}${held}`;
    case 'asking': return `${name}: the judge came to no verdict, and waits for a person${seen(look)}${held}`;
    case 'promoting': return `${name} is being promoted`;
  }
}

export const judgedInWords = ({ metrics, verdict }: ReleaseEvaluation): string => `${headline(metrics)}: ${verdict.reason}`;

/** What a candidate was judged on before it was promoted, and on whose word. */
export function promotionInWords({ evaluation, look, approved, forced }: Rollout): string {
  const sentences = [
    evaluation ? judgedInWords(evaluation) : 'Not judged end to end',
    look ? lookInWords(look, evaluation?.rows) : forced ? 'Not tried on requests' : 'The first release of the chain: there is none to compare it with on requests',
    ...(approved ? [`Approved by ${approved.by}: ${approved.reason}`] : []),
    ...(forced ? [`Forced by ${forced.by}: ${forced.reason}`] : []),
  ];
  return sentences.map((text) => text.replace(/\.?$/, '.')).join(' ');
}

function lookInWords({ verdict, live, unseen }: Look, rows: number | undefined): string {
  if (verdict.requests.candidate === 0) return `No request has come and none is recorded: judged on the ${rows ?? ''} held-out rows alone`;
  return `${live + unseen > 0 ? 'In use' : 'On recorded requests'}: ${verdict.reason}`;
}

const seen = (look: Look | undefined): string => (look ? `; ${look.verdict.reason}` : '');
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))}%`;
