import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ShoalError } from '../domain/errors';
import { removedNote, type Removal } from '../domain/garbage';
import { reportNote, reportPath, type ReportName } from '../domain/reportNames';
import type { ArtifactRef } from '../domain/version';
import type { Store } from '../store/store';
import { isAlive, stateFolder } from './connect';

/** By default the newest; a version by its id, or enough of its beginning. */
export type ReportQuestion = { model: string; version?: string } | { chain: string; number?: number };

export interface Report {
  of: ReportName;
  ref: ArtifactRef;
  /** Its HTML file on this machine. */
  file: string;
  /** Where it is served, if it is. */
  url?: string;
}

/** Written by `shoal up` for the server of reports that it runs. */
export interface ReportServerNote { address: string; owner: number }

export const reportServerFile = (projectFile: string) => path.join(stateFolder(projectFile), 'reports.json');

export function readReportServer(projectFile: string): ReportServerNote | undefined {
  try {
    const note = JSON.parse(readFileSync(reportServerFile(projectFile), 'utf8')) as ReportServerNote;
    return isAlive(note.owner) ? note : undefined;
  } catch {
    return undefined;
  }
}

interface Context {
  store: Store;
  /** Asks which version or number is the newest one; undefined when there is none. */
  newest(): Promise<string | number | undefined>;
  /** The server of reports. */
  server?: string;
}

/** @throws ShoalError NO_REPORT, saying which ones there are. */
export async function findReport(question: ReportQuestion, { store, newest, server }: Context): Promise<Report> {
  const of = await named(question, { store, newest });
  const ref = await store.readNote<ArtifactRef>(reportNote(of));
  const removal = ref ? undefined : await store.readNote<Removal>(removedNote('model' in of ? { model: of.model, id: of.version } : of));
  if (removal) {
    throw new ShoalError('NO_REPORT', `${'model' in of ? `Version ${of.version} of ${of.model}` : `Release ${of.number} of ${of.chain}`} was removed on ${removal.at.slice(0, 'yyyy-mm-dd'.length)}, and its report with it: ${removal.reason}.`, {
      remedy: '`retention` in temporal.yaml says how much is kept.', details: { ...of, removed: removal.at } });
  }
  if (!ref) throw await noReport(question, 'model' in of ? `version ${of.version}` : `release ${of.number}`, store);
  return { of, ref, file: await store.localFile(ref), url: server && `${server}/${reportPath(of)}` };
}

async function named(question: ReportQuestion, { store, newest }: Pick<Context, 'store' | 'newest'>): Promise<ReportName> {
  if ('chain' in question) {
    const number = question.number ?? (await newest());
    if (number === undefined) throw await noReport(question, 'any release', store);
    return { chain: question.chain, number: Number(number) };
  }
  const version = question.version ?? (await newest());
  if (version === undefined) throw await noReport(question, 'any version', store);
  const alike = (await ids(question, store)).filter((id) => id.startsWith(String(version)));
  if (alike.length > 1 && !alike.includes(String(version))) {
    throw new ShoalError('NO_REPORT', `Several versions of ${question.model} begin with ${version}.`, { remedy: `Say which: ${alike.join(', ')}.` });
  }
  return { model: question.model, version: alike.length === 1 ? alike[0]! : String(version) };
}

async function ids(question: ReportQuestion, store: Store): Promise<string[]> {
  const prefix = 'model' in question ? `reports/versions/${question.model}/` : `reports/releases/${question.chain}/`;
  return (await store.listNotes(prefix)).map((note) => note.slice(prefix.length));
}

async function noReport(question: ReportQuestion, what: string, store: Store): Promise<ShoalError> {
  const there = await ids(question, store);
  const name = 'model' in question ? question.model : question.chain;
  return new ShoalError('NO_REPORT', `There is no report of ${what} of ${name}.`, {
    remedy: there.length > 0 ? `There are: ${there.join(', ')}.` : 'One is drawn when a run has been judged: see `shoal status`.', details: { name, there },
  });
}
