import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { Shoal, type Endpoint } from '../../client';
import { figure } from '../../domain/headline';
import type { Row } from '../../domain/prediction';
import type { ReleaseDecision, ReleaseView } from '../../workflows/messages';
import { packageRoot } from '../../packageInfo';
import { bold, dim, green, red, rule, wrapped, yellow } from '../output';
import { outcomeOf, requestOf, type Film } from './films';

const CHAIN = 'box-office';
const AT_ONCE = 6;
const POLL_MS = 500;
/** Where what is said of a model begins. */
const COLUMN = 17;

/** Where the story is played: a project of its own, the people who ask it and the data that reach it. */
export class Stage {
  private constructor(readonly folder: string, readonly projectFile: string, private shoal: Shoal, private readonly endpoint: Endpoint, readonly say: (line?: string) => void) {}

  /** A fresh folder with the story's project. */
  static prepare(folder: string): string {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.join(folder, 'data'), { recursive: true });
    const projectFile = path.join(folder, 'temporal.yaml');
    cpSync(path.join(packageRoot, 'examples/story/temporal.yaml'), projectFile);
    return projectFile;
  }

  static async open(projectFile: string, endpoint: Endpoint, say: (line?: string) => void): Promise<Stage> {
    return new Stage(path.dirname(projectFile), projectFile, await Shoal.connect({ projectFile, endpoint }), endpoint, say);
  }

  close(): Promise<void> {
    return this.shoal.close();
  }

  scene(title: string, ...lines: string[]): void {
    this.say();
    this.say(rule(title));
    for (const line of lines) this.say(wrapped(line));
  }

  /** Changes temporal.yaml as a person would, and says so. */
  async edit(where: string[], value: unknown): Promise<void> {
    const document = parseDocument(readFileSync(this.projectFile, 'utf8'));
    document.setIn(where, document.createNode(value, { flow: true }));
    writeFileSync(this.projectFile, document.toString({ lineWidth: 0 }));
    this.say(dim(wrapped(`temporal.yaml: ${where.join('.')}: ${inWords(value)}`, { indent: 2 })));
    await this.shoal.close();
    this.shoal = await Shoal.connect({ projectFile: this.projectFile, endpoint: this.endpoint });
  }

  /** Asks for runs of models, and says what came of each. */
  async train(models?: string[], reason = 'new data'): Promise<void> {
    const batch = await this.shoal.train(models, { trigger: 'person', reason });
    for await (const event of this.shoal.watch(batch)) {
      if (event.type !== 'run.ended' || event.record.request.trigger === 'cascade') continue;
      const { status, reason: why } = event.record;
      const colour = status === 'made' ? green : status === 'unchanged' ? dim : red;
      this.say(`  ${event.model.padEnd(COLUMN)}${wrapped(`${colour(status)} ${status === 'unchanged' ? '' : dim(short(why))}`.trimEnd(), { indent: COLUMN + 2 })}`);
    }
  }

  /** Live requests for films, each one by itself, until there are no more or the condition holds; a film's outcome follows its answer. */
  async predict(films: readonly Film[], of: { outcomes: boolean; with?: Row; until?: () => boolean }): Promise<number> {
    const queue = [...films];
    let asked = 0;
    const known: Film[] = [];
    const ask = async () => {
      for (let film = queue.shift(); film && !of.until?.(); film = queue.shift()) {
        await this.shoal.predict(CHAIN, [{ ...requestOf(film), ...of.with }]);
        asked++;
        if (of.outcomes && known.push(film) >= 10) await this.tell(known.splice(0));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    if (known.length > 0) await this.tell(known);
    return asked;
  }

  /** What the films took, as it becomes known. */
  async tell(films: readonly Film[]): Promise<void> {
    await this.shoal.recordOutcomes(CHAIN, films.map(outcomeOf));
  }

  async view(): Promise<ReleaseView> {
    return (await this.shoal.chain(CHAIN))!;
  }

  /** Shows what the chain is at while something goes on, until it holds. */
  async watch(until: (view: ReleaseView) => boolean, meanwhile: Promise<unknown> = Promise.resolve(), timeoutMs = 600_000): Promise<ReleaseView> {
    const deadline = Date.now() + timeoutMs;
    let failed: Error | undefined;
    meanwhile.catch((error: unknown) => { failed = error instanceof Error ? error : new Error(String(error)); });
    let shown = '';
    for (;;) {
      const view = await this.view();
      const phase = view.rollout ? `candidate ${view.rollout.number}: ${view.rollout.phase}${view.rollout.weight > 0 ? ` at ${Math.round(100 * view.rollout.weight)}%` : ''}` : '';
      if (phase && phase !== shown) this.say(dim(`  ${phase}`));
      shown = phase || shown;
      if (until(view)) return view;
      if (failed) throw failed;
      if (Date.now() > deadline) throw new Error(`The story does not go on: ${view.activity}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The verdict on a release, in words. */
  verdict(decision: ReleaseDecision): void {
    const colour = decision.status === 'promoted' ? green : decision.status === 'refused' ? yellow : red;
    this.say(`  ${wrapped(`${bold(`release ${decision.number}`)} ${colour(decision.status)}${decision.by ? ` by ${decision.by}` : ''}: ${short(decision.reason, 400)}`, { indent: 2 })}`);
    const loss = decision.look?.verdict.checks.find((c) => c.check === 'loss');
    if (loss?.effect !== undefined) this.say(dim(`  error in use ${loss.effect > 0 ? '+' : ''}${figure(100 * loss.effect)}% against the release before, on ${loss.requests} requests`));
  }

  link(workflowId: string): string {
    return `${this.endpoint.ui ?? ''}/namespaces/${this.endpoint.namespace}/workflows/${encodeURIComponent(workflowId)}`;
  }
}

const inWords = (value: unknown): string => JSON.stringify(value).replaceAll('","', '", "');
const short = (text: string, length = 200) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
