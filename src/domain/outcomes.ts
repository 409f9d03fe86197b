import { ShoalError } from './errors';
import type { Row } from './prediction';
import { keyText, rowKey } from './requestKeys';
import { toDays } from './rows';
import type { ModelSpec } from './spec';

/** An outcome as programs tell it; without `at` it became known when it was recorded. */
export interface NewOutcome { key: string; value: number | string; at?: string }

/** What a chain's outcomes are: values of its output model's target, found by the key columns of that model's source. */
export interface OutcomeColumns { chain: string; keyColumns: readonly string[]; model: ModelSpec }

/**
 * Outcomes from rows with the source's key columns, or a column `key`, and with the target, or a column `value`; `at`, where there is
 * such a column, says when each became known. Other columns are ignored.
 *
 * @throws ShoalError OUTCOME_ROW for the first row that is wrong, REQUEST_EMPTY when there are none
 */
export function outcomesOf(rows: readonly Row[], { chain, keyColumns, model }: OutcomeColumns): NewOutcome[] {
  if (model.task === 'embedding') {
    throw new ShoalError('OUTCOME_ROW', `The chain ${chain} predicts vectors (of ${model.name}), which have no outcomes.`, { details: { chain } });
  }
  const { target } = model;
  assertSome(rows);
  const wanted = { key: keyColumns.length > 0 ? `${keyColumns.join(', ')} or key` : 'key', value: target === 'value' ? target : `${target} or value` };
  return rows.map((row, i) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw badRow(i, `is ${shown(row)}`, 'A row is an object with columns by name.');
    const named = keyColumns.length > 0 && keyColumns.every((column) => Object.hasOwn(row, column));
    const key = named ? rowKey(row, keyColumns) : keyText(row.key);
    if (key === undefined || key === '') throw badRow(i, 'has no key', `It needs a value of ${wanted.key}.`);
    const found = Object.hasOwn(row, target) ? row[target] : row.value;
    return checked({ key, value: valueOf(found, { model, row: i, wanted: wanted.value }), at: row.at }, i);
  });
}

/** @throws ShoalError as `outcomesOf`, of outcomes that come from a program */
export function assertOutcomes(outcomes: readonly NewOutcome[]): void {
  assertSome(outcomes);
  outcomes.forEach((outcome, i) => {
    if (typeof outcome !== 'object' || outcome === null) throw badRow(i, `is ${shown(outcome)}`, 'An outcome is an object with `key` and `value`.');
    if (typeof outcome.key !== 'string' || outcome.key === '') throw badRow(i, `has the key ${shown(outcome.key)}`, 'A key is a text that is not empty.');
    const { value } = outcome;
    if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string' || value === '') {
      throw badRow(i, `has the value ${shown(value)}`, 'A value is a number, or the name of a class.');
    }
    checked(outcome, i);
  });
}

function assertSome(rows: readonly unknown[]): void {
  if (rows.length === 0) throw new ShoalError('REQUEST_EMPTY', 'There are no outcomes.', { remedy: 'Give at least one.' });
}

function valueOf(found: unknown, of: { model: ModelSpec; row: number; wanted: string }): number | string {
  const { model, row, wanted } = of;
  if (found === null || found === undefined || found === '') throw badRow(row, 'has no value', `It needs a value of ${wanted}.`);
  if (model.task === 'classification') {
    if (typeof found === 'string') return found;
    if (typeof found === 'boolean' || (typeof found === 'number' && Number.isFinite(found))) return keyText(found);
    throw badRow(row, `has the value ${shown(found)}`, `${model.name} predicts classes: the value is the name of one.`);
  }
  if (typeof found === 'number' && Number.isFinite(found)) return found;
  throw badRow(row, `has the value ${shown(found)}`, `${model.name} predicts numbers: the value is a finite one.`);
}

function checked({ key, value, at }: { key: string; value: number | string; at?: unknown }, row: number): NewOutcome {
  if (at === null || at === undefined) return { key, value };
  const days = toDays(at);
  if (days === undefined) throw badRow(row, `became known at ${shown(at)}`, '`at` is an ISO time (2015-03-31T12:00:00Z).');
  return { key, value, at: new Date(Math.round(days * 86_400_000)).toISOString() };
}

const badRow = (row: number, what: string, remedy: string): ShoalError =>
  new ShoalError('OUTCOME_ROW', `Row ${row} of the outcomes ${what}; nothing was recorded.`, { remedy, details: { row } });

const shown = (value: unknown): string =>
  (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))).slice(0, 60);
