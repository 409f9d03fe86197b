import { spawn } from 'node:child_process';
import { Shoal, type Report, type ReportQuestion } from '../client';
import { findReport, readReportServer } from '../client/reports';
import { loadProject } from '../config';
import { ShoalError } from '../domain/errors';
import { nearest } from '../domain/nearest';
import type { ProjectSpec } from '../domain/spec';
import { openStore } from '../store/fileStore';

export interface ReportOptions { chain: boolean; open: boolean }

/** Only who asks for the newest needs the Temporal server: what has an id or a number is found in the store. */
export async function askedReport(asked: { name: string; which?: string; chain: boolean; projectFile: string }): Promise<Report> {
  const project = await loadProject(asked.projectFile, process.env);
  const question = reportQuestion(project, asked);
  const newest = async () => {
    const shoal = await Shoal.connect({ projectFile: asked.projectFile, project });
    return shoal.newest(question).finally(() => shoal.close());
  };
  return findReport(question, { store: await openStore(project.store), newest, server: readReportServer(asked.projectFile)?.address });
}

/** What a person means by a name and perhaps an id or a number: a model, unless only a chain is called so. */
export function reportQuestion(project: ProjectSpec, { name, which, chain }: { name: string; which?: string; chain: boolean }): ReportQuestion {
  if (!chain && name in project.models) return { model: name, version: which };
  if (!(name in project.chains)) {
    const names = [...(chain ? [] : Object.keys(project.models)), ...Object.keys(project.chains)];
    const hint = nearest(name, names);
    throw new ShoalError(chain ? 'UNKNOWN_CHAIN' : 'UNKNOWN_MODEL', `The project has no ${chain ? '' : 'model or '}chain "${name}".`, {
      remedy: hint ? `Did you mean "${hint}"?` : `It has: ${names.join(', ')}.`,
    });
  }
  if (which !== undefined && !/^[1-9]\d*$/.test(which)) {
    throw new ShoalError('NO_REPORT', `"${which}" is not the number of a release of ${name}.`, { remedy: 'Releases are numbered from 1.' });
  }
  return { chain: name, number: which === undefined ? undefined : Number(which) };
}

/** @throws ShoalError NO_REPORT when there is nothing to open it with. */
export async function openInBrowser(place: string): Promise<void> {
  const command = { darwin: 'open', win32: 'explorer.exe' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(command, [place], { stdio: 'ignore', detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new ShoalError('NO_REPORT', `${command} can't be started to open the report.`, {
      remedy: `Open it yourself: ${place}`, cause,
    })));
  });
  child.unref();
}
