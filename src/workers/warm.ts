import type { Routing, VersionRef } from '../domain/version';
import type { Models } from '../serve/models';
import { currentRouting } from '../store/pointer';
import type { Store } from '../store/store';

/**
 * Keeps loaded what a chain's requests may be sent to next: the current release, the candidate, and the one before, so that neither a
 * promotion nor a rollback waits for a file. Returns what to do again and again.
 */
export function keepWarm({ chains, taskQueue, store, models }: { chains: string[]; taskQueue: string; store: Store; models: Models }): () => Promise<void> {
  const seen = new Map<string, number>();
  return async () => {
    for (const chain of chains) {
      const routing = await currentRouting(store, chain);
      if (!routing || seen.get(chain) === routing.revision) continue;
      await models.warm(versionsAt(routing, taskQueue));
      seen.set(chain, routing.revision);
    }
  };
}

/** The versions that workers of a queue answer with, the fallbacks of its stages among them. */
function versionsAt({ current, candidate, previous }: Routing, taskQueue: string): VersionRef[] {
  const releases = [previous, candidate?.release, current].filter((release) => release !== undefined);
  return releases.flatMap(({ spec, versions, taskQueues }) => spec.stages
    .filter((stage) => taskQueues[stage.model] === taskQueue)
    .flatMap(({ model, fallback }) => [versions[model]!, ...(fallback?.kind === 'model' ? [versions[fallback.model]!] : [])]));
}
