/** Columns in memory. Missing is NaN in numeric columns and null in string columns. */
export type ColumnType = 'number' | 'category' | 'text' | 'boolean' | 'date' | 'vector';

/** `date` counts days since 1970-01-01 UTC (fractions are time of day); `boolean` is 1 or 0. */
export interface NumericColumn { type: 'number' | 'boolean' | 'date'; values: Float64Array }
export interface StringColumn { type: 'category' | 'text'; values: (string | null)[] }
/** Row-major, rows x width. */
export interface VectorColumn { type: 'vector'; width: number; values: Float32Array }
export type Column = NumericColumn | StringColumn | VectorColumn;

export interface Table { rows: number; columns: Record<string, Column> }

export const isNumeric = (c: Column): c is NumericColumn => c.type === 'number' || c.type === 'boolean' || c.type === 'date';
export const isString = (c: Column): c is StringColumn => c.type === 'category' || c.type === 'text';

/** The given rows of a column, in the given order. */
export function takeColumn<C extends Column>(column: C, rows: ArrayLike<number>): C {
  if (column.type === 'vector') {
    const { width, values } = column;
    const out = new Float32Array(rows.length * width);
    for (let i = 0; i < rows.length; i++) out.set(values.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
    return { ...column, values: out };
  }
  if (isNumeric(column)) {
    const out = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) out[i] = column.values[rows[i]!]!;
    return { ...column, values: out };
  }
  return { ...column, values: Array.from(rows, (r) => column.values[r] ?? null) };
}

/** The given rows of a table, in the given order. */
export function takeRows(table: Table, rows: ArrayLike<number>): Table {
  return { rows: rows.length, columns: Object.fromEntries(Object.entries(table.columns).map(([name, c]) => [name, takeColumn(c, rows)])) };
}
