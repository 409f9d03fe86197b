/** What programs outside are told of. */
export const EVENT_TYPES = [
  'version.made', 'version.refused', 'run.failed', 'release.promoted', 'release.refused', 'release.rolledBack', 'drift', 'degraded', 'recovered',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface ShoalEvent {
  /** The same for every delivery of it, so that whoever hears it twice can tell. */
  id: string;
  type: EventType;
  /** When it happened, ISO. */
  at: string;
  model?: string;
  chain?: string;
  version?: string;
  release?: number;
  /** What happened and why, in a sentence or two. */
  reason: string;
  /** Figures that the reason rests on. */
  details?: Record<string, unknown>;
}

/** A hook as workflows know it; where it leads to, and its secret, only the workers know. */
export interface HookName { name: string; events: EventType[] }
