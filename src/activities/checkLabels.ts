import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadTable, type Wanted } from '../data/loadTable';
import { writeTable } from '../data/writeTable';
import type { Agreement } from '../domain/agreement';
import { ShoalError } from '../domain/errors';
import { labelVerdict, percent, type FreshLabels, type LabelFindings, type SuspectExample } from '../domain/labelCheck';
import { judgeLabels, type LabelJudgement } from '../domain/labelJudgement';
import { outliers } from '../domain/outliers';
import { cellOf } from '../domain/rows';
import { NearTexts } from '../domain/nearTexts';
import { sameInputs } from '../domain/sameInputs';
import type { ClassificationSpec, LabelsSpec, RegressionSpec } from '../domain/spec';
import { HOLDOUT, splitByKey } from '../domain/split';
import { SUSPECT_REASONS, type Finding, type SuspectReason } from '../domain/suspects';
import { isNumeric, takeColumn, type Column, type Table } from '../domain/table';
import { KEY_SEPARATOR, type LabelCheck, type Manifest, type Snapshot, type VersionRef } from '../domain/version';
import { beating } from './beating';
import { upstreamOutputs, type Data } from './inputs';
import { truthColumns } from './judged';
import { recall } from './memory';

const EXAMPLES = 3;
/** Where more rows are nearly the same as a held-out one, texts of one form are the rule. */
const MAX_NEAR = 0.2;
/** Texts beyond this many rows would take minutes to compare. */
const MAX_TEXTS = 200_000;
const ROWS_A_TURN = 1_000;

export interface LabelCheckInput { version: VersionRef; labels: LabelsSpec; champion?: VersionRef }

export const createCheckLabels = (data: Data) => ({
  /**
   * Looks for labels that are likely wrong, by what the version's members say of rows that they were not trained on; and for rows that
   * contradict each other, are in the holdout too, or are far from all others. It changes nothing: the verdict says whether the labels may be used.
   */
  checkLabels: (input: LabelCheckInput): Promise<LabelCheck> =>
    beating(async () => {
      const { version, labels } = input;
      const champion = input.champion?.id === version.id ? undefined : input.champion;
      const identity = { version: version.id, champion: champion?.id, labels };
      const { result } = await recall(data.store, 'labels', identity, () => check({ version, labels, champion }, data),
        ({ list, weights }) => [list, weights].flatMap((ref) => (ref ? [ref] : [])));
      return result;
    }),
});

async function check({ version, labels, champion }: LabelCheckInput, data: Data): Promise<LabelCheck> {
  const rows = await labelledRows({ version, snapshot: (await data.models.manifest(version)).snapshot }, data);
  const { found, notes } = await findSuspects(rows, data);
  const isSuspect = (row: number): boolean => found.get(row)?.some((f) => labels.reasons.includes(f.reason)) ?? false;
  const countOf = (reason: SuspectReason): number => rows.trained.filter((row) => found.get(row)?.some((f) => f.reason === reason)).length;
  const suspects = rows.trained.filter(isSuspect);
  const agreement = rows.judgement.agreement(rows.trained);
  const findings: LabelFindings = {
    rows: rows.trained.length,
    suspects: suspects.length,
    byReason: Object.fromEntries(SUSPECT_REASONS.map((reason) => [reason, countOf(reason)])) as Record<SuspectReason, number>,
    heldOut: { rows: rows.held.length, suspects: rows.held.filter(isSuspect).length },
    agreement: isKnown(agreement) ? agreement : undefined,
    fresh: champion && (await freshLabels({ champion, rows, suspects: new Set(suspects) }, data)),
    examples: worstFirst(found, rows).slice(0, EXAMPLES).map((row) => example(row, found.get(row)!, rows)),
  };
  const weight = { report: 1, block: 1, exclude: 0, downweight: labels.weight }[labels.suspects];
  return {
    ...findings,
    version: version.id,
    list: found.size === 0 ? undefined : await writeList(found, rows, data),
    weights: suspects.length === 0 || weight === 1 ? undefined : await writeTable(data.store, {
      keys: Array.from(suspects, (row) => rows.keys[row]!),
      table: { rows: suspects.length, columns: { weight: { type: 'number', values: new Float64Array(suspects.length).fill(weight) } } },
    }),
    notes,
    verdict: labelVerdict(findings, labels),
  };
}

interface LabelledRows {
  manifest: Manifest;
  spec: ClassificationSpec | RegressionSpec;
  keys: string[];
  target: Column;
  /** Rows with a label, outside the holdout and in it. */
  trained: Int32Array;
  held: Int32Array;
  judgement: LabelJudgement;
}

/** A snapshot's rows with their labels, judged by a version that was trained on it, or on an earlier one. */
async function labelledRows({ version, snapshot }: { version: VersionRef; snapshot: Snapshot }, data: Data): Promise<LabelledRows> {
  const manifest = await data.models.manifest(version);
  const { spec } = manifest;
  if (spec.task !== 'classification' && spec.task !== 'regression') throw new TypeError(`the labels of ${spec.name}, ${spec.task}, can't be checked`);
  const wanted = truthColumns(manifest);
  const { keys, table } = await loadTable(data.store, snapshot, wanted);
  const target = table.columns[spec.target]!;
  const outputs = await upstreamOutputs({ ref: version, snapshot, keys }, data);
  const { folds } = splitByKey(keys, { holdout: spec.holdout, foldCount: 1 });
  const has = (row: number): boolean => cellOf(target, row) !== null;
  const labelled = Int32Array.from(keys.keys()).filter(has);
  const [trained, held] = [labelled.filter((row) => folds[row] !== HOLDOUT), labelled.filter((row) => folds[row] === HOLDOUT)];
  const judgement = judgeLabels({ spec, target, outputs, parts: [trained, held], classes: manifest.classes });
  return { manifest, spec, keys, target, trained, held, judgement };
}

type Found = Map<number, Finding[]>;

async function findSuspects(rows: LabelledRows, data: Data): Promise<{ found: Found; notes: string[] }> {
  const { manifest, judgement, spec, keys, target } = rows;
  const wanted = await rawInputs(manifest, data);
  const { table } = await loadTable(data.store, manifest.snapshot, wanted);
  await nextTurn();
  const same = sameInputs(table);
  const texts = wanted.filter((w) => w.type === 'text').map((w) => w.name);
  const notes: string[] = [];
  if (same.coarse) notes.push(`${percent(same.share)} of the rows share their inputs with others: conflicts and duplicates would mean nothing`);
  else if (texts.length > 0 && table.rows > MAX_TEXTS) notes.push(`of ${table.rows.toLocaleString('en-US')} rows only exact duplicates were looked for`);
  const duplicates = same.coarse ? [] : await inHoldout(rows, table, { groups: same.groups, texts: table.rows > MAX_TEXTS ? [] : texts });
  await nextTurn();

  const labelled = new Set([...rows.trained, ...rows.held]);
  const numbers = Object.entries({ ...table.columns, ...(spec.task === 'regression' && { [spec.target]: target }) });
  const all = [
    ...judgement.wrong,
    ...same.groups.flatMap((group) => judgement.conflicts(group)),
    ...duplicates.map(([row, other]): Finding =>
      ({ row, reason: 'duplicate', why: `its inputs are those of ${keyInWords(keys[other]!)}, which is held out` })),
    ...numbers.flatMap(([name, column]) => (isNumeric(column) && column.type === 'number' ? outliers(name, column.values) : [])),
  ];
  const found: Found = new Map();
  for (const finding of all) if (labelled.has(finding.row)) found.set(finding.row, [...(found.get(finding.row) ?? []), finding]);
  return { found, notes };
}

/** Rows trained on whose inputs are those of a held-out row, or nearly: [row, held-out row]. */
async function inHoldout(rows: LabelledRows, table: Table, of: { groups: Int32Array[]; texts: string[] }): Promise<[number, number][]> {
  const held = new Set(rows.held);
  const twins = new Map<number, number>();
  for (const group of of.groups) {
    const other = group.find((row) => held.has(row));
    if (other !== undefined) for (const row of group) if (!held.has(row)) twins.set(row, other);
  }
  if (of.texts.length === 0) return [...twins];
  const near = new NearTexts(table, of.texts);
  await eachRow(rows.held, (row) => near.add(row));
  const alike = new Map<number, number>();
  await eachRow(rows.trained, (row) => {
    const other = twins.has(row) ? undefined : near.find(row);
    if (other !== undefined) alike.set(row, other);
  });
  return alike.size > MAX_NEAR * rows.trained.length ? [...twins] : [...twins, ...alike];
}

/** Lets go of the thread from time to time: heartbeats are due. */
async function eachRow(rows: Int32Array, use: (row: number) => void): Promise<void> {
  for (let i = 0; i < rows.length; i++) {
    use(rows[i]!);
    if (i % ROWS_A_TURN === 0) await nextTurn();
  }
}

/** The columns of the version's own source that it reads, itself or through models of the same source. */
async function rawInputs(of: Manifest, data: Data): Promise<Wanted[]> {
  const { source, columns } = of.snapshot;
  const target = 'target' in of.spec ? of.spec.target : undefined;
  const found = new Map<string, Wanted>();
  const visit = async ({ spec, features, upstream }: Manifest): Promise<void> => {
    if (spec.task === 'forecast') {
      found.set(spec.at, { name: spec.at, type: 'date' });
      if (spec.series) found.set(spec.series, { name: spec.series, type: 'category' });
      return;
    }
    if (spec.source !== source) return;
    for (const input of spec.inputs) {
      if (input.kind === 'model') await visit(await data.models.manifest(upstream[input.model]!));
      else found.set(input.column, { name: input.column, type: features.find((f) => f.name === input.name)!.type });
    }
  };
  await visit(of);
  const present = new Set(columns.map((column) => column.name));
  return [...found.values()].filter(({ name }) => name !== target && present.has(name));
}

/** Labels that the champion's snapshot does not have, or has differently; nothing when there are none, or the champion can't be asked any more. */
async function freshLabels(of: { champion: VersionRef; rows: LabelledRows; suspects: Set<number> }, data: Data): Promise<FreshLabels | undefined> {
  const { champion, rows, suspects } = of;
  try {
    const { snapshot } = await data.models.manifest(champion);
    const before = await labelledRows({ version: champion, snapshot }, data);
    if (before.spec.task !== rows.spec.task) return undefined;
    const position = new Map(before.keys.map((key, row) => [key, row]));
    const isFresh = (row: number): boolean => {
      const known = position.get(rows.keys[row]!);
      return known === undefined || cellOf(before.target, known) !== cellOf(rows.target, row);
    };
    const fresh = Int32Array.from([...rows.trained, ...rows.held].filter(isFresh));
    if (fresh.length === 0) return undefined;
    const champions = await labelledRows({ version: champion, snapshot: rows.manifest.snapshot }, data);
    const agreements = [rows.judgement.agreement(fresh), champions.judgement.agreement(fresh)].filter(isKnown);
    const known = before.judgement.agreement(Int32Array.from([...before.trained, ...before.held]));
    if (agreements.length === 0 || !isKnown(known)) return undefined;
    const trained = rows.trained.filter((row) => isFresh(row));
    const ofFresh = trained.filter((row) => suspects.has(row)).length;
    return {
      since: champion.id,
      rows: fresh.length,
      agreement: agreements.reduce((best, a) => (a.high > best.high ? a : best)),
      before: known,
      suspects: { fresh: share(ofFresh, trained.length), others: share(suspects.size - ofFresh, rows.trained.length - trained.length) },
    };
  } catch (error) {
    if (error instanceof ShoalError && !error.retryable) return undefined;
    throw error;
  }
}

const share = (some: number, all: number): number => (all === 0 ? 0 : some / all);
const isKnown = ({ value, low }: Agreement): boolean => Number.isFinite(value) && Number.isFinite(low);

function worstFirst(found: Found, { judgement, keys }: LabelledRows): number[] {
  const { quality } = judgement;
  return [...found.keys()].sort((a, b) => quality[a]! - quality[b]! || (keys[a]! < keys[b]! ? -1 : 1));
}

async function writeList(found: Found, rows: LabelledRows, data: Data) {
  const { judgement, keys, held } = rows;
  const order = worstFirst(found, rows);
  const inHeld = new Set(held);
  const texts = (of: (row: number) => string): Column => ({ type: 'category', values: order.map(of) });
  return writeTable(data.store, {
    keys: order.map((row) => keys[row]!),
    table: {
      rows: order.length,
      columns: {
        held_out: { type: 'boolean', values: Float64Array.from(order, (row) => (inHeld.has(row) ? 1 : 0)) },
        given: takeColumn(judgement.given, order),
        suggested: takeColumn(judgement.suggested, order),
        quality: { type: 'number', values: Float64Array.from(order, (row) => judgement.quality[row]!) },
        reasons: texts((row) => [...new Set(found.get(row)!.map((f) => f.reason))].join(', ')),
        why: texts((row) => found.get(row)!.map((f) => f.why).join('; ')),
      },
    },
  });
}

function example(row: number, findings: Finding[], { judgement, keys, held }: LabelledRows): SuspectExample {
  return {
    key: keyInWords(keys[row]!),
    heldOut: held.includes(row),
    given: String(cellOf(judgement.given, row)),
    suggested: String(cellOf(judgement.suggested, row)),
    quality: judgement.quality[row]!,
    why: findings.map((f) => f.why).join('; '),
  };
}

const keyInWords = (key: string): string => key.split(KEY_SEPARATOR).filter(Boolean).join(', ').slice(0, 100);
