import type { AlertKind, Observed, ObservedWindow } from './monitor';

/** An alert that was raised and not cleared yet. */
export interface RaisedAlert { subject: string; kind: AlertKind; since: string; reason: string }

/** How a chain does in use, as its release workflow keeps it: what is alerted is remembered here and nowhere else. */
export interface Health {
  /** `no verdict`: nothing that was seen so far allows one. */
  state: 'ok' | 'drift' | 'degraded' | 'no verdict';
  since: string;
  /** In words. */
  reason: string;
  alerts: RaisedAlert[];
  /** The release that was looked at, and up to when. */
  release: number;
  at: string;
  reference: Observed['reference'];
  /** The newest last. */
  windows: ObservedWindow[];
  releases: Observed['releases'];
  stages: Observed['stages'];
  slices: Observed['slices'];
  drift: Observed['drift'];
  notes: string[];
  table?: Observed['table'];
}

/** What has changed with a look: each to be told once. `models` are to be retrained where they want that. */
export interface HealthChange { type: AlertKind | 'recovered'; reason: string; models: string[]; subjects: string[] }

const KINDS: AlertKind[] = ['degraded', 'drift'];

/** Takes a look into account. One that is no newer than the last changes nothing, so it may be told any number of times. */
export function observedHealth(before: Health | undefined, seen: Observed): { health: Health; changes: HealthChange[] } {
  if (before && before.at >= seen.at) return { health: before, changes: [] };
  const raised = new Map((before?.alerts ?? []).map((alert) => [alert.subject, alert]));
  const changes: HealthChange[] = [];
  for (const kind of KINDS) {
    const fresh = seen.alerts.filter((a) => a.kind === kind && a.verdict === 'raise' && !raised.has(a.subject));
    const had = [...raised.values()].some((a) => a.kind === kind);
    for (const { subject, reason } of fresh) raised.set(subject, { subject, kind, since: seen.at, reason });
    // What is not seen any more, as a column that nobody reads now, is cleared when others are judged.
    const judged = seen.alerts.filter((a) => a.kind === kind && a.verdict !== 'no verdict');
    for (const alert of [...raised.values()].filter((a) => a.kind === kind)) {
      const now = seen.alerts.find((a) => a.subject === alert.subject);
      if (now ? now.verdict === 'clear' : judged.length > 0) raised.delete(alert.subject);
      else if (now && now.breached > 0) raised.set(alert.subject, { ...alert, reason: now.reason });
    }
    if (fresh.length > 0) changes.push({ type: kind, reason: fresh.map(({ reason }) => reason).join('; '), models: [...new Set(fresh.flatMap(({ models }) => models))], subjects: fresh.map(({ subject }) => subject) });
    if (had && ![...raised.values()].some((a) => a.kind === kind)) {
      const what = seen.alerts.filter((a) => a.kind === kind && before!.alerts.some((b) => b.subject === a.subject)).map(({ reason }) => reason).join('; ');
      changes.push({ type: 'recovered', reason: `${kind === 'drift' ? 'inputs and outputs are as they were' : 'as good as it was'} again: ${what || 'what had raised the alert is not there any more'}`, models: [], subjects: [kind] });
    }
  }
  const alerts = [...raised.values()];
  const worst = KINDS.find((kind) => alerts.some((a) => a.kind === kind));
  const judged = seen.alerts.some((a) => a.verdict !== 'no verdict');
  const state = worst ?? (judged ? 'ok' : 'no verdict');
  const reason = worst ? alerts.filter((a) => a.kind === worst).map((a) => a.reason).join('; ')
    : judged ? seen.alerts.filter((a) => a.kind === 'degraded' && a.verdict !== 'no verdict').map((a) => a.reason).join('; ') || 'nothing has moved'
    : seen.notes[0] ?? `fewer than ${seen.alert.m} windows have enough rows for a verdict`;
  const { release, at, reference, windows, releases, stages, slices, drift, notes, table } = seen;
  return {
    health: { state, since: before?.state === state ? before.since : at, reason, alerts, release, at, reference, windows, releases, stages, slices, drift: drift.slice(0, KEPT_DRIFT), notes, table },
    changes,
  };
}

const KEPT_DRIFT = 20;
