import { checkRules, type DataFacts } from '../domain/checkRules';
import {
  DEFAULT_CHECKS, isColumnRule, rulesInForce, weaker, worstFirst, type ChecksSpec, type DataCheck, type DataFinding, type Level, type RuleInForce, type RuleSet,
} from '../domain/dataRules';
import type { ColumnDrift } from '../domain/drift';
import { figure, percent } from '../domain/headline';
import { builtInRules, extendRules, inferRules } from '../domain/inferRules';
import { nearest } from '../domain/nearest';
import { isDatabase, type ModelSpec, type SourceSpec } from '../domain/spec';
import type { ArtifactRef, Snapshot, VersionRef } from '../domain/version';
import { canonicalJson } from '../store/canonicalJson';
import type { Store } from '../store/store';
import { driftSince, isComparison, skewOf, snapshotOf, type Comparison } from './compareData';
import { inputPowers, type InputPower } from './leaks';
import type { Wanted } from './loadTable';
import type { Profile } from './profile';
import { violationsOf } from './ruleRows';

export interface DataToCheck {
  source: SourceSpec;
  snapshot: Snapshot;
  /** Without one, every column is looked at, and there is no target to leak, and nothing to drift from. */
  model?: ModelSpec;
  /** What an earlier run's check gave; inferred from this snapshot when absent. */
  rules?: ArtifactRef;
  champion?: VersionRef;
  /** Recent requests: a Parquet, JSON or JSON-lines file of rows as they were sent. */
  served?: ArtifactRef;
  /** ISO. */
  now: string;
}

/** The whole of a check. It holds no time of its own, so that the same data, checked again, give the same report. */
export interface DataReport {
  source: string;
  model?: string;
  snapshot: string;
  rows: number;
  findings: DataFinding[];
  /** Why an earlier run's rules are not in force. */
  rulesAnew?: string;
  rules: RuleInForce[];
  leakage: InputPower[];
  drift: Comparison;
  skew: Comparison;
}

const KEPT_FINDINGS = 20;
const LONGEST_MESSAGE = 400;

/**
 * Holds a snapshot that can be trained on (validate.ts has said so) against the rules: the source's own, those inferred from the first
 * good snapshot, and the built-in ones; looks for inputs that know the target, for drift since the champion's snapshot, and for skew
 * between training and serving. Refuses nothing: it says what it found.
 */
export async function checkData(data: DataToCheck, { store }: { store: Store }): Promise<DataCheck> {
  const { source, model, snapshot, champion } = data;
  const profile = await store.readJson<Profile>(snapshot.profile);
  const checks = model?.checks ?? DEFAULT_CHECKS;
  const inputs = model ? inputColumns(model, snapshot) : [];
  const used = model ? usedColumns(model) : snapshot.columns.map(({ name }) => name);
  const columns = profile.columns.filter(({ name }) => used.includes(name));

  const before = champion && (await snapshotOf(champion, store));
  const { kept, begun, anew } = await knownRules(data, store);
  const rules = rulesInForce({
    declared: source.rules ?? [],
    inferred: kept?.rules.filter((rule) => !isColumnRule(rule) || used.includes(rule.column)) ?? [],
    builtIn: builtInRules(columns, model ? targetNames(model) : []),
    cap: checks.inferred,
  });
  const facts: DataFacts = {
    columns: profile.columns, rows: profile.rows, duplicateRows: profile.duplicateRows, keyed: profile.key.length > 0,
    before: rowsBefore(source.name, before, kept), now: data.now,
  };
  const findings = checkRules(rules, facts, await violationsOf(store, snapshot, rules, data.now));
  findings.push(...unknownLater(source, snapshot));

  const leakage = model && checks.leakage.level !== 'off' ? await inputPowers(model, inputs, { store, snapshot }) : [];
  findings.push(...leaks(leakage, checks.leakage));
  const drift = await driftOf(data, before, { inputs, checks, store });
  findings.push(...moved('drift', drift, checks.drift));
  const skew = await skewTo(data, { inputs, checks, store });
  findings.push(...moved('skew', skew, checks.skew));

  const ordered = worstFirst(findings);
  const ruleSet: RuleSet = kept
    ? { ...kept, rules: extendRules(kept.rules, columns) }
    : { ...begun, rules: inferRules(columns, { duplicateRows: profile.duplicateRows, rows: profile.rows }) };
  const report: DataReport = {
    source: source.name, ...(model && { model: model.name }), snapshot: snapshot.data.sha256, rows: profile.rows,
    findings: ordered, ...(anew && { rulesAnew: anew }), rules, leakage, drift, skew,
  };
  return {
    findings: ordered.slice(0, KEPT_FINDINGS).map((finding) => ({ ...finding, message: shortened(finding.message) })),
    counts: { block: ordered.filter((f) => f.level === 'block').length, warn: ordered.filter((f) => f.level === 'warn').length },
    report: await store.putJson(report),
    rules: await store.putJson(ruleSet),
  };
}

const shortened = (text: string): string => (text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE - 3)}...` : text);

/** Input columns that the snapshot has, in the type the model reads them in. */
function inputColumns(model: ModelSpec, snapshot: Snapshot): Wanted[] {
  return model.inputs.flatMap((input): Wanted[] => {
    const column = input.kind === 'column' ? snapshot.columns.find(({ name }) => name === input.column) : undefined;
    return column && input.kind === 'column' ? [{ name: column.name, type: input.type ?? column.type }] : [];
  });
}

function targetNames(model: ModelSpec): string[] {
  return model.task === 'embedding' ? model.alike : [model.target];
}

function usedColumns(model: ModelSpec): string[] {
  const inputs = model.inputs.flatMap((input) => (input.kind === 'column' ? [input.column] : []));
  const places = model.task === 'forecast' ? [model.time, ...(model.series === undefined ? [] : [model.series])] : [];
  return [...inputs, ...targetNames(model), ...places];
}

/** The rules kept from earlier runs, unless the source is read in another way now. */
async function knownRules({ source, snapshot, rules }: DataToCheck, store: Store): Promise<{ kept?: RuleSet; begun: Omit<RuleSet, 'rules'>; anew?: string }> {
  const { sql, key } = source;
  const from = isDatabase(source) ? (source.query === undefined ? { table: source.table } : { query: source.query }) : { format: source.format };
  const begun = { reads: { ...(sql !== undefined && { sql }), ...from, key }, snapshot: snapshot.data.sha256, rows: snapshot.rows };
  if (!rules) return { begun };
  const kept = await store.readJson<RuleSet>(rules);
  if (canonicalJson(kept.reads) === canonicalJson(begun.reads)) return { kept, begun };
  return { begun, anew: 'The source\'s table, query, sql, format or key was changed, so rules are inferred anew from this snapshot.' };
}

function rowsBefore(source: string, before: Snapshot | undefined, kept: RuleSet | undefined): DataFacts['before'] {
  if (before && before.source === source) return { rows: before.rows, what: 'the champion\'s snapshot' };
  return kept && { rows: kept.rows, what: 'the first good snapshot' };
}

function unknownLater(source: SourceSpec, snapshot: Snapshot): DataFinding[] {
  const names = snapshot.columns.map(({ name }) => name);
  return (source.knownLater ?? []).filter((column) => !names.includes(column)).map((column) => {
    const near = nearest(column, names);
    const message = `There is no column ${column}, which is declared as known later${near ? `; did you mean ${near}?` : '.'}`;
    return { rule: 'knownLater', level: 'warn', origin: 'declared', column, message };
  });
}

function leaks(powers: InputPower[], { level, warnAt, blockAt }: ChecksSpec['leakage']): DataFinding[] {
  return powers.filter(({ value, copy }) => copy || value >= warnAt).map(({ column, target, measure, value, rows, copy }) => {
    const what = copy ? `${column} says the same as ${target}` : `${column} alone predicts ${target} with ${measure} ${value.toFixed(4)}`;
    return {
      rule: 'leakage', level: weaker(copy || value >= blockAt ? 'block' : 'warn', level) as DataFinding['level'], origin: 'built in', column, rows,
      message: `${what} on ${rows.toLocaleString('en-US')} training rows: is it known before ${target} is?`,
      expected: `${measure} below ${warnAt}`, found: value.toFixed(4),
    };
  });
}

interface Compared { inputs: Wanted[]; checks: ChecksSpec; store: Store }

async function driftOf({ model, champion, snapshot }: DataToCheck, before: Snapshot | undefined, { inputs, checks, store }: Compared): Promise<Comparison> {
  if (checks.drift.level === 'off') return { nothing: 'switched off' };
  if (!model || !champion) return { nothing: 'there is no champion yet' };
  if (!before) return { nothing: 'the champion\'s snapshot can\'t be read any more' };
  const target: Wanted[] = model.task === 'embedding' ? [] : [{ name: model.target, type: model.task === 'classification' ? 'category' : 'number' }];
  return driftSince(before, { snapshot, wanted: [...inputs, ...target] }, { store, limits: checks.drift });
}

async function skewTo({ served, snapshot }: DataToCheck, { inputs, checks, store }: Compared): Promise<Comparison> {
  if (checks.skew.level === 'off') return { nothing: 'switched off' };
  if (!served) return { nothing: 'no requests were given' };
  return skewOf(served, { snapshot, wanted: inputs.filter(({ type }) => type !== 'vector') }, { store, limits: checks.skew });
}

const SINCE = { drift: 'since the champion\'s snapshot', skew: 'between training and recent requests' };

/** A column that moved is a warning. Only a share of the columns can block: of many columns, one is always noisy. */
function moved(rule: 'drift' | 'skew', comparison: Comparison, { level, share }: ChecksSpec['drift']): DataFinding[] {
  if (!isComparison(comparison) || level === 'off') return [];
  const drifted = comparison.columns.filter((column) => column.verdict === 'drifted');
  const findings = drifted.map((column): DataFinding => ({
    rule, level: 'warn', origin: 'built in', column: column.column, rows: column.rows.current,
    message: `${column.column} moved ${SINCE[rule]}: ${column.reason} (${measureOf(column)}, `
      + `on ${column.rows.reference.toLocaleString('en-US')} and ${column.rows.current.toLocaleString('en-US')} rows).`,
    expected: `${column.test} ${column.test?.endsWith(' p') ? 'at least' : 'at most'} ${column.threshold}`,
    found: column.value == null ? 'not finite' : figure(column.value),
  }));
  if (drifted.length === 0 || comparison.share < share) return findings;
  const whole: DataFinding = {
    rule, level: level as Exclude<Level, 'off'>, origin: 'built in',
    message: `${drifted.length} of ${comparison.compared} columns moved ${SINCE[rule]} (from ${percent(share)} of them it counts as a whole): `
      + `${drifted.map(({ column }) => column).slice(0, 8).join(', ')}.`,
    expected: `less than ${percent(share)} of the columns`, found: percent(comparison.share),
  };
  return [whole, ...findings];
}

function measureOf({ test, value, threshold }: ColumnDrift): string {
  const shown = value == null ? 'infinite' : value < 0.001 && value > 0 ? value.toExponential(1) : value.toFixed(3);
  return test?.endsWith(' p') ? `${test} = ${shown}, below ${threshold}` : `${test} ${shown}, above ${threshold}`;
}
