import { isNumeric, isString, type Column } from './table';

/** Whether a row of a column is missing, or holds a number that is not finite. */
export function unfinished(column: Column, row: number): boolean {
  if (isString(column)) return column.values[row] == null;
  if (isNumeric(column)) return !Number.isFinite(column.values[row]!);
  for (let i = row * column.width; i < (row + 1) * column.width; i++) if (!Number.isFinite(column.values[i]!)) return true;
  return false;
}
