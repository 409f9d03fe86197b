import type { ModelView, ReleaseView } from './messages';

/** What a person who knows only the Temporal UI can do at the moment: an update's name, and the JSON to paste into its data. */
interface Possible { to: string; update: string; data: object }

const WHO = { by: 'your name', reason: 'why' };

export function releaseSteering({ current, previous, rollout }: ReleaseView): string[] {
  const back = current && previous ? [{ to: `go back to release ${previous.number}`, update: 'rollback', data: { ...WHO, to: previous.number } }] : [];
  return asTable([...(rollout ? candidateSteering(rollout, current?.number) : []), ...back]);
}

function candidateSteering({ number, phase, paused }: NonNullable<ReleaseView['rollout']>, current: number | undefined): Possible[] {
  if (phase === 'promoting') return [];
  const isAsked = phase === 'approval' || phase === 'asking';
  const takesRequests = phase === 'canary' || phase === 'asking';
  return [
    ...(isAsked ? [{ to: `let candidate ${number} go on`, update: 'approve', data: WHO }] : []),
    { to: `end candidate ${number}: release ${current ?? 'none'} stays`, update: 'refuse', data: WHO },
    paused ? { to: `let candidate ${number} go on from where it was halted`, update: 'resume', data: WHO } : { to: `halt candidate ${number} where it is`, update: 'pause', data: WHO },
    ...(takesRequests ? [{ to: `give candidate ${number} another share of the requests`, update: 'setWeight', data: { ...WHO, weight: 0.1 } }] : []),
    { to: `put candidate ${number} in place at once, unjudged`, update: 'force', data: WHO },
  ];
}

export function modelSteering({ running }: ModelView): string[] {
  return asTable([{ to: running ? 'train again when this run has ended' : 'train', update: 'requestRun', data: { ...WHO, trigger: 'person' } }]);
}

function asTable(possible: Possible[]): string[] {
  if (possible.length === 0) return [];
  return [
    '',
    '**What you can do now**: *More Actions*, *Send an Update*, choose the name, and paste the data with your words in it.',
    '',
    '| to | name | data |',
    '|---|---|---|',
    ...possible.map(({ to, update, data }) => `| ${to} | \`${update}\` | \`${JSON.stringify(data)}\` |`),
  ];
}
