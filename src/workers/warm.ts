import type { Routing } from '../domain/version';
import type { Models } from '../serve/models';
import { currentRouting } from '../store/pointer';
import type { Store } from '../store/store';

const EVERY_MS = 500;

/**
 * Keeps loaded what a chain's requests may be sent to next: the current release, the candidate, and the one before, so that neither a
 * promotion nor a rollback waits for a file. Returns how to stop.
 */
export function keepWarm(of: { chains: string[]; taskQueue: string; store: Store; models: Models }): () => void {
  const { chains, taskQueue, store, models } = of;
  const seen = new Map<string, number>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    for (const chain of chains) {
      try {
        const routing = await currentRouting(store, chain);
        if (!routing || seen.get(chain) === routing.revision) continue;
        await models.warm(versionsAt(routing, taskQueue));
        seen.set(chain, routing.revision);
      } catch {
        // The first request says what is wrong; the next look tries again.
      }
    }
    if (!stopped) timer = setTimeout(() => void look(), EVERY_MS);
  };
  void look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** The versions that workers of a queue answer with, the fallbacks of its stages among them. */
function versionsAt({ current, candidate, previous }: Routing, taskQueue: string) {
  const releases = [previous, candidate?.release, current].filter((release) => release !== undefined);
  return releases.flatMap(({ spec, versions, taskQueues }) => spec.stages
    .filter((stage) => taskQueues[stage.model] === taskQueue)
    .flatMap(({ model, fallback }) => [versions[model]!, ...(fallback?.kind === 'model' ? [versions[fallback.model]!] : [])]));
}
