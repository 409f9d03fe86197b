import type { Observed, MonitorInput } from '../domain/monitor';
import type { Release } from '../domain/version';
import { beating } from './beating';
import type { Data } from './inputs';
import { trainedKeys } from './look';
import { monitorReference, type MonitorReference } from './monitorReference';
import { observeChain } from './observeChain';

export interface ObserveInput { release: Release; monitor: MonitorInput; /** What was not there by then does not count, ISO. */ until: string }

export const createObserve = (data: Data) => {
  const references = new Kept<MonitorReference>();
  const trained = new Kept<ReadonlySet<string>>();
  return {
    /**
     * Looks at how a release does in use: its newest windows of requests, with what came of them, against the rows that none of its models
     * was trained on. The same requests and outcomes give the same; to run it again changes nothing.
     */
    observe: (input: ObserveInput): Promise<Observed> => beating(async () => {
      const { release, monitor: { monitor } } = input;
      const pinned = [release.number, release.spec.output, Object.values(release.versions).map(({ id }) => id)];
      return observeChain(input, {
        ...data,
        reference: () => references.get(release.chain, [...pinned, monitor.reference.time], () => monitorReference(release, monitor.reference, data)),
        trained: () => trained.get(release.chain, pinned, () => trainedKeys([release], data)),
      });
    }),
  };
};

/** The newest of each chain: looks at one release follow each other. */
class Kept<T> {
  private readonly known = new Map<string, { of: string; value: Promise<T> }>();

  get(chain: string, identity: unknown, make: () => Promise<T>): Promise<T> {
    const of = JSON.stringify(identity);
    const known = this.known.get(chain);
    if (known?.of === of) return known.value;
    const value = make();
    this.known.set(chain, { of, value });
    value.catch(() => { if (this.known.get(chain)?.value === value) this.known.delete(chain); });
    return value;
  }
}
