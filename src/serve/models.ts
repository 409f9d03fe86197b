import { baselineOutputs } from '../domain/baseline';
import type { SeriesSet } from '../domain/series';
import type { Table } from '../domain/table';
import type { ArtifactRef, Manifest, VersionRef } from '../domain/version';
import type { Store } from '../store/store';
import { loadHistory, naiveAsked, runAsked } from './forecast';
import type { Answers, Runner } from './runner';
import { openSession, type Session } from './session';

export interface ModelsOptions {
  /** Bounds of what is kept loaded. */
  maxVersions?: number;
  /** Bytes of ONNX files and histories. */
  maxBytes?: number;
}

interface Loaded { manifest: Manifest; session: Session; history?: SeriesSet }
interface Entry { loading: Promise<Loaded>; bytes: number; users: number; evicted: boolean }

const NONE: ReadonlyMap<number, string> = new Map();

/**
 * Versions ready to answer: loaded at first use and kept, the least recently used leave when there are too many. Any number of
 * callers at once; a version is loaded once.
 *
 * The table of a call holds raw columns by feature name. A forecast's instead: the date asked for, as the column `spec.at`; its
 * series, as the column `spec.series`; the asked period's known-ahead values by input name.
 */
export class Models implements Runner {
  private readonly store: Store;
  private readonly maxVersions: number;
  private readonly maxBytes: number;
  /** By the manifest's hash; least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private readonly manifests = new Map<string, Promise<Manifest>>();

  constructor(deps: { store: Store }, options: ModelsOptions = {}) {
    this.store = deps.store;
    this.maxVersions = options.maxVersions ?? 64;
    this.maxBytes = options.maxBytes ?? 512 * 1024 * 1024;
  }

  manifest(ref: VersionRef): Promise<Manifest> {
    return remember(this.manifests, ref.manifest, () => this.store.readJson<Manifest>(ref.manifest));
  }

  /** Loads versions before the first request for them. */
  async warm(refs: readonly VersionRef[]): Promise<void> {
    await Promise.all(refs.map((ref) => this.use(ref, async () => {})));
  }

  /** The version's outputs, by name: `value`, `low`, `high`, `probability` as numbers, `label` as a category, the others as vectors. */
  run(ref: VersionRef, table: Table, options: { signal?: AbortSignal } = {}): Promise<Answers> {
    return this.use(ref, async ({ manifest: { spec }, session, history }) => {
      if (spec.task === 'forecast') return runAsked(spec, { table, session, history: history!, signal: options.signal });
      return { ...(await session.run(table, options)), refused: NONE };
    });
  }

  /** A forecast version's outputs for examples (domain/examples.ts) rather than requests: [rows, horizon] each. */
  forecast(ref: VersionRef, examples: Table, options: { signal?: AbortSignal } = {}): Promise<Table> {
    return this.use(ref, ({ session }) => session.run(examples, options));
  }

  /** What the version's trivial predictor answers to the same table: of a forecast, seasonal naive from its history. */
  async baseline(ref: VersionRef, table: Table): Promise<Table> {
    const { spec, baseline } = await this.manifest(ref);
    if (spec.task !== 'forecast') return baselineOutputs(baseline, table.rows);
    return this.use(ref, async ({ history }) => naiveAsked(spec, { table, history: history! }));
  }

  /** The versions loaded now, least recently used first. */
  loaded(): Promise<string[]> {
    return Promise.all([...this.entries.values()].map(async ({ loading }) => (await loading).manifest.model));
  }

  private async use<T>(ref: VersionRef, work: (loaded: Loaded) => Promise<T>): Promise<T> {
    const entry = this.entry(ref);
    entry.users++;
    try {
      return await work(await entry.loading);
    } finally {
      entry.users--;
      await this.closeIfUnused(entry);
    }
  }

  private entry(ref: VersionRef): Entry {
    const key = ref.manifest.sha256;
    const known = this.entries.get(key);
    if (known) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known;
    }
    const entry: Entry = { loading: this.load(ref), bytes: 0, users: 0, evicted: false };
    this.entries.set(key, entry);
    entry.loading.then(({ manifest, history }) => {
      entry.bytes = manifest.onnx.bytes + (history ? historyBytes(history) : 0);
      return this.evict();
    }).catch(() => {
      // The next call tries again; this one's callers see the error.
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    return entry;
  }

  private async load(ref: VersionRef): Promise<Loaded> {
    const manifest = await this.manifest(ref);
    const { spec, snapshot } = manifest;
    const [session, history] = await Promise.all([
      this.store.localFile(manifest.onnx).then((path) => openSession(path, manifest)),
      spec.task === 'forecast' ? loadHistory(this.store, snapshot, spec) : undefined,
    ]);
    return { manifest, session, history };
  }

  private async evict(): Promise<void> {
    let bytes = [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [key, entry] of this.entries) {
      // The newest stays, however large.
      if (this.entries.size === 1 || (this.entries.size <= this.maxVersions && bytes <= this.maxBytes)) return;
      this.entries.delete(key);
      bytes -= entry.bytes;
      entry.evicted = true;
      await this.closeIfUnused(entry);
    }
  }

  private async closeIfUnused(entry: Entry): Promise<void> {
    if (!entry.evicted || entry.users > 0) return;
    entry.evicted = false;
    await (await entry.loading).session.release();
  }
}

/** A manifest is a few kilobytes: so many are kept that a chain's are always among them. */
const MAX_MANIFESTS = 1_000;

function remember<T>(known: Map<string, Promise<T>>, ref: ArtifactRef, read: () => Promise<T>): Promise<T> {
  const before = known.get(ref.sha256);
  if (before) return before;
  if (known.size >= MAX_MANIFESTS) known.delete(known.keys().next().value!);
  const reading = read();
  known.set(ref.sha256, reading);
  reading.catch(() => known.delete(ref.sha256));
  return reading;
}

const historyBytes = (history: SeriesSet): number =>
  [...history.series.values()].reduce((sum, series) => sum + series.values.byteLength * (1 + Object.keys(series.known).length), 0);
