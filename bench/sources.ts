import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDuckDB } from '../src/data/duckdb';
import { ingestSource } from '../src/data/ingest';
import type { SourceSpec } from '../src/domain/spec';
import { openStore } from '../src/store/fileStore';
import { Postgres } from '../test/support/postgres';

/** How long it takes to make a snapshot of a million rows of eight columns: of a CSV file, a Parquet file and a table of PostgreSQL on this machine. */
const ROWS = 1_000_000;
const SELECT = (random: string, text: string) => `SELECT n AS id, ${random} * 100 AS size, (n % 1000) / 10.0 AS price, n % 2 = 0 AS sold, DATE '2020-01-01' + CAST(n % 1500 AS INTEGER) AS day,
  'city ' || (n % 50) AS city, ${text} AS note, n % 97 AS rooms`;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-bench-'));
  const postgres = await Postgres.start();
  try {
    process.env.BENCH_WAREHOUSE = postgres.address;
    await postgres.sql(`CREATE TABLE flats AS ${SELECT('random()', 'md5(n::text)')} FROM generate_series(1, ${ROWS}) AS n; GRANT SELECT ON flats TO reader; ANALYZE flats`);
    await withDuckDB({}, async (db) => {
      await db.run(`CREATE TABLE flats AS ${SELECT('random()', 'md5(CAST(n AS VARCHAR))')} FROM range(1, ${ROWS + 1}) AS r(n)`);
      for (const format of ['csv', 'parquet']) await db.run(`COPY flats TO '${join(folder, `flats.${format}`)}'`);
    });
    const sources: SourceSpec[] = [
      { name: 'csv', paths: [join(folder, 'flats.csv')], format: 'csv', key: ['id'] },
      { name: 'parquet', paths: [join(folder, 'flats.parquet')], format: 'parquet', key: ['id'] },
      { name: 'postgres', postgres: 'BENCH_WAREHOUSE', table: 'flats', key: ['id'] },
    ];
    for (const source of sources) {
      const seconds: number[] = [];
      for (let round = 0; round < 3; round++) {
        const store = await openStore({ path: join(folder, `${source.name}-${round}`) });
        const started = performance.now();
        const { rows } = await ingestSource(source, { store });
        if (rows !== ROWS) throw new Error(`${source.name} gave ${rows} rows.`);
        seconds.push((performance.now() - started) / 1000);
      }
      console.log(`${source.name.padEnd(10)} ${seconds.map((s) => s.toFixed(1)).join(', ')} s`);
    }
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

void main();
