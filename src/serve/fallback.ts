import { ShoalError } from '../domain/errors';
import { toColumn } from '../domain/rows';
import type { Column, Table } from '../domain/table';
import { gather, type Sources } from './gather';
import { sortOut, type Part } from './outcome';
import { ask, type RunDeps } from './runner';
import { outputNames, outputTypes, widthOf, type PlannedStage } from './stagePlan';

export interface FallbackRun { stage: PlannedStage; sources: Sources }

export interface FallbackAnswer {
  part: Part;
  /** Adds to the reason why the fallback was asked what is to be said of its answer. */
  note(row: number, reason: string): string;
}

/** What a stage's fallback answers to some rows. Throws when it can't. */
export async function answerInstead(run: FallbackRun, deps: RunDeps, rows: number[]): Promise<FallbackAnswer> {
  const { stage, sources } = run;
  const { fallback } = stage.spec;
  switch (fallback?.kind) {
    case undefined:
      return { part: { rows: [], table: { rows: 0, columns: {} } }, note: (_, reason) => reason };
    case 'value':
      return { part: { rows, table: constant(stage, fallback.value, rows.length) }, note: (_, reason) => reason };
    case 'baseline': {
      // Only a forecast's baseline depends on what is asked.
      const table = stage.manifest.spec.task === 'forecast' ? gather(stage, stage, sources, rows) : { rows: rows.length, columns: {} };
      return { part: { rows, table: await deps.models.baseline(stage.ref, table) }, note: (_, reason) => reason };
    }
    case 'model':
      return substitute(run, deps, rows);
  }
}

async function substitute({ stage, sources }: FallbackRun, deps: RunDeps, rows: number[]): Promise<FallbackAnswer> {
  const other = stage.substitute!;
  const answers = await ask(other.ref, gather(other, stage, sources, rows), { ...deps, timeoutMs: stage.spec.timeoutMs });
  const { answered, refused, failures } = sortOut(answers, rows, outputNames(other));
  const name = `${other.ref.model} (version ${other.ref.id})`;
  const [failed] = failures;
  if (failed) throw new ShoalError('STAGE_FAILED', `${name}: ${failed[1]} (row ${failed[0]})`);
  return {
    part: answered,
    note: (row, reason) => {
      const why = refused.get(row);
      return why === undefined ? `${reason}; answered by ${name}` : `${reason}; ${name}: ${why}`;
    },
  };
}

/** The same outputs for a number of rows; those that the constant does not name are missing. */
function constant({ manifest, ref }: PlannedStage, value: Record<string, unknown>, rows: number): Table {
  const columns = outputTypes(manifest).map(([name, type]): [string, Column] => {
    const width = widthOf(manifest);
    const cells = new Array<unknown>(rows).fill(value[name] ?? null);
    return [name, toColumn(cells, { type, width }, (_, expected) => {
      const given = value[name];
      const found = Array.isArray(given) ? `a list of ${given.length}` : JSON.stringify(given);
      throw new ShoalError('STAGE_FAILED', `${name} of version ${ref.id} is ${expected}, and the constant has ${found}`);
    })];
  });
  return { rows, columns: Object.fromEntries(columns) };
}
