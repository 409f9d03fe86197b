import { ShoalError, type ErrorCode } from '../domain/errors';
import { removedNote, type Removal } from '../domain/garbage';
import { decisionNote } from '../domain/recordNames';
import type { Release, Routing, VersionRef } from '../domain/version';
import { hold } from '../store/hold';
import { currentRouting, pointer } from '../store/pointer';
import type { Store } from '../store/store';
import type { ReleaseRecord } from '../workflows/messages';

/** Where the truth is: the `release` workflow of a chain, the `model` workflow of a model. */
export interface Ledger {
  routing(chain: string): Promise<Routing | undefined>;
  /** The newest version of a model that passed its gates. */
  newest(model: string): Promise<VersionRef | undefined>;
}

const releaseNote = (chain: string, number: number) => `chains/${chain}/releases/${number}`;
export const versionNote = (model: string, id: string) => `versions/${model}/${id}`;
/** By which it is found again. */
export const noteVersion = (store: Store, version: VersionRef): Promise<void> => store.writeNote(versionNote(version.model, version.id), version, { ifAbsent: true });

/** An attempt that took this long may have been given up, and what was decided since been published by another. */
const LATE_MS = 5_000;

export const createPublish = ({ store, ledger, now = Date.now }: { store: Store; ledger: Ledger; now?: () => number }) => ({
  /** Points a chain's requests at these releases: one atomic swap. A late attempt at an older routing leaves the newest in place. */
  async publishRouting({ routing }: { routing: Routing }): Promise<void> {
    const began = now();
    const { chain, revision, current, candidate } = routing;
    const there = await currentRouting(store, chain);
    if (there && there.revision > revision && ((await ledger.routing(chain))?.revision ?? 0) >= there.revision) return;
    for (const release of [current, ...(candidate ? [candidate.release] : [])]) await keep(store, release);
    await store.writeNote(pointer(chain), routing);
    if (now() - began < LATE_MS) return;
    const newest = await ledger.routing(chain);
    if (newest && newest.revision > revision) await store.writeNote(pointer(chain), newest);
  },

  /** Which releases answer a chain's requests: from the pointer, which is rebuilt from the ledger when it is missing. */
  async resolveRouting({ chain }: { chain: string }): Promise<Routing> {
    const there = await currentRouting(store, chain);
    if (there) return there;
    const routing = await ledger.routing(chain);
    if (!routing) {
      throw new ShoalError('NO_RELEASE', `The chain "${chain}" has no release yet.`, {
        remedy: `Its first release is made when all its models have a version: run \`shoal train\` and see \`shoal status\`.`,
        details: { chain },
      });
    }
    // A newer one may have been published since the ledger was asked.
    await store.writeNote(pointer(chain), routing, { ifAbsent: true });
    return routing;
  },

  /** A release that was in use, by its number. */
  async loadRelease({ chain, number }: { chain: string; number: number }): Promise<Release> {
    const release = await store.readNote<Release>(releaseNote(chain, number));
    if (release) {
      await hold(store, release.versions);
      return release;
    }
    const removal = await store.readNote<Removal>(removedNote({ chain, number }));
    if (removal) throw goneSince(`Release ${number} of the chain "${chain}"`, removal, { code: 'UNKNOWN_RELEASE', details: { chain, number } });
    const prefix = `chains/${chain}/releases/`;
    const known = (await store.listNotes(prefix)).map((name) => Number(name.slice(prefix.length))).sort((a, b) => a - b);
    throw new ShoalError('UNKNOWN_RELEASE', `The chain "${chain}" never had release ${number} in use.`, {
      remedy: known.length > 0 ? `It had: ${known.join(', ')}.` : undefined, details: { chain, number, known },
    });
  },

  /** Keeps decisions; one that is kept already stays as it is. */
  async recordDecisions({ records }: { records: ReleaseRecord[] }): Promise<void> {
    for (const record of records) {
      const name = decisionNote(record.chain, record.number);
      const known = await store.readNote<ReleaseRecord>(name);
      const fresh = record.decisions.filter((d) => !known?.decisions.some((k) => k.at === d.at && k.status === d.status));
      const actions = [...record.actions.filter((a) => !known?.actions.some((k) => k.at === a.at && k.action === a.action)), ...(known?.actions ?? [])];
      if (fresh.length > 0) await store.writeNote(name, { ...record, decisions: [...fresh, ...(known?.decisions ?? [])], actions } satisfies ReleaseRecord);
    }
  },

  /** Versions by model and id. */
  async findVersions({ ids }: { ids: Record<string, string> }): Promise<Record<string, VersionRef>> {
    return Object.fromEntries(await Promise.all(Object.entries(ids).map(async ([model, id]) => {
      const version = await store.readNote<VersionRef>(versionNote(model, id));
      if (version) {
        await hold(store, version);
        return [model, version] as const;
      }
      const removal = await store.readNote<Removal>(removedNote({ model, id }));
      if (removal) throw goneSince(`Version ${id} of ${model}`, removal, { code: 'UNKNOWN_VERSION', details: { model, id } });
      throw new ShoalError('UNKNOWN_VERSION', `There is no version ${id} of ${model}.`, { remedy: '`shoal status` names the newest ones.', details: { model, id } });
    })));
  },
});

/** Written each time, so that its age is that of its last use. */
const keep = (store: Store, release: Release): Promise<void> => store.writeNote(releaseNote(release.chain, release.number), release);

export const goneSince = (what: string, { at, reason }: Removal, { code, details }: { code: ErrorCode; details: Record<string, unknown> }): ShoalError =>
  new ShoalError(code, `${what} was removed on ${at.slice(0, 'yyyy-mm-dd'.length)}: ${reason}.`, { remedy: '`retention` in temporal.yaml says how much is kept.', details: { ...details, removed: at } });
