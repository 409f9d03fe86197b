import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { freePort } from './receiver';
import { until } from './server';

export const PASSWORD = 'p@ss/word';

/** A PostgreSQL server in a folder of its own, with one database, `shop`. */
export class Postgres {
  private constructor(private readonly folder: string, readonly port: number, private child: ChildProcess) {}

  static async start(): Promise<Postgres> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'shoal-postgres-'));
    const owner = as(folder);
    const secret = path.join(folder, 'password');
    writeFileSync(secret, PASSWORD);
    chmodSync(secret, 0o644);
    const settings = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${secret}`, '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    execFileSync(path.join(binaries(), 'initdb'), ['-D', path.join(folder, 'data'), ...settings], { stdio: 'pipe', cwd: folder, ...owner });
    const port = await freePort();
    const postgres = new Postgres(folder, port, run(folder, port));
    await until(() => postgres.sql('SELECT 1', { user: 'postgres', database: 'postgres' }).then(() => true, () => false), { everyMs: 50, timeoutMs: 30_000 });
    await postgres.sql(`CREATE ROLE reader LOGIN PASSWORD '${PASSWORD}'`, { user: 'postgres', database: 'postgres' });
    await postgres.sql('CREATE DATABASE shop', { user: 'postgres', database: 'postgres' });
    return postgres;
  }

  /** As `reader` is given it: it may read what it is granted. */
  get address(): string {
    return this.addressOf('reader', 'shop');
  }

  addressOf(user: string, database: string): string {
    return `postgresql://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Statements by the owner of all, one or several; the rows of the last. */
  async sql(text: string, { user = 'postgres', database = 'shop' } = {}): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.addressOf(user, database), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const result = await client.query(text) as unknown;
      return (Array.isArray(result) ? result.at(-1) : result).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** From then on it wants `reader` to encrypt; returns the file of the certificate that its own is to be trusted by. */
  async encrypt(): Promise<string> {
    const at = (name: string) => path.join(this.folder, 'data', name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('server.key'), '-out', at('server.crt'), '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'pipe', ...as(this.folder) });
    await this.sql('ALTER SYSTEM SET ssl = on');
    writeFileSync(at('pg_hba.conf'), 'host all postgres 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n');
    await this.down();
    await this.up();
    return at('server.crt');
  }

  async down(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGINT');
    await gone;
  }

  async up(): Promise<void> {
    this.child = run(this.folder, this.port);
    await until(() => this.sql('SELECT 1').then(() => true, () => false), { everyMs: 50, timeoutMs: 30_000 });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const run = (folder: string, port: number): ChildProcess =>
  spawn(path.join(binaries(), 'postgres'), ['-D', path.join(folder, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-c', 'fsync=off'], { stdio: 'ignore', cwd: folder, ...as(folder) });

/** PostgreSQL does not run as root: then as nobody, who needs the folder. */
function as(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))) as [number, number];
  chownSync(folder, uid, gid);
  chmodSync(folder, 0o700);
  return { uid, gid };
}

function binaries(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)).map((version) => path.join(debian, version, 'bin')) : [];
  const places = [process.env.SHOAL_POSTGRES_BIN, ...versions, ...(process.env.PATH ?? '').split(path.delimiter), '/opt/homebrew/bin'];
  const found = places.find((place) => place !== undefined && place !== '' && ['initdb', 'postgres'].every((name) => existsSync(path.join(place, name))));
  if (found) return found;
  throw new Error('There is no PostgreSQL server to read tables of. Install it (Debian: `apt-get install -y postgresql`), or name the folder of yours: SHOAL_POSTGRES_BIN=/usr/lib/postgresql/15/bin.');
}
