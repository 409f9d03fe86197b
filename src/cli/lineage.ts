import type { Lineage, ReleaseLineage, VersionLineage } from '../client';
import { bold, decidedBy, dim, when, WIDTH, wrapped } from './output';

interface Branch { text: string; branches: Branch[] }

/** What something was made of, drawn as a tree that fits the width. */
export const lineageAsTree = (lineage: Lineage): string => drawn(branchOf(lineage)).join('\n');

function branchOf(lineage: Lineage): Branch {
  switch (lineage.kind) {
    case 'version': return versionBranch(lineage, new Set(), { pinned: true });
    case 'release': return releaseBranch(lineage);
    case 'prediction': {
      const { chain, id, at, keys = [], fallbacks = {} } = lineage;
      const stoodIn = Object.entries(fallbacks).map(([stage, rows]) => leaf(dim(`${stage}: ${rows} rows by its fallback`)));
      return {
        text: `${bold(`prediction ${id}`)} of ${chain}${at ? `, ${when(at)}` : ''}`,
        branches: [...(keys.length > 0 ? [leaf(dim(`rows ${some(keys.map((key) => key.split('\u001f').join(', ')))}`))] : []), ...stoodIn, releaseBranch(lineage.release)],
      };
    }
  }
}

function releaseBranch({ chain, number, status, current, decisions, versions }: ReleaseLineage): Branch {
  const seen = new Set<string>();
  // What others read is drawn under them, so that each is drawn in full once.
  const read = new Set(versions.flatMap(upstreamIds));
  const roots = versions.filter((v) => !read.has(v.version));
  return {
    text: `${bold(`${chain} ${number}`)} ${status}${current ? ', in place' : ''}`,
    branches: [...decisions.map((d) => leaf(dim(`${d.at ? `${when(d.at)}  ` : ''}${decidedBy(d.status, d)}`))), ...roots.map((v) => versionBranch(v, seen, { pinned: false }))],
  };
}

function versionBranch({ model, version, task, trainer, snapshot, upstream, releases, missing, weighed }: VersionLineage, seen: Set<string>, { pinned }: { pinned: boolean }): Branch {
  const name = `${bold(model)} ${version}`;
  if (seen.has(`${model}@${version}`)) return leaf(`${name} ${dim('(as above)')}`);
  seen.add(`${model}@${version}`);
  if (missing) return leaf(`${name} ${dim('(no longer in the store)')}`);
  const inUse = releases.map((r) => `${r.chain} ${r.number} (${r.current ? 'in place' : r.status})`);
  return {
    text: `${name} ${dim(`${task}${trainer && trainer !== 'shoal' ? `, made by ${trainer}` : ''}${weighed ? ', suspect labels put aside' : ''}`)}`,
    branches: [
      ...(pinned && inUse.length > 0 ? [leaf(dim(`pinned by ${inUse.join(', ')}`))] : []),
      ...(snapshot ? [{
        text: `snapshot ${snapshot.sha256.slice(0, 12)} ${dim(`of ${snapshot.source}, ${snapshot.rows.toLocaleString('en-US')} rows`)}`,
        branches: [...snapshot.files.map(({ file, sha256 }) => leaf(dim(`${file}${sha256 ? ` ${sha256.slice(0, 12)}` : ''}`))), ...(snapshot.sql ? [leaf(dim(snapshot.sql.replace(/\s+/g, ' ').trim()))] : [])],
      }] : []),
      ...upstream.map((one) => versionBranch(one, seen, { pinned: false })),
    ],
  };
}

const upstreamIds = (version: VersionLineage): string[] => version.upstream.flatMap((u) => [u.version, ...upstreamIds(u)]);
const leaf = (text: string): Branch => ({ text, branches: [] });
const SHOWN = 3;
const some = (names: string[]): string => `${names.slice(0, SHOWN).join('; ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;

function drawn({ text, branches }: Branch, width = WIDTH()): string[] {
  // Lines of a text that goes on stand beside the stem of what is below it.
  const fits = wrapped(text, { width }).split('\n');
  const own = fits.length === 1 ? fits : wrapped(text, { width: width - 3 }).split('\n');
  const below = branches.flatMap((branch, i) => {
    const last = i === branches.length - 1;
    return drawn(branch, width - 3).map((line, j) => `${j === 0 ? (last ? '└─ ' : '├─ ') : (last ? '   ' : '│  ')}${line}`);
  });
  return [own[0]!, ...own.slice(1).map((line) => `${branches.length > 0 ? '│  ' : '   '}${line}`), ...below];
}
