/** Where a report is found: the name of the note in the store that refers to it, and its path on a server of reports. */
export type ReportName = { model: string; version: string } | { chain: string; number: number };

export const reportPath = (of: ReportName): string =>
  ('model' in of ? `versions/${encodeURIComponent(of.model)}/${encodeURIComponent(of.version)}` : `releases/${encodeURIComponent(of.chain)}/${of.number}`);

export const reportNote = (of: ReportName): string =>
  ('model' in of ? `reports/versions/${of.model}/${of.version}` : `reports/releases/${of.chain}/${of.number}`);

/** The link to a report, in Markdown; nothing where reports are not served. `base` without a slash at its end. */
export const reportLink = (base: string | undefined, of: ReportName): string | undefined => base && `[report](${base}/${reportPath(of)})`;
