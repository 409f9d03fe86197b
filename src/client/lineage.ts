import { findRequest } from '../data/findRequest';
import { ShoalError } from '../domain/errors';
import type { ChainAnswer } from '../domain/prediction';
import { originNote, type OriginNote, type SourceFile } from '../domain/recordNames';
import type { Task } from '../domain/spec';
import type { Manifest, VersionRef } from '../domain/version';
import { chainRequestId } from './predictions';
import type { Records, ReleaseStatus, ReleaseSummary } from './records';

/** A version by its id or enough of its beginning, a release by its number, both the newest when left out; a prediction by its id. */
export type LineageQuestion = { model: string; version?: string } | { chain: string; number?: number } | { chain: string; prediction: string };

/** What a version was made of. Plain JSON. */
export interface VersionLineage {
  kind: 'version';
  model: string;
  version: string;
  task?: Task;
  /** `shoal`, or who else made it. */
  trainer?: string;
  snapshot?: { source: string; sha256: string; rows: number; /** Empty when it is not known where it was read from. */ files: SourceFile[]; sql?: string };
  /** The versions whose outputs it was trained on. */
  upstream: VersionLineage[];
  /** Suspect labels counted less in its training. */
  weighed?: boolean;
  releases: PinnedBy[];
  /** Its manifest is no longer in the store. */
  missing?: boolean;
}

export interface PinnedBy { chain: string; number: number; status: ReleaseStatus; current: boolean }

export interface ReleaseLineage {
  kind: 'release';
  chain: string;
  number: number;
  status: ReleaseStatus;
  current: boolean;
  /** What decided it, newest first. */
  decisions: ReleaseSummary['decisions'];
  /** Upstream first. */
  versions: VersionLineage[];
}

export interface PredictionLineage {
  kind: 'prediction';
  chain: string;
  id: string;
  /** ISO; absent of a data set. */
  at?: string;
  keys?: string[];
  /** Rows that a stage's fallback answered. */
  fallbacks?: Record<string, number>;
  release: ReleaseLineage;
}

export type Lineage = VersionLineage | ReleaseLineage | PredictionLineage;

export interface LineageContext {
  records: Records;
  /** The answer that the server remembers of a prediction. */
  answerOf(workflowId: string): Promise<ChainAnswer | undefined>;
}

export async function lineageOf(of: LineageQuestion, context: LineageContext): Promise<Lineage> {
  const { records } = context;
  if ('model' in of) return new Tree(records).version(await records.findVersion(of.model, of.version));
  if ('prediction' in of) return predictionLineage(of, context);
  const releases = await records.releases(of.chain);
  return releaseLineage(records, pick(releases, of));
}

/** @throws ShoalError UNKNOWN_RELEASE */
export function pick(releases: ReleaseSummary[], { chain, number }: { chain: string; number?: number }): ReleaseSummary {
  const found = number === undefined ? releases[0] : releases.find((r) => r.number === number);
  if (found) return found;
  throw new ShoalError('UNKNOWN_RELEASE', number === undefined ? `The chain ${chain} has no release yet.` : `Nothing is known of a release ${number} of ${chain}.`, {
    remedy: releases.length > 0 ? `There are: ${releases.map((r) => r.number).join(', ')}.` : 'Its first one is made when all its models have a version: see `shoal status`.',
    details: { chain, there: releases.map((r) => r.number) },
  });
}

async function releaseLineage(records: Records, { chain, number, status, current, decisions, versions }: ReleaseSummary): Promise<ReleaseLineage> {
  const tree = new Tree(records);
  const refs = Object.entries(versions).map(([model, id]) => tree.byId(model, id));
  return { kind: 'release', chain, number, status, current, decisions, versions: await Promise.all(refs) };
}

async function predictionLineage({ chain, prediction: id }: { chain: string; prediction: string }, { records, answerOf }: LineageContext): Promise<PredictionLineage> {
  const releases = await records.releases(chain);
  const workflowId = chainRequestId(chain, id);
  const [entry] = await findRequest(records.store, { chain, workflowId });
  if (entry) {
    return {
      kind: 'prediction', chain, id, at: entry.at, keys: entry.keys, fallbacks: entry.fallbacks,
      release: await releaseLineage(records, { ...pick(releases, { chain, number: entry.release }), versions: entry.versions }),
    };
  }
  // A data set's rows are not logged.
  const answer = await answerOf(workflowId);
  if (answer) return { kind: 'prediction', chain, id, ...(answer.keys && { keys: answer.keys }), release: await releaseLineage(records, pick(releases, { chain, number: answer.release })) };
  throw new ShoalError('UNKNOWN_PREDICTION', `Nothing is known of a prediction ${id} of ${chain}.`, {
    remedy: `It is the last part of its workflow's id: ${chainRequestId(chain, '<id>')}.`, details: { chain, prediction: id },
  });
}

/** Reads each version once. */
class Tree {
  private readonly known = new Map<string, Promise<VersionLineage>>();
  private releases: Promise<ReleaseSummary[]> | undefined;
  constructor(private readonly records: Records) {}

  version(ref: VersionRef): Promise<VersionLineage> {
    const key = `${ref.model}@${ref.id}`;
    const known = this.known.get(key) ?? this.read(ref);
    this.known.set(key, known);
    return known;
  }

  async byId(model: string, id: string): Promise<VersionLineage> {
    const ref = await this.records.store.readNote<VersionRef>(`versions/${model}/${id}`);
    return ref ? this.version(ref) : this.lost(model, id);
  }

  private async read(ref: VersionRef): Promise<VersionLineage> {
    const { store } = this.records;
    const { model, id } = ref;
    const manifest = await store.readJson<Manifest>(ref.manifest).catch((error: unknown) => {
      if (error instanceof ShoalError && error.code === 'ARTIFACT_MISSING') return undefined;
      throw error;
    });
    if (!manifest) return this.lost(model, id);
    const { snapshot, spec } = manifest;
    const origin = (await store.readNote<OriginNote>(originNote(snapshot.data.sha256)))?.[snapshot.source];
    const maker = (await this.records.cardOf(model, id))?.training.maker;
    return {
      kind: 'version', model, version: id, task: spec.task,
      trainer: maker ? `${maker.kind} ${maker.name}` : spec.trainer ? `trainer ${spec.trainer.activity}` : 'shoal',
      snapshot: { source: snapshot.source, sha256: snapshot.data.sha256, rows: snapshot.rows, files: origin?.files ?? [], ...(origin?.sql !== undefined && { sql: origin.sql }) },
      upstream: await Promise.all(Object.values(manifest.upstream).map((upstream) => this.version(upstream))),
      ...(manifest.weights && { weighed: true }),
      releases: await this.pinnedBy(model, id),
    };
  }

  private async lost(model: string, version: string): Promise<VersionLineage> {
    return { kind: 'version', model, version, upstream: [], releases: await this.pinnedBy(model, version), missing: true };
  }

  private async pinnedBy(model: string, id: string): Promise<PinnedBy[]> {
    this.releases ??= Promise.all(Object.keys(this.records.project.chains).map((chain) => this.records.releases(chain))).then((all) => all.flat());
    return (await this.releases).filter((r) => r.versions[model] === id).map(({ chain, number, status, current }) => ({ chain, number, status, current }));
  }
}
